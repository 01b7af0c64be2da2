#include "oa/restore/apply.h"

#include <boost/json.hpp>

#include "oa/archive/entry_paths.h"
#include "rewrite.h"

namespace oa::restore {
namespace {

bool writes(const PlanItem& item) {
  return item.action == Action::kCreate || item.action == Action::kOverwrite ||
         item.action == Action::kFork;
}

ObjectKey rows_key(TenantId tenant, const Uuid& dataset) {
  return {tenant, RetentionClass::kRows, dataset.str() + "/rows.parquet"};
}

class ProgressSink final : public ByteSink {
 public:
  ProgressSink(ByteSink& out, Progress& progress, std::uint64_t& done)
      : out_(out), progress_(progress), done_(done) {}
  Status write(ByteView bytes) override {
    OA_TRY(out_.write(bytes));
    progress_.update(done_ += bytes.size());
    if (!progress_.cancelled()) return {};
    return make_error(ErrorCode::kCancelled, "restore.apply", "cancelled; nothing was changed");
  }

 private:
  ByteSink& out_;
  Progress& progress_;
  std::uint64_t& done_;
};

// New object versions that nothing refers to yet. Removed again unless keep() is called.
class StagedRows {
 public:
  StagedRows(SealedObjects& objects, TenantId tenant) : objects_(objects), tenant_(tenant) {}
  ~StagedRows() {
    for (const auto& [dataset, version] : versions_)
      (void)objects_.remove(rows_key(tenant_, dataset), version);
  }
  StagedRows(const StagedRows&) = delete;
  StagedRows& operator=(const StagedRows&) = delete;

  Status stage(const archive::ArchiveReader& reader, const Contents& contents, const Plan& plan,
               Progress& progress) {
    std::uint64_t total = 0, done = 0;
    for (const auto& item : plan.items) {
      if (item.rows == RowsAction::kRestore && writes(item))
        total += rows_of(contents, item).size_bytes;
    }
    progress.begin("staging rows", total, "bytes");
    for (const auto& item : plan.items) {
      if (item.rows != RowsAction::kRestore || !writes(item)) continue;
      const DatasetId archived(item.source.id);
      const auto workspace = contents.datasets.at(archived).record.workspace_id;
      OA_ASSIGN(auto writer, objects_.create(rows_key(tenant_, item.target_id)));
      ProgressSink sink(*writer, progress, done);
      OA_TRY(reader.copy(archive::rows_path(workspace, archived), sink));
      OA_ASSIGN(versions_[item.target_id], writer->commit());
    }
    return {};
  }

  catalog::RowsObject placed(const Uuid& dataset) const {
    return {rows_key(tenant_, dataset).name, versions_.at(dataset).value};
  }
  void keep() { versions_.clear(); }

 private:
  static const ArchivedRows& rows_of(const Contents& contents, const PlanItem& item) {
    return *contents.datasets.at(DatasetId(item.source.id)).rows;
  }
  SealedObjects& objects_;
  TenantId tenant_;
  std::map<Uuid, VersionId> versions_;
};

// Writes the plan's records inside one transaction.
class Applier {
 public:
  Applier(catalog::TenantTransaction& transaction, const Contents& contents, const LiveState& live,
          const Plan& plan, const StagedRows& staged)
      : tx_(transaction),
        contents_(contents),
        live_(live),
        plan_(plan),
        staged_(staged),
        rewriter_(plan) {}

  Status write() {
    OA_TRY(write_people());
    OA_TRY(write_workspaces());
    OA_TRY(write_datasets());
    std::vector<catalog::Report> reports;
    std::vector<catalog::Alert> alerts;
    for (const auto& item : plan_.items) {
      if (!writes(item)) continue;
      if (item.source.kind == AssetKind::kReport) {
        reports.push_back(rewriter_.report(contents_.reports.at(ReportId(item.source.id)), item));
      } else if (item.source.kind == AssetKind::kAlert) {
        alerts.push_back(rewriter_.alert(contents_.alerts.at(AlertId(item.source.id)), item));
      }
    }
    OA_TRY(catalog::Reports(tx_).put(reports));
    return catalog::Alerts(tx_).put(alerts);
  }

 private:
  // Nobody gains access by a restore: a person who is not here any more comes back inactive and
  // without credentials.
  Status write_people() {
    std::vector<catalog::User> users;
    for (const auto& mapping : plan_.users) {
      if (mapping.match != UserMatch::kPlaceholder) continue;
      catalog::User user = contents_.users.at(mapping.archived);
      user.active = false;
      user.owner = false;
      users.push_back(std::move(user));
    }
    OA_TRY(catalog::Users(tx_).put(users));
    std::vector<catalog::Team> teams;
    for (const auto& mapping : plan_.teams) {
      if (!mapping.create) continue;
      catalog::Team team = contents_.teams.at(mapping.archived);
      std::set<UserId> members;
      for (const auto member : team.members) members.insert(rewriter_.user(member));
      team.members.assign(members.begin(), members.end());
      teams.push_back(std::move(team));
    }
    return catalog::Teams(tx_).put(teams);
  }

  Status write_workspaces() {
    std::vector<catalog::Workspace> workspaces;
    for (const auto& item : plan_.items) {
      if (item.source.kind != AssetKind::kWorkspace || !writes(item)) continue;
      const WorkspaceId id(item.source.id);
      const auto live = live_.workspaces.find(id);
      const bool overwrites = item.action == Action::kOverwrite && live != live_.workspaces.end();
      workspaces.push_back(rewriter_.workspace(contents_.workspaces.at(id), item, plan_.with_roles,
                                               overwrites ? &live->second : nullptr));
    }
    return catalog::Workspaces(tx_).put(workspaces);
  }

