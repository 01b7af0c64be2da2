#include "oa/demo/main_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/backup/archive_creator.h"
#include "oa/catalog/portable.h"
#include "oa/datasets/datasets.h"
#include "oa/reports/probes.h"
#include "oa/restore/engine.h"

namespace oa::demo {
namespace {

using restore::AssetKind;

constexpr char kSpoiltName[] = "overwritten by mistake";

Error not_proven(const std::string& what) { return make_error(ErrorCode::kInternal, "demo", what); }

std::string short_digest(const Blake2bDigest& digest) { return to_hex(digest).substr(0, 16) + "…"; }

class MainJob {
 public:
  MainJob(instance::Instance& instance, const Size& size, Narrator& narrator, Progress& progress)
      : instance_(instance), size_(size), narrator_(narrator), progress_(progress) {}

  Status run() {
    OA_TRY(have_tenant());
    OA_TRY(make_archive());
    OA_TRY(verify_archive());
    OA_TRY(lose_and_restore());
    OA_TRY(fork_workspace());
    OA_TRY(undo_and_redo_fork());
    OA_TRY(import_into_new_tenant());
    narrator_.step("Done: everything was compared and is as it should be");
    narrator_.fact("data folder", instance_.data_folder());
    narrator_.fact("go on with", fmt::format("oa-backup archive list --data \"{}\" --tenant {}",
                                             instance_.data_folder(), kDemoTenant));
    return {};
  }

 private:
  // The demo damages its tenant, so it must be its own: its making is in the audit chain.
  Status check_own(TenantId tenant) {
    OA_ASSIGN(auto transaction, instance_.database().begin(tenant, catalog::Isolation::kSnapshot));
    constexpr std::uint64_t kWithin = 10;
    bool own = false;
    const Status walked =
        catalog::Audit(transaction).for_each([&](const AuditEvent& event) -> Status {
          own = own || event.action == kDemoAction;
          if (event.sequence < kWithin && !own) return {};
          return make_error(ErrorCode::kCancelled, "demo", "seen enough");
        });
    if (own) return {};
    if (!walked.ok() && walked.error().code != ErrorCode::kCancelled) return walked;
    return make_error(ErrorCode::kConflict, "demo",
                      "the tenant named Demo here was not made by the demo, so it is left alone")
        .with_hint("run the demo in another data folder with --data");
  }

