// Settings: the schedule, the audit log, keys.
#include <algorithm>

#include "documents.h"
#include "operation.h"
#include "paging.h"
#include "schedules.h"

namespace oa::api {
namespace {

json::object schedule_document(const catalog::BackupSchedule& schedule) {
  return {{"frequency", catalog::to_text(schedule.frequency)},
          {"rows", schedule.with_rows},
          {"audit", schedule.with_audit},
          {"keep_days", schedule.keep_days},
          {"next_run_at", moment_or_null(schedule.next_run_at)},
          {"last_run_at", moment_or_null(schedule.last_run_at)}};
}

Result<http::Response> get_schedule(TenantCall& call) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto schedule, catalog::BackupSchedules(snapshot).get());
  return json_response(200, schedule_document(schedule));
}

Status record_setting(TenantCall& call, catalog::TenantTransaction& transaction,
                      const json::object& detail) {
  auto event = call.event("admin.setting.change", "backup_schedule", call.tenant().str());
  event.detail = JsonText::of(detail);
  return catalog::Audit(transaction).append({&event, 1});
}

Result<http::Response> set_schedule(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  catalog::BackupSchedule wanted;
  const auto frequency =
      catalog::parse_text<catalog::ScheduleFrequency>(reader.text("frequency"));
  if (frequency.ok())
    wanted.frequency = *frequency;
  else
    reader.fail("frequency", "is off, daily or weekly");
  wanted.with_rows = reader.boolean("rows");
  wanted.with_audit = reader.boolean("audit");
  const auto keep_days = reader.unsigned_integer("keep_days");
  if (keep_days < 1 || keep_days > 3650) reader.fail("keep_days", "is from 1 to 3650");
  OA_TRY(reader.finish());
  wanted.keep_days = static_cast<std::uint32_t>(keep_days);
  OA_ASSIGN(auto transaction, call.transaction());
  catalog::BackupSchedules schedules(transaction);
  OA_ASSIGN(const auto present, schedules.lock());
  wanted.last_run_at = present.last_run_at;
  wanted.next_run_at = present.frequency == wanted.frequency
                           ? present.next_run_at
                           : first_run(wanted.frequency, Timestamp::now());
  OA_TRY(schedules.put(wanted));
  OA_TRY(catalog::Archives(transaction).keep_scheduled_for_days(wanted.keep_days));
  OA_TRY(record_setting(call, transaction,
                        {{"frequency", catalog::to_text(wanted.frequency)},
                         {"rows", wanted.with_rows},
                         {"audit", wanted.with_audit},
                         {"keep_days", wanted.keep_days}}));
  OA_TRY(transaction.commit());
  return json_response(200, schedule_document(wanted));
}

Result<catalog::Audit::Filter> audit_filter(const Arrived& arrived) {
  catalog::Audit::Filter filter;
  filter.action = arrived.query("action").value_or("");
  filter.resource = arrived.query("resource_id").value_or("");
  const bool plain = std::all_of(filter.action.begin(), filter.action.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || c == '.';
  });
  if (!plain || filter.action.size() > 100 || filter.resource.size() > 100)
    return make_error(ErrorCode::kInvalidArgument, "audit", "action is words with dots between")
        .with_hint("for example `backup.` or `auth.login.failure`");
  if (const auto actor = arrived.query("actor_id")) {
    OA_ASSIGN(filter.actor, Uuid::parse(*actor));
  }
  if (const auto from = arrived.query("from")) {
    OA_ASSIGN(filter.from, Timestamp::parse(*from));
  }
  if (const auto to = arrived.query("to")) {
    OA_ASSIGN(filter.to, Timestamp::parse(*to));
  }
  const auto changes = arrived.query("changes").value_or("false");
  if (changes != "true" && changes != "false")
    return make_error(ErrorCode::kInvalidArgument, "audit", "changes is true or false");
  filter.changes = changes == "true";
  return filter;
}

