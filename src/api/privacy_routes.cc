// Personal data: exported by those concerned, erased by an Owner.
#include <fmt/format.h>

#include <algorithm>

#include "documents.h"
#include "object_body.h"
#include "oa/operations/privacy.h"
#include "oa/privacy/erased_user.h"
#include "operation.h"
#include "paging.h"

namespace oa::api {
namespace {

constexpr std::size_t kMaxQuery = 100;
constexpr auto kDay = std::chrono::hours(24);

Result<privacy::Eraser> eraser_of(TenantCall& call) {
  return call.in_tenant(
      [](instance::Instance& instance, TenantId) { return operations::eraser_of(instance); });
}

json::object counts_document(const privacy::Counts& counts) {
  json::object document;
  for (const auto& [what, count] : counts) document[what] = count;
  return document;
}

json::object export_document(const privacy::PersonalExport& record, People& people) {
  return {{"id", record.id.str()},
          {"user", people.person(record.user)},
          {"state", privacy::to_text(record.state)},
          {"requested_by", people.person(record.requested_by)},
          {"requested_at", record.requested_at.rfc3339()},
          {"made_at", moment_or_null(record.made_at)},
          {"expires_at", moment_or_null(record.expires_at)},
          {"size_bytes", record.size_bytes.has_value() ? json::value(*record.size_bytes) : nullptr},
          {"digest", record.digest.has_value() ? json::value(*record.digest) : nullptr},
          {"counts", record.counts.value()},
          {"downloads", record.downloads},
          {"last_download_at", moment_or_null(record.last_download_at)}};
}

json::object erasure_document(const privacy::ErasureRecord& record, People& people) {
  return {{"id", record.id.str()},
          {"user", people.person(record.user)},
          {"state", privacy::to_text(record.state)},
          {"requested_by", people.person(record.requested_by)},
          {"requested_at", record.requested_at.rfc3339()},
          {"execute_at", record.execute_at.rfc3339()},
          {"erased_at", moment_or_null(record.erased_at)},
          {"ledger_number",
           record.ledger_number.has_value() ? json::value(*record.ledger_number) : nullptr},
          {"effects", counts_document(record.effects)}};
}

json::object person_document(const catalog::User& user) {
  std::string name = user.first_name;
  if (!user.last_name.empty()) name += (name.empty() ? "" : " ") + user.last_name;
  return {{"id", user.id.str()},     {"name", name},         {"email", user.email},
          {"active", user.active},   {"owner", user.owner},  {"erased", privacy::is_erased(user)}};
}

Error not_concerned() {
  return make_error(ErrorCode::kPermissionDenied, "privacy.export",
                    "only an Owner or an Admin of a workspace may do this for somebody else")
      .with_hint("leave `user_id` out to export what is known of yourself, or ask an Owner");
}

// Whom it is about: the caller unless named; others only for those who may.
Result<UserId> concerned(const TenantCall& call, const std::optional<UserId>& named) {
  const UserId user = named.value_or(call.who.user);
  if (user != call.who.user && !call.who.may_back_up()) return not_concerned();
  return user;
}

Result<http::Response> list_exports(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<privacy::PersonalExports::After> after;
  if (page.after.has_value()) {
    OA_ASSIGN(const auto position, parse_position(*page.after));
    after = {position.created_at, position.id};
  }
  std::optional<UserId> of;
  if (const auto named = call.arrived.query("user_id")) {
    OA_ASSIGN(of, UserId::parse(*named));
    OA_ASSIGN(of, concerned(call, of));
  } else if (!call.who.may_back_up()) {
    of = call.who.user;
  }
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(auto records, privacy::PersonalExports(snapshot).page(of, after, page.limit + 1));
  std::optional<std::string> next;
  if (records.size() > page.limit) {
    records.pop_back();
    next = position_of(records.back().requested_at, records.back().id);
  }
  People people(snapshot);
  json::array data;
  for (const auto& record : records) data.push_back(export_document(record, people));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> create_export(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  std::optional<UserId> named;
  if (reader.find("user_id") != nullptr) named = reader.id<UserId>("user_id");
  OA_TRY(reader.finish());
  OA_ASSIGN(const UserId user, concerned(call, named));
  {
    OA_ASSIGN(auto snapshot, call.snapshot());
    OA_TRY(operations::check_is_somebody(snapshot, user));
  }
  OA_ASSIGN(const auto job, call.start(operations::ExportPerson{user}));
  OA_TRY(call.write([&](catalog::TenantTransaction& transaction) {
    return privacy::PersonalExports(transaction).add(job.id.uuid(), user, call.who.user);
  }));
  return job_response(call, job);
}

// What is not theirs to see is not there.
Result<privacy::PersonalExport> export_of(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<Uuid>("export_id"));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(auto record, privacy::PersonalExports(snapshot).get(id));
  if (record.user == call.who.user || call.who.may_back_up()) return record;
  return make_error(ErrorCode::kNotFound, "privacy.export", "there is no export of this id");
}

Result<http::Response> get_export(TenantCall& call) {
  OA_ASSIGN(const auto record, export_of(call));
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  return json_response(200, export_document(record, people));
}

Result<http::Response> download_export(TenantCall& call) {
  OA_ASSIGN(const auto record, export_of(call));
  OA_ASSIGN(auto source, call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return operations::open_export(instance, tenant, record);
  }));
  if (call.arrived.request->method == "GET") {
    auto event = call.event("privacy.export.download", "user", record.user.str());
    event.detail = JsonText::of(json::object{{"export_id", record.id.str()}});
    OA_TRY(call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
      return operations::count_download(instance, tenant, record, event);
    }));
  }
  http::Response response;
  response.headers = {{"Content-Type", "application/json"},
                      {"Content-Disposition", fmt::format("attachment; filename=\"personal-data-{}.json\"",
                                                          record.id.str())},
                      {"Cache-Control", "private, no-store"}};
  const std::uint64_t size = source->size();
  response.body = http::KnownBody{size, std::make_unique<ObjectBody>(std::move(source), 0, size)};
  return response;
}