  // A run that was ended between damage and restore: what it lost comes back from the newest
  // archive with rows.
  Status repair_interrupted() {
    OA_ASSIGN(auto transaction,
              instance_.database().begin(tenant_.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto workspaces, catalog::Workspaces(transaction).list());
    restore::Request request;
    for (const auto& workspace : workspaces) {
      OA_ASSIGN(const auto reports,
                catalog::Reports(transaction).list(workspace.id, std::nullopt, 500));
      for (const auto& report : reports) {
        if (report.name == kSpoiltName)
          request.selection.assets.insert({AssetKind::kReport, report.id.uuid()});
      }
    }
    if (request.selection.assets.empty()) return {};
    OA_ASSIGN(const auto archives, catalog::Archives(transaction).list());
    const auto newest =
        std::ranges::find_if(archives, [](const auto& archive) { return archive.with_rows; });
    if (newest == archives.end()) return {};
    archive::TrustPolicy trust;
    OA_ASSIGN(trust.trusted, instance_.trusted_keys(tenant_.id));
    OA_ASSIGN(stored_,
              restore::open_stored_archive(instance_.objects(), tenant_.id, *newest, trust));
    narrator_.fact("an earlier run was ended", "what it had lost is restored first");
    request.id = RestoreId::random();
    OA_TRY(restore_into(tenant_.id, request));
    restore::Request missing;
    missing.id = RestoreId::random();
    missing.mode = restore::Mode::kSkip;
    missing.selection.everything = true;
    return restore_into(tenant_.id, missing);
  }

  Status have_tenant() {
    auto found = instance_.database().find_tenant(kDemoTenant);
    const bool is_new = !found.ok();
    if (!is_new) OA_TRY(check_own(found->id));
    narrator_.step(is_new ? "A demo tenant on plan Growth"
                          : "The demo tenant that is there already is kept");
    if (is_new) found = make_demo_tenant(instance_, kDemoTenant, size_, {}, progress_);
    OA_ASSIGN(tenant_, std::move(found));
    narrator_.fact("tenant", tenant_.name + " " + tenant_.id.str());
    return is_new ? Status() : repair_interrupted();
  }

  Status make_archive() {
    narrator_.step("An archive with rows and audit events");
    OA_ASSIGN(const auto signer, instance_.signing_key(tenant_.id));
    backup::ArchiveRequest request;
    request.with_rows = request.with_audit = true;
    OA_ASSIGN(record_, backup::create_archive(instance_.database(), instance_.objects(), signer,
                                              tenant_.id, request, progress_));
    narrator_.fact("archive", record_.id.str());
    narrator_.fact("size", format_size(record_.size_bytes));
    const json::value counts = record_.counts.value();
    for (const auto& [name, count] : counts.as_object()) {
      narrator_.fact(std::string(name), canonical_json(count));
    }
    request.with_rows = false;
    OA_ASSIGN(const auto small, backup::create_archive(instance_.database(), instance_.objects(),
                                                       signer, tenant_.id, request, progress_));
    narrator_.fact("the same without rows", format_size(small.size_bytes));
    return {};
  }

  Status verify_archive() {
    narrator_.step("Every hash and every signature of it verified");
    archive::TrustPolicy trust;
    OA_ASSIGN(trust.trusted, instance_.trusted_keys(tenant_.id));
    OA_ASSIGN(stored_,
              restore::open_stored_archive(instance_.objects(), tenant_.id, record_, trust));
    OA_ASSIGN(const auto report,
              stored_.reader->verify({.every_signature = true, .threads = 0}, progress_));
    const auto& manifest = stored_.reader->manifest();
    narrator_.fact("format", fmt::format("{}.{}", manifest.format_major, manifest.format_minor));
    narrator_.fact("snapshot", manifest.snapshot_time.rfc3339());
    narrator_.fact("entries",
                   fmt::format("{} ({})", report.entries, format_size(report.content_bytes)));
    narrator_.fact("signatures", std::to_string(report.signatures_checked));
    narrator_.fact("signed by", manifest.signer.key_id());
    narrator_.fact("content hash", short_digest(manifest.content_hash));
    return {};
  }

  // Picks the report and the dataset to delete (one that nothing else uses and that can be
  // refreshed) and another report to change.
  Status choose_victims() {
    OA_ASSIGN(auto transaction,
              instance_.database().begin(tenant_.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto workspaces, catalog::Workspaces(transaction).list());
    std::map<DatasetId, std::size_t> uses;
    std::vector<catalog::Report> reports;
    for (const auto& workspace : workspaces) {
      OA_ASSIGN(const auto some,
                catalog::Reports(transaction).list(workspace.id, std::nullopt, 500));
      for (const auto& report : some) {
        if (report.visuals.empty()) continue;
        for (const auto& visual : report.visuals) ++uses[visual.dataset_id];
        reports.push_back(report);
      }
      OA_ASSIGN(const auto alerts,
                catalog::Alerts(transaction).list(workspace.id, std::nullopt, 500));
      for (const auto& alert : alerts) ++uses[alert.dataset_id];
    }
    catalog::DatasetSources sources(transaction);
    for (const auto& report : reports) {
      const DatasetId first = report.visuals.front().dataset_id;
      const bool alone = uses[first] == report.visuals.size();
      if (alone && deleted_.id.is_nil()) {
        OA_ASSIGN(const auto source, sources.get(first));
        if (source.original.has_value()) deleted_ = report;  // so that it can be refreshed
      }
      if (!alone && changed_.id.is_nil()) changed_ = report;
    }
    if (deleted_.id.is_nil() || changed_.id.is_nil()) {
      return make_error(ErrorCode::kConflict, "demo",
                        "the tenant named Demo is not as the demo makes it")
          .with_hint("run it in another data folder with --data");
    }
    OA_ASSIGN(dataset_, catalog::Datasets(transaction).get(deleted_.visuals.front().dataset_id));
    return {};
  }

  Status damage() {
    OA_ASSIGN(auto transaction, instance_.database().begin(tenant_.id));
    OA_TRY(catalog::Reports(transaction).remove(deleted_.id));
    OA_TRY(catalog::Datasets(transaction).remove(dataset_.id));
    catalog::Report spoilt = changed_;
    spoilt.name = kSpoiltName;
    spoilt.visuals.resize(1);
    spoilt.bookmarks.clear();
    spoilt.updated_at = Timestamp::now();
    OA_TRY(catalog::Reports(transaction).put({&spoilt, 1}));
    return transaction.commit();
  }

  Status lose_and_restore() {
    narrator_.step(
        "A report and a dataset are deleted, another report is spoilt; the three come back "
        "(overwrite)");
    OA_TRY(choose_victims());
    OA_TRY(damage());
    narrator_.fact("deleted report", deleted_.name);
    narrator_.fact("deleted dataset", dataset_.name);
    narrator_.fact("spoilt report", changed_.name);
    restore::Request request;
    request.id = RestoreId::random();
    request.selection.assets = {{AssetKind::kReport, deleted_.id.uuid()},
                                {AssetKind::kReport, changed_.id.uuid()},
                                {AssetKind::kDataset, dataset_.id.uuid()}};
    OA_TRY(restore_into(tenant_.id, request));
    OA_ASSIGN(auto transaction,
              instance_.database().begin(tenant_.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto report, catalog::Reports(transaction).get(deleted_.id));
    OA_ASSIGN(const auto other, catalog::Reports(transaction).get(changed_.id));
    OA_ASSIGN(const auto dataset, catalog::Datasets(transaction).get(dataset_.id));
    OA_TRY(prove("deleted report", catalog::content_digest(deleted_),
                 catalog::content_digest(report)));
    OA_TRY(
        prove("spoilt report", catalog::content_digest(changed_), catalog::content_digest(other)));
    OA_TRY(prove("deleted dataset", catalog::content_digest(dataset_),
                 catalog::content_digest(dataset)));
    OA_TRY(prove_identical(tenant_.id, request));
    OA_TRY(prove_reports(tenant_.id));
    return prove_refresh();
  }

  // The reports that the archive has digests of, opened again: each shows what it showed.
  Status prove_reports(TenantId tenant) {
    OA_ASSIGN(const auto probes,
              reports::probes_from_json(stored_.reader->manifest().content.probes));
    OA_ASSIGN(auto snapshot, instance_.database().begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto results,
              reports::compare_probes(snapshot, instance_.objects(), probes, {}, progress_));
    for (const auto& result : results) {
      if (result.state != reports::ProbeState::kSame)
        return not_proven("a report shows something else than when it was archived");
    }
    if (results.empty()) return not_proven("the archive has no digest of a report");
    narrator_.fact("reports opened", fmt::format("{}, each shows what it showed", results.size()));
    return {};
  }

  // The dataset that was deleted is read anew from its original, which outlived it.
  Status prove_refresh() {
    datasets::DatasetService service(
        {instance_.database(), instance_.objects(), instance_.keys(), {}}, tenant_.id);
    OA_ASSIGN(const auto refreshed,
              service.refresh(dataset_.id, {"operator", {}, "", {}}, progress_));
    if (refreshed.row_count != dataset_.row_count)
      return not_proven("the refreshed dataset has another number of rows");
    narrator_.fact("dataset refreshed", fmt::format("{}, {} rows from its original", refreshed.name,
                                                    refreshed.row_count));
    return {};
  }

  Status prove(std::string_view what, const Blake2bDigest& before, const Blake2bDigest& after) {
    if (before != after) return not_proven(fmt::format("the {} is not as it was", what));
    narrator_.fact(fmt::format("{} digest", what), short_digest(after) + " as before");
    return {};
  }

  // A new plan over the same selection compares every document and every row file with the archive.
  Status prove_identical(TenantId tenant, restore::Request request) {
    request.id = RestoreId::random();
    request.mode = restore::Mode::kOverwrite;
    OA_ASSIGN(const auto key, signer(tenant));
    OA_ASSIGN(const auto with, engine(tenant, key));
    OA_ASSIGN(const auto again,
              restore::prepare_restore(with, *stored_.reader, request, progress_));
    const auto counts = restore::count_actions(again.plan);
    if (counts.size() != 1 || !counts.contains(restore::Action::kIdentical)) {
      return not_proven("a restored asset differs from the archive");
    }
    narrator_.fact("compared with the archive",
                   fmt::format("{} assets, rows included, identical", again.plan.items.size()));
    return {};
  }

  Result<SigningKey> signer(TenantId tenant) { return instance_.signing_key(tenant); }

  Result<restore::Engine> engine(TenantId tenant, const SigningKey& signer) {
    OA_ASSIGN(auto keys, instance_.trusted_keys(tenant));
    return restore::Engine{
        instance_.database(), instance_.objects(), tenant, signer, std::move(keys), nullptr};
  }

  Status restore_into(TenantId tenant, const restore::Request& request) {
    OA_ASSIGN(const auto key, signer(tenant));
    OA_ASSIGN(const auto with, engine(tenant, key));
    OA_ASSIGN(prepared_, restore::prepare_restore(with, *stored_.reader, request, progress_));
    return apply(with, R"({"kind":"stored"})");
  }

  Status apply(const restore::Engine& with, std::string_view source) {
    std::string plan;
    for (const auto& [action, count] : restore::count_actions(prepared_.plan)) {
      plan += fmt::format("{}{} {}", plan.empty() ? "" : ", ", count, restore::to_text(action));
    }
    narrator_.fact("plan", plan);
    OA_ASSIGN(const auto from, JsonText::parse(source));
    OA_ASSIGN(const auto saved, restore::save_plan(with, prepared_, from));
    OA_ASSIGN(const auto record,
              restore::apply_plan(with, prepared_, {saved.plan_hash, {}}, progress_));
    narrator_.fact("restore", record.id.str());
    return {};
  }

  Status undo(RestoreId restore) {
    OA_ASSIGN(const auto key, signer(tenant_.id));
    OA_ASSIGN(const auto with, engine(tenant_.id, key));
    OA_ASSIGN(prepared_,
              restore::prepare_undo(with, {RestoreId::random(), restore, false, {}}, progress_));
    return apply(with, R"({"kind":"undo"})");
  }

  Result<bool> is_there(WorkspaceId workspace) {
    OA_ASSIGN(auto snapshot, instance_.database().begin(tenant_.id, catalog::Isolation::kSnapshot));
    const auto found = catalog::Workspaces(snapshot).get(workspace);
    if (!found.ok() && found.error().code != ErrorCode::kNotFound) return found.error();
    return found.ok();
  }

  Status undo_and_redo_fork() {
    narrator_.step("That restore is taken back (undo), and then the undo is");
    const std::set<Uuid> ids = fork_ids_;
    OA_TRY(undo(prepared_.plan.id));
    OA_ASSIGN(const bool still_there, is_there(fork_));
    if (still_there) return not_proven("the undone fork is still there");
    OA_TRY(undo(prepared_.plan.id));
    return prove_fork(fork_, ids);
  }

  Status fork_workspace() {
    const WorkspaceId original = deleted_.workspace_id;
    narrator_.step("A workspace comes back beside itself (fork)");
    restore::Request request;
    request.id = RestoreId::random();
    request.mode = restore::Mode::kFork;
    request.selection.assets = {{AssetKind::kWorkspace, original.uuid()}};
    OA_TRY(restore_into(tenant_.id, request));
    std::set<Uuid> old_ids;
    for (const auto& item : prepared_.plan.items) {
      old_ids.insert(item.source.id);
      fork_ids_.insert(item.target_id);
      if (item.source.kind == AssetKind::kWorkspace) fork_ = item.target_workspace;
    }
    for (const auto& id : fork_ids_) {
      if (old_ids.contains(id)) return not_proven("a forked asset kept its id");
    }
    return prove_fork(fork_, fork_ids_);
  }

  Status prove_fork(WorkspaceId fork, const std::set<Uuid>& new_ids) {
    OA_ASSIGN(auto transaction,
              instance_.database().begin(tenant_.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto workspace, catalog::Workspaces(transaction).get(fork));
    OA_ASSIGN(const auto reports, catalog::Reports(transaction).list(fork, std::nullopt, 500));
    std::size_t references = 0;
    for (const auto& report : reports) {
      for (const auto& visual : report.visuals) {
        if (!new_ids.contains(visual.dataset_id.uuid()))
          return not_proven("a forked report points out of the fork");
        ++references;
      }
    }
    OA_ASSIGN(const auto alerts, catalog::Alerts(transaction).list(fork, std::nullopt, 500));
    for (const auto& alert : alerts) {
      if (!new_ids.contains(alert.dataset_id.uuid()))
        return not_proven("a forked alert points out of the fork");
      ++references;
    }
    narrator_.fact("workspace", workspace.name + " " + fork.str());
    narrator_.fact("assets", fmt::format("{}, every id new", new_ids.size()));
    narrator_.fact("references checked", fmt::format("{}, all inside the fork", references));
    return {};
  }

  Status import_into_new_tenant() {
    narrator_.step("The archive goes into a new, blank tenant on its own key");
    std::string name;
    for (int n = 1; name.empty() || instance_.database().find_tenant(name).ok(); ++n) {
      name = fmt::format("{} recovered {}", kDemoTenant, n);
    }
    OA_ASSIGN(const auto target, instance_.provision_tenant(name, tenant_.plan));
    narrator_.fact("tenant", target.name + " " + target.id.str());
    restore::Request request;
    request.id = RestoreId::random();
    request.kind = catalog::RestoreKind::kImport;
    request.selection.everything = true;
    request.with_roles = request.all_people = true;
    OA_TRY(restore_into(target.id, request));
    OA_TRY(prove_identical(target.id, request));
    OA_TRY(prove_reports(target.id));
    OA_ASSIGN(auto transaction,
              instance_.database().begin(target.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto users, catalog::Users(transaction).list());
    narrator_.fact("users", fmt::format("{}, inactive until they are invited", users.size()));
    std::string credentials;
    for (const auto& each : prepared_.plan.credentials)
      credentials += (credentials.empty() ? "" : ", ") + each;
    narrator_.fact("credentials to enter again", credentials);
    return {};
  }

  instance::Instance& instance_;
  const Size& size_;
  Narrator& narrator_;
  Progress& progress_;
  catalog::Tenant tenant_;
  catalog::ArchiveRecord record_;
  restore::StoredArchive stored_;
  restore::PreparedRestore prepared_;
  catalog::Report deleted_;
  catalog::Report changed_;
  catalog::Dataset dataset_;
  WorkspaceId fork_;
  std::set<Uuid> fork_ids_;  // of everything in it
};

}  // namespace

Status run_main_job(instance::Instance& instance, const Size& size, Narrator& narrator,
                    Progress& progress) {
  return MainJob(instance, size, narrator, progress).run();
}

}  // namespace oa::demo