  Status write_datasets() {
    std::vector<catalog::Dataset> datasets;
    for (const auto& item : plan_.items) {
      if (item.source.kind != AssetKind::kDataset || !writes(item)) continue;
      const DatasetId id(item.source.id);
      const auto& archived = contents_.datasets.at(id);
      auto written = rewriter_.dataset(archived.record, item);
      const auto live = live_.datasets.find(id);
      const auto* live_record = live == live_.datasets.end() ? nullptr : &live->second.record;
      if (item.rows == RowsAction::kRestore) {
        written.rows = staged_.placed(item.target_id);
      } else if (item.rows == RowsAction::kKeepLive && archived.rows.has_value()) {
        OA_ASSERT(live_record != nullptr);
        written.rows = live_record->rows;  // the same rows; what the archive says of them stands
      } else if (item.rows != RowsAction::kNone) {
        keep_rows(written, item.rows == RowsAction::kKeepLive ? live_record : nullptr);
      }
      datasets.push_back(std::move(written));
    }
    return catalog::Datasets(tx_).put(datasets);
  }

  catalog::TenantTransaction& tx_;
  const Contents& contents_;
  const LiveState& live_;
  const Plan& plan_;
  const StagedRows& staged_;
  Rewriter rewriter_;
};

}  // namespace

Status check_applicable(const Plan& plan) {
  if (plan.leave_out_blocked) return {};
  for (const auto& item : plan.items) {
    if (item.action != Action::kBlocked) continue;
    return make_error(ErrorCode::kConflict, "restore.apply",
                      "the " + std::string(to_text(item.source.kind)) + " " + item.source.id.str() +
                          " cannot be restored: " + item.reason)
        .with_hint(
            "add --leave-out-blocked, leave it out of the selection, or restore what it needs "
            "first");
  }
  return {};
}

namespace {

json::object summary_of(const Plan& plan) {
  json::object summary{{"mode", to_text(plan.mode)}, {"plan_hash", plan_hash(plan)}};
  for (const auto& [action, count] : count_actions(plan)) summary[to_text(action)] = count;
  return summary;
}

Status record_restore(catalog::TenantTransaction& transaction,
                      const catalog::RestoreRecord& record) {
  OA_TRY(catalog::Restores(transaction).put(record));
  catalog::NewAuditEvent event;
  event.ts = *record.applied_at;
  event.actor_type = "operator";
  event.action = "backup.restore.apply";
  event.resource_type = "restore";
  event.resource_id = record.id.str();
  auto detail = record.summary.value();
  detail.as_object()["archive_id"] = record.archive_id.str();
  event.detail = JsonText::of(detail);
  return catalog::Audit(transaction).append({&event, 1});
}

}  // namespace

Result<StoredArchive> open_stored_archive(SealedObjects& objects, TenantId tenant,
                                          const catalog::ArchiveRecord& record,
                                          const archive::TrustPolicy& trust) {
  StoredArchive stored;
  const ObjectKey key{tenant, RetentionClass::kArchives, record.object_name};
  OA_ASSIGN(stored.source, objects.open(key, VersionId{record.object_version}));
  OA_ASSIGN(stored.reader, archive::ArchiveReader::open(*stored.source, trust));
  return stored;
}

Result<PreparedRestore> prepare_restore(catalog::Database& database, SealedObjects& objects,
                                        const archive::ArchiveReader& reader, TenantId tenant,
                                        const Request& request) {
  PreparedRestore prepared;
  OA_ASSIGN(prepared.contents, read_contents(reader, request.selection));
  OA_ASSIGN(auto snapshot, database.begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const LiveState live, read_live_state(snapshot, objects, prepared.contents));
  prepared.plan = make_plan(prepared.contents, live, request);
  return prepared;
}

Result<catalog::RestoreRecord> apply_plan(catalog::Database& database, SealedObjects& objects,
                                          const archive::ArchiveReader& reader,
                                          const Contents& contents, const Plan& plan,
                                          Progress& progress) {
  OA_TRY(check_applicable(plan));
  {
    OA_ASSIGN(auto transaction, database.begin(plan.tenant_id, catalog::Isolation::kSnapshot));
    auto done = catalog::Restores(transaction).get(plan.id);
    if (done.ok()) return done;
    if (done.error().code != ErrorCode::kNotFound) return done;
  }
  StagedRows staged(objects, plan.tenant_id);
  OA_TRY(staged.stage(reader, contents, plan, progress));

  progress.begin("writing", plan.items.size(), "assets");
  OA_ASSIGN(auto transaction, database.begin(plan.tenant_id));
  std::vector<ReportId> reports;
  std::vector<AlertId> alerts;
  for (const auto& [id, report] : contents.reports) reports.push_back(id);
  for (const auto& [id, alert] : contents.alerts) alerts.push_back(id);
  OA_TRY(transaction.lock_tenant_for_restore(reports, alerts));
  OA_ASSIGN(const LiveState live, read_live_state(transaction, objects, contents));
  if (state_digest(live) != plan.state_digest) {
    return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                      "the tenant changed since the plan was made")
        .with_hint("look at a new plan and approve that one");
  }
  OA_TRY(Applier(transaction, contents, live, plan, staged).write());
  catalog::RestoreRecord record;
  record.id = plan.id;
  record.archive_id = plan.archive_id;
  record.state = catalog::RestoreState::kApplied;
  record.summary = JsonText::of(summary_of(plan));
  record.created_at = Timestamp::now();
  record.applied_at = record.created_at;
  OA_TRY(record_restore(transaction, record));
  // From here the outcome is the database's: even when its answer is lost, the rows must stay for
  // the case that it holds.
  staged.keep();
  OA_TRY(transaction.commit());
  progress.update(plan.items.size());
  return record;
}

}  // namespace oa::restore