// ASCII letters without case; others as they are.
std::string folded(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

Result<http::Response> list_people(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<UserId> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_id<UserId>(*page.after));
  }
  const std::string wanted = folded(call.arrived.query("q").value_or(""));
  if (wanted.size() > kMaxQuery)
    return make_error(ErrorCode::kInvalidArgument, "privacy.people", "q has at most 100 bytes");
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto users, catalog::Users(snapshot).list());
  json::array data;
  std::optional<std::string> next;
  std::string last;
  for (const auto& user : users) {
    if (after.has_value() && !(*after < user.id)) continue;
    const std::string words =
        folded(user.first_name + " " + user.last_name + "\n" + user.email);
    if (words.find(wanted) == words.npos) continue;
    if (data.size() == page.limit) {
      next = last;
      break;
    }
    last = user.id.str();
    data.push_back(person_document(user));
  }
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> preview_erasure(TenantCall& call) {
  OA_ASSIGN(const auto user, call.id<UserId>("user_id"));
  OA_ASSIGN(auto eraser, eraser_of(call));
  OA_ASSIGN(const auto settings, eraser.settings(call.tenant()));
  OA_ASSIGN(const auto erasures, eraser.list(call.tenant(), user));
  OA_ASSIGN(auto snapshot, call.snapshot());
  const auto preview = privacy::preview_erasure(snapshot, user);
  if (!preview.ok() && preview.error().code == ErrorCode::kNotFound)
    return make_error(ErrorCode::kNotFound, "privacy.erase", "there is no person of this id");
  if (!preview.ok()) return preview.error();
  const auto pending =
      std::ranges::find(erasures, privacy::ErasureState::kScheduled, &privacy::ErasureRecord::state);
  People people(snapshot);
  json::array archives;
  for (const auto& record : preview->archives) {
    const auto document = archive_document(record, {}, people);
    archives.push_back(json::object{{"id", record.id.str()},
                                    {"name", document.at("name")},
                                    {"snapshot_time", record.snapshot_time.rfc3339()},
                                    {"created_at", record.created_at.rfc3339()},
                                    {"expires_at", moment_or_null(record.expires_at)}});
  }
  json::value waiting = nullptr;
  if (pending != erasures.end()) waiting = json::string(pending->id.str());
  return json_response(
      200, json::object{{"user", person_document(preview->user)},
                        {"erased", preview->erased},
                        {"last_owner", preview->last_owner},
                        {"pending_erasure_id", std::move(waiting)},
                        {"effects", counts_document(preview->effects)},
                        {"assets", counts_document(preview->assets)},
                        {"archives", std::move(archives)},
                        {"archive_policy", privacy::to_text(settings.archives)},
                        {"cooling_off_days", settings.cooling_off_days}});
}

