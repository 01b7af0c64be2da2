#include "oa/operations/operations.h"

#include <boost/json.hpp>

#include "oa/catalog/repositories.h"
#include "oa/datasets/datasets.h"
#include "parts.h"

namespace oa::operations {

json::array ids_json(const std::vector<WorkspaceId>& ids) {
  json::array array;
  for (const auto& id : ids) array.push_back(json::string(id.str()));
  return array;
}

namespace {

// How an operation stands in its job: kind and JSON, and back. What is read was written here, so
// that what does not fit is of another release.

std::vector<WorkspaceId> workspaces_in(ObjectReader& reader) {
  std::vector<WorkspaceId> ids;
  for (const auto& element : reader.array("workspace_ids")) {
    const auto id = element.is_string() ? WorkspaceId::parse(std::string_view(element.as_string()))
                                        : Result<WorkspaceId>(Error{});
    if (id.ok())
      ids.push_back(*id);
    else
      reader.fail("workspace_ids", "is no list of UUIDs");
  }
  return ids;
}

std::string_view kind_of(const CreateArchive&) { return "archive.create"; }
json::object request_of(const CreateArchive& operation) {
  json::object request{{"rows", operation.rows},
                       {"audit", operation.audit},
                       {"workspace_ids", ids_json(operation.workspaces)},
                       {"origin", catalog::to_text(operation.origin)},
                       {"expires_at", nullptr}};
  if (operation.expires_at.has_value()) request["expires_at"] = operation.expires_at->rfc3339();
  return request;
}
Status read(ObjectReader& reader, CreateArchive& operation) {
  operation.rows = reader.boolean("rows");
  operation.audit = reader.boolean("audit");
  operation.workspaces = workspaces_in(reader);
  OA_ASSIGN(operation.origin, catalog::parse_text<catalog::ArchiveOrigin>(reader.text("origin")));
  operation.expires_at = reader.optional_timestamp("expires_at");
  return reader.finish();
}

std::string_view kind_of(const ArchiveMoment&) { return "archive.moment"; }
json::object request_of(const ArchiveMoment& operation) {
  return {{"at", operation.at.rfc3339()},
          {"rows", operation.rows},
          {"workspace_ids", ids_json(operation.workspaces)}};
}
Status read(ObjectReader& reader, ArchiveMoment& operation) {
  operation.at = reader.timestamp("at");
  operation.rows = reader.boolean("rows");
  operation.workspaces = workspaces_in(reader);
  return reader.finish();
}

std::string_view kind_of(const ReceiveArchive&) { return "archive.receive"; }
json::object request_of(const ReceiveArchive& operation) {
  return {{"upload_id", operation.upload.str()}};
}
Status read(ObjectReader& reader, ReceiveArchive& operation) {
  operation.upload = reader.id<UploadId>("upload_id");
  return reader.finish();
}

std::string_view kind_of(const VerifyArchive&) { return "archive.verify"; }
json::object request_of(const VerifyArchive& operation) {
  return {{"archive_id", operation.archive.str()}};
}
Status read(ObjectReader& reader, VerifyArchive& operation) {
  operation.archive = reader.id<ArchiveId>("archive_id");
  return reader.finish();
}

std::string_view kind_of(const CompareArchive&) { return "restore.compare"; }
json::object request_of(const CompareArchive& operation) {
  return {{"archive_id", operation.archive.str()},
          {"workspace_ids", ids_json(operation.workspaces)}};
}
Status read(ObjectReader& reader, CompareArchive& operation) {
  operation.archive = reader.id<ArchiveId>("archive_id");
  operation.workspaces = workspaces_in(reader);
  return reader.finish();
}

std::string_view kind_of(const PlanRestore&) { return "restore.plan"; }
json::object request_of(const PlanRestore& operation) {
  return {{"archive_id", operation.archive.str()},
          {"request", restore::to_json(operation.request)},
          {"workspace_ids", ids_json(operation.workspaces)}};
}
Status read(ObjectReader& reader, PlanRestore& operation) {
  operation.archive = reader.id<ArchiveId>("archive_id");
  OA_ASSIGN(operation.request, restore::request_from_json(reader.member("request")));
  // Older jobs do not say it.
  if (reader.find("workspace_ids") != nullptr) operation.workspaces = workspaces_in(reader);
  return reader.finish();
}

std::string_view kind_of(const ApplyRestore&) { return "restore.apply"; }
json::object request_of(const ApplyRestore& operation) {
  return {{"restore_id", operation.restore.str()}, {"plan_hash", operation.plan_hash}};
}
Status read(ObjectReader& reader, ApplyRestore& operation) {
  operation.restore = reader.id<RestoreId>("restore_id");
  operation.plan_hash = reader.text("plan_hash");
  return reader.finish();
}

std::string_view kind_of(const PlanUndo&) { return "restore.undo"; }
json::object request_of(const PlanUndo& operation) {
  return {{"restore_id", operation.restore.str()},
          {"discard_edits", operation.discard_edits},
          {"leave_out_blocked", operation.leave_out_blocked}};
}
Status read(ObjectReader& reader, PlanUndo& operation) {
  operation.restore = reader.id<RestoreId>("restore_id");
  operation.discard_edits = reader.boolean("discard_edits");
  operation.leave_out_blocked = reader.boolean("leave_out_blocked");
  return reader.finish();
}

std::string_view kind_of(const RefreshDataset&) { return "dataset.refresh"; }
json::object request_of(const RefreshDataset& operation) {
  return {{"dataset_id", operation.dataset.str()}};
}
Status read(ObjectReader& reader, RefreshDataset& operation) {
  operation.dataset = reader.id<DatasetId>("dataset_id");
  return reader.finish();
}

std::string_view kind_of(const VerifyAudit&) { return "audit.verify"; }
json::object request_of(const VerifyAudit&) { return {}; }
Status read(ObjectReader& reader, VerifyAudit&) { return reader.finish(); }

std::string_view kind_of(const RewrapKeys&) { return "keys.rewrap"; }
json::object request_of(const RewrapKeys& operation) { return {{"old_key", operation.old_key}}; }
Status read(ObjectReader& reader, RewrapKeys& operation) {
  operation.old_key = reader.text("old_key");
  return reader.finish();
}

std::string_view kind_of(const ExportPerson&) { return "privacy.export"; }
json::object request_of(const ExportPerson& operation) {
  return {{"user_id", operation.user.str()}};
}
Status read(ObjectReader& reader, ExportPerson& operation) {
  operation.user = reader.id<UserId>("user_id");
  return reader.finish();
}

std::string_view kind_of(const ErasePerson&) { return "privacy.erase"; }
json::object request_of(const ErasePerson& operation) {
  return {{"erasure_id", operation.erasure.str()}, {"user_id", operation.user.str()}};
}
Status read(ObjectReader& reader, ErasePerson& operation) {
  operation.erasure = reader.id<Uuid>("erasure_id");
  operation.user = reader.id<UserId>("user_id");
  return reader.finish();
}

template <class Kind>
void add_kind(std::map<std::string, jobs::Kind>& kinds, instance::Instance& instance,
              unsigned attempts) {
  const auto run_job = [&instance](TenantId tenant, const catalog::Job& job,
                                   Progress& progress) -> Result<JsonText> {
    const json::value request = job.request.value();
    ObjectReader reader(request, "job");
    Kind operation;
    OA_TRY(read(reader, operation));
    return run(Run{instance, tenant, job, progress}, operation);
  };
  kinds.emplace(std::string(kind_of(Kind{})), jobs::Kind{run_job, attempts});
}

}  // namespace

catalog::Job job_of(const Operation& operation, std::optional<UserId> by,
                    const std::string& trace_id) {
  catalog::Job job;
  job.id = JobId::random();
  job.created_by = by;
  job.trace_id = trace_id;
  std::visit(
      [&](const auto& typed) {
        job.kind = kind_of(typed);
        job.request = JsonText::of(request_of(typed));
      },
      operation);
  return job;
}

std::map<std::string, jobs::Kind> kinds(instance::Instance& instance) {
  std::map<std::string, jobs::Kind> kinds;
  add_kind<CreateArchive>(kinds, instance, 3);
  add_kind<ArchiveMoment>(kinds, instance, 2);
  add_kind<ReceiveArchive>(kinds, instance, 3);
  add_kind<VerifyArchive>(kinds, instance, 3);
  add_kind<CompareArchive>(kinds, instance, 3);
  add_kind<PlanRestore>(kinds, instance, 3);
  add_kind<ApplyRestore>(kinds, instance, 3);
  add_kind<PlanUndo>(kinds, instance, 3);
  add_kind<RefreshDataset>(kinds, instance, 2);
  add_kind<VerifyAudit>(kinds, instance, 3);
  add_kind<RewrapKeys>(kinds, instance, 20);
  add_kind<ExportPerson>(kinds, instance, 3);
  add_kind<ErasePerson>(kinds, instance, 20);
  return kinds;
}

Result<JsonText> run(const Run& run, const RefreshDataset& operation) {
  auto& instance = run.instance;
  datasets::DatasetService service({instance.database(), instance.objects(), instance.keys()},
                                   run.tenant);
  const datasets::Actor actor{run.job.created_by.has_value() ? "user" : "system",
                              run.job.created_by, run.job.trace_id, {}};
  OA_ASSIGN(const auto dataset, service.refresh(operation.dataset, actor, run.progress));
  return JsonText::of(json::object{{"row_count", dataset.row_count}});
}

Result<JsonText> run(const Run& run, const VerifyAudit&) {
  OA_ASSIGN(auto snapshot,
            run.instance.database().begin(run.tenant, catalog::Isolation::kSnapshot));
  catalog::Audit audit(snapshot);
  OA_ASSIGN(const std::uint64_t total, audit.count());
  run.progress.begin("checking the chain", total, "events");
  OA_ASSIGN(const AuditMark begin, audit.begin());
  AuditChainVerifier verifier(begin);
  std::optional<Error> broken;
  const Status walked = audit.for_each([&](const AuditEvent& event) -> Status {
    if (run.progress.cancelled())
      return make_error(ErrorCode::kCancelled, "audit.verify", "cancelled");
    const Status checked = verifier.check(event);
    if (!checked.ok()) {
      broken = checked.error();
      return checked.error();
    }
    run.progress.update(verifier.events());
    return {};
  });
  if (!walked.ok() && !broken.has_value()) return walked.error();
  json::object result{{"valid", !broken.has_value()}, {"events", verifier.events()}};
  if (broken.has_value()) result["detail"] = broken->message;
  return JsonText::of(result);
}

}  // namespace oa::operations
