// The receiver of a cell's write-ahead log: physical replication (Postgres 15 manual, "Streaming
// Replication Protocol") into the sealed log, milliseconds behind the server.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/clock.h"
#include "oa/wal/sealed_wal.h"

namespace oa::wal {

struct ReceiverSettings {
  /// libpq's, without `dbname` and `replication`. With several hosts and
  /// target_session_attrs=read-write it finds the primary (Patroni).
  std::string conninfo;
  /// Physical slot, made when it is missing. Bound it with max_slot_wal_keep_size: while we are
  /// away, the server keeps the log for us. Lower-case letters, digits and underscores, at most 63.
  std::string slot = "oa_receiver";
  /// Named in synchronous_standby_names, it makes commits wait for us.
  std::string application_name = "oa_receiver";
  /// Messages that wait at the same time are made durable together, up to so many bytes (at most 1
  /// MiB).
  std::size_t batch_bytes = 1 << 20;
  std::chrono::milliseconds connect_timeout{10'000};
  /// Longest silence of the server before the connection counts as lost.
  std::chrono::milliseconds silence_timeout{30'000};
  /// Wait between two attempts: doubles from the first to the second, with jitter.
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{10'000};
};

/// What the server had removed before we came to it. The log has none of it; the repository may.
struct Gap {
  Timeline timeline;  // in which the log goes on
  Lsn from;           // where it ended
  Lsn to;             // where it goes on
  Timestamp noticed_at;
};

/// A segment of the log that did not authenticate when the receiver began, and was set aside. It is
/// received anew as far as the server still has it; a gap says when that is not so.
struct Damage {
  SegmentName segment;
  Timestamp noticed_at;
};

struct ReceiverState {
  bool connected = false;  // streaming
  Timeline timeline;
  Lsn received;    // end of what came
  Lsn durable;     // end of what is sealed and on disk; reported to the server
  Lsn server_end;  // the server's own end, by its last message
  Timestamp last_message_at;
  /// Since when the log is not being received, or why it cannot be kept; none when all is well.
  /// kDatabaseUnavailable, kConflict (another cluster, another history), kDiskFull, kKeyDisabled,
  /// ….
  std::optional<Error> trouble;
  std::uint64_t reconnects = 0;
  std::optional<Gap> gap;         // the latest one since start
  std::optional<Damage> damaged;  // the latest one since start
};

/// A minute in which something was received, or in which we were not connected.
struct LagMinute {
  Timestamp minute;
  /// From the moment the server sent a message until it was durable here (by both clocks); while
  /// not connected, the time since the last message.
  double worst_ms = 0;
  double median_ms = 0;  // of the batches, within 10 %; 0 when there were none
  std::uint64_t batches = 0;
  std::uint64_t worst_bytes = 0;  // by how much the server's end was ahead of what was durable
};

/// Receives on a thread of its own until stop(). Whatever goes wrong is in state().trouble and is
/// tried again; the server never waits for us unless it was told to (synchronous standby).
/// Thread-safe.
class Receiver {
 public:
  /// `log` is borrowed and opened for writing. kInvalidArgument for settings that cannot be.
  static Result<std::unique_ptr<Receiver>> start(ReceiverSettings settings, SealedWal& log);
  ~Receiver();  // stop()
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  ReceiverState state() const;
  /// Waits until everything up to `lsn` is durable; false when that does not happen in time.
  bool wait_for(Lsn lsn, std::chrono::milliseconds timeout) const;
  /// The minutes since the last call, the current one included as far as it goes; at most a day's.
  std::vector<LagMinute> take_lag();
  /// Ends within the time that one batch takes to become durable. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit Receiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Drops the slot, for a cluster that is received no more: an unused slot holds the server's log
/// back. No error when there is none.
Status drop_slot(const ReceiverSettings& settings);

}  // namespace oa::wal
