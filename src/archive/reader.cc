#include "oa/archive/reader.h"

#include <algorithm>

#include "archive_file.h"
#include "entry_layout.h"
#include "verifier.h"

namespace oa::archive {
namespace {

Error refuse(ErrorCode code, std::string message) {
  return make_error(code, "archive.read", std::move(message));
}

Error mismatch(const EntryInfo& entry) {
  return refuse(ErrorCode::kArchiveContentMismatch,
                "the content of " + quoted_path(entry.path) + " is not what the index says");
}

Result<EntryPlace> require(const ArchiveFile& file, std::string_view path) {
  OA_ASSIGN(auto found, file.find(path));
  if (!found) return refuse(ErrorCode::kNotFound, "the archive has no such entry");
  return std::move(*found);
}

// Passes the content to `out` piece by piece: chunks verified by the index, a small entry as a
// whole by its digest.
Status copy_entry(const ArchiveFile& file, const EntryPlace& place, ByteSink& out) {
  const PageEntry& entry = place.entry();
  if (!is_large(entry.info.size)) {
    OA_ASSIGN(const auto frame, file.pack_frame(place.page->frames[entry.frame]));
    const auto content = ByteView(*frame).subspan(entry.offset, entry.info.size);
    if (Blake2b::of(content) != entry.info.digest) return mismatch(entry.info);
    return out.write(content);
  }
  Blake2b hash;
  Bytes stored, plain;
  for (std::uint64_t i = 0; i < chunk_count(entry.info.size); ++i) {
    OA_ASSIGN(const auto pieces,
              file.load_frame(place.page->frames[entry.frame + i], stored, plain));
    for (const auto piece : pieces) {
      hash.update(piece);
      OA_TRY(out.write(piece));
    }
  }
  return hash.finish() == entry.info.digest ? Status() : mismatch(entry.info);
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
  OA_TRY(copy_entry(*state_->file, place, content));
  return content.take();
}

Status ArchiveReader::copy(std::string_view path, ByteSink& out) const {
  OA_ASSIGN(const auto place, require(*state_->file, path));
  return copy_entry(*state_->file, place, out);
}

Result<VerifyReport> ArchiveReader::verify(const VerifyOptions& options, Progress& progress) const {
  return verify_archive(*state_->file, options, progress);
}

}  // namespace oa::archive
