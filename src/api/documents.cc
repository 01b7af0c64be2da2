#include "documents.h"

#include <algorithm>

#include "problem.h"

namespace oa::api {
namespace {

constexpr auto kUndoMicroseconds = std::int64_t{restore::kUndoDays} * 24 * 3600 * 1'000'000;

json::value failure_document(const catalog::Job& job) {
  const auto& failure = job.failure;
  if (!failure.has_value()) return nullptr;
  const Told told = told_to_tenants(failure->code, failure->message, failure->hint);
  json::object document{
      {"code", failure->code}, {"detail", told.detail}, {"trace_id", job.trace_id}};
  if (!told.hint.empty()) document["hint"] = told.hint;
  return document;
}

// What a job is about: the ids among what it was asked for and what came of it.
json::object subject_of(const catalog::Job& job) {
  json::object subject;
  const auto add = [&](const json::value& document) {
    for (const char* name : {"archive_id", "restore_id", "dataset_id", "upload_id", "user_id", "export_id", "erasure_id"}) {
      const auto* member = document.as_object().if_contains(name);
      if (member != nullptr && member->is_string()) subject[name] = *member;
    }
  };
  add(job.request.value());
  if (job.result.has_value()) add(job.result->value());
  return subject;
}

std::uint64_t counted(const json::value& counts, const char* action) {
  const auto* count = counts.as_object().if_contains(action);
  return count != nullptr && count->is_number() ? count->to_number<std::uint64_t>() : 0;
}

json::object applicable_document(const catalog::RestoreRecord& record, const json::object& header) {
  const auto* leave_out = header.if_contains("leave_out_blocked");
  if (counted(record.summary.value(), "blocked") == 0 || (leave_out != nullptr && *leave_out == json::value(true)))
    return {{"ok", true}};
  return {{"ok", false},
          {"code", error_info(ErrorCode::kConflict).name},
          {"detail", "some of what was chosen cannot be restored"},
          {"hint", "leave out what is blocked, or choose something else"}};
}

}  // namespace

json::value People::person(const std::optional<UserId>& id) {
  if (!id.has_value()) return nullptr;
  auto found = names_.find(*id);
  if (found == names_.end()) {
    const auto user = catalog::Users(tx_).get(*id);
    std::string name = "Somebody who is gone";
    if (user.ok()) {
      name = user->first_name + (user->last_name.empty() ? "" : " " + user->last_name);
      if (name.empty()) name = user->email;
    }
    found = names_.emplace(*id, std::move(name)).first;
  }
  return json::object{{"id", id->str()}, {"name", found->second}};
}

json::value moment_or_null(const std::optional<Timestamp>& moment) {
  if (!moment.has_value()) return nullptr;
  return json::string(moment->rfc3339());
}

json::object job_document(const catalog::Job& job, People& people) {
  return job_document(job, people.person(job.created_by));
}

json::object job_document(const catalog::Job& job, const json::value& creator) {
  return {{"id", job.id.str()},
          {"kind", job.kind},
          {"state", catalog::to_text(job.state)},
          {"subject", subject_of(job)},
          {"progress",
           {{"step", job.progress.step},
            {"done", job.progress.done},
            {"total", job.progress.total},
            {"unit", job.progress.unit}}},
          {"result", job.result.has_value() ? job.result->value() : json::value(nullptr)},
          {"failure", failure_document(job)},
          {"created_by", creator},
          {"created_at", job.created_at.rfc3339()},
          {"started_at", moment_or_null(job.started_at)},
          {"finished_at", moment_or_null(job.finished_at)},
          {"cancel_requested", job.cancel_requested},
          {"attempt", job.attempt},
          {"revision", job.revision}};
}

json::object archive_document(const catalog::ArchiveRecord& record,
                              const std::vector<PublicKey>& own_keys, People& people) {
  const bool own = std::any_of(own_keys.begin(), own_keys.end(), [&](const PublicKey& key) {
    return key.fingerprint() == record.signer;
  });
  json::object verification{{"state", "never"}, {"at", nullptr}, {"code", nullptr}};
  if (record.verification.has_value()) {
    const auto& refusal = record.verification->refusal;
    verification["state"] = refusal.has_value() ? "refused" : "verified";
    verification["at"] = record.verification->at.rfc3339();
    if (refusal.has_value()) verification["code"] = *refusal;
  }
  json::value workspaces = nullptr;
  if (record.workspaces.has_value()) {
    json::array ids;
    for (const auto& id : *record.workspaces) ids.push_back(json::string(id.str()));
    workspaces = std::move(ids);
  }
  // 2026-04-16T09:42:11 as a file name: without colons, which Windows does not take.
  std::string moment = record.snapshot_time.rfc3339().substr(0, 19);
  std::erase(moment, ':');
  return {{"id", record.id.str()},
          {"name", "backup-" + moment + "Z.oa-archive"},
          {"origin", catalog::to_text(record.origin)},
          {"snapshot_time", record.snapshot_time.rfc3339()},
          {"created_at", record.created_at.rfc3339()},
          {"created_by", people.person(record.created_by)},
          {"size_bytes", record.size_bytes},
          {"rows", record.with_rows},
          {"audit", record.with_audit},
          {"workspace_ids", std::move(workspaces)},
          {"counts", record.counts.value()},
          {"content_hash", record.content_hash},
          {"signer", record.signer},
          {"own_signer", own},
          {"expires_at", moment_or_null(record.expires_at)},
          {"verification", std::move(verification)}};
}

json::object restore_document(const catalog::RestoreRecord& record, People& people) {
  const json::value plan = record.plan.value();
  const json::object& header = plan.as_object();
  const auto member = [&](const char* name, json::value otherwise) {
    const auto* found = header.if_contains(name);
    return found != nullptr ? *found : std::move(otherwise);
  };
  // What only brought things back is undone without an archive, at any time.
  const json::value counts = record.summary.value();
  const bool needs_archive = counted(counts, "overwrite") + counted(counts, "remove") > 0;
  const bool undoable = record.state == catalog::RestoreState::kApplied &&
                        !record.undone_by.has_value() &&
                        (record.undo_archive.has_value() || !needs_archive);
  std::optional<Timestamp> undo_until;
  if (undoable && needs_archive && record.applied_at.has_value())
    undo_until = Timestamp{record.applied_at->unix_us + kUndoMicroseconds};
  json::object document{
      {"id", record.id.str()},
      {"kind", catalog::to_text(record.kind)},
      {"state", catalog::to_text(record.state)},
      {"purpose", catalog::to_text(record.purpose)},
      {"archive_id", id_or_null(operations::archive_of(record))},
      {"snapshot_time", member("snapshot_time", nullptr)},
      {"mode", member("mode", "overwrite")},
      {"plan_hash", record.plan_hash},
      {"counts", record.summary.value()},
      {"item_count", record.item_count},
      {"created_by", people.person(record.created_by)},
      {"created_at", record.created_at.rfc3339()},
      {"approved_by", people.person(record.approved_by)},
      {"approved_at", moment_or_null(record.approved_at)},
      {"applied_at", moment_or_null(record.applied_at)},
      {"undoable", undoable},
      {"undo_until", moment_or_null(undo_until)},
      {"undoes", id_or_null(record.undoes)},
      {"undone_by", id_or_null(record.undone_by)},
      {"last_failure", nullptr},
      {"credentials_to_enter", member("credentials_to_enter", json::array())},
      {"notes", member("notes", json::array())},
      {"applicable", applicable_document(record, header)}};
  if (record.last_failure.has_value()) document["last_failure"] = *record.last_failure;
  return document;
}

json::object audit_document(const AuditEvent& event, People& people) {
  const auto personal = [&](const char* path) -> json::value {
    const auto found = event.personal.find(path);
    if (found == event.personal.end()) return nullptr;
    return json::string(found->second.value);
  };
  json::object actor{{"type", event.actor_type},
                     {"id", nullptr},
                     {"email", personal("actor.email")},
                     {"ip", personal("actor.ip")}};
  actor["name"] = nullptr;
  if (event.actor_id.has_value()) {
    actor["id"] = event.actor_id->str();
    actor["name"] = people.person(UserId(*event.actor_id)).at("name");
  }
  json::value detail = event.detail.value();
  constexpr std::string_view kOfDetail = "detail.";
  for (const auto& [path, value] : event.personal) {
    if (path.starts_with(kOfDetail) && detail.is_object())
      detail.as_object()[path.substr(kOfDetail.size())] = value.value;
  }
  return {{"id", event.id.str()},
          {"sequence", event.sequence},
          {"ts", event.ts.rfc3339()},
          {"actor", std::move(actor)},
          {"action", event.action},
          {"resource", {{"type", event.resource_type}, {"id", event.resource_id}}},
          {"detail", std::move(detail)},
          {"trace_id", event.trace_id}};
}

json::object dataset_document(const catalog::Dataset& dataset,
                              const catalog::DatasetSource& source) {
  json::object document{
      {"id", dataset.id.str()},
      {"name", dataset.name},
      {"workspace_id", dataset.workspace_id.str()},
      {"mode", catalog::to_text(dataset.mode)},
      {"source_ref", dataset.source_ref.has_value() ? json::value(*dataset.source_ref) : nullptr},
      {"state", catalog::to_text(dataset.state)},
      {"row_count", dataset.row_count},
      {"size_bytes", dataset.size_bytes},
      {"version", dataset.versions.empty() ? 0 : dataset.versions.back().version},
      {"last_refresh_at", moment_or_null(dataset.last_refresh_at)},
      {"last_failure", nullptr}};
  if (source.last_failure.has_value())
    document["last_failure"] = json::object{{"code", source.last_failure->code},
                                            {"message", source.last_failure->message}};
  return document;
}

json::object token_document(const catalog::TokenRecord& token) {
  json::array scopes;
  for (const auto& scope : token.scopes) scopes.push_back(json::string(scope));
  return {{"id", token.id.str()},
          {"name", token.name},
          {"scopes", std::move(scopes)},
          {"created_at", token.created_at.rfc3339()},
          {"expires_at", moment_or_null(token.expires_at)},
          {"last_used_at", moment_or_null(token.last_used_at)},
          {"revoked_at", moment_or_null(token.revoked_at)}};
}

http::Response json_response(int status, const json::value& document) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = json::serialize(document);
  return response;
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

Result<http::Response> job_response(TenantCall& call, const catalog::Job& job) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  auto response = json_response(202, job_document(job, people));
  response.headers.emplace_back("Location", "/v1/jobs/" + job.id.str());
  return response;
}

}  // namespace oa::api
