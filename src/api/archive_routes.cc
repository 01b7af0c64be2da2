// Archives: listed, made, received, downloaded, verified, deleted.
#include <fmt/format.h>

#include "access.h"
#include "documents.h"
#include "fields.h"
#include "object_body.h"
#include "oa/backup/archive_removal.h"
#include "oa/http/ranges.h"
#include "oa/uploads/uploads.h"
#include "operation.h"
#include "paging.h"
#include "problem.h"

namespace oa::api {
namespace {

Result<std::vector<PublicKey>> own_keys(TenantCall& call) {
  return call.in_tenant([](instance::Instance& instance, TenantId tenant) {
    return instance.own_keys(tenant);
  });
}

Result<http::Response> list_archives(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<catalog::Archives::After> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_position(*page.after));
  }
  OA_ASSIGN(const auto keys, own_keys(call));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(auto records, catalog::Archives(snapshot).page(visible_archives(call.who), after,
                                                           page.limit + 1));
  std::optional<std::string> next;
  if (records.size() > page.limit) {
    records.pop_back();
    next = position_of(records.back().created_at, records.back().id.uuid());
  }
  People people(snapshot);
  json::array data;
  for (const auto& record : records) data.push_back(archive_document(record, keys, people));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> get_archive(TenantCall& call) {
  OA_ASSIGN(const auto record, archive_of(call));
  OA_ASSIGN(const auto keys, own_keys(call));
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  return json_response(200, archive_document(record, keys, people));
}

// An Admin's archive is of workspaces that they manage, each of them named.
Status check_workspaces(TenantCall& call, operations::CreateArchive& operation) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  for (const auto& id : operation.workspaces) {
    const auto there = catalog::Workspaces(snapshot).get(id);
    if (!there.ok() && there.error().code != ErrorCode::kNotFound) return there.error();
    if (!there.ok() || !call.who.admin_in(id)) {
      return make_error(ErrorCode::kNotFound, "request",
                        "there is no workspace of this id that you manage");
    }
  }
  if (call.who.owner) {
    if (!operation.audit || operation.workspaces.empty()) return {};
    return make_error(ErrorCode::kInvalidArgument, "request",
                      "the audit log goes into an archive of everything only")
        .with_hint("leave out the audit log, or archive all workspaces");
  }
  if (operation.audit) {
    return make_error(ErrorCode::kPermissionDenied, "request",
                      "only an Owner may archive the audit log");
  }
  if (operation.workspaces.empty())
    operation.workspaces.assign(call.who.admin_of.begin(), call.who.admin_of.end());
  return {};
}

Result<http::Response> create_archive(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  operations::CreateArchive operation;
  if (reader.find("rows") != nullptr) operation.rows = reader.boolean("rows");
  if (reader.find("audit") != nullptr) operation.audit = reader.boolean("audit");
  operation.workspaces = read_workspaces(reader);
  OA_TRY(reader.finish());
  OA_TRY(check_workspaces(call, operation));
  OA_ASSIGN(const auto job, call.start(operation));
  return job_response(call, job);
}

Result<http::Response> estimate_archive(TenantCall& call) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(snapshot).list());
  json::array data;
  for (const auto& workspace : workspaces) {
    if (!call.who.admin_in(workspace.id)) continue;
    OA_ASSIGN(const auto datasets, catalog::Datasets(snapshot).list(workspace.id));
    OA_ASSIGN(const auto reports, catalog::Reports(snapshot).names(workspace.id));
    OA_ASSIGN(const auto alerts, catalog::Alerts(snapshot).names(workspace.id));
    std::uint64_t rows_bytes = 0;
    for (const auto& dataset : datasets)
      if (dataset.rows.has_value()) rows_bytes += dataset.size_bytes;
    data.push_back(json::object{{"id", workspace.id.str()},
                                {"name", workspace.name},
                                {"datasets", datasets.size()},
                                {"reports", reports.size()},
                                {"alerts", alerts.size()},
                                {"rows_bytes", rows_bytes}});
  }
  json::object document{{"workspaces", std::move(data)}, {"audit_events", nullptr}};
  if (call.who.owner) {
    OA_ASSIGN(document["audit_events"], catalog::Audit(snapshot).count());
  }
  return json_response(200, document);
}

