#include <algorithm>
#include <limits>

#include "bulk_writer.h"
#include "grant_writer.h"
#include "oa/catalog/repositories.h"
#include "portable_parts.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

std::string document_of(const Report& report) {
  std::string text;
  ObjectWriter out(text);
  append_bookmarks(out, report);
  out.json("filters", report.filters);
  out.json("layout", report.layout);
  append_visuals(out, report);
  out.close();
  return text;
}

// With the grants in their portable form, NULL for none. They are looked up report by report: as
// long as the table has no statistics, the planner would go through all of a tenant's grants for
// each page of reports.
const std::string kSelect =
    "SELECT id, workspace_id, name, document, created_by, created_at, updated_at, "
    "(SELECT json_build_object('grants', json_agg(json_build_object("
    "'kind', CASE WHEN user_id IS NULL THEN 'team' ELSE 'user' END, "
    "'principal', principal, 'role', role) ORDER BY user_id IS NULL, principal))::text "
    "FROM report_grants WHERE report_id = reports.id HAVING count(*) > 0) FROM reports ";

Status read_grants_column(RowReader& row, Report& report) {
  const auto text = row.optional_text();
  if (!text.has_value()) return {};
  OA_ASSIGN(const json::value value, parse_json(*text));
  ObjectReader reader(value, "report");
  OA_ASSIGN(report.grants, read_grants(reader, "grants"));
  return reader.finish();
}

Result<Report> read_report(const Rows& rows, int index) {
  RowReader row(rows, index);
  Report report;
  report.id = row.id<ReportId>();
  report.workspace_id = row.id<WorkspaceId>();
  report.name = row.text();
  OA_ASSIGN(const json::value document, row.json_value());
  ObjectReader reader(document, "report");
  OA_TRY(read_report_content(reader, report));
  OA_TRY(reader.finish());
  report.created_by = row.id<UserId>();
  report.created_at = row.timestamp();
  report.updated_at = row.timestamp();
  OA_TRY(read_grants_column(row, report));
  return report;
}

Result<std::vector<Report>> read_reports(const Rows& rows) {
  std::vector<Report> reports;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(Report report, read_report(rows, i));
    reports.push_back(std::move(report));
  }
  return reports;
}

Status visit_reports(Connection& connection, const char* which, const Parameter& parameter,
                     const Reports::Visit& visit) {
  return connection.for_each_row((kSelect + which).c_str(), {parameter},
                                 [&](const Rows& row) -> Status {
                                   OA_ASSIGN(const Report report, read_report(row, 0));
                                   return visit(report);
                                 });
}

std::vector<DatasetId> datasets_of(const Report& report) {
  std::vector<DatasetId> ids;
  for (const auto& visual : report.visuals) ids.push_back(visual.dataset_id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

Result<std::vector<Report>> Reports::list(WorkspaceId workspace, std::optional<ReportId> after,
                                          std::size_t limit) {
  const std::size_t most = std::numeric_limits<int>::max();
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query(
          (kSelect + "WHERE workspace_id = $1 AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT $3")
              .c_str(),
          {Parameter::of(workspace), Parameter::of(after),
           Parameter::of(static_cast<std::int64_t>(std::min(limit, most)))}));
  return read_reports(rows);
}

Status Reports::for_each(std::span<const ReportId> ids, const Visit& visit) {
  return visit_reports(tx_.connection(), "WHERE id = ANY($1) ORDER BY id",
                       Parameter::uuids(uuids_of(ids)), visit);
}

Status Reports::for_each(WorkspaceId workspace, const Visit& visit) {
  return visit_reports(tx_.connection(), "WHERE workspace_id = $1 ORDER BY id",
                       Parameter::of(workspace), visit);
}

Result<std::vector<std::pair<ReportId, std::string>>> Reports::names(WorkspaceId workspace) {
  OA_ASSIGN(const Rows rows, tx_.connection().query(
                                 "SELECT id, name FROM reports WHERE workspace_id = $1 ORDER BY id",
                                 {Parameter::of(workspace)}));
  return read_names<ReportId>(rows);
}

Result<Report> Reports::get(ReportId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query((kSelect + "WHERE id = $1").c_str(), {Parameter::of(id)}));
  if (rows.count() == 1) return read_report(rows, 0);
  return make_error(ErrorCode::kNotFound, "reports.get", "no report has this id");
}

Result<Report> Reports::lock(ReportId id) {
  OA_TRY(tx_.connection().execute("SELECT FROM reports WHERE id = $1 FOR NO KEY UPDATE",
                                  {Parameter::of(id)}));
  return get(id);
}

Result<Grantees> Reports::grantees(WorkspaceId workspace) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT DISTINCT user_id, team_id FROM report_grants WHERE report_id IN "
                "(SELECT id FROM reports WHERE workspace_id = $1)",
                {Parameter::of(workspace)}));
  Grantees grantees;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    if (const auto user = row.optional_uuid()) grantees.users.insert(UserId(*user));
    if (const auto team = row.optional_uuid()) grantees.teams.insert(TeamId(*team));
  }
  return grantees;
}

Status Reports::put(std::span<const Report> reports) {
  OA_TRY(check_all(reports));
  BulkWriter writer(tx_.connection(), "reports",
                    {{"id", SqlType::kUuid},
                     {"workspace_id", SqlType::kUuid},
                     {"name", SqlType::kText},
                     {"document", SqlType::kJson},
                     {"created_by", SqlType::kUuid},
                     {"created_at", SqlType::kTimestamp},
                     {"updated_at", SqlType::kTimestamp}},
                    Write::kReplace);
  for (const auto& report : reports) {
    writer.add(report.id).add(report.workspace_id).add(report.name).add_json(document_of(report));
    OA_TRY(writer.add(report.created_by).add(report.created_at).add(report.updated_at).end_row());
  }
  OA_TRY(writer.finish());
  OA_TRY(delete_where(tx_.connection(), "report_datasets", "report_id", writer.replaced()));
  BulkWriter references(tx_.connection(), "report_datasets",
                        {{"report_id", SqlType::kUuid}, {"dataset_id", SqlType::kUuid}},
                        Write::kInsert);
  for (const auto& report : reports) {
    for (const auto& dataset : datasets_of(report))
      OA_TRY(references.add(report.id).add(dataset).end_row());
  }
  OA_TRY(references.finish());
  OA_TRY(delete_where(tx_.connection(), "report_grants", "report_id", writer.replaced()));
  GrantWriter grants(tx_.connection(), "report_grants", "report_id");
  for (const auto& report : reports) OA_TRY(grants.add(report.id.uuid(), report.grants));
  return grants.finish();
}

Status Reports::remove(ReportId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM reports WHERE id = $1", {Parameter::of(id)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "reports.remove", "no report has this id");
}

Status Reports::remove(std::span<const ReportId> ids) {
  return delete_where(tx_.connection(), "reports", "id", uuids_of(ids));
}

}  // namespace oa::catalog
