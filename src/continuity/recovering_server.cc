#include "recovering_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "oa/base/io.h"

namespace oa::continuity {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kOp = "recovery";
constexpr const char* kSuperuser = "postgres";
constexpr auto kPoll = milliseconds(50);
constexpr auto kStopTimeout = seconds(120);  // a shutdown checkpoint of a large cluster
constexpr auto kPromoteTimeout = seconds(120);  // a checkpoint, and the archive asked once more
constexpr auto kQuitTimeout = seconds(10);
constexpr auto kFullPatience = seconds(3);
constexpr std::uint64_t kLeastFree = 1 << 20;
constexpr int kStallShare = 10;  // of the time for recovery, without any progress
constexpr int kProgramFd = 3;

// One look at a server that recovers.
struct Sight {
  bool recovering = true, paused = false;
  Reached reached;
};

Result<Sight> look(SqlSession& session) {
  OA_ASSIGN(const auto row,
            session.row("SELECT pg_is_in_recovery(),"
                        " CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END,"
                        " pg_last_wal_replay_lsn(),"
                        " (extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000000)::bigint,"
                        " CASE WHEN NOT pg_is_in_recovery()"
                        " THEN pg_walfile_name(pg_current_wal_lsn()) END"));
  Sight sight;
  sight.recovering = row[0] == "t";
  sight.paused = row[1] == "paused";
  if (row[2]) {
    OA_ASSIGN(sight.reached.lsn, wal::Lsn::parse(*row[2]));
  }
  if (row[3]) sight.reached.last_commit = Timestamp{std::stoll(*row[3])};
  if (row[4])
    sight.reached.timeline = {
        static_cast<std::uint32_t>(std::stoul(row[4]->substr(0, 8), nullptr, 16))};
  return sight;
}

// What is only looked at was started read-only (recovery_arguments).
Status allow_writing(SqlSession& session) {
  OA_TRY(session.command("SET default_transaction_read_only = off"));
  return session.command("ALTER ROLE ALL SET default_transaction_read_only = off");
}

// A server that cannot write a file any more may go on, but lets nobody in.
bool disk_is_full(const std::string& folder) {
  struct statvfs volume {};
  return statvfs(folder.c_str(), &volume) == 0 &&
         std::uint64_t{volume.f_bavail} * volume.f_frsize < kLeastFree;
}

// The streamed log may still have what is damaged in the archive.
bool streamed(wal::SealedWal* tail, const std::string& name) {
  const auto segment = wal::SegmentName::parse(name, {});
  if (tail == nullptr || !segment.ok()) return false;
  CountingSink sink;
  const auto kept = tail->read(*segment, sink);
  return kept.ok() && kept->finished;
}

}  // namespace

RecoveringServer::RecoveringServer(ScratchLayout layout, catalog::ConnectionSettings settings,
                                   RecoveryPlan plan)
    : layout_(std::move(layout)), settings_(std::move(settings)), plan_(std::move(plan)) {}

RecoveringServer::~RecoveringServer() { end(SIGQUIT); }

Result<std::unique_ptr<RecoveringServer>> RecoveringServer::start(
    const Repository& repository, const LogSource& log, const ScratchLayout& layout,
    const catalog::ConnectionSettings& settings, RecoveryPlan plan) {
  const postgres::Account& account = repository.settings().account;
  OA_ASSIGN(const std::string programs, postgres::find_postgres_programs());
  OA_TRY(prepare_recovery(layout, account, settings));
  std::unique_ptr<RecoveringServer> server(new RecoveringServer(layout, settings, std::move(plan)));
  OA_ASSIGN(server->ahead_, FetchAhead::start(repository, layout.ahead, layout.data));
  const auto fetch = [ahead = server->ahead_.get(), tail = log.tail](
                         const std::string& name, const std::string& target) -> Result<bool> {
    auto fetched = ahead->get(name, target);
    if (fetched.ok()) return *fetched == Fetched::kFound;
    if (fetched.error().code == ErrorCode::kRepositoryDamaged && streamed(tail, name)) return false;
    return std::move(fetched).error();
  };
  OA_ASSIGN(server->log_, wal::RestoreServer::start({.socket_path = layout.restore_socket,
                                                     .fetch_from_repository = fetch,
                                                     .log = log.tail,
                                                     .account = account,
                                                     .program = log.program}));
  server->plan_.restore_command = server->log_->restore_command(kProgramFd);
  OA_ASSIGN(const auto arguments, recovery_arguments(programs, account, layout, server->plan_));
  const int log_fd = open(layout.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log_fd < 0) return errno_error(errno, kOp, layout.log);
  const std::array<postgres::InheritedFile, 1> files = {server->log_->program(kProgramFd)};
  const auto spawned = postgres::spawn(account, arguments, log_fd, files);
  close(log_fd);
  if (!spawned.ok()) return spawned.error();
  server->server_ = *spawned;
  return server;
}

