#include <algorithm>
#include <limits>

#include "bulk_writer.h"
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
  return report;
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
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT id, workspace_id, name, document, created_by, created_at, updated_at "
                "FROM reports WHERE workspace_id = $1 AND ($2 IS NULL OR id > $2) "
                "ORDER BY id LIMIT $3",
                {Parameter::of(workspace), Parameter::of(after),
                 Parameter::of(static_cast<std::int64_t>(std::min(limit, most)))}));
  std::vector<Report> reports;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(Report report, read_report(rows, i));
    reports.push_back(std::move(report));
  }
  return reports;
}

Result<Report> Reports::get(ReportId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT id, workspace_id, name, document, created_by, created_at, updated_at "
                "FROM reports WHERE id = $1",
                {Parameter::of(id)}));
  if (rows.count() == 0)
    return make_error(ErrorCode::kNotFound, "reports.get", "no report has this id");
  return read_report(rows, 0);
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
  std::vector<Uuid> ids;
  for (const auto& report : reports) {
    writer.add(report.id).add(report.workspace_id).add(report.name).add_json(document_of(report));
    OA_TRY(writer.add(report.created_by).add(report.created_at).add(report.updated_at).end_row());
    ids.push_back(report.id.uuid());
  }
  OA_TRY(writer.finish());
  OA_TRY(delete_where(tx_.connection(), "report_datasets", "report_id", ids));
  BulkWriter references(tx_.connection(), "report_datasets",
                        {{"report_id", SqlType::kUuid}, {"dataset_id", SqlType::kUuid}},
                        Write::kInsert);
  for (const auto& report : reports) {
    for (const auto& dataset : datasets_of(report))
      OA_TRY(references.add(report.id).add(dataset).end_row());
  }
  return references.finish();
}

Status Reports::remove(ReportId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM reports WHERE id = $1", {Parameter::of(id)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "reports.remove", "no report has this id");
}

}  // namespace oa::catalog
