#include "cluster.h"

#include "deployment_fields.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "oa/base/io.h"
#include "oa/catalog/cell.h"
#include "oa/instance/cluster_setup.h"
#include "oa/postgres/process.h"

namespace oa::instance {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr const char* kOp = "cluster.setup";
constexpr auto kReloadTimeout = std::chrono::seconds(60);  // several turns of Patroni's loop
constexpr auto kPoll = std::chrono::milliseconds(200);

// Patroni tells its nodes at its next turn, and only then do they say what they lack. archive_mode
// is what holds after a restart alone; until then Postgres shows no command.
Result<std::vector<std::string>> restarts(continuity::ExistingCluster& cluster,
                                          catalog::Database& database) {
  for (const auto deadline = Clock::now() + kReloadTimeout;;) {
    OA_ASSIGN(const auto state, catalog::CellCatalog(database).server_state("", ""));
    if (state.archiver.command == cluster.archive_command()) return cluster.pending_restarts();
    if (!state.archiver.on) {
      std::vector<std::string> all;
      for (const auto& each : cluster.look().members) all.push_back(each.member.name);
      return all;
    }
    if (Clock::now() > deadline) break;
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout, kOp, "the leader does not take over Patroni's settings")
      .with_hint(
          "a setting in the node's own Patroni file or in ALTER SYSTEM goes before it: see "
          "archive_command there");
}

}  // namespace

Result<std::unique_ptr<continuity::ExistingCluster>> open_cluster(
    const ClusterDeployment& deployment) {
  continuity::PatroniSettings rest;
  rest.urls = deployment.rest.urls;
  rest.user = deployment.rest.user;
  rest.password = deployment.rest.password.clone();
  rest.ca_file = deployment.rest.ca_file;
  rest.timeout = deployment.rest.timeout;
  return continuity::ExistingCluster::open(std::move(rest), deployment.nodes,
                                           deployment.archive_command);
}

std::string node_data_folder(const ClusterDeployment& deployment) {
  std::error_code error;
  for (const auto& node : deployment.nodes)
    if (fs::is_directory(node.data_folder, error)) return node.data_folder;
  return {};
}

Status forget_patroni(const std::string& postgres_folder) {
  const std::string data = postgres_folder + "/data", file = data + "/postgresql.conf";
  OA_ASSIGN(const auto account, postgres::server_account());
  std::error_code error;
  for (const char* name : {"postgresql.base.conf", "postgresql.auto.conf", "patroni.dynamic.json"})
    fs::remove(data + "/" + name, error);
  OA_ASSIGN(auto sink, AtomicFileSink::create(file, true, 0600));
  OA_TRY(
      sink->write(as_bytes("# The cluster was Patroni's; `oa-backup up` gives its settings.\n")));
  OA_TRY(sink->commit());
  if (!account.other || ::chown(file.c_str(), account.uid, account.gid) == 0) return {};
  return errno_error(errno, "instance.adopt", file);
}

Result<ClusterSetup> set_up_cluster(const Settings& settings, const ClusterSetupOptions& options) {
  OA_ASSERT(settings.deployment.cluster.has_value());
  const ClusterDeployment& deployment = *settings.deployment.cluster;
  if (!options.superuser_passfile.empty()) OA_TRY(check_secret(options.superuser_passfile));
  OA_ASSIGN(const auto cluster, open_cluster(deployment));
  const auto view = cluster->look();
  if (view.trouble.has_value()) return *view.trouble;
  if (view.leader.empty()) {
    return make_error(ErrorCode::kDatabaseUnavailable, kOp, "the cluster has no leader now")
        .with_hint("Patroni chooses one within its ttl; `patronictl list` shows the members");
  }
  // Before anything is changed: without the leader's files there is no backup to begin with.
  OA_TRY(cluster->leader());
  ClusterSetup setup;
  setup.leader = view.leader;
  OA_ASSIGN(const std::string identifier, cluster->system_identifier());
  const auto& passfile = options.superuser_passfile;
  OA_ASSIGN(setup.steps,
            catalog::set_up_cluster(deployment.postgres, options.superuser,
                                    passfile.empty() ? deployment.postgres.tcp->passfile : passfile,
                                    identifier));
  const bool was_there = Instance::exists(settings.data_folder);
  OA_ASSIGN(const auto instance, Instance::open(settings));
  setup.steps.push_back({"data folder " + instance->data_folder(), !was_there});
  continuity::Cell& cell = *instance->cell();
  const auto before = cell.repository().info();
  OA_TRY(cell.prepare_repository());
  setup.steps.push_back(
      {"repository " + cell.folder() + "/repository", !(before.ok() && before->stanza)});
  setup.archive_command = cluster->archive_command();
  setup.cell_folder = cell.folder();
  OA_ASSIGN(const bool changed, cluster->configure(options.replace_archiving));
  setup.steps.push_back({"settings of Patroni", changed});
  OA_ASSIGN(setup.pending_restarts, restarts(*cluster, instance->database()));
  return setup;
}

}  // namespace oa::instance