Result<http::Response> receive_archive(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const auto upload = reader.id<UploadId>("upload_id");
  OA_TRY(reader.finish());
  OA_TRY(call.in_tenant([&](instance::Instance& instance, TenantId tenant) -> Status {
    uploads::Uploads uploads(instance.database(), instance.objects(), tenant);
    OA_ASSIGN(const auto record, uploads.get(upload));
    if (!call.who.owner && record.created_by != call.who.user)
      return make_error(ErrorCode::kNotFound, "request", "there is no upload of this id");
    if (record.whole()) return {};
    return make_error(ErrorCode::kConflict, "request", "the upload is not whole yet")
        .with_hint("upload the rest of it first");
  }));
  OA_ASSIGN(const auto job, call.start(operations::ReceiveArchive{upload}));
  return job_response(call, job);
}

Result<http::Response> delete_archive(TenantCall& call) {
  OA_ASSIGN(const auto record, archive_of(call));
  if (!call.who.owner && record.created_by != call.who.user) {
    return make_error(ErrorCode::kPermissionDenied, "archive.delete",
                      "only an Owner may delete an archive that somebody else made")
        .with_hint("ask an Owner of your organisation");
  }
  OA_TRY(call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return backup::remove_archive(instance.database(), instance.objects(), tenant, record.id,
                                  call.who.user);
  }));
  return no_content();
}

Result<http::Response> verify_archive(TenantCall& call) {
  OA_ASSIGN(const auto record, archive_of(call));
  OA_ASSIGN(const auto job, call.start(operations::VerifyArchive{record.id}));
  return job_response(call, job);
}

Status record_download(TenantCall& call, const catalog::ArchiveRecord& record,
                       const http::Range& range) {
  OA_ASSIGN(auto transaction, call.transaction());
  auto event = call.event("backup.archive.download", "archive", record.id.str());
  event.detail = JsonText::of(json::object{{"first", range.first}, {"bytes", range.length}});
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

Result<http::Response> download_archive(TenantCall& call) {
  OA_ASSIGN(const auto record, archive_of(call));
  OA_ASSIGN(auto source,
            call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
              return instance.objects().open(
                  {tenant, RetentionClass::kArchives, record.object_name},
                  VersionId{record.object_version});
            }));
  const http::Request& request = *call.arrived.request;
  const std::uint64_t size = source->size();
  const std::string etag = fmt::format("\"{}\"", record.id.str());
  const auto range = http::range_of(request, size, etag);
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  const auto document = archive_document(record, {}, people);
  http::Response response;
  response.headers = {
      {"Content-Type", "application/octet-stream"},
      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"",
                                          std::string_view(document.at("name").as_string()))},
      {"Accept-Ranges", "bytes"},
      {"ETag", etag},
      {"Cache-Control", "private, no-store"}};
  if (range.kind == http::Range::Kind::kNotSatisfiable) {
    auto refusal = problem_response(
        make_error(ErrorCode::kRangeNotSatisfiable, "archive.download",
                   fmt::format("the archive has {} bytes", size))
            .with_hint("ask for a range that begins before its end"),
        request.target, call.trace_id());
    refusal.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    return refusal;
  }
  if (request.method == "GET") OA_TRY(record_download(call, record, range));
  response.status = range.kind == http::Range::Kind::kPart ? 206 : 200;
  if (response.status == 206) {
    response.headers.emplace_back("Content-Range", http::content_range(range, size));
  }
  response.body = http::KnownBody{
      range.length,
      std::make_unique<ObjectBody>(std::move(source), range.first, range.length)};
  return response;
}

constexpr std::size_t kBody = 64 << 10;
using enum accounts::Scope;
using enum Repeats;
constexpr Operation kOperations[] = {
    {"listArchives", "GET", "/v1/archives", TenantHandler(list_archives), Right::kBackup, kBackup},
    {"createArchive", "POST", "/v1/archives", TenantHandler(create_archive), Right::kBackup,
     kBackup, kBody,
     kRememberedInside},
    {"estimateArchive", "GET", "/v1/archives/estimate", TenantHandler(estimate_archive),
     Right::kBackup, kBackup},
    {"receiveArchive", "POST", "/v1/archives/from-upload", TenantHandler(receive_archive),
     Right::kBackup, kRestore, kBody,
     kRememberedInside},
    {"getArchive", "GET", "/v1/archives/{archive_id}", TenantHandler(get_archive), Right::kBackup,
     kBackup},
    {"deleteArchive", "DELETE", "/v1/archives/{archive_id}", TenantHandler(delete_archive),
     Right::kBackup, kBackup},
    {"downloadArchive", "GET", "/v1/archives/{archive_id}/content",
     TenantHandler(download_archive), Right::kBackup, kBackup},
    {"verifyArchive", "POST", "/v1/archives/{archive_id}/verify", TenantHandler(verify_archive),
     Right::kBackup, kBackup, 0,
     kRememberedInside},
};

}  // namespace

std::span<const Operation> archive_operations() { return kOperations; }

}  // namespace oa::api
