#include "pack_check.h"

#include <algorithm>

#include "entry_layout.h"
#include "tar.h"

namespace oa::archive {
namespace {

Error refuse(ErrorCode code, std::string message) {
  return make_error(code, "archive.verify", std::move(message));
}

// A path out of an unverified header, made fit for a message. A header has room for about 2 KiB of
// it.
std::string printable(std::string path) {
  if (!is_utf8(path)) return "(not UTF-8)";
  for (char& c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return path.empty() ? "(no path)" : quoted_path(path);
}

// The content entry that a header belongs to: its own path, or that of the entry whose signature it
// is.
std::string content_path(const std::string& path) {
  constexpr std::string_view kFolder = "signatures/", kSuffix = ".sig";
  if (!path.starts_with(kFolder) || !path.ends_with(kSuffix)) return path;
  return path.substr(kFolder.size(), path.size() - kFolder.size() - kSuffix.size());
}

class PackWalk {
 public:
  PackWalk(const ArchiveFile& file, ByteView plain, bool every_signature)
      : file_(file),
        plain_(plain),
        every_signature_(every_signature),
        mtime_(static_cast<std::uint64_t>(file.manifest().snapshot_time.unix_seconds())) {}

  Status entry(const PageEntry& entry) {
    OA_TRY(header(entry.info.path, entry.info.size));
    if (at_ != entry.offset) {
      return refuse(ErrorCode::kArchiveMalformed,
                    "the index points beside " + quoted_path(entry.info.path));
    }
    if (entry.info.size > plain_.size() - at_) return missing(entry.info.path);
    if (Blake2b::of(plain_.subspan(at_, entry.info.size)) != entry.info.digest) {
      return refuse(
          ErrorCode::kArchiveContentMismatch,
          "the content of " + quoted_path(entry.info.path) + " is not what the index says");
    }
    at_ += entry.info.size;
    return tail(entry.info);
  }

  // Padding and signature behind the content of an entry.
  Status tail(const EntryInfo& entry) {
    OA_TRY(padding(entry.size));
    const std::string path = signature_path(entry.path);
    const std::size_t size = signature_size(entry.path, entry.size);
    OA_TRY(header(path, size));
    if (size > plain_.size() - at_) return missing(path);
    if (every_signature_) OA_TRY(signature(entry, as_text(plain_.subspan(at_, size))));
    at_ += size;
    return padding(size);
  }

  Status header(const std::string& path, std::uint64_t size) {
    expected_.clear();
    append_tar_header(expected_, path, size, mtime_);
    const auto seen = plain_.subspan(at_);
    if (seen.size() < expected_.size() ||
        !std::ranges::equal(seen.first(expected_.size()), expected_)) {
      return explain(path);
    }
    at_ += expected_.size();
    return {};
  }

  Status end() const {
    if (at_ == plain_.size()) return {};
    const auto seen = look_at_tar_header(plain_.subspan(at_));
    if (seen.is_header) return unlisted(seen.path);
    return refuse(ErrorCode::kArchiveMalformed, "a frame holds more than its entries");
  }

 private:
  Status padding(std::uint64_t size) {
    const std::size_t count = padding_size(size);
    const auto rest = plain_.subspan(at_);
    if (rest.size() < count ||
        std::ranges::any_of(rest.first(count), [](auto byte) { return byte != 0; })) {
      return refuse(ErrorCode::kArchiveMalformed, "the padding behind an entry is not zero");
    }
    at_ += count;
    return {};
  }

  Status signature(const EntryInfo& entry, std::string_view text) const {
    const Manifest& manifest = file_.manifest();
    const auto verified = verify_signature(text, manifest.signer, entry.digest);
    const bool bound =
        verified.ok() && text.starts_with(untrusted_line(manifest.signer)) &&
        verified->trusted_comment == trusted_comment(manifest.archive_id, entry.path, entry.size);
    if (bound) return {};
    return refuse(ErrorCode::kArchiveSignatureInvalid,
                  "the signature of " + quoted_path(entry.path) + " does not verify")
        .with_cause(verified.ok() ? "it was made for another entry" : verified.error().message);
  }

  // Why the header of `path` is not here.
  Status explain(const std::string& path) const {
    if (at_ == plain_.size()) return missing(path);
    const auto seen = look_at_tar_header(plain_.subspan(at_));
    if (!seen.is_header || seen.path == path) {
      return refuse(ErrorCode::kArchiveMalformed,
                    "the tar header of " + quoted_path(path) + " is not the one for a plain file");
    }
    OA_ASSIGN(const auto listed, file_.find(content_path(seen.path)));
    const std::string seen_content = content_path(seen.path), content = content_path(path);
    const bool is_own_signature =
        seen_content == content && seen.path != content && path == content;
    const bool comes_later = listed && (seen_content > content || is_own_signature);
    return comes_later ? missing(path) : unlisted(seen.path);
  }

  static Error missing(const std::string& path) {
    return refuse(ErrorCode::kArchiveEntryMissing,
                  quoted_path(path) + " is listed but not in the archive");
  }
  static Error unlisted(const std::string& path) {
    return refuse(ErrorCode::kArchiveEntryUnlisted,
                  "the archive holds " + printable(path) + ", which is not listed there");
  }

  const ArchiveFile& file_;
  const ByteView plain_;
  const bool every_signature_;
  const std::uint64_t mtime_;
  std::size_t at_ = 0;
  Bytes expected_;
};

}  // namespace

Status check_pack(const ArchiveFile& file, const PackExpectation& expected, ByteView plain,
                  bool every_signature) {
  PackWalk walk(file, plain, every_signature);
  if (expected.previous) OA_TRY(walk.tail(*expected.previous));
  for (std::size_t i = expected.first_entry; i < expected.end_entry; ++i) {
    OA_TRY(walk.entry(expected.page->entries[i]));
  }
  if (expected.next) OA_TRY(walk.header(expected.next->path, expected.next->size));
  return walk.end();
}

}  // namespace oa::archive