Result<http::Response> list_erasures(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<catalog::Archives::After> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_position(*page.after));
  }
  OA_ASSIGN(auto eraser, eraser_of(call));
  OA_ASSIGN(const auto records, eraser.list(call.tenant()));
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  json::array data;
  std::optional<std::string> next;
  std::string last;
  for (const auto& record : records) {
    const bool behind = !after.has_value() || record.requested_at < after->created_at ||
                        (record.requested_at == after->created_at && record.id < after->id);
    if (!behind) continue;
    if (data.size() == page.limit) {
      next = last;
      break;
    }
    last = position_of(record.requested_at, record.id);
    data.push_back(erasure_document(record, people));
  }
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

struct WantedErasure {
  UserId user;
  std::string confirm;
  std::optional<std::uint64_t> days;
};

Result<WantedErasure> wanted_erasure(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  WantedErasure wanted;
  wanted.user = reader.id<UserId>("user_id");
  wanted.confirm = reader.text("confirm");
  if (wanted.confirm.empty() || wanted.confirm.size() > 512)
    reader.fail("confirm", "has 1 to 512 bytes");
  if (reader.find("cooling_off_days") != nullptr) {
    wanted.days = reader.unsigned_integer("cooling_off_days");
    if (*wanted.days > 30) reader.fail("cooling_off_days", "is from 0 to 30");
  }
  OA_TRY(reader.finish());
  return wanted;
}

// Of one who was erased the address is nobody's: then the record there is answers.
Status check_confirmed(TenantCall& call, const WantedErasure& wanted) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  const auto user = catalog::Users(snapshot).get(wanted.user);
  if (!user.ok() && user.error().code == ErrorCode::kNotFound)
    return make_error(ErrorCode::kNotFound, "privacy.erase", "there is no person of this id");
  if (!user.ok()) return user.error();
  if (privacy::is_erased(*user) || catalog::email_key(wanted.confirm) == catalog::email_key(user->email))
    return {};
  return make_error(ErrorCode::kInvalidArgument, "privacy.erase",
                    "what was typed is not the e-mail address of this person")
      .with_hint("type the address as it is shown");
}

Result<http::Response> create_erasure(TenantCall& call) {
  OA_ASSIGN(const auto wanted, wanted_erasure(call));
  OA_TRY(check_confirmed(call, wanted));
  OA_ASSIGN(auto eraser, eraser_of(call));
  OA_ASSIGN(const auto settings, eraser.settings(call.tenant()));
  OA_ASSIGN(const auto before, eraser.list(call.tenant(), wanted.user));
  const auto days = static_cast<int>(wanted.days.value_or(settings.cooling_off_days));
  OA_ASSIGN(const auto record, eraser.request(call.tenant(), wanted.user, call.who.user, days * kDay,
                                              call.trace_id()));
  const bool is_new =
      std::ranges::find(before, record.id, &privacy::ErasureRecord::id) == before.end();
  if (is_new && days == 0) {
    OA_ASSIGN(const auto job, call.start(operations::ErasePerson{record.id, wanted.user}));
    call.wake_workers();
    return job_response(call, job);
  }
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  auto response = json_response(is_new ? 201 : 200, erasure_document(record, people));
  if (is_new)
    response.headers.emplace_back("Location", "/v1/privacy/erasures/" + record.id.str());
  return response;
}

Result<privacy::ErasureRecord> erasure_of(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<Uuid>("erasure_id"));
  OA_ASSIGN(auto eraser, eraser_of(call));
  return eraser.get(call.tenant(), id);
}

Result<http::Response> answer_with(TenantCall& call, const privacy::ErasureRecord& record) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  return json_response(200, erasure_document(record, people));
}

Result<http::Response> get_erasure(TenantCall& call) {
  OA_ASSIGN(const auto record, erasure_of(call));
  return answer_with(call, record);
}

Result<http::Response> cancel_erasure(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<Uuid>("erasure_id"));
  OA_ASSIGN(auto eraser, eraser_of(call));
  OA_ASSIGN(const auto record, eraser.cancel(call.tenant(), id, call.who.user, call.trace_id()));
  return answer_with(call, record);
}

