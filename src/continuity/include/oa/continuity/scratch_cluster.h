// A cell as it was at a moment: restored into a folder of its own and brought up there on a private
// server, beside the live one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/catalog/database.h"
#include "oa/continuity/repository.h"
#include "oa/postgres/process.h"
#include "oa/wal/restore_server.h"

namespace oa::continuity {

/// Where recovery ends.
struct Target {
  struct Latest {};     // the end of the log that there is
  struct Immediate {};  // as soon as the backup is consistent
  struct Time {         // commits with a time up to this one (before it, when not inclusive)
    Timestamp at;
    bool inclusive = true;
  };
  struct Position {  // records that begin up to this place in the log (before it, when not
                     // inclusive)
    wal::Lsn lsn;
    bool inclusive = true;
  };
  struct Name {  // of pg_create_restore_point; 1 to 63 characters
    std::string name;
  };
  std::variant<Latest, Immediate, Time, Position, Name> where;

  static Target latest() { return {Latest{}}; }
  static Target immediate() { return {Immediate{}}; }
  /// Everything committed up to and at `at`.
  static Target at(Timestamp at) { return {Time{at, true}}; }
  /// Everything committed before `at`: of an event, "just before it".
  static Target before(Timestamp at) { return {Time{at, false}}; }
  static Target position(wal::Lsn lsn, bool inclusive = true) { return {Position{lsn, inclusive}}; }
  static Target restore_point(std::string name) { return {Name{std::move(name)}}; }

  /// "2026-04-16T09:42:11.134000Z", "just before 2026-…", "16/B374D848", "restore point x",
  /// "latest", "immediate".
  std::string text() const;
  /// What a person types: an RFC 3339 moment with an offset, a position in the log ("16/B374D848"),
  /// "latest", "immediate", else the name of a restore point. kInvalidArgument for a moment without
  /// an offset, and for hexadecimal digits with a slash that are no position.
  static Result<Target> parse(std::string_view text);
};

/// What recovery gets besides the repository's archive.
struct LogSource {
  wal::SealedWal* tail = nullptr;          // the streamed log, borrowed; none: the archive alone
  std::string program = "/proc/self/exe";  // with the command `restore-wal`
};

/// Which backup recovery begins with, and along which timeline.
struct RecoveryPath {
  BackupInfo backup;
  wal::Timeline timeline;  // 0: the newest
};

/// The newest backup that ended before the target, on the timeline that was the cell's at that
/// moment: what a later recovery has cut off is still there for moments before that recovery. A
/// restore point is looked for from the oldest backup on. `label` forces a backup. kOutsideWindow
/// when the target is before the first backup's end, or later than `now`; kNotFound for an unknown
/// label.
Result<RecoveryPath> choose_path(const RepositoryInfo& info,
                                 const std::vector<TimelineInfo>& timelines, const Target& target,
                                 Timestamp now, const std::optional<std::string>& label = {});

struct Reached {
  wal::Lsn lsn;                          // end of the last record replayed
  std::optional<Timestamp> last_commit;  // of the last transaction replayed, when there was one
  wal::Timeline timeline;                // of the log that was replayed
};

enum class AtTarget : std::uint8_t {
  kPause,    // read-only; for a look. Without fsync: nothing there is kept.
  kPromote,  // a cluster to live on, on a timeline of its own, durable
};

struct ScratchOptions {
  Target target;
  AtTarget at_target = AtTarget::kPause;
  std::optional<std::string> label = {};            // of the backup to begin with
  std::chrono::seconds recovery_timeout{4 * 3600};  // without progress of the replay for a tenth of
                                                    // it, recovery has failed
};

/// A restored cluster with its own server on a unix socket, no TCP, no archiving. Stopped, and its
/// folder removed, when this object ends; a folder that a killed process left goes with the next
/// sweep(). Not thread-safe. The server ends with
/// the thread that made it. `repository` and the tail are borrowed as long as it lives.
class ScratchCluster {
 public:
  /// Restores into `<folder>/<id>`, recovers, and returns when the target is reached and the server
  /// answers. One is restored into `folder` at a time. Steps of progress: "Waiting for another
  /// restore", when there is one, "Restoring" in percent, "Replaying" in bytes of the log.
  /// kOutsideWindow, kWalMissing (the log ends before the target, or a piece lacks),
  /// kRecoveryFailed, kDiskFull, kTimeout, kBusy, kCancelled, and what Repository::restore gives.
  static Result<std::unique_ptr<ScratchCluster>> restore(const Repository& repository,
                                                         const LogSource& log,
                                                         const std::string& folder,
                                                         const ScratchOptions& options,
                                                         Progress& progress);
  ~ScratchCluster();
  ScratchCluster(const ScratchCluster&) = delete;
  ScratchCluster& operator=(const ScratchCluster&) = delete;

  /// For catalog::Database::open. After kPause its transactions must be read-only.
  const catalog::ConnectionSettings& settings() const;
  const Reached& reached() const;
  const RecoveryPath& path() const;
  /// How long the files took, and the replay.
  std::chrono::milliseconds restore_time() const;
  std::chrono::milliseconds recovery_time() const;
  /// The cluster's folder, and the server's inside of it.
  const std::string& folder() const;
  std::string data_folder() const { return folder() + "/data"; }
  /// Brings a schema of before an upgrade to that of this program, so that today's statements read
  /// it; for that a paused cluster is promoted first (step "Upgrading"). Nothing is done to a
  /// current one. kUnsupported when it is newer than this program, and the errors of a migration.
  Status make_current(Progress& progress);
  /// From now on it can be written; nothing of that goes anywhere else. Nothing is done to one that
  /// can be already.
  Status make_writable();
  /// Stops the server cleanly; then the data folder can be moved away. kRecoveryFailed when it did
  /// not stop so.
  Status stop();

 private:
  struct State;
  explicit ScratchCluster(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Removes from `folder` what processes that are gone have left, servers that still run included;
/// what others use stays. Returns how many were removed.
Result<std::size_t> sweep_scratch(const std::string& folder);

/// Where the log that is safe ends: the streamed tail's end or the archive's, whichever is farther.
using DurablePosition = std::function<wal::Lsn()>;

struct RestorableLimits {
  std::chrono::milliseconds patience{
      2'000};  // then a new segment is begun, so that this one is archived
  std::chrono::milliseconds timeout{90'000};
  std::string switch_role = "postgres";  // may call pg_switch_wal on a unix socket
};

/// Makes a `moment` of just now restorable: commits a marker on the live server behind it, since
/// recovery to a time ends at the first commit after it, and waits until `durable` has passed the
/// marker. Returns its end. kOutsideWindow when the moment is in the future by the server's clock,
/// kDatabaseUnavailable, kTimeout.
Result<wal::Lsn> make_restorable(const catalog::ConnectionSettings& live, Timestamp moment,
                                 const DurablePosition& durable, const RestorableLimits& limits,
                                 Progress& progress);

}  // namespace oa::continuity
