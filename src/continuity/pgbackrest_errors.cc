#include "pgbackrest_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOp = "repository";
constexpr int kCannotRead = 42, kLockHeld = 50;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Where a write has failed: its folder, by "unable to write '<path>'". pgbackrest may tell another
// reason than the one it had.
bool is_full(std::string_view text) {
  constexpr std::string_view kMark = "unable to write '";
  constexpr std::uint64_t kFullBelow = std::uint64_t{32} << 20;
  const std::size_t at = text.find(kMark);
  if (at == std::string_view::npos) return false;
  const std::string_view path = text.substr(at + kMark.size());
  fs::path folder(path.substr(0, path.find('\'')));
  std::error_code error;
  while (folder.has_relative_path() && !fs::exists(folder, error)) folder = folder.parent_path();
  const auto space = fs::space(folder, error);
  return !error && space.available < kFullBelow;
}

struct Meaning {
  int number;  // of pgbackrest's error
  ErrorCode code;
  const char* message;
  const char* hint;
};
constexpr const char* kNoServer = "the database server does not answer pgbackrest";
constexpr const char* kServerHint = "see the server's log";
constexpr const char* kDamaged = "the repository is damaged";
constexpr const char* kVerifyHint = "verify the repository, and make a full backup soon";
constexpr const char* kUnreadable = "the repository cannot be read or written";
constexpr const char* kFolderHint = "see that its disk is well, and the owner of its folders";
constexpr auto kMeanings = std::to_array<Meaning>({
    {26, ErrorCode::kRepositoryDamaged, kDamaged, kVerifyHint},  // checksum
    {29, ErrorCode::kRepositoryDamaged, kDamaged, kVerifyHint},  // format
    {55, ErrorCode::kRepositoryDamaged, "a file of the repository is missing", kVerifyHint},
    {95, ErrorCode::kRepositoryDamaged, kDamaged, kVerifyHint},  // crypto
    {99, ErrorCode::kRepositoryDamaged, kDamaged, kVerifyHint},  // JSON
    {28, ErrorCode::kConflict, "the repository is of another cluster",
     "give each cluster a repository of its own"},
    {44, ErrorCode::kConflict, "the repository is of another cluster",
     "give each cluster a repository of its own"},
    {51, ErrorCode::kConflict, "the repository is of another cluster",
     "give each cluster a repository of its own"},
    {45, ErrorCode::kConflict, "the archive has another segment of that name",
     "give each cluster a repository of its own"},
    {40, ErrorCode::kConflict, "the folder to restore into is not empty", "give an empty one"},
    {38, ErrorCode::kBusy, "the server of the folder to restore into runs", "stop it first"},
    {50, ErrorCode::kBusy, "another backup or expiry is at work", "wait until it has ended"},
    {75, ErrorCode::kNotFound, "there is no such backup", "see the list of backups"},
    {68, ErrorCode::kPreconditionFailed, "the server does not archive its log",
     "start it with the archive_command of this repository"},
    {87, ErrorCode::kPreconditionFailed, "the server does not archive its log",
     "start it with the archive_command of this repository"},
    {82, ErrorCode::kTimeout, "the server's log does not arrive in the repository", kServerHint},
    {56, ErrorCode::kDatabaseUnavailable, kNoServer, kServerHint},
    {57, ErrorCode::kDatabaseUnavailable, kNoServer, kServerHint},
    {58, ErrorCode::kConflict, "the server is another one than the repository's",
     "give each cluster a repository of its own"},
    {80, ErrorCode::kDatabaseUnavailable, kNoServer, kServerHint},
    {81, ErrorCode::kDatabaseUnavailable, kNoServer, kServerHint},
    {41, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // open
    {42, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // read
    {47, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // make a folder
    {49, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // host
    {53, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // open a folder
    {64, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // write
    {73, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // no folder
    {98, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},   // stat
    {101, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},  // service
    {105, ErrorCode::kRepositoryUnavailable, kUnreadable, kFolderHint},  // access
});

}  // namespace

Error pgbackrest_error(int number, std::string_view text) {
  if (has(text, "No space left on device") || has(text, "Disk quota exceeded") || is_full(text)) {
    return make_error(ErrorCode::kDiskFull, kOp, "the disk is full")
        .with_hint("free some space where the repository is, and where a restore goes");
  }
  // Several in one: what one file was.
  if (number == kCannotRead &&
      (has(text, "[FormatError]") || has(text, "[CryptoError]") || has(text, "[ChecksumError]")))
    number = kPgbackrestMalformed;
  // It takes a lock that it may not open for one that is held.
  if (number == kLockHeld && has(text, "Permission denied")) number = kPgbackrestCannotOpen;
  const auto found = std::ranges::find(kMeanings, number, &Meaning::number);
  if (found == kMeanings.end())
    return make_error(ErrorCode::kIo, kOp, fmt::format("pgbackrest failed with error {}", number));
  return make_error(found->code, kOp, found->message).with_hint(found->hint);
}

Error repository_unavailable(const std::string& what) {
  return make_error(ErrorCode::kRepositoryUnavailable, kOp, what)
      .with_hint("see that its folder is there, mounted, and owned by the account of the server");
}

}  // namespace oa::continuity
