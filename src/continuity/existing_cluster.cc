#include "oa/continuity/existing_cluster.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "oa/base/json.h"
#include "oa/continuity/cell.h"

namespace oa::continuity {
namespace {

constexpr const char* kOp = "cluster";

bool files_here(const ClusterNode& node) {
  const std::string socket = node.socket_folder + "/.s.PGSQL." + node.port;
  return access((node.data_folder + "/PG_VERSION").c_str(), R_OK) == 0 &&
         access(socket.c_str(), W_OK) == 0;
}

// A setting of Postgres' in Patroni's configuration; empty when it is not set there.
std::string parameter(const std::string& configuration, const char* name) {
  const auto parsed = parse_json(configuration);
  const json::value* found = parsed.ok() ? &*parsed : nullptr;
  for (const char* step : {"postgresql", "parameters", name})
    found = found != nullptr && found->is_object() ? found->as_object().if_contains(step) : nullptr;
  if (found == nullptr || found->is_null()) return {};
  return found->is_string() ? std::string(found->as_string()) : canonical_json(*found);
}

bool works(const PatroniMember& member) {
  return member.state == "running" || member.state == "streaming" ||
         member.state == "in archive recovery";
}

}  // namespace

ExistingCluster::ExistingCluster(Patroni patroni, std::vector<ClusterNode> nodes,
                                 std::vector<std::string> urls, std::string archive_command)
    : patroni_(std::move(patroni)),
      nodes_(std::move(nodes)),
      urls_(std::move(urls)),
      archive_command_(std::move(archive_command)) {}

Result<std::unique_ptr<ExistingCluster>> ExistingCluster::open(PatroniSettings rest,
                                                               std::vector<ClusterNode> nodes,
                                                               std::string archive_command) {
  auto urls = rest.urls;
  OA_ASSIGN(auto patroni, Patroni::open(std::move(rest)));
  return std::unique_ptr<ExistingCluster>(new ExistingCluster(
      std::move(patroni), std::move(nodes), std::move(urls), std::move(archive_command)));
}

ClusterView ExistingCluster::look() {
  ClusterView view;
  const std::lock_guard lock(mutex_);
  const auto now = patroni_.cluster();
  if (!now.ok()) {
    view.trouble = now.error();
    return view;
  }
  view.paused = now->paused;
  if (auto identifier = patroni_.system_identifier(); identifier.ok())
    view.system_identifier = *std::move(identifier);
  std::size_t working = 0;
  for (const auto& member : now->members) {
    const auto node = std::ranges::find(nodes_, member.name, &ClusterNode::member);
    view.members.push_back({member, node != nodes_.end() && files_here(*node)});
    if (works(member)) ++working;
  }
  if (const auto* leader = now->leader(); leader != nullptr && works(*leader)) {
    view.leader = leader->name;
    view.timeline = leader->timeline;
  }
  for (const auto& node : nodes_) {
    const auto member = std::ranges::find(now->members, node.member, &PatroniMember::name);
    if (member == now->members.end() || !works(*member)) view.missing.push_back(node.member);
  }
  // Of a node elsewhere only the address is known here; Patroni forgets who stays away.
  if (view.missing.empty() && working < urls_.size())
    view.missing.push_back(fmt::format("{} of {}", urls_.size() - working, urls_.size()));
  return view;
}

Result<ClusterNode> ExistingCluster::leader() {
  const ClusterView view = look();
  if (view.trouble.has_value()) return *view.trouble;
  if (view.leader.empty()) {
    return make_error(ErrorCode::kDatabaseUnavailable, kOp, "the cluster has no leader now")
        .with_hint("Patroni chooses one within its ttl; `patronictl list` shows the members");
  }
  const auto node = std::ranges::find(nodes_, view.leader, &ClusterNode::member);
  if (node != nodes_.end() && files_here(*node)) return *node;
  std::vector<std::string> here;
  for (const auto& each : nodes_)
    if (files_here(each)) here.push_back(each.member);
  return make_error(
             ErrorCode::kDatabaseUnavailable, kOp,
             fmt::format("the files of the leader {} cannot be reached from here", view.leader))
      .with_hint(here.empty() ? "run this where they are, and list the node in cluster.nodes"
                              : fmt::format("run this where they are, list the node in "
                                            "cluster.nodes, or hand the leader's part to {}",
                                            fmt::join(here, " or ")));
}

Result<std::string> ExistingCluster::system_identifier() {
  const std::lock_guard lock(mutex_);
  return patroni_.system_identifier();
}

Result<bool> ExistingCluster::configure(bool replace_archiving) {
  PatroniArchiving archiving;
  archiving.archive_command = archive_command_;
  archiving.slot = kReceiverName;
  const std::lock_guard lock(mutex_);
  OA_ASSIGN(const std::string before, patroni_.configuration());
  const std::string command = parameter(before, "archive_command");
  if (!command.empty() && command != archive_command_ && !replace_archiving) {
    return make_error(ErrorCode::kConflict, kOp,
                      "the cluster archives its log with another archive_command: " + command)
        .with_hint("its chain of backups would end: stop that first, or add --replace-archiving");
  }
  // It holds for every slot of the cluster.
  if (!parameter(before, "max_slot_wal_keep_size").empty()) archiving.max_slot_wal_keep_mb.reset();
  OA_ASSIGN(const auto after, patroni_.configure(archiving));
  return before != after.configuration;
}

Result<std::vector<std::string>> ExistingCluster::pending_restarts() {
  const std::lock_guard lock(mutex_);
  OA_ASSIGN(const auto now, patroni_.cluster());
  std::vector<std::string> pending;
  for (const auto& member : now.members)
    if (member.pending_restart) pending.push_back(member.name);
  return pending;
}

}  // namespace oa::continuity
