#include <map>

#include "bulk_writer.h"
#include "oa/catalog/repositories.h"
#include "portable_parts.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Result<Dataset> read_dataset(const Rows& rows, int index) {
  RowReader row(rows, index);
  Dataset dataset;
  dataset.id = row.id<DatasetId>();
  dataset.workspace_id = row.id<WorkspaceId>();
  dataset.name = row.text();
  OA_ASSIGN(dataset.mode, row.enumerator<DatasetMode>());
  OA_ASSIGN(dataset.state, row.enumerator<DatasetState>());
  dataset.model_yaml = row.text();
  dataset.source_ref = row.optional_text();
  dataset.row_count = static_cast<std::uint64_t>(row.bigint());
  dataset.size_bytes = static_cast<std::uint64_t>(row.bigint());
  dataset.last_refresh_at = row.optional_timestamp();
  auto object_name = row.optional_text();
  auto object_version = row.optional_text();
  if (object_name.has_value() && object_version.has_value()) {
    dataset.rows = RowsObject{std::move(*object_name), std::move(*object_version)};
  }
  dataset.created_by = row.id<UserId>();
  dataset.created_at = row.timestamp();
  dataset.updated_at = row.timestamp();
  return dataset;
}

// Of one workspace, or of one id; the other is unset.
Result<std::vector<Dataset>> read_datasets(Connection& connection,
                                           const std::optional<WorkspaceId>& workspace,
                                           const std::optional<DatasetId>& id) {
  OA_ASSIGN(
      const Rows rows,
      connection.query(
          "SELECT id, workspace_id, name, mode, state, model_yaml, source_ref, row_count, "
          "size_bytes, last_refresh_at, rows_object_name, rows_object_version, created_by, "
          "created_at, updated_at FROM datasets WHERE workspace_id = $1 OR id = $2 ORDER BY id",
          {Parameter::of(workspace), Parameter::of(id)}));
  std::vector<Dataset> datasets;
  std::vector<Uuid> ids;
  std::map<Uuid, std::size_t> index;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(Dataset dataset, read_dataset(rows, i));
    ids.push_back(dataset.id.uuid());
    index.emplace(dataset.id.uuid(), datasets.size());
    datasets.push_back(std::move(dataset));
  }
  OA_ASSIGN(const Rows versions,
            connection.query("SELECT dataset_id, version, columns, created_at "
                             "FROM dataset_versions WHERE dataset_id = ANY($1) "
                             "ORDER BY dataset_id, version",
                             {Parameter::uuids(ids)}));
  for (int i = 0; i < versions.count(); ++i) {
    RowReader row(versions, i);
    Dataset& dataset = datasets[index.at(row.uuid())];
    DatasetVersion version;
    version.version = static_cast<std::uint32_t>(row.bigint());
    OA_ASSIGN(const json::value columns, row.json_value());
    OA_ASSIGN(version.columns, columns_from_json(columns, "columns"));
    version.created_at = row.timestamp();
    dataset.versions.push_back(std::move(version));
  }
  return datasets;
}

}  // namespace

Result<std::vector<Dataset>> Datasets::list(WorkspaceId workspace) {
  return read_datasets(tx_.connection(), workspace, std::nullopt);
}

Result<Dataset> Datasets::get(DatasetId id) {
  OA_ASSIGN(auto datasets, read_datasets(tx_.connection(), std::nullopt, id));
  if (datasets.empty())
    return make_error(ErrorCode::kNotFound, "datasets.get", "no dataset has this id");
  return std::move(datasets.front());
}

Result<Dataset> Datasets::lock(DatasetId id) {
  OA_TRY(tx_.connection().execute("SELECT FROM datasets WHERE id = $1 FOR NO KEY UPDATE",
                                  {Parameter::of(id)}));
  return get(id);
}

Status Datasets::set_state(DatasetId id, DatasetState state) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("UPDATE datasets SET state = $2 WHERE id = $1",
                                   {Parameter::of(id), Parameter::of(to_text(state))}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "datasets.set_state", "no dataset has this id");
}

Result<bool> Datasets::try_lock_refresh(DatasetId id) {
  const Sha256Digest digest =
      Sha256::of(as_bytes("oa-dataset-refresh:v1:" + tx_.tenant().str() + ":" + id.str()));
  const auto key = static_cast<std::int64_t>(read_le<std::uint64_t>(ByteView(digest).first(8)));
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT pg_try_advisory_xact_lock($1)", {Parameter::of(key)}));
  return RowReader(rows, 0).boolean();
}

