// Workspaces, reports, datasets: what of the platform backups are about.
#include "documents.h"
#include "oa/datasets/datasets.h"
#include "oa/reports/open_report.h"
#include "oa/reports/removal.h"
#include "oa/reports/viewer.h"
#include "operation.h"
#include "paging.h"

namespace oa::api {
namespace {

using catalog::Role;

Error not_found(std::string_view what) {
  return make_error(ErrorCode::kNotFound, "request", "there is no " + std::string(what) + " of this id");
}

// What is not a member's to see is not there.
Result<Role> member_role(TenantCall& call, catalog::TenantTransaction& tx, WorkspaceId workspace,
                         std::string_view what) {
  const auto role = reports::role_in(tx, call.who.user, workspace);
  if (!role.ok()) return role.error();
  if (role->has_value()) return **role;
  return not_found(what);
}

Status must_edit(Role role) {
  if (role != Role::kViewer) return {};
  return make_error(ErrorCode::kPermissionDenied, "request",
                    "only an Editor or Admin of the workspace may do this")
      .with_hint("ask an Admin of the workspace for the role");
}

datasets::Actor actor_of(const TenantCall& call) {
  return {"user", call.who.user, call.trace_id(), call.event("", "", "").personal};
}

Result<http::Response> list_workspaces(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(snapshot).list());
  json::array data;
  std::optional<std::string> next;
  std::string last;
  for (const auto& workspace : workspaces) {
    if (page.after.has_value() && workspace.id.str() <= *page.after) continue;
    if (!call.who.owner && !call.who.member_of.contains(workspace.id)) continue;
    if (data.size() == page.limit) {
      next = last;
      break;
    }
    OA_ASSIGN(const auto role, member_role(call, snapshot, workspace.id, "workspace"));
    last = workspace.id.str();
    data.push_back(json::object{{"id", last},
                                {"name", workspace.name},
                                {"created_at", workspace.created_at.rfc3339()},
                                {"role", catalog::to_text(role)}});
  }
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> list_reports(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto workspace, call.id<WorkspaceId>("workspace_id"));
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<ReportId> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_id<ReportId>(*page.after));
  }
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_TRY(member_role(call, snapshot, workspace, "workspace"));
  OA_TRY(catalog::Workspaces(snapshot).get(workspace));
  OA_ASSIGN(auto reports, catalog::Reports(snapshot).list(workspace, after, page.limit + 1));
  std::optional<std::string> next;
  if (reports.size() > page.limit) {
    reports.pop_back();
    next = reports.back().id.str();
  }
  People people(snapshot);
  json::array data;
  for (const auto& report : reports) {
    data.push_back(json::object{{"id", report.id.str()},
                                {"name", report.name},
                                {"workspace_id", report.workspace_id.str()},
                                {"visuals", report.visuals.size()},
                                {"bookmarks", report.bookmarks.size()},
                                {"created_by", people.person(report.created_by)},
                                {"updated_at", report.updated_at.rfc3339()}});
  }
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> list_datasets(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto workspace, call.id<WorkspaceId>("workspace_id"));
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_TRY(member_role(call, snapshot, workspace, "workspace"));
  OA_TRY(catalog::Workspaces(snapshot).get(workspace));
  OA_ASSIGN(const auto datasets, catalog::Datasets(snapshot).list(workspace));
  json::array data;
  std::optional<std::string> next;
  std::string last;
  for (const auto& dataset : datasets) {
    if (page.after.has_value() && dataset.id.str() <= *page.after) continue;
    if (data.size() == page.limit) {
      next = last;
      break;
    }
    OA_ASSIGN(const auto source, catalog::DatasetSources(snapshot).get(dataset.id));
    data.push_back(dataset_document(dataset, source));
    last = dataset.id.str();
  }
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

// Filters as they stand in a report or in a bookmark's state.
json::array filters_in(const JsonText& document, const char* member) {
  const json::value value = document.value();
  const auto* items = value.is_object() ? value.as_object().if_contains(member) : nullptr;
  return items != nullptr && items->is_array() ? items->as_array() : json::array();
}

json::object report_document(const catalog::Report& report, Role role, People& people) {
  json::array visuals, bookmarks;
  for (const auto& visual : report.visuals) {
    visuals.push_back(json::object{{"id", visual.id.str()},
                                   {"kind", catalog::to_text(visual.kind)},
                                   {"title", visual.title},
                                   {"dataset_id", visual.dataset_id.str()},
                                   {"options", visual.options.value()}});
  }
  for (const auto& bookmark : report.bookmarks) {
    bookmarks.push_back(json::object{{"id", bookmark.id.str()},
                                     {"name", bookmark.name},
                                     {"filters", filters_in(bookmark.state, "filters")}});
  }
  return {{"id", report.id.str()},
          {"name", report.name},
          {"workspace_id", report.workspace_id.str()},
          {"role", catalog::to_text(role)},
          {"layout", report.layout.value()},
          {"filters", filters_in(report.filters, "items")},
          {"visuals", std::move(visuals)},
          {"bookmarks", std::move(bookmarks)},
          {"created_by", people.person(report.created_by)},
          {"created_at", report.created_at.rfc3339()},
          {"updated_at", report.updated_at.rfc3339()}};
}

