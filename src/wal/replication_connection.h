// A walsender at the other end (Postgres 15 manual, "Streaming Replication Protocol"), through
// libpq without a call that blocks.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/clock.h"
#include "oa/wal/position.h"
#include "oa/wal/receiver.h"
#include "wakeup.h"

namespace oa::wal {

/// A row of text columns.
using Row = std::vector<std::optional<std::string>>;

/// Where a timeline ended at the server, and what goes on from there.
struct TimelineEnd {
  Timeline next;
  Lsn at;
};

struct StreamMessage {
  enum class Kind { kData, kKeepalive };
  Kind kind = Kind::kData;
  Lsn start;       // of `data`
  Lsn server_end;  // of the server's log when it sent this
  Timestamp sent;  // by the server's clock
  bool reply_wanted = false;
  ByteView data;  // until the next call of next_message()
};

/// Not thread-safe. Each wait ends with an error when its time is up or the wakeup fires
/// (kCancelled).
class ReplicationConnection {
 public:
  /// The first host that answers in time and is what the conninfo asks for. kDatabaseUnavailable.
  static Result<ReplicationConnection> open(const ReceiverSettings& settings, Wakeup& wakeup);

  /// A command with rows; kDatabase when it is refused (last_sqlstate() says why),
  /// kDatabaseUnavailable when the connection is lost.
  Result<std::vector<Row>> command(const std::string& text);
  /// START_REPLICATION. An end at once when that timeline has nothing behind `from`.
  Result<std::optional<TimelineEnd>> start(const std::string& slot, Timeline timeline, Lsn from);
  /// What has come and was not given out yet; none when there is nothing more at the moment.
  Result<std::optional<StreamMessage>> next_message();
  /// True once the server has ended the stream, since its timeline ended.
  bool stream_ended() const { return stream_ended_; }
  /// After the stream's end: what comes next.
  Result<TimelineEnd> finish_stream();
  Status send_status(Lsn received, Lsn durable, bool reply_wanted);
  /// Waits until something may have come. False: nothing in that time.
  Result<bool> wait(std::chrono::milliseconds timeout);
  /// Of the latest command or stream; empty when the server did not refuse it.
  const std::string& last_sqlstate() const { return sqlstate_; }

 private:
  ReplicationConnection(PGconn* connection, const ReceiverSettings& settings, Wakeup& wakeup);
  Status finish_connecting();
  Result<short> poll_socket(short events, std::chrono::milliseconds timeout);
  Result<std::unique_ptr<PGresult, void (*)(PGresult*)>> next_result();
  Result<TimelineEnd> read_timeline_end(const PGresult* result);
  Status flush();
  Error failed(const PGresult* result);
  Error lost();

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
  std::chrono::milliseconds timeout_;
  Wakeup* wakeup_;
  std::unique_ptr<char, void (*)(void*)> message_;
  bool stream_ended_ = false;
  std::string sqlstate_;
};

}  // namespace oa::wal
