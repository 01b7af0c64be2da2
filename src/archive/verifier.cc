#include "verifier.h"

#include <variant>
#include <vector>

#include "entry_layout.h"
#include "pack_check.h"
#include "seek_table.h"
#include "unit_run.h"

namespace oa::archive {
namespace {

Error refuse(ErrorCode code, std::string message) {
  return make_error(code, "archive.verify", std::move(message));
}

struct LargeExpectation {
  std::shared_ptr<const IndexPage> page;
  std::size_t entry = 0;
};

using Unit = std::variant<PackExpectation, LargeExpectation>;

// Walks the index from front to back and says what must be in the file. Collects the totals on its
// way.
class Expectations {
 public:
  explicit Expectations(const ArchiveFile& file) : file_(file) {}

  /// nullopt at the end.
  Result<std::optional<Unit>> next() {
    while (!page_ || frame_ == page_->frames.size()) {
      if (page_) OA_TRY(close_page());
      if (next_page_ == file_.root().pages.size()) {
        if (previous_) return missing_signature();
        return std::optional<Unit>();
      }
      OA_TRY(open_page());
    }
    if (next_is_large_) return std::optional<Unit>(large());
    OA_ASSIGN(Unit unit, pack());
    return std::optional<Unit>(std::move(unit));
  }

  /// What no unit covers: totals, and the table behind everything. Call at the end.
  Status check_rest() {
    const Manifest& manifest = file_.manifest();
    if (entries_ != manifest.entry_count || content_bytes_ != manifest.content_bytes) {
      return refuse(ErrorCode::kArchiveMalformed, "the index has other totals than the manifest");
    }
    if (content_hash_.finish() != manifest.content_hash) {
      return refuse(ErrorCode::kArchiveContentMismatch,
                    "the content hash is not the one in the manifest");
    }
    const std::uint64_t root_offset = file_.root().root_offset;
    table_.add(file_.manifest_offset() - root_offset, 0);
    const std::uint64_t manifest_size = file_.table_offset() - file_.manifest_offset();
    Bytes manifest_frame(manifest_size);
    OA_TRY(file_.read_at(file_.manifest_offset(), manifest_frame));
    table_.add(manifest_size, read_le<std::uint32_t>(ByteView(manifest_frame).subspan(5)));
    const Bytes expected = table_.encode();
    Bytes seen;  // only as long as it must be: nobody signed the table's length
    if (file_.size() - file_.table_offset() == expected.size()) {
      seen.resize(expected.size());
      OA_TRY(file_.read_at(file_.table_offset(), seen));
    }
    if (seen != expected)
      return refuse(ErrorCode::kArchiveMalformed, "the seek table does not fit the archive");
    return {};
  }

  std::uint64_t entries() const { return entries_; }
  std::uint64_t content_bytes() const { return content_bytes_; }

 private:
  Status open_page() {
    OA_ASSIGN(page_, file_.page(next_page_));
    frame_ = entry_ = 0;
    for (const auto& frame : page_->frames) table_.add(frame.stored_size, frame.plain_size);
    table_.add(kSkippableHeaderSize + file_.root().pages[next_page_].payload_size, 0);
    for (const auto& entry : page_->entries) {
      if (paths_.take(entry.info.path) != PathSequence::Next::kFits) {
        return refuse(ErrorCode::kArchiveMalformed,
                      quoted_path(entry.info.path) + " lies below another entry");
      }
      ++entries_;
      content_bytes_ += entry.info.size;
      add_to_content_hash(content_hash_, entry.info);
    }
    ++next_page_;
    return {};
  }

  Status close_page() {
    if (entry_ == page_->entries.size()) return {};
    return refuse(ErrorCode::kArchiveMalformed, "no frame begins where the index says " +
                                                    quoted_path(page_->entries[entry_].info.path) +
                                                    " does");
  }

  Result<Unit> pack() {
    const auto& entries = page_->entries;
    PackExpectation unit{page_,  frame_, std::exchange(previous_, std::nullopt),
                         entry_, entry_, std::nullopt};
    while (entry_ < entries.size() && !is_large(entries[entry_].info.size) &&
           entries[entry_].frame == frame_)
      ++entry_;
    unit.end_entry = entry_;
    if (entry_ < entries.size() && is_large(entries[entry_].info.size) &&
        entries[entry_].frame == frame_ + 1) {
      unit.next = entries[entry_].info;
      next_is_large_ = true;
    }
    const bool begins_an_entry = unit.first_entry < unit.end_entry || unit.next;
    if (!unit.previous && !begins_an_entry) {
      return refuse(ErrorCode::kArchiveEntryUnlisted, "a frame holds nothing that the index lists");
    }
    if (frame_ == 0 && !begins_an_entry) {
      return refuse(ErrorCode::kArchiveMalformed, "an index page begins where no entry does");
    }
    ++frame_;
    return Unit(std::move(unit));
  }