// The role that the caller has in a report: in its workspace, or by a grant of it.
Result<Role> reader_role(TenantCall& call, catalog::TenantTransaction& tx,
                         const catalog::Report& report) {
  const auto reader = reports::reader_of(tx, call.who.user, report);
  if (!reader.ok()) {
    if (reader.error().code == ErrorCode::kPermissionDenied) return not_found("report");
    return reader.error();
  }
  OA_ASSIGN(const auto role, reports::role_in(tx, call.who.user, report.workspace_id));
  return role.value_or(Role::kViewer);
}

Result<http::Response> get_report(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<ReportId>("report_id"));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto report, catalog::Reports(snapshot).get(id));
  OA_ASSIGN(const auto role, reader_role(call, snapshot, report));
  People people(snapshot);
  return json_response(200, report_document(report, role, people));
}

Result<http::Response> open_report(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<ReportId>("report_id"));
  reports::OpenOptions options;
  options.now = Timestamp::now();
  if (const auto bookmark = call.arrived.query("bookmark_id")) {
    OA_ASSIGN(options.bookmark, BookmarkId::parse(*bookmark));
  }
  const auto opened = call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return reports::open_report(instance.database(), instance.objects(), tenant, id,
                                call.who.user, options, no_progress());
  });
  if (opened.ok()) return json_response(200, reports::to_json(*opened));
  if (opened.error().code == ErrorCode::kPermissionDenied) return not_found("report");
  return opened.error();
}

Result<http::Response> delete_report(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<ReportId>("report_id"));
  {
    OA_ASSIGN(auto snapshot, call.snapshot());
    OA_ASSIGN(const auto report, catalog::Reports(snapshot).get(id));
    OA_ASSIGN(const auto role, reader_role(call, snapshot, report));
    OA_TRY(must_edit(role));
  }
  OA_TRY(call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return reports::remove_report(instance.database(), tenant, id, actor_of(call));
  }));
  return no_content();
}

struct DatasetAccess {
  DatasetId id;
  Role role;
};
Result<DatasetAccess> dataset_access(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<DatasetId>("dataset_id"));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto dataset, catalog::Datasets(snapshot).get(id));
  OA_ASSIGN(const auto role, member_role(call, snapshot, dataset.workspace_id, "dataset"));
  return DatasetAccess{id, role};
}

Result<http::Response> dataset_response(TenantCall& call, const catalog::Dataset& dataset) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto source, catalog::DatasetSources(snapshot).get(dataset.id));
  return json_response(200, dataset_document(dataset, source));
}

datasets::DatasetService datasets_of(TenantCall& call) {
  return call.in_tenant([](instance::Instance& instance, TenantId tenant) {
    return datasets::DatasetService({instance.database(), instance.objects(), instance.keys()},
                                    tenant);
  });
}

Result<http::Response> get_dataset(TenantCall& call) {
  OA_ASSIGN(const auto access, dataset_access(call));
  OA_ASSIGN(const auto dataset, datasets_of(call).get(access.id));
  return dataset_response(call, dataset);
}

Result<http::Response> refresh_dataset(TenantCall& call) {
  OA_ASSIGN(const auto access, dataset_access(call));
  OA_TRY(must_edit(access.role));
  OA_ASSIGN(const auto job, call.start(operations::RefreshDataset{access.id}));
  return job_response(call, job);
}

Result<http::Response> pause_dataset(TenantCall& call) {
  OA_ASSIGN(const auto access, dataset_access(call));
  OA_TRY(must_edit(access.role));
  OA_ASSIGN(const auto dataset, datasets_of(call).pause(access.id, actor_of(call)));
  return dataset_response(call, dataset);
}

Result<http::Response> resume_dataset(TenantCall& call) {
  OA_ASSIGN(const auto access, dataset_access(call));
  OA_TRY(must_edit(access.role));
  OA_ASSIGN(const auto dataset, datasets_of(call).resume(access.id, actor_of(call)));
  return dataset_response(call, dataset);
}

using enum accounts::Scope;
using enum Repeats;
constexpr Operation kOperations[] = {
    {"listWorkspaces", "GET", "/v1/workspaces", TenantHandler(list_workspaces), Right::kAnybody,
     kReports},
    {"listReports", "GET", "/v1/workspaces/{workspace_id}/reports", TenantHandler(list_reports),
     Right::kAnybody, kReports},
    {"listDatasets", "GET", "/v1/workspaces/{workspace_id}/datasets",
     TenantHandler(list_datasets), Right::kAnybody, kDatasets},
    {"getReport", "GET", "/v1/reports/{report_id}", TenantHandler(get_report), Right::kAnybody,
     kReports},
    {"deleteReport", "DELETE", "/v1/reports/{report_id}", TenantHandler(delete_report),
     Right::kAnybody, kReports},
    {"openReport", "GET", "/v1/reports/{report_id}/data", TenantHandler(open_report),
     Right::kAnybody, kReports, 0, {}, true},
    {"getDataset", "GET", "/v1/datasets/{dataset_id}", TenantHandler(get_dataset),
     Right::kAnybody, kDatasets},
    {"refreshDataset", "POST", "/v1/datasets/{dataset_id}/refresh",
     TenantHandler(refresh_dataset), Right::kAnybody, kDatasets, 0,
     kRememberedInside},
    {"pauseDataset", "POST", "/v1/datasets/{dataset_id}/pause", TenantHandler(pause_dataset),
     Right::kAnybody, kDatasets},
    {"resumeDataset", "POST", "/v1/datasets/{dataset_id}/resume", TenantHandler(resume_dataset),
     Right::kAnybody, kDatasets},
};

}  // namespace

std::span<const Operation> platform_operations() { return kOperations; }

}  // namespace oa::api
