#include <fmt/format.h>

#include <thread>

#include "oa/continuity/scratch_cluster.h"
#include "sql_session.h"

namespace oa::continuity {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kOp = "recovery.marker";
constexpr auto kPoll = milliseconds(50);
constexpr std::int64_t kMaxAheadUs = 5'000'000;  // of a clock beside the server's

// Recovery to a time ends at the first commit after it, so there must be one.
Result<wal::Lsn> write_marker(SqlSession& session, Timestamp moment) {
  for (const auto deadline = Clock::now() + std::chrono::microseconds(kMaxAheadUs);;) {
    OA_ASSIGN(const std::string clock,
              session.value("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"));
    const std::int64_t server_us = std::stoll(clock);
    if (server_us > moment.unix_us) break;
    if (moment.unix_us - server_us > kMaxAheadUs || Clock::now() > deadline) {
      return make_error(ErrorCode::kOutsideWindow, kOp, "the moment is in the future")
          .with_hint("by the clock of the database it is now " + Timestamp{server_us}.rfc3339());
    }
    std::this_thread::sleep_for(kPoll);
  }
  // Its commit is waited for until it is on the server's disk.
  OA_TRY(session.command("SELECT pg_logical_emit_message(true, 'oa-backup', '')"));
  OA_ASSIGN(const std::string text, session.value("SELECT pg_current_wal_flush_lsn()"));
  return wal::Lsn::parse(text);
}

// Of a cluster that is not ours we are no superuser; there the role of backups may do it, in the
// database that it was let into.
Status begin_segment(const catalog::ConnectionSettings& live, const RestorableLimits& limits) {
  const bool ours = !live.tcp.has_value();
  OA_ASSIGN(auto session, SqlSession::open(live, ours ? limits.switch_role : live.backup_role,
                                           ours ? live.database : "postgres"));
  return session.command("SELECT pg_switch_wal()");
}

}  // namespace

Result<wal::Lsn> make_restorable(const catalog::ConnectionSettings& live, Timestamp moment,
                                 const DurablePosition& durable, const RestorableLimits& limits,
                                 Progress& progress) {
  OA_ASSIGN(auto session, SqlSession::open(live, live.operator_role, live.database));
  OA_ASSIGN(const wal::Lsn marker, write_marker(session, moment));
  const auto started = Clock::now();
  for (bool switched = false; durable() < marker;) {
    if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
    const auto waited = Clock::now() - started;
    if (waited > limits.timeout) {
      return make_error(ErrorCode::kTimeout, kOp,
                        "the write-ahead log up to the moment does not arrive")
          .with_hint("see the state of the receiver and of the archive: continuity status");
    }
    if (!switched && waited > limits.patience) {
      OA_TRY(begin_segment(live, limits));
      switched = true;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return marker;
}

}  // namespace oa::continuity
