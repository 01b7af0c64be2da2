// Segments of the archive that are looked at here, not by a server.
#include <fmt/format.h>
#include <zstd.h>

#include <filesystem>

#include "child_call.h"
#include "oa/continuity/repository.h"
#include "oa/crypto/sha1.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
constexpr const char* kOp = "repository";
constexpr std::size_t kFolderDigits = 16;  // of a segment's name: its folder in the archive
constexpr std::string_view kCompressed = ".zst";

Error damaged(const std::string& name) {
  return make_error(ErrorCode::kRepositoryDamaged, kOp,
                    fmt::format("segment {} of the archive is damaged", name))
      .with_hint("verify the repository, and make a full backup soon");
}

}  // namespace

// The file in the archive, below the repository: "<segment>-<SHA-1 of its content>.zst".
Result<std::string> Repository::find_segment(const std::string& name) const {
  const fs::path archive = fs::path("archive") / settings_.stanza;
  std::error_code error;
  for (const auto& history : fs::directory_iterator(settings_.folder / archive, error)) {
    std::error_code none;
    const fs::path folder = history.path() / name.substr(0, kFolderDigits);
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      const std::string file = entry.path().filename();
      if (file.starts_with(name + "-"))
        return (archive / history.path().filename() / name.substr(0, kFolderDigits) / file)
            .string();
    }
    if (none && none != std::errc::no_such_file_or_directory && none != std::errc::not_a_directory)
      return errno_error(none.value(), kOp, "the archive cannot be listed");
  }
  if (error) return errno_error(error.value(), kOp, "the archive cannot be listed");
  return std::string();
}

Result<bool> Repository::has_segment(const wal::SegmentName& name) const {
  OA_ASSIGN(const std::string file, find_segment(name.str()));
  return !file.empty();
}

Result<Bytes> Repository::segment(const wal::SegmentName& name) const {
  OA_ASSIGN(const std::string file, find_segment(name.str()));
  if (file.empty())
    return make_error(ErrorCode::kNotFound, kOp, "the archive has no " + name.str());
  if (!file.ends_with(kCompressed))
    return make_error(ErrorCode::kUnsupported, kOp, "a segment that others have compressed");
  CallLimits limits;
  limits.keep_bytes = ZSTD_compressBound(name.size.bytes());
  OA_ASSIGN(const std::string packed, run({"repo-get", file}, limits));
  Bytes bytes(name.size.bytes());
  const std::size_t size =
      ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  if (size != bytes.size()) return damaged(name.str());
  const std::string digest = fs::path(file).stem().string().substr(name.str().size() + 1);
  Sha1 hash;
  hash.update(bytes);
  if (to_hex(hash.finish()) != digest) return damaged(name.str());
  return bytes;
}

}  // namespace oa::continuity
