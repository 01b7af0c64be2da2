#include <algorithm>
#include <limits>

#include "bulk_writer.h"
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

const std::string kSelect =
    "SELECT id, workspace_id, dataset_id, name, measure, condition, grain, channels, enabled, "
    "created_by, created_at, updated_at FROM alerts ";

Result<Alert> read_alert(const Rows& rows, int index) {
  RowReader row(rows, index);
  Alert alert;
  alert.id = row.id<AlertId>();
  alert.workspace_id = row.id<WorkspaceId>();
  alert.dataset_id = row.id<DatasetId>();
  alert.name = row.text();
  alert.measure = row.text();
  OA_ASSIGN(alert.condition, row.json());
  alert.grain = row.text();
  OA_ASSIGN(alert.channels, row.json());
  alert.enabled = row.boolean();
  alert.created_by = row.id<UserId>();
  alert.created_at = row.timestamp();
  alert.updated_at = row.timestamp();
  return alert;
}

Result<std::vector<Alert>> read_alerts(const Rows& rows) {
  std::vector<Alert> alerts;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(Alert alert, read_alert(rows, i));
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

Status visit_alerts(Connection& connection, const char* which, const Parameter& parameter,
                    const Alerts::Visit& visit) {
  return connection.for_each_row((kSelect + which).c_str(), {parameter},
                                 [&](const Rows& row) -> Status {
                                   OA_ASSIGN(const Alert alert, read_alert(row, 0));
                                   return visit(alert);
                                 });
}

}  // namespace

Result<std::vector<Alert>> Alerts::list(WorkspaceId workspace, std::optional<AlertId> after,
                                        std::size_t limit) {
  const std::size_t most = std::numeric_limits<int>::max();
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query(
          (kSelect + "WHERE workspace_id = $1 AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT $3")
              .c_str(),
          {Parameter::of(workspace), Parameter::of(after),
           Parameter::of(static_cast<std::int64_t>(std::min(limit, most)))}));
  return read_alerts(rows);
}

Status Alerts::for_each(std::span<const AlertId> ids, const Visit& visit) {
  return visit_alerts(tx_.connection(), "WHERE id = ANY($1) ORDER BY id",
                      Parameter::uuids(uuids_of(ids)), visit);
}

Status Alerts::for_each(WorkspaceId workspace, const Visit& visit) {
  return visit_alerts(tx_.connection(), "WHERE workspace_id = $1 ORDER BY id",
                      Parameter::of(workspace), visit);
}

Result<std::vector<std::pair<AlertId, std::string>>> Alerts::names(WorkspaceId workspace) {
  OA_ASSIGN(const Rows rows, tx_.connection().query(
                                 "SELECT id, name FROM alerts WHERE workspace_id = $1 ORDER BY id",
                                 {Parameter::of(workspace)}));
  return read_names<AlertId>(rows);
}

Result<Alert> Alerts::get(AlertId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query((kSelect + "WHERE id = $1").c_str(), {Parameter::of(id)}));
  if (rows.count() == 0)
    return make_error(ErrorCode::kNotFound, "alerts.get", "no alert has this id");
  return read_alert(rows, 0);
}

Status Alerts::put(std::span<const Alert> alerts) {
  OA_TRY(check_all(alerts));
  BulkWriter writer(tx_.connection(), "alerts",
                    {{"id", SqlType::kUuid},
                     {"workspace_id", SqlType::kUuid},
                     {"dataset_id", SqlType::kUuid},
                     {"name", SqlType::kText},
                     {"measure", SqlType::kText},
                     {"condition", SqlType::kJson},
                     {"grain", SqlType::kText},
                     {"channels", SqlType::kJson},
                     {"enabled", SqlType::kBoolean},
                     {"created_by", SqlType::kUuid},
                     {"created_at", SqlType::kTimestamp},
                     {"updated_at", SqlType::kTimestamp}},
                    Write::kReplace);
  for (const auto& alert : alerts) {
    writer.add(alert.id)
        .add(alert.workspace_id)
        .add(alert.dataset_id)
        .add(alert.name)
        .add(alert.measure);
    writer.add(alert.condition)
        .add(alert.grain)
        .add(alert.channels)
        .add(alert.enabled)
        .add(alert.created_by);
    OA_TRY(writer.add(alert.created_at).add(alert.updated_at).end_row());
  }
  return writer.finish();
}

Status Alerts::remove(AlertId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM alerts WHERE id = $1", {Parameter::of(id)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "alerts.remove", "no alert has this id");
}

Status Alerts::remove(std::span<const AlertId> ids) {
  return delete_where(tx_.connection(), "alerts", "id", uuids_of(ids));
}

}  // namespace oa::catalog