Result<http::Response> download_certificate(TenantCall& call) {
  OA_ASSIGN(const auto record, erasure_of(call));
  if (record.state != privacy::ErasureState::kDone) {
    return make_error(ErrorCode::kConflict, "privacy.certificate", "the person is not erased")
        .with_hint("there is a certificate once the erasure is done");
  }
  auto response = json_response(200, record.certificate.value());
  response.headers.emplace_back(
      "Content-Disposition",
      fmt::format("attachment; filename=\"erasure-{}.json\"", record.id.str()));
  return response;
}

json::object settings_document(const privacy::PrivacySettings& settings) {
  return {{"archives", privacy::to_text(settings.archives)},
          {"cooling_off_days", settings.cooling_off_days}};
}

Result<http::Response> get_settings(TenantCall& call) {
  OA_ASSIGN(auto eraser, eraser_of(call));
  OA_ASSIGN(const auto settings, eraser.settings(call.tenant()));
  return json_response(200, settings_document(settings));
}

Result<http::Response> set_settings(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  privacy::PrivacySettings wanted;
  const auto archives = reader.text("archives");
  if (archives == privacy::to_text(privacy::ArchivePolicy::kRewrite))
    wanted.archives = privacy::ArchivePolicy::kRewrite;
  else if (archives != privacy::to_text(privacy::ArchivePolicy::kList))
    reader.fail("archives", "is list or rewrite");
  const auto days = reader.unsigned_integer("cooling_off_days");
  if (days > 30) reader.fail("cooling_off_days", "is from 0 to 30");
  OA_TRY(reader.finish());
  wanted.cooling_off_days = static_cast<std::uint32_t>(days);
  OA_ASSIGN(auto eraser, eraser_of(call));
  OA_TRY(eraser.set_settings(call.tenant(), wanted, call.who.user, call.trace_id()));
  return json_response(200, settings_document(wanted));
}

constexpr std::size_t kBody = 16 << 10;
using enum accounts::Scope;
using enum Repeats;
constexpr Operation kOperations[] = {
    {"listPersonalExports", "GET", "/v1/privacy/exports", TenantHandler(list_exports),
     Right::kAnybody, kAdmin},
    {"createPersonalExport", "POST", "/v1/privacy/exports", TenantHandler(create_export),
     Right::kAnybody, kAdmin, kBody, kRememberedInside},
    {"getPersonalExport", "GET", "/v1/privacy/exports/{export_id}", TenantHandler(get_export),
     Right::kAnybody, kAdmin},
    {"downloadPersonalExport", "GET", "/v1/privacy/exports/{export_id}/content",
     TenantHandler(download_export), Right::kAnybody, kAdmin},
    {"listPeople", "GET", "/v1/privacy/people", TenantHandler(list_people), Right::kBackup, kAdmin},
    {"previewErasure", "GET", "/v1/privacy/people/{user_id}/erasure-preview",
     TenantHandler(preview_erasure), Right::kOwner, kAdmin, 0, kRememberedBeside, true},
    {"listErasures", "GET", "/v1/privacy/erasures", TenantHandler(list_erasures), Right::kOwner,
     kAdmin},
    {"createErasure", "POST", "/v1/privacy/erasures", TenantHandler(create_erasure), Right::kOwner,
     kAdmin, kBody},
    {"getErasure", "GET", "/v1/privacy/erasures/{erasure_id}", TenantHandler(get_erasure),
     Right::kOwner, kAdmin},
    {"cancelErasure", "POST", "/v1/privacy/erasures/{erasure_id}/cancel",
     TenantHandler(cancel_erasure), Right::kOwner, kAdmin},
    {"downloadCertificate", "GET", "/v1/privacy/erasures/{erasure_id}/certificate",
     TenantHandler(download_certificate), Right::kOwner, kAdmin},
    {"getPrivacySettings", "GET", "/v1/privacy/settings", TenantHandler(get_settings),
     Right::kOwner, kAdmin},
    {"setPrivacySettings", "PUT", "/v1/privacy/settings", TenantHandler(set_settings),
     Right::kOwner, kAdmin, kBody},
};

}  // namespace

std::span<const Operation> privacy_operations() { return kOperations; }

}  // namespace oa::api
