// The repository of backups of one cluster: base backups and archived write-ahead log, encrypted,
// through the program pgbackrest (2.45 or later).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/crypto/secret.h"
#include "oa/postgres/process.h"
#include "oa/wal/position.h"

namespace oa::continuity {

/// A server on this machine.
struct ServerPlace {
  std::string data_folder, socket_folder, port;
};

/// Where a repository is and of which server. All folders are absolute paths.
struct RepositorySettings {
  std::string folder;         // the repository itself
  std::string run_folder;     // locks and spool; nothing of value
  std::string data_folder;    // the server's
  std::string socket_folder;  // the server's
  std::string port = "5432";
  std::string role = "oa_backup";
  std::string database = "postgres";
  std::string stanza = "main";
  postgres::Account account;  // runs pgbackrest, owns both folders: the server's
  /// Of a cluster: its primary now, asked for before each call that wants the running server. Then
  /// the three above only have to be there. From several threads.
  std::function<Result<ServerPlace>()> primary = {};
};

enum class BackupType : std::uint8_t { kFull, kDifferential, kIncremental };

/// "full", "diff", "incr".
std::string_view backup_type_name(BackupType type);

/// One base backup. Times are of the server's clock, in whole seconds, rounded down.
struct BackupInfo {
  std::string label;
  BackupType type = BackupType::kFull;
  std::string prior;  // the backup that this one builds on; empty for a full one
  Timestamp started_at, stopped_at;
  wal::Lsn start_lsn, stop_lsn;
  wal::Timeline timeline;                   // at its start
  std::string first_segment, last_segment;  // of the log that it needs to be consistent
  std::uint64_t database_bytes = 0;         // of the cluster
  std::uint64_t read_bytes = 0;             // of it, copied by this backup
  std::uint64_t repository_bytes = 0;       // what it needs, that of `prior` included
  std::uint64_t added_bytes = 0;            // what it added to the repository
  bool damaged_pages = false;               // a page of the cluster failed its checksum

  /// The first moment that it can be restored to.
  Timestamp restorable_from() const { return {stopped_at.unix_us + 1'000'000}; }
};

/// What of the archive there is for one incarnation of the cluster (initdb), "15-1"; empty names
/// when there is nothing. There may be gaps between: see verify().
struct ArchiveRange {
  std::string history_id;
  std::string min_segment, max_segment;
};

struct RepositoryInfo {
  bool stanza = false;              // created
  std::vector<BackupInfo> backups;  // oldest first
  std::vector<ArchiveRange> archives;

  const BackupInfo* find(std::string_view label) const;
};

/// A timeline of the cluster other than the first, from its history file in the archive; the first, too,
/// when the cluster came back to it.
struct TimelineInfo {
  wal::Timeline timeline;
  /// When its history file was archived, by the repository's clock, which is late; better, when the
  /// server ended its recovery, by the server's.
  Timestamp began_at;
  std::vector<wal::Ancestor> ancestors;  // oldest first
  /// When the cluster was on it again although a later one had begun: a node that stood still and led
  /// on. Ascending.
  std::vector<Timestamp> led_again_at = {};
};

struct VerifyProblem {
  std::string where;  // label of a backup, or history id of the archive
  std::string what;   // one line: a file, and whether it is missing or damaged, or a gap in the log
};

struct VerifyReport {
  std::uint64_t segments = 0;           // of the log, checked
  std::uint64_t backups = 0;            // checked
  std::uint64_t files = 0;              // of backups, checked
  std::vector<VerifyProblem> problems;  // at most kMaxVerifyProblems
  std::uint64_t problem_count = 0;
  bool sound() const { return problem_count == 0; }
};
inline constexpr std::size_t kMaxVerifyProblems = 1000;

/// What a cluster is restored from and to.
struct RestoreRequest {
  std::string target;                     // folder: empty or not there, or a used one with `delta`
  std::optional<std::string> label = {};  // else the newest
  bool delta = false;                     // keep what is in the folder already, by checksum
  const RepositoryInfo* known = nullptr;  // what info() has told just now, not to ask again; borrowed
};

enum class Fetched : std::uint8_t { kFound, kNotFound };

struct CallLimits;  // private: of one call of the program
struct Outcome;

/// Drives pgbackrest. Its configuration, with the passphrase, is a file in memory that the children
/// inherit: the passphrase is on no disk. Thread-safe as far as pgbackrest is: two writers (backup,
/// expire, create_stanza) at once give kBusy. Children end when the thread that called ends.
///
/// Errors of every call: kNotFound (pgbackrest is not installed), kRepositoryUnavailable (folder
/// gone, not permitted, I/O, or no answer in time), kRepositoryDamaged, kKeyWrong (another
/// passphrase), kDiskFull, kBusy (another one holds the lock), kDatabaseUnavailable (the server
/// does not answer), kCancelled. What pgbackrest itself says is in `cause`.
class Repository {
 public:
  /// `passphrase` is the raw key; its text form is base64. Touches neither folder.
  static Result<Repository> open(RepositorySettings settings, const SecretBytes& passphrase);
  Repository(Repository&&) noexcept = default;
  Repository& operator=(Repository&&) noexcept = default;

