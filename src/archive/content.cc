#include "content.h"

#include <algorithm>

#include "entry_layout.h"
#include "unit_run.h"

namespace oa::archive {
namespace {

Error mismatch(const EntryInfo& entry) {
  return make_error(ErrorCode::kArchiveContentMismatch, "archive.read",
                    "the content of " + quoted_path(entry.path) + " is not what the index says");
}

Status copy_small(const PageEntry& entry, ByteView frame, ByteSink& out) {
  const auto content = frame.subspan(entry.offset, entry.info.size);
  if (Blake2b::of(content) != entry.info.digest) return mismatch(entry.info);
  return out.write(content);
}

// Entries of one page that are read together.
struct ContentUnit {
  std::shared_ptr<const IndexPage> page;
  std::size_t first = 0, end = 0;
};

std::uint64_t content_size(const ContentUnit& unit) {
  std::uint64_t sum = 0;
  for (std::size_t i = unit.first; i < unit.end; ++i) sum += unit.page->entries[i].info.size;
  return sum;
}

// Walks the entries under some prefixes in the order of the file.
class Selection {
 public:
  Selection(const ArchiveFile& file, std::vector<std::string> prefixes) : file_(file) {
    if (prefixes.empty()) prefixes.emplace_back();
    std::ranges::sort(prefixes);
    for (auto& prefix : prefixes) {
      if (prefixes_.empty() || !prefix.starts_with(prefixes_.back()))
        prefixes_.push_back(std::move(prefix));
    }
  }

  /// nullopt at the end.
  Result<std::optional<ContentUnit>> next() {
    while (prefix_ < prefixes_.size()) {
      if (!page_index_) page_index_ = file_.page_index_of(prefixes_[prefix_]);
      if (*page_index_ >= file_.root().pages.size()) {
        next_prefix();
        continue;
      }
      if (!page_) OA_TRY(open_page());
      if (entry_ == page_->entries.size()) {
        page_ = nullptr;
        ++*page_index_;
      } else if (!matches(entry_)) {
        next_prefix();
      } else {
        return std::optional<ContentUnit>(take());
      }
    }
    return std::optional<ContentUnit>();
  }

 private:
  void next_prefix() {
    ++prefix_;
    page_index_.reset();
    page_ = nullptr;
  }

  Status open_page() {
    OA_ASSIGN(page_, file_.page(*page_index_));
    const auto first = std::ranges::lower_bound(
        page_->entries, prefixes_[prefix_], {},
        [](const PageEntry& e) -> const std::string& { return e.info.path; });
    entry_ = static_cast<std::size_t>(first - page_->entries.begin());
    return {};
  }

  bool matches(std::size_t entry) const {
    return page_->entries[entry].info.path.starts_with(prefixes_[prefix_]);
  }

  ContentUnit take() {
    const auto& entries = page_->entries;
    const std::size_t first = entry_++;
    if (!is_large(entries[first].info.size)) {
      while (entry_ < entries.size() && !is_large(entries[entry_].info.size) &&
             entries[entry_].frame == entries[first].frame && matches(entry_))
        ++entry_;
    }
    return {page_, first, entry_};
  }

  const ArchiveFile& file_;
  std::vector<std::string> prefixes_;  // sorted; none is the beginning of another
  std::size_t prefix_ = 0;
  std::optional<std::size_t> page_index_;  // once it is known for the prefix
  std::shared_ptr<const IndexPage> page_;
  std::size_t entry_ = 0;  // the next one in the page
};

// Bytes of content that a selection has; the manifest knows those of the whole.
Result<std::uint64_t> total_size(const ArchiveFile& file,
                                 const std::vector<std::string>& prefixes) {
  if (prefixes.empty()) return file.manifest().content_bytes;
  Selection selection(file, prefixes);
  std::uint64_t sum = 0;
  while (true) {
    OA_ASSIGN(const auto unit, selection.next());
    if (!unit) return sum;
    sum += content_size(*unit);
  }
}

}  // namespace

Status ContentReader::copy_one(const EntryPlace& place, ByteSink& out) {
  const PageEntry& entry = place.entry();
  if (is_large(entry.info.size)) return copy_large(*place.page, entry, out);
  OA_ASSIGN(const auto frame, file_.pack_frame(place.page->frames[entry.frame]));
  return copy_small(entry, *frame, out);
}

Status ContentReader::visit(const IndexPage& page, std::size_t first, std::size_t end,
                            const ContentVisitor& visit) {
  if (is_large(page.entries[first].info.size)) {
    const PageEntry& entry = page.entries[first];
    return visit(entry.info, [&](ByteSink& out) { return copy_large(page, entry, out); });
  }
  OA_ASSIGN(const auto pieces,
            file_.load_frame(page.frames[page.entries[first].frame], stored_, plain_));
  Bytes joined;
  ByteView frame = pieces.front();
  if (pieces.size() > 1) {
    for (const auto piece : pieces) joined.insert(joined.end(), piece.begin(), piece.end());
    frame = joined;
  }
  for (std::size_t i = first; i < end; ++i) {
    const PageEntry& entry = page.entries[i];
    OA_TRY(visit(entry.info, [&](ByteSink& out) { return copy_small(entry, frame, out); }));
  }
  return {};
}

// Chunks go out as the index vouches for them; the whole is checked once more at its end.
Status ContentReader::copy_large(const IndexPage& page, const PageEntry& entry, ByteSink& out) {
  Blake2b hash;
  for (std::uint64_t i = 0; i < chunk_count(entry.info.size); ++i) {
    OA_ASSIGN(const auto pieces, file_.load_frame(page.frames[entry.frame + i], stored_, plain_));
    for (const auto piece : pieces) {
      hash.update(piece);
      OA_TRY(out.write(piece));
    }
  }
  return hash.finish() == entry.info.digest ? Status() : mismatch(entry.info);
}

Status visit_contents(const ArchiveFile& file, const std::vector<std::string>& prefixes,
                      unsigned threads, Progress& progress, const ContentVisitor& visit) {
  OA_ASSIGN(const std::uint64_t total, total_size(file, prefixes));
  progress.begin("read", total, "bytes");
  Selection selection(file, prefixes);
  UnitRun<ContentUnit> run([&] { return selection.next(); }, content_size, progress);
  return run.run(threads, [&] {
    return [&, reader = ContentReader(file)](const ContentUnit& unit) mutable {
      return reader.visit(*unit.page, unit.first, unit.end, visit);
    };
  });
}

}  // namespace oa::archive
