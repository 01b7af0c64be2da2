// Whether the bucket's copy in another region has what was written, and the very bytes of it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "oa/catalog/database.h"
#include "oa/keys/key_service.h"
#include "oa/objects/replicated_store.h"

namespace oa::durability {

/// A version that the replica should have and has not, or has with other bytes. It stays one until
/// a later look finds it well, or removed from the primary.
struct ReplicaFault {
  ObjectKey key;
  VersionId version;
  std::string code;     // of the error: "resource/not-found", "storage/seal-corrupt"
  std::string message;  // what the replica did
  Timestamp found_at, looked_at;
};

/// What the monitor knows. Kept in the catalog.
struct ReplicationState {
  std::optional<Timestamp> looked_at;  // when a round last came to its end
  struct Canary {
    ObjectKey key;
    VersionId version;
    Timestamp written_at;
  };
  std::optional<Canary> pending;       // not seen in the replica yet
  std::optional<Timestamp> canary_at;  // when one last was
  std::optional<std::int64_t> lag_us;  // how long that took, as far as was looked
  std::optional<std::string> primary_error, replica_error;  // codes: what kept a round from its end
  std::uint64_t compared = 0;        // objects of tenants, since the beginning
  std::vector<ReplicaFault> faults;  // at most 100

  JsonText document() const;
  /// kInvalidArgument for what document() has not made.
  static Result<ReplicationState> parse(const JsonText& document);
};

enum class ReplicaAlarmCode {
  kReplicaFault,        // it lacks or falsifies what it should have: critical
  kReplicaLag,          // warning after a minute, critical after five (the promised RPO)
  kReplicaUnreachable,  // critical
  kPrimaryUnreachable,  // critical
  kNotLooked,           // no round for ten minutes: critical
};
std::string_view to_text(ReplicaAlarmCode);
struct ReplicaAlarm {
  ReplicaAlarmCode code = ReplicaAlarmCode::kReplicaFault;
  bool critical = true;
  std::string message;
};
/// Pure. A state in which nothing was looked at yet has no alarm before `since` + 10 min.
std::vector<ReplicaAlarm> replica_alarms(const ReplicationState& state, Timestamp now);
/// Seconds: of the canary under way when that is longer, else of the last one.
std::optional<double> replica_lag_seconds(const ReplicationState& state, Timestamp now);
/// For operators: numbers, faults, alarms.
json::object to_json(const ReplicationState& state, Timestamp now);

struct ReplicationSettings {
  std::chrono::milliseconds every{60'000};
  std::chrono::milliseconds canary_patience{10'000};  // of one round, for a canary to arrive
  std::chrono::milliseconds may_lag{300'000};  // what is younger may be missing in the replica
  int objects_a_round = 8;                     // of tenants
};

/// What is borrowed. `cell`: the owner of canaries, with a key of its own in `keys`.
struct ReplicationParts {
  catalog::Database& database;
  KeyService& keys;
  ReplicatedStore& store;
  TenantId cell;
};

/// Looks at objects of tenants in turn, the newest version of each. Not thread-safe.
class ReplicationRounds {
 public:
  ReplicationRounds(ReplicationParts parts, ReplicationSettings settings)
      : parts_(parts), settings_(settings) {}
  /// Writes a canary (or goes on waiting for the last one), reads it back from the replica, unseals
  /// it and compares; then every fault that is known, then objects of tenants: small ones whole, of
  /// large ones both ends and windows between. What keeps it from its end is in the state. An error
  /// is of the database.
  Status look(ReplicationState& state);
  /// From another thread: look() ends after the request under way.
  void cancel() { cancelled_ = true; }

 private:
  enum class Finding { kSame, kGone, kLocked, kMissing, kFalse, kNoPrimary, kNoReplica };
  struct Compared {
    Finding finding = Finding::kSame;
    std::string code, message;
  };
  Compared compare(const ObjectKey& key, const VersionId& version);
  Compared compare_bytes(const RangedSource& here, const RangedSource& there);
  /// False when the round cannot go on.
  bool note(ReplicationState& state, const ObjectKey& key, const VersionId& version,
            const Compared& compared);
  bool send_canary(ReplicationState& state);
  bool await_canary(ReplicationState& state);
  bool look_at_faults(ReplicationState& state);
  Status look_at_tenants(ReplicationState& state);
  std::optional<ObjectVersion> next_of(ReplicationState& state, TenantId tenant,
                                       RetentionClass retention_class);

  const ReplicationParts parts_;
  const ReplicationSettings settings_;
  std::map<std::pair<TenantId, RetentionClass>, std::string> behind_;  // the last one looked at
  std::size_t turn_ = 0;
  std::atomic<bool> cancelled_ = false;
};

/// Makes rounds in a thread of its own, one process of all at a time.
class ReplicationMonitor {
 public:
  /// `trouble`: of the database; may be empty, is called from the monitor's thread.
  static std::unique_ptr<ReplicationMonitor> start(ReplicationParts parts,
                                                   ReplicationSettings settings,
                                                   std::function<void(const Error&)> trouble);
  virtual ~ReplicationMonitor() = default;
};

/// What the monitor knows; a state in which nothing was looked at when there was none yet.
Result<ReplicationState> read_replication(catalog::Database& database);

}  // namespace oa::durability