  const RepositorySettings& settings() const { return settings_; }

  /// Makes folders and stanza when they are not there. The server must run. kConflict when the
  /// repository is another cluster's.
  Status create_stanza();
  /// Forces a segment through the archive and waits for it; for this archive_command must work.
  /// kTimeout when it does not arrive within a minute.
  Status check();
  /// A base backup of the running server. kIncremental and kDifferential become kFull when there is
  /// none to build on. Progress in percent.
  Result<BackupInfo> backup(BackupType type, Progress& progress);
  Result<RepositoryInfo> info() const;
  /// Timelines in the archive of the newest incarnation, ascending; empty when there is only the
  /// first. `now` is what info() has told.
  Result<std::vector<TimelineInfo>> timelines(const RepositoryInfo& now) const;
  /// Reads everything. Progress in files, without a total. An answer that is not understood is
  /// kRepositoryDamaged.
  Result<VerifyReport> verify(Progress& progress) const;
  /// Removes backups, and log, that no moment within the last `retain_days` (1 to 3650) needs: the
  /// newest full backup that is older than the window stays, with everything since.
  Status expire(unsigned retain_days);
  /// The files of a backup, as of its copying: consistent only after recovery, for which nothing is
  /// set up here. Progress in percent. kNotFound for an unknown label, kConflict for a folder that
  /// is not empty, kDiskFull when that is what `target` is.
  Status restore(const RestoreRequest& request, Progress& progress) const;
  /// Brings a segment or a history file of the archive to the absolute path `target`, which the
  /// account must be able to write. `cluster`: the data folder of the cluster that asks, so that it
  /// gets what is its own (default: the server's). A segment is compared with the checksum that the
  /// archive has of it, which pgbackrest itself does not do: kRepositoryDamaged, and nothing at
  /// `target`. kInvalidArgument for another name.
  Result<Fetched> archive_get(std::string_view name, const std::string& target,
                              const std::string& cluster = {}) const;

  /// Brings a segment or a history file (its last name) at an absolute path to the archive, as
  /// archive_command does. kConflict when the archive has another one of that name.
  Status archive_push(const std::string& path, const std::string& cluster);

  /// Whether the archive has that segment; of its content nothing is said.
  Result<bool> has_segment(const wal::SegmentName& name) const;
  /// A whole segment of the archive, in memory alone. kNotFound, kRepositoryDamaged.
  Result<Bytes> segment(const wal::SegmentName& name) const;

  /// For the server: archive_command, and the file that it inherits (number 3). Borrowed: this
  /// object must live until the server has been started.
  std::string archive_command() const;
  std::vector<postgres::InheritedFile> files() const;

  /// Bytes on disk.
  Result<std::uint64_t> stored_bytes() const;

 private:
  Repository(RepositorySettings settings, postgres::MemoryFile configuration, std::string program);
  Result<std::string> run(std::vector<std::string> arguments, const CallLimits& limits) const;
  Result<std::string> run_on_server(std::vector<std::string> arguments,
                                    const CallLimits& limits) const;
  enum class InfoFiles { kNone, kUnreadable, kReadable };
  std::vector<std::string> command(std::vector<std::string> arguments) const;
  Error explain(const Outcome& outcome) const;
  InfoFiles look_at_info_files() const;
  Status check_segment(std::string_view name, const std::string& path) const;
  Result<std::string> find_segment(const std::string& name) const;

  RepositorySettings settings_;
  postgres::MemoryFile configuration_;
  std::string program_;
};

/// The absolute path of pgbackrest; kNotFound with a hint.
Result<std::string> find_pgbackrest();

}  // namespace oa::continuity
