#include "oa/backup/snapshot_entries.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <span>

#include "oa/archive/entry_paths.h"
#include "oa/catalog/portable.h"

namespace oa::backup {
namespace {

constexpr std::size_t kBatch = 4000;  // ids a statement
constexpr std::size_t kAuditPiece = std::size_t{256} << 10;

// Everything one run carries from step to step.
struct Run {
  catalog::TenantTransaction& snapshot;
  SealedObjects& objects;
  EntryConsumer& consumer;
  const ArchiveRequest& request;
  Progress& progress;
  std::vector<catalog::User> users;
  std::vector<catalog::Team> teams;
  std::set<UserId> listed_users;  // stand in some workspace document
  std::set<TeamId> listed_teams;
  std::set<UserId> referenced_users;  // made something that is in the archive
  std::map<std::string, std::uint64_t> counts;
  std::uint64_t done = 0;

  Status step(std::string_view kind) {
    ++counts[std::string(kind)];
    progress.update(++done);
    if (!progress.cancelled()) return {};
    return make_error(ErrorCode::kCancelled, "archive.create",
                      "cancelled; nothing was made or changed");
  }
};

// Writes all audit events as NDJSON. Called twice over one snapshot: tar needs the size before the
// bytes.
Status write_audit(Run& run, ByteSink& out) {
  std::string piece;
  OA_TRY(catalog::Audit(run.snapshot).for_each([&](const AuditEvent& event) -> Status {
    piece += audit_to_json(event);
    piece += '\n';
    if (piece.size() < kAuditPiece) return {};
    OA_TRY(out.write(as_bytes(piece)));
    piece.clear();
    return {};
  }));
  return out.write(as_bytes(piece));
}

Status add_audit(Run& run) {
  OA_ASSIGN(const std::uint64_t events, catalog::Audit(run.snapshot).count());
  run.progress.begin("audit events", events, "events");
  CountingSink size;
  OA_TRY(write_audit(run, size));
  OA_TRY(run.consumer.add_stream(archive::kAuditPath, size.count(),
                                 [&](ByteSink& out) { return write_audit(run, out); }));
  run.counts["audit_events"] = events;
  run.progress.update(events);
  return {};
}

// The part of a workspace that is asked for; nullptr for all of it.
const WorkspacePart* part_of(const Run& run, WorkspaceId workspace) {
  return run.request.parts.has_value() ? &run.request.parts->at(workspace) : nullptr;
}

// Goes through a workspace's reports or alerts, or through those of `part`, in the order of ids.
template <class Id, class Repository, class Add>
Status for_each_asset(Repository repository, WorkspaceId workspace, const std::set<Id>* part,
                      const Add& add) {
  if (part == nullptr) return repository.for_each(workspace, add);
  const std::vector<Id> ids(part->begin(), part->end());
  for (std::size_t at = 0; at < ids.size(); at += kBatch) {
    const auto batch = std::span(ids).subspan(at, std::min(kBatch, ids.size() - at));
    OA_TRY(repository.for_each(batch, [&](const auto& record) {
      return record.workspace_id == workspace ? add(record) : Status();
    }));
  }
  return {};
}

Status add_alerts(Run& run, WorkspaceId workspace) {
  const auto* part = part_of(run, workspace);
  return for_each_asset<AlertId>(catalog::Alerts(run.snapshot), workspace,
                                 part == nullptr ? nullptr : &part->alerts,
                                 [&](const catalog::Alert& alert) -> Status {
                                   const std::string text = catalog::to_portable(alert);
                                   OA_TRY(run.consumer.add(archive::alert_path(workspace, alert.id),
                                                           Bytes(text.begin(), text.end())));
                                   run.referenced_users.insert(alert.created_by);
                                   return run.step("alerts");
                                 });
}

Status add_rows(Run& run, const catalog::Dataset& dataset) {
  const ObjectKey key{run.snapshot.tenant(), RetentionClass::kRows, dataset.rows->object_name};
  OA_ASSIGN(const auto rows, run.objects.open(key, VersionId{dataset.rows->object_version}));
  ++run.counts["datasets_with_rows"];
  run.counts["rows_bytes"] += rows->size();
  return run.consumer.add_stream(archive::rows_path(dataset.workspace_id, dataset.id), rows->size(),
                                 [&](ByteSink& out) { return copy_all(*rows, out); });
}

Status add_datasets(Run& run, const std::vector<catalog::Dataset>& datasets) {
  for (const auto& dataset : datasets) {
    OA_TRY(run.consumer.add(archive::model_path(dataset.workspace_id, dataset.id),
                            Bytes(dataset.model_yaml.begin(), dataset.model_yaml.end())));
    const auto* part = part_of(run, dataset.workspace_id);
    const bool with_rows =
        part == nullptr ? run.request.with_rows : part->with_rows.contains(dataset.id);
    if (with_rows && dataset.rows.has_value()) OA_TRY(add_rows(run, dataset));
    run.referenced_users.insert(dataset.created_by);
    OA_TRY(run.step("datasets"));
  }
  return {};
}

// An archive holds the rows from before a refresh that was under way, and nobody goes on with it
// where it is restored.
catalog::DatasetState settled(catalog::DatasetState state) {
  if (state == catalog::DatasetState::kRefreshing) return catalog::DatasetState::kReady;
  if (state == catalog::DatasetState::kSyncing) return catalog::DatasetState::kCreated;
  return state;
}

// `people` are those that reports of the workspace are shared with.
catalog::WorkspaceDocument workspace_document(Run& run, const catalog::Workspace& workspace,
                                              std::vector<catalog::Dataset> datasets,
                                              catalog::Grantees people) {
  catalog::WorkspaceDocument document;
  document.workspace = workspace;
  auto& [users, team_ids] = people;
  for (const auto& grant : workspace.roles) {
    if (grant.kind == catalog::PrincipalKind::kUser) users.insert(UserId(grant.principal));
    if (grant.kind == catalog::PrincipalKind::kTeam) team_ids.insert(TeamId(grant.principal));
  }
  for (const auto& team : run.teams) {
    if (!team_ids.contains(team.id)) continue;
    document.teams.push_back(team);
    users.insert(team.members.begin(), team.members.end());
    run.listed_teams.insert(team.id);
  }
  for (auto& dataset : datasets) {
    users.insert(dataset.created_by);
    dataset.state = settled(dataset.state);
    dataset.model_yaml.clear();
    dataset.rows.reset();
  }
  for (const auto& user : run.users) {
    if (users.contains(user.id)) document.users.push_back(user);
  }
  run.listed_users.insert(users.begin(), users.end());
  document.datasets = std::move(datasets);
  return document;
}

Status add_reports(Run& run, WorkspaceId workspace) {
  const auto* part = part_of(run, workspace);
  return for_each_asset<ReportId>(
      catalog::Reports(run.snapshot), workspace, part == nullptr ? nullptr : &part->reports,
      [&](const catalog::Report& report) -> Status {
        const std::string text = catalog::to_portable(report);
        OA_TRY(run.consumer.add(archive::report_path(workspace, report.id),
                                Bytes(text.begin(), text.end())));
        run.referenced_users.insert(report.created_by);
        return run.step("reports");
      });
}

// Paths must ascend: alerts/ < datasets/ < metadata.json < reports/.
Status add_workspace(Run& run, const catalog::Workspace& workspace) {
  OA_TRY(add_alerts(run, workspace.id));
  OA_ASSIGN(auto datasets, catalog::Datasets(run.snapshot).list(workspace.id));
  if (const auto* part = part_of(run, workspace.id); part != nullptr) {
    std::erase_if(datasets,
                  [&](const auto& dataset) { return !part->datasets.contains(dataset.id); });
  }
  OA_TRY(add_datasets(run, datasets));
  OA_ASSIGN(auto grantees, catalog::Reports(run.snapshot).grantees(workspace.id));
  const std::string text = catalog::to_portable(
      workspace_document(run, workspace, std::move(datasets), std::move(grantees)));
  OA_TRY(run.consumer.add(archive::workspace_path(workspace.id), Bytes(text.begin(), text.end())));
  OA_TRY(run.step("workspaces"));
  return add_reports(run, workspace.id);
}

Result<std::vector<catalog::Workspace>> selected_workspaces(Run& run) {
  OA_ASSIGN(auto all, catalog::Workspaces(run.snapshot).list());
  if (run.request.parts.has_value()) {
    std::erase_if(all, [&](const auto& each) { return !run.request.parts->contains(each.id); });
    return all;
  }
  if (run.request.workspaces.empty()) return all;
  std::vector<catalog::Workspace> chosen;
  const std::set<WorkspaceId> wanted(run.request.workspaces.begin(), run.request.workspaces.end());
  for (auto& workspace : all) {
    if (wanted.contains(workspace.id)) chosen.push_back(std::move(workspace));
  }
  if (chosen.size() != wanted.size()) {
    return make_error(ErrorCode::kNotFound, "archive.create",
                      "a requested workspace does not exist")
        .with_hint("`oa-backup tenant show NAME` lists the workspaces");
  }
  return chosen;
}

// People and teams that no workspace document names; for a part of the tenant only those who made
// something in it.
catalog::TenantDocument tenant_document(const Run& run, const catalog::Tenant& tenant) {
  catalog::TenantDocument document{tenant.name, tenant.plan, {}, {}};
  const bool whole = run.request.workspaces.empty() && !run.request.parts.has_value();
  for (const auto& user : run.users) {
    if (run.listed_users.contains(user.id)) continue;
    if (whole || run.referenced_users.contains(user.id)) document.users.push_back(user);
  }
  for (const auto& team : run.teams) {
    if (whole && !run.listed_teams.contains(team.id)) document.teams.push_back(team);
  }
  return document;
}

JsonText options_of(const ArchiveRequest& request,
                    const std::optional<AuditCheckpoint>& checkpoint) {
  json::object options;
  bool rows = request.with_rows;
  json::array workspaces;
  for (const auto& id : request.workspaces) workspaces.emplace_back(id.str());
  if (request.parts.has_value()) {
    rows = false;
    for (const auto& [id, part] : *request.parts) {
      workspaces.emplace_back(id.str());
      rows = rows || !part.with_rows.empty();
    }
  }
  options["rows"] = rows;
  options["audit"] = request.with_audit;
  if (checkpoint.has_value()) options["audit_checkpoint"] = to_json(*checkpoint);
  if (!workspaces.empty()) options["workspaces"] = std::move(workspaces);
  return JsonText::of(options);
}

Result<archive::ManifestInput> walk(Run& run, const catalog::Tenant& tenant) {
  OA_ASSIGN(run.users, catalog::Users(run.snapshot).list());
  OA_ASSIGN(run.teams, catalog::Teams(run.snapshot).list());
  for (const char* kind : {"workspaces", "datasets", "reports", "alerts"}) run.counts[kind] = 0;
  OA_ASSIGN(const auto workspaces, selected_workspaces(run));
  if (run.request.with_audit) OA_TRY(add_audit(run));
  run.progress.begin("assets", 0, "assets");
  for (const auto& workspace : workspaces) OA_TRY(add_workspace(run, workspace));
  run.counts["users"] = run.listed_users.size();
  archive::ManifestInput input;
  const auto document = tenant_document(run, tenant);
  run.counts["users"] += document.users.size();
  run.counts["teams"] = run.listed_teams.size() + document.teams.size();
  input.tenant_id = tenant.id;
  input.tenant = catalog::to_portable(document);
  input.counts = run.counts;
  std::optional<AuditCheckpoint> checkpoint;
  if (run.request.with_audit) {
    OA_ASSIGN(checkpoint, catalog::Audit(run.snapshot).checkpoint());
  }
  input.options = options_of(run.request, checkpoint);
  return input;
}

}  // namespace

Result<archive::ManifestInput> walk_snapshot(catalog::TenantTransaction& snapshot,
                                             SealedObjects& objects, const catalog::Tenant& tenant,
                                             const ArchiveRequest& request, EntryConsumer& consumer,
                                             Progress& progress) {
  if (request.with_audit && !request.workspaces.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "archive.create",
                      "the audit chain is the whole tenant's and does not go into an archive of "
                      "some workspaces")
        .with_hint("leave out --audit or --workspace");
  }
  Run run{snapshot, objects, consumer, request, progress, {}, {}, {}, {}, {}, {}, 0};
  return walk(run, tenant);
}

}  // namespace oa::backup