Result<Reached> RecoveringServer::wait(seconds timeout, wal::Lsn from, wal::Lsn until,
                                       Progress& progress) {
  progress.begin("Replaying", until > from ? until.value - from.value : 0, "bytes");
  from_ = from;
  until_ = until;
  progress_ = &progress;
  const auto deadline = Clock::now() + timeout;
  const auto stall = timeout / kStallShare;
  for (auto moved = Clock::now(); Clock::now() < deadline && Clock::now() - moved < stall;) {
    if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
    if (postgres::has_exited(server_)) {
      server_ = 0;
      return why_it_ended();
    }
    if (const auto reached = see()) {
      report(until);
      session_.reset();
      return *reached;
    }
    if (has_moved()) moved = Clock::now();
    if (Clock::now() - moved > kFullPatience && disk_is_full(layout_.data)) {
      return make_error(ErrorCode::kDiskFull, kOp, "the disk is full: " + layout_.data)
          .with_hint("free some space");
    }
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout, kOp, "the recovery does not come to its end")
      .with_hint("see how fast the repository answers; more frequent backups shorten it");
}

// What stopped it may have been the archive.
Error RecoveringServer::why_it_ended() const {
  Error error = recovery_error(layout_.log, plan_.target);
  if (error.code != ErrorCode::kRecoveryFailed && error.code != ErrorCode::kWalMissing)
    return error;
  const auto failure = log_->last_failure();
  return failure ? *failure : error;
}

// Without a target, recovery ends at the end of the log and promotes.
std::optional<Reached> RecoveringServer::see() {
  if (!session_) {
    auto opened = SqlSession::open(settings_, kSuperuser, kSuperuser);
    if (!opened.ok()) return {};
    session_ = std::move(*opened);
  }
  const auto sight = look(*session_);
  if (!sight.ok()) {
    session_.reset();
    return {};
  }
  report(sight->reached.lsn);
  const bool promotes = plan_.at_target == AtTarget::kPromote ||
                        std::holds_alternative<Target::Latest>(plan_.target.where);
  if (promotes ? sight->recovering : !sight->paused) return {};
  return sight->reached;
}

Status RecoveringServer::promote() {
  OA_ASSIGN(auto session, SqlSession::open(settings_, kSuperuser, kSuperuser));
  OA_TRY(session.row("SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_replay_resume()::text END"));
  const auto deadline = Clock::now() + kPromoteTimeout;
  while (Clock::now() < deadline) {
    OA_ASSIGN(const std::string recovering, session.value("SELECT pg_is_in_recovery()"));
    if (recovering == "f") return allow_writing(session);
    if (postgres::has_exited(server_)) {
      server_ = 0;
      return why_it_ended();
    }
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout, kOp, "the restored cluster does not end its recovery");
}

void RecoveringServer::report(wal::Lsn at) {
  if (at <= std::max(from_, reported_) || until_ <= from_) return;
  reported_ = std::min(at, until_);
  progress_->update(reported_.value - from_.value);
}

bool RecoveringServer::has_moved() {
  const wal::Lsn before = reported_;
  std::string segment = recovering_segment(server_);
  if (const auto name = wal::SegmentName::parse(segment, {}); name.ok()) report(name->begin());
  return std::exchange(segment_, segment) != segment || reported_ != std::exchange(seen_, before);
}

void RecoveringServer::end(int how) {
  session_.reset();
  if (server_ == 0) return;
  kill(server_, how);
  const auto deadline = Clock::now() + (how == SIGQUIT ? kQuitTimeout : kStopTimeout);
  while (!postgres::has_exited(server_)) {
    if (Clock::now() >= deadline) {
      kill(server_, how == SIGQUIT ? SIGKILL : SIGQUIT);
      postgres::wait_for_exit(server_);
      break;
    }
    std::this_thread::sleep_for(kPoll);
  }
  server_ = 0;
}

Status RecoveringServer::stop() {
  end(SIGINT);
  if (access((layout_.data + "/postmaster.pid").c_str(), F_OK) != 0 && errno == ENOENT) return {};
  return make_error(ErrorCode::kRecoveryFailed, kOp, "the restored cluster did not stop cleanly")
      .with_cause(layout_.data);
}

}  // namespace oa::continuity
