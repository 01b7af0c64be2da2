// One connection of the receiver, from its begin to its end.
#pragma once

#include "oa/wal/receiver.h"
#include "replication_connection.h"

namespace oa::wal {

/// What a session tells while it runs. Called on the receiver's thread.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  /// Streaming from `from` on.
  virtual void streaming(Timeline timeline, Lsn from) = 0;
  /// Heard from the server, whose log ends there.
  virtual void heard(Lsn server_end) = 0;
  /// A batch has come, up to `end`.
  virtual void received(Lsn end) = 0;
  /// It is durable. `sent`: when the server sent the first message of it.
  virtual void durable(Lsn end, Timestamp sent) = 0;
  virtual void gap(const Gap& gap) = 0;
  virtual void damaged(const Damage& damage) = 0;
};

class ReceiverSession {
 public:
  ReceiverSession(const ReceiverSettings& settings, SealedWal& log, Wakeup& wakeup,
                  SessionEvents& events)
      : settings_(settings), log_(log), wakeup_(wakeup), events_(events) {}

  /// Connects and receives until something goes wrong: that is what it returns, kCancelled when the
  /// wakeup fired. May be called again.
  Error run();

 private:
  struct Server {
    ClusterIdentity cluster;
    Timeline timeline;
    Lsn end;
    std::vector<Ancestor> lineage;  // the ancestors of its timeline, then itself with no end
  };
  struct Place {
    Timeline timeline;
    Lsn lsn;
  };
  Status receive(ReplicationConnection& connection);
  Result<Server> identify(ReplicationConnection& connection);
  Status fetch_history(ReplicationConnection& connection, Timeline timeline);
  Result<std::vector<Ancestor>> fetch_lineage(ReplicationConnection& connection, Timeline timeline);
  Result<Place> slot_position(ReplicationConnection& connection, const Server& server);
  Result<std::optional<Lsn>> end_of(Timeline timeline);
  Result<std::optional<Place>> end_in_lineage(const Server& server);
  Result<Place> choose_start(ReplicationConnection& connection, const Server& server);
  Status note_gap(Place start);
  void note_removed(Place asked);
  Result<TimelineEnd> start_and_stream(ReplicationConnection& connection, Place place);
  Result<TimelineEnd> stream(ReplicationConnection& connection, Place place);
  Status take_batch(ReplicationConnection& connection, Place& place);

  const ReceiverSettings& settings_;
  SealedWal& log_;
  Wakeup& wakeup_;
  SessionEvents& events_;

  Bytes batch_;
  Timestamp batch_sent_;
  bool reply_wanted_ = false;
  bool heard_ = false;
  bool go_on_at_slot_ = false;
  std::optional<Lsn> set_aside_at_;
  std::optional<Place> kept_;  // where the slot keeps the log from; none: it keeps nothing of use
};

bool is_valid_slot_name(const std::string& name);

}  // namespace oa::wal
