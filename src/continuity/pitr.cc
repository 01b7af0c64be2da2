#include "oa/continuity/pitr.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>
#include <utility>

#include "cluster_swap.h"
#include "oa/base/io.h"
#include "oa/catalog/embedded_postgres.h"
#include "recovering_server.h"
#include "scratch_folder.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kOp = "recovery.cell";
constexpr const char* kRecoveries = "/recovery";  // scratch clusters beside the cluster

milliseconds since(Clock::time_point begun) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
}

// Everything of a folder's file system on its disk: a swap must not come before what it swaps in.
Status sync_all(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno_error(errno, kOp, path);
  const bool synced = syncfs(fd) == 0;
  const int why = errno;
  close(fd);
  return synced ? Status() : Status(errno_error(why, kOp, path));
}

// A restored and promoted cluster that has been looked at and stopped.
Result<std::unique_ptr<ScratchCluster>> recover(Repository& repository, const LogSource& log,
                                                const std::string& postgres_folder,
                                                const PitrOptions& options, PitrResult& result,
                                                Progress& progress) {
  OA_ASSIGN(auto cluster,
            ScratchCluster::restore(
                repository, log, postgres_folder + kRecoveries,
                {.target = options.target, .at_target = AtTarget::kPromote, .label = options.label},
                progress));
  result.path = cluster->path();
  result.reached = cluster->reached();
  result.restore_time = cluster->restore_time();
  result.recovery_time = cluster->recovery_time();
  if (options.checks) {
    const auto begun = Clock::now();
    OA_TRY(cluster->make_current(progress));
    progress.begin("Checking", 0, "");
    OA_TRY(options.checks(cluster->settings(), progress));
    result.check_time = since(begun);
  }
  if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
  OA_TRY(cluster->stop());
  OA_TRY(sync_all(cluster->data_folder()));
  return cluster;
}

// The history file of the timeline that the cluster in `data` was promoted to goes to the archive
// now, so that no other recovery takes the same number. When it cannot, the server's archiver sends
// it.
void announce_timeline(Repository& repository, const std::string& data) {
  std::error_code ignored;
  std::string newest;
  for (const auto& entry : fs::directory_iterator(data + "/pg_wal", ignored)) {
    const std::string name = entry.path().filename();
    if (wal::parse_history_name(name) && name > newest) newest = name;
  }
  if (!newest.empty()) [[maybe_unused]]
    const auto pushed = repository.archive_push(data + "/pg_wal/" + newest, data);
}

}  // namespace

Result<PitrResult> recover_into(Repository& repository, const LogSource& log,
                                const std::string& postgres_folder, const PitrOptions& options,
                                Progress& progress) {
  OA_TRY(catalog::EmbeddedPostgres::check_folder(postgres_folder));
  if (mkdir(postgres_folder.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(errno, kOp, postgres_folder);
  OA_TRY(sweep_scratch(postgres_folder + kRecoveries));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(postgres_folder, error)) {
    const std::string name = "/" + entry.path().filename().string();
    if (name == kRecoveries || name == ClusterSwap::kLockFile) continue;
    return make_error(ErrorCode::kConflict, kOp, "the folder is in use: " + postgres_folder)
        .with_hint("give an empty folder, or one that is not there");
  }
  if (error) return errno_error(error.value(), kOp, postgres_folder);
  const postgres::Account& account = repository.settings().account;
  if (account.other && chown(postgres_folder.c_str(), account.uid, account.gid) != 0)
    return errno_error(errno, kOp, postgres_folder);
  OA_ASSIGN(const auto swap, ClusterSwap::lock(postgres_folder));
  PitrResult result;
  OA_ASSIGN(auto cluster, recover(repository, log, postgres_folder, options, result, progress));
  result.data_folder = postgres_folder + "/data";
  if (rename(cluster->data_folder().c_str(), result.data_folder.c_str()) != 0)
    return errno_error(errno, kOp, result.data_folder);
  OA_TRY(sync_all(postgres_folder));
  cluster.reset();
  fs::remove_all(postgres_folder + kRecoveries, error);
  return result;
}

Result<PitrResult> recover_in_place(Repository& repository, const LogSource& log,
                                    const std::string& postgres_folder, const PitrOptions& options,
                                    Progress& progress) {
  OA_ASSIGN(auto swap, ClusterSwap::lock(postgres_folder));
  OA_TRY(swap.settle());
  OA_TRY(sweep_scratch(postgres_folder + kRecoveries));
  PitrResult result;
  OA_ASSIGN(const auto cluster,
            recover(repository, log, postgres_folder, options, result, progress));
  announce_timeline(repository, cluster->data_folder());
  OA_ASSIGN(result.kept_folder, swap.exchange(cluster->data_folder(), ""));
  result.data_folder = postgres_folder + "/data";
  return result;
}

Result<std::vector<std::string>> kept_clusters(const std::string& postgres_folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(postgres_folder, error))
    if (entry.path().filename().string().starts_with(ClusterSwap::kKeptPrefix))
      paths.push_back(entry.path());
  if (error) return errno_error(error.value(), kOp, postgres_folder);
  std::ranges::sort(paths, std::greater<>());
  return paths;
}

Result<PitrResult> undo_recovery(Repository& repository, const LogSource& log,
                                 const std::string& postgres_folder, Progress& progress) {
  OA_ASSIGN(auto swap, ClusterSwap::lock(postgres_folder));
  OA_TRY(swap.settle());
  OA_TRY(sweep_scratch(postgres_folder + kRecoveries));
  OA_ASSIGN(const auto kept, kept_clusters(postgres_folder));
  if (kept.empty()) {
    return make_error(ErrorCode::kNotFound, kOp, "no earlier cluster is kept here")
        .with_hint("only a recovery in place can be undone");
  }
  const std::string& old = kept.front();
  const auto begun = Clock::now();
  // Its own timeline has ended in the archive: it goes on with a number of its own.
  OA_ASSIGN(const auto scratch,
            ScratchFolder::create(postgres_folder + kRecoveries, repository.settings().account));
  ScratchLayout layout(scratch.path());
  layout.data = old;
  catalog::ConnectionSettings settings;
  settings.host = layout.sockets;
  settings.port = kScratchPort;
  PitrResult result;
  OA_ASSIGN(const auto server, RecoveringServer::start(repository, log, layout, settings,
                                                       {.target = Target::latest(),
                                                        .at_target = AtTarget::kPromote,
                                                        .own_timeline = true}));
  OA_ASSIGN(result.reached, server->wait(ScratchOptions{}.recovery_timeout, {}, {}, progress));
  OA_TRY(server->stop());
  result.recovery_time = since(begun);
  announce_timeline(repository, old);
  OA_TRY(sync_all(old));
  OA_ASSIGN(result.kept_folder, swap.exchange(old, fs::path(old).filename()));
  result.data_folder = postgres_folder + "/data";
  return result;
}

Status settle_recovery(const std::string& postgres_folder) {
  OA_ASSIGN(auto swap, ClusterSwap::lock(postgres_folder));
  OA_TRY(swap.settle());
  const auto swept = sweep_scratch(postgres_folder + kRecoveries);
  return swept.ok() ? Status() : Status(swept.error());
}

}  // namespace oa::continuity
