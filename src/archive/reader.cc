#include "oa/archive/reader.h"

#include <algorithm>

#include "archive_file.h"
#include "content.h"
#include "entry_layout.h"
#include "frame.h"
#include "verifier.h"

namespace oa::archive {
namespace {

Error refuse(ErrorCode code, std::string message) {
  return make_error(code, "archive.read", std::move(message));
}

Result<EntryPlace> require(const ArchiveFile& file, std::string_view path) {
  OA_ASSIGN(auto found, file.find(path));
  if (!found) return refuse(ErrorCode::kNotFound, "the archive has no such entry");
  return std::move(*found);
}

using Kind = PartInfo::Kind;

Status visit_frames(const IndexPage& page, std::uint64_t number,
                    const std::function<Status(const PartInfo&)>& visit) {
  std::vector<std::uint64_t> entries(page.frames.size());
  for (const auto& entry : page.entries) ++entries[entry.frame];
  for (std::size_t i = 0; i < page.frames.size(); ++i) {
    const FrameRecord& frame = page.frames[i];
    OA_TRY(visit({Kind::kContentFrame, frame.offset, frame.stored_size, frame.plain_size, number,
                  entries[i]}));
  }
  return {};
}

// The manifest frame is a stored one, so its size tells how much is in it.
std::uint64_t plain_size_of_stored(std::uint64_t frame_size) {
  constexpr std::uint64_t kFullBlock = kRawBlockSize + kBlockHeaderSize;
  const std::uint64_t blocks_size = frame_size - kRawFrameHeaderSize;
  return blocks_size - (blocks_size + kFullBlock - 1) / kFullBlock * kBlockHeaderSize;
}

}  // namespace

struct ArchiveReader::State {
  std::unique_ptr<ArchiveFile> file;
  bool trusted = false;
};

ArchiveReader::ArchiveReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveReader::~ArchiveReader() = default;

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(const RangedSource& source,
                                                           const TrustPolicy& trust,
                                                           const Limits& limits) {
  OA_ASSIGN(auto file, ArchiveFile::open(source, limits));
  const PublicKey& signer = file->manifest().signer;
  const bool trusted = std::ranges::find(trust.trusted, signer) != trust.trusted.end();
  if (!trusted && !trust.accept_unknown_signer) {
    return refuse(
               ErrorCode::kArchiveUntrustedSigner,
               "the archive was signed by key " + signer.key_id() + ", which is not trusted here")
        .with_hint("compare the fingerprint " + signer.fingerprint() +
                   " with its maker's; then accept this signer explicitly");
  }
  auto state = std::make_unique<State>();
  state->file = std::move(file);
  state->trusted = trusted;
  return std::unique_ptr<ArchiveReader>(new ArchiveReader(std::move(state)));
}

const Manifest& ArchiveReader::manifest() const { return state_->file->manifest(); }
bool ArchiveReader::signer_trusted() const { return state_->trusted; }

Status ArchiveReader::for_each(std::string_view prefix,
                               const std::function<Status(const EntryInfo&)>& visit) const {
  const ArchiveFile& file = *state_->file;
  for (std::size_t i = file.page_index_of(prefix); i < file.root().pages.size(); ++i) {
    OA_ASSIGN(const auto page, file.page(i));
    for (const auto& entry : page->entries) {
      const std::string_view path = entry.info.path;
      if (path < prefix) continue;
      if (!path.starts_with(prefix)) return {};
      OA_TRY(visit(entry.info));
    }
  }
  return {};
}

Status ArchiveReader::for_each_part(const std::function<Status(const PartInfo&)>& visit) const {
  const ArchiveFile& file = *state_->file;
  const IndexRoot& root = file.root();
  for (std::size_t i = 0; i < root.pages.size(); ++i) {
    OA_ASSIGN(const auto page, file.page(i));
    OA_TRY(visit_frames(*page, i, visit));
    OA_TRY(visit({Kind::kIndexPage, root.pages[i].offset,
                  kSkippableHeaderSize + root.pages[i].payload_size, 0, i, page->entries.size()}));
  }
  const std::uint64_t manifest_size = file.table_offset() - file.manifest_offset();
  OA_TRY(visit(
      {Kind::kIndexRoot, root.root_offset, file.manifest_offset() - root.root_offset, 0, 0, 0}));
  OA_TRY(visit({Kind::kManifest, file.manifest_offset(), manifest_size,
                plain_size_of_stored(manifest_size), 0, 0}));
  return visit({Kind::kSeekTable, file.table_offset(), file.size() - file.table_offset(), 0, 0, 0});
}

Result<std::vector<EntryInfo>> ArchiveReader::list_after(std::string_view after) const {
  const ArchiveFile& file = *state_->file;
  std::vector<EntryInfo> next;
  for (std::size_t i = file.page_index_of(after); i < file.root().pages.size() && next.empty();
       ++i) {
    OA_ASSIGN(const auto page, file.page(i));
    for (const auto& entry : page->entries) {
      if (entry.info.path > after) next.push_back(entry.info);
    }
  }
  return next;
}

Result<EntryInfo> ArchiveReader::stat(std::string_view path) const {
  OA_ASSIGN(const auto place, require(*state_->file, path));
  return place.entry().info;
}

Result<Bytes> ArchiveReader::read(std::string_view path, std::size_t max_bytes) const {
  OA_ASSIGN(const auto place, require(*state_->file, path));
  if (place.entry().info.size > max_bytes) {
    return refuse(ErrorCode::kLimitExceeded, "the entry is larger than " + format_size(max_bytes));
  }
  MemorySink content;
  OA_TRY(ContentReader(*state_->file).copy_one(place, content));
  return content.take();
}

Status ArchiveReader::copy(std::string_view path, ByteSink& out) const {
  OA_ASSIGN(const auto place, require(*state_->file, path));
  return ContentReader(*state_->file).copy_one(place, out);
}

Status ArchiveReader::for_each_content(const std::vector<std::string>& prefixes, unsigned threads,
                                       Progress& progress, const ContentVisitor& visit) const {
  return visit_contents(*state_->file, prefixes, threads, progress, visit);
}

Result<VerifyReport> ArchiveReader::verify(const VerifyOptions& options, Progress& progress) const {
  return verify_archive(*state_->file, options, progress);
}

}  // namespace oa::archive