Result<http::Response> list_audit_events(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  OA_ASSIGN(const auto filter, audit_filter(call.arrived));
  std::optional<std::uint64_t> before;
  if (page.after.has_value()) {
    OA_ASSIGN(before, parse_ordinal(*page.after));
  }
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(auto events, catalog::Audit(snapshot).page(filter, before, page.limit + 1));
  std::optional<std::string> next;
  if (events.size() > page.limit) {
    events.pop_back();
    next = std::to_string(events.back().sequence);
  }
  People people(snapshot);
  json::array data;
  for (const auto& event : events) data.push_back(audit_document(event, people));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> verify_audit(TenantCall& call) {
  OA_ASSIGN(const auto job, call.start(operations::VerifyAudit{}));
  return job_response(call, job);
}

json::object key_document(const PublicKey& key, const char* state, Timestamp created_at,
                          const std::string& note) {
  return {{"fingerprint", key.fingerprint()},     {"key_id", key.key_id()},
          {"public_key", key.base64()},           {"state", state},
          {"created_at", created_at.rfc3339()},   {"note", note}};
}

struct KnownKey {
  PublicKey key;
  json::object document;
};

// Own keys and accepted signers, newest first.
Result<std::vector<KnownKey>> known_keys(TenantCall& call) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto own, catalog::SigningKeys(snapshot).list());
  OA_ASSIGN(const auto accepted, catalog::AcceptedSigners(snapshot).list());
  std::vector<KnownKey> keys;
  for (const auto& record : own) {
    OA_ASSIGN(const auto key, PublicKey::parse(record.public_key));
    const char* state = record.revoked_at.has_value()   ? "revoked"
                        : record.retired_at.has_value() ? "retired"
                                                        : "signs";
    keys.push_back({key, key_document(key, state, record.created_at, "")});
  }
  for (const auto& signer : accepted) {
    OA_ASSIGN(const auto key, PublicKey::parse(signer.public_key));
    const char* state = signer.revoked_at.has_value() ? "accepted_revoked" : "accepted";
    keys.push_back({key, key_document(key, state, signer.accepted_at, signer.note)});
  }
  std::stable_sort(keys.begin(), keys.end(), [](const KnownKey& a, const KnownKey& b) {
    return a.document.at("created_at").as_string() > b.document.at("created_at").as_string();
  });
  return keys;
}

Result<http::Response> list_keys(TenantCall& call) {
  OA_ASSIGN(auto keys, known_keys(call));
  json::array data;
  for (auto& key : keys) data.push_back(std::move(key.document));
  return json_response(200, json::object{{"data", std::move(data)}});
}

Result<http::Response> download_key(TenantCall& call) {
  const std::string& fingerprint = call.arrived.path.find("fingerprint")->second;
  OA_ASSIGN(const auto keys, known_keys(call));
  for (const auto& known : keys) {
    if (known.key.fingerprint() != fingerprint) continue;
    http::Response response;
    response.headers = {
        {"Content-Type", "text/plain; charset=utf-8"},
        {"Content-Disposition", "attachment; filename=\"" + known.key.key_id() + ".pub\""},
        {"Cache-Control", "no-store"}};
    response.body = known.key.file_text();
    return response;
  }
  return make_error(ErrorCode::kNotFound, "keys", "there is no key of this fingerprint");
}

Result<http::Response> accept_signer(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const auto text = reader.text("public_key");
  const auto fingerprint = reader.text("fingerprint");
  const auto note = reader.optional_text("note").value_or("");
  if (note.size() > 500) reader.fail("note", "has at most 500 bytes");
  OA_TRY(reader.finish());
  OA_ASSIGN(const auto key, PublicKey::parse(text));
  OA_TRY(call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return instance.accept_signer(tenant, key, fingerprint, call.who.user, note);
  }));
  return json_response(201, key_document(key, "accepted", Timestamp::now(), note));
}

Result<http::Response> revoke_key(TenantCall& call) {
  const std::string& fingerprint = call.arrived.path.find("fingerprint")->second;
  OA_TRY(call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return instance.revoke_signer(tenant, fingerprint, call.who.user);
  }));
  return no_content();
}

Result<http::Response> rotate_key(TenantCall& call) {
  OA_ASSIGN(const auto key, call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return instance.rotate_signing_key(tenant, call.who.user);
  }));
  return json_response(201, key_document(key, "signs", Timestamp::now(), ""));
}

constexpr std::size_t kBody = 16 << 10;
using enum accounts::Scope;
using enum Repeats;
constexpr Operation kOperations[] = {
    {"getSchedule", "GET", "/v1/backup/schedule", TenantHandler(get_schedule), Right::kOwner,
     kBackup},
    {"setSchedule", "PUT", "/v1/backup/schedule", TenantHandler(set_schedule), Right::kOwner,
     kBackup, kBody},
    {"listAuditEvents", "GET", "/v1/audit/events", TenantHandler(list_audit_events),
     Right::kOwner, kAdmin},
    {"verifyAudit", "POST", "/v1/audit/verify", TenantHandler(verify_audit), Right::kOwner, kAdmin,
     0,
     kRememberedInside},
    {"listKeys", "GET", "/v1/keys", TenantHandler(list_keys), Right::kOwner, kAdmin},
    {"acceptSigner", "POST", "/v1/keys", TenantHandler(accept_signer), Right::kOwner, kAdmin,
     kBody},
    {"rotateKey", "POST", "/v1/keys/rotate", TenantHandler(rotate_key), Right::kOwner, kAdmin},
    {"revokeKey", "DELETE", "/v1/keys/{fingerprint}", TenantHandler(revoke_key), Right::kOwner,
     kAdmin},
    {"downloadKey", "GET", "/v1/keys/{fingerprint}/public-key", TenantHandler(download_key),
     Right::kOwner, kAdmin},
};

}  // namespace

std::span<const Operation> setting_operations() { return kOperations; }

}  // namespace oa::api