  Unit large() {
    const LargeExpectation unit{page_, entry_};
    previous_ = page_->entries[entry_].info;
    frame_ += chunk_count(previous_->size);
    ++entry_;
    next_is_large_ = false;
    return unit;
  }

  Error missing_signature() const {
    return refuse(ErrorCode::kArchiveEntryMissing,
                  quoted_path(signature_path(previous_->path)) + " is not in the archive");
  }

  const ArchiveFile& file_;
  std::size_t next_page_ = 0;
  std::shared_ptr<const IndexPage> page_;
  std::size_t frame_ = 0, entry_ = 0;  // the next ones in the page
  std::optional<EntryInfo> previous_;  // a large entry whose signature comes next
  bool next_is_large_ = false;
  SeekTable table_;
  PathSequence paths_;
  Blake2b content_hash_;
  std::uint64_t entries_ = 0, content_bytes_ = 0;
};

// One thread's checking of units, with the memory it keeps from one to the next.
class UnitCheck {
 public:
  UnitCheck(const ArchiveFile& file, bool every_signature, const Progress& progress)
      : file_(file), every_signature_(every_signature), progress_(progress) {}

  Status operator()(const PackExpectation& unit) {
    const FrameRecord& frame = unit.page->frames[unit.frame];
    OA_TRY(file_.read_stored(frame, stored_));
    if (blake3(stored_) != frame.digest) {
      return refuse(ErrorCode::kArchiveContentMismatch,
                    "the frame at byte " + std::to_string(frame.offset) +
                        " is damaged, which holds " + contents_of(unit));
    }
    OA_TRY(file_.decompress(frame, stored_, plain_));
    return check_pack(file_, unit, plain_, every_signature_);
  }

  Status operator()(const LargeExpectation& unit) {
    const PageEntry& entry = unit.page->entries[unit.entry];
    for (std::uint64_t i = 0; i < chunk_count(entry.info.size); ++i) {
      if (progress_.cancelled())
        return refuse(ErrorCode::kCancelled, "the verification was cancelled");
      const auto pieces = file_.load_frame(unit.page->frames[entry.frame + i], stored_, plain_);
      if (!pieces.ok() && pieces.error().code == ErrorCode::kArchiveContentMismatch)
        return differs(entry);
      if (!pieces.ok()) return pieces.error();
      for (const auto piece : *pieces) hash_.update(piece);
    }
    return hash_.finish() == entry.info.digest ? Status() : differs(entry);
  }

 private:
  static Error differs(const PageEntry& entry) {
    return refuse(ErrorCode::kArchiveContentMismatch,
                  "the content of " + quoted_path(entry.info.path) + " is not what the index says");
  }
  // What cannot be told apart without decoding damaged bytes.
  static std::string contents_of(const PackExpectation& unit) {
    const auto path = [&](std::size_t entry) {
      return quoted_path(unit.page->entries[entry].info.path);
    };
    std::string text;
    if (unit.previous) text = "the signature of " + quoted_path(unit.previous->path);
    if (unit.first_entry < unit.end_entry) {
      if (!text.empty()) text += " and ";
      text += path(unit.first_entry);
      if (unit.end_entry - unit.first_entry > 1) text += " to " + path(unit.end_entry - 1);
    }
    return text.empty() ? "the header of " + quoted_path(unit.next->path) : text;
  }

  const ArchiveFile& file_;
  const bool every_signature_;
  const Progress& progress_;  // asked only whether to go on
  Blake2b hash_;
  Bytes stored_, plain_;
};

std::uint64_t stored_size(const PackExpectation& unit) {
  return unit.page->frames[unit.frame].stored_size;
}
std::uint64_t stored_size(const LargeExpectation& unit) {
  const PageEntry& entry = unit.page->entries[unit.entry];
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < chunk_count(entry.info.size); ++i)
    sum += unit.page->frames[entry.frame + i].stored_size;
  return sum;
}

}  // namespace

Result<VerifyReport> verify_archive(const ArchiveFile& file, const VerifyOptions& options,
                                    Progress& progress) {
  Expectations expectations(file);
  progress.begin("verify", file.size(), "bytes");
  UnitRun<Unit> run([&] { return expectations.next(); },
                    [](const Unit& unit) {
                      return std::visit([](const auto& known) { return stored_size(known); }, unit);
                    },
                    progress);
  OA_TRY(run.run(options.threads, [&] {
    return [check = UnitCheck(file, options.every_signature, progress)](const Unit& unit) mutable {
      return std::visit(check, unit);
    };
  }));
  OA_TRY(expectations.check_rest());
  progress.update(file.size());
  const std::uint64_t entries = expectations.entries();
  return VerifyReport{entries, expectations.content_bytes(), file.size(),
                      1 + (options.every_signature ? entries : 0)};
}

}  // namespace oa::archive