Status Datasets::put(std::span<const Dataset> datasets) {
  OA_TRY(check_all(datasets));
  BulkWriter writer(tx_.connection(), "datasets",
                    {{"id", SqlType::kUuid},
                     {"workspace_id", SqlType::kUuid},
                     {"name", SqlType::kText},
                     {"mode", SqlType::kText},
                     {"state", SqlType::kText},
                     {"model_yaml", SqlType::kText},
                     {"source_ref", SqlType::kText},
                     {"row_count", SqlType::kBigint},
                     {"size_bytes", SqlType::kBigint},
                     {"last_refresh_at", SqlType::kTimestamp},
                     {"rows_object_name", SqlType::kText},
                     {"rows_object_version", SqlType::kText},
                     {"created_by", SqlType::kUuid},
                     {"created_at", SqlType::kTimestamp},
                     {"updated_at", SqlType::kTimestamp}},
                    Write::kReplace);
  for (const auto& dataset : datasets) {
    const auto& rows = dataset.rows;
    writer.add(dataset.id).add(dataset.workspace_id).add(dataset.name).add(to_text(dataset.mode));
    writer.add(to_text(dataset.state)).add(dataset.model_yaml).add(dataset.source_ref);
    writer.add(static_cast<std::int64_t>(dataset.row_count))
        .add(static_cast<std::int64_t>(dataset.size_bytes));
    writer.add(dataset.last_refresh_at);
    writer.add(rows.has_value() ? std::optional(rows->object_name) : std::nullopt);
    writer.add(rows.has_value() ? std::optional(rows->object_version) : std::nullopt);
    writer.add(dataset.created_by).add(dataset.created_at).add(dataset.updated_at);
    OA_TRY(writer.end_row());
  }
  OA_TRY(writer.finish());
  OA_TRY(delete_where(tx_.connection(), "dataset_versions", "dataset_id", writer.replaced()));
  BulkWriter versions(tx_.connection(), "dataset_versions",
                      {{"dataset_id", SqlType::kUuid},
                       {"version", SqlType::kBigint},
                       {"columns", SqlType::kJson},
                       {"created_at", SqlType::kTimestamp}},
                      Write::kInsert);
  for (const auto& dataset : datasets) {
    for (const auto& version : dataset.versions) {
      versions.add(dataset.id).add(static_cast<std::int64_t>(version.version));
      OA_TRY(versions.add_json(columns_to_json(version.columns)).add(version.created_at).end_row());
    }
  }
  return versions.finish();
}

Status Datasets::remove(DatasetId id) {
  // Asked first, because a failed statement would end the caller's transaction.
  const auto in_use = [] {
    return make_error(ErrorCode::kConflict, "datasets.remove",
                      "a report or an alert uses this dataset");
  };
  OA_ASSIGN(const Rows uses,
            tx_.connection().query("SELECT FROM report_datasets WHERE dataset_id = $1 "
                                   "UNION ALL SELECT FROM alerts WHERE dataset_id = $1 LIMIT 1",
                                   {Parameter::of(id)}));
  if (uses.count() > 0) return in_use();
  const auto rows =
      tx_.connection().query("DELETE FROM datasets WHERE id = $1", {Parameter::of(id)});
  // The foreign key speaks up when somebody began to use it in between.
  if (!rows.ok() && rows.error().code == ErrorCode::kInvalidArgument) return in_use();
  if (!rows.ok()) return rows.error();
  if (rows->affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "datasets.remove", "no dataset has this id");
}

Status Datasets::remove(std::span<const DatasetId> ids) {
  return delete_where(tx_.connection(), "datasets", "id", uuids_of(ids));
}

Result<std::vector<Datasets::Use>> Datasets::uses(std::span<const DatasetId> ids) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT dataset_id, report_id, NULL::uuid FROM report_datasets "
                "WHERE dataset_id = ANY($1) UNION ALL "
                "SELECT dataset_id, NULL::uuid, id FROM alerts WHERE dataset_id = ANY($1)",
                {Parameter::uuids(uuids_of(ids))}));
  std::vector<Use> uses;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    Use use{row.id<DatasetId>(), {}, {}};
    if (const auto report = row.optional_uuid()) use.report = ReportId(*report);
    if (const auto alert = row.optional_uuid()) use.alert = AlertId(*alert);
    uses.push_back(use);
  }
  return uses;
}

Result<Quota> usage_of(TenantTransaction& transaction) {
  OA_ASSIGN(const Rows rows,
            transaction.connection().query(
                "SELECT (SELECT count(*) FROM workspaces) + (SELECT count(*) FROM datasets) + "
                "(SELECT count(*) FROM reports) + (SELECT count(*) FROM alerts), "
                "(SELECT coalesce(sum(size_bytes), 0)::bigint FROM datasets)"));
  RowReader row(rows, 0);
  Quota usage;
  usage.assets = static_cast<std::uint64_t>(row.bigint());
  usage.rows_bytes = static_cast<std::uint64_t>(row.bigint());
  return usage;
}

}  // namespace oa::catalog
