// Making a dataset, and changing its model.
#include <algorithm>

#include "audit_event.h"
#include "default_model.h"
#include "keys.h"
#include "oa/analytics/row_writer.h"
#include "originals.h"
#include "rows.h"

namespace oa::datasets {
namespace {

Status check_new(catalog::Database& database, TenantId tenant, const NewDataset& dataset) {
  const bool has_control = std::any_of(dataset.name.begin(), dataset.name.end(),
                                       [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (dataset.name.empty() || dataset.name.size() > 200 || !is_utf8(dataset.name) || has_control) {
    return make_error(ErrorCode::kInvalidArgument, "dataset.create",
                      "a dataset's name has 1 to 200 bytes of UTF-8 without control characters")
        .with_hint("give another name");
  }
  OA_ASSIGN(auto transaction, database.begin(tenant, catalog::Isolation::kSnapshot));
  OA_TRY(catalog::Workspaces(transaction).get(dataset.workspace));
  return {};
}

catalog::Dataset new_record(const NewDataset& dataset, DatasetId id, Timestamp now) {
  catalog::Dataset record;
  record.id = id;
  record.workspace_id = dataset.workspace;
  record.name = dataset.name;
  record.model_yaml = dataset.model_yaml;
  record.created_by = dataset.created_by;
  record.created_at = record.updated_at = now;
  return record;
}

// Record, source and event in one transaction.
Status insert(catalog::TenantTransaction& transaction, const catalog::Dataset& record,
              const catalog::DatasetSource& source, const Actor& actor) {
  OA_TRY(catalog::Datasets(transaction).put({&record, 1}));
  OA_TRY(catalog::DatasetSources(transaction).put(source));
  return append_event(transaction, actor, "dataset.create", "dataset", record.id.str(),
                      {{"source", record.source_ref.has_value() ? "postgres" : "file"},
                       {"rows", record.row_count}});
}

Error source_and_file() {
  return make_error(ErrorCode::kModelInvalid, "dataset.create",
                    "the model names a postgres source, but the rows come from a file")
      .with_hint("take `source:` out of the model, or make the dataset from the source");
}

}  // namespace

Result<catalog::Dataset> DatasetService::import_file(const NewDataset& dataset,
                                                     const RangedSource& file,
                                                     const analytics::FileOptions& options,
                                                     analytics::RejectedRows& rejected,
                                                     const Actor& actor, Progress& progress) {
  OA_TRY(check_new(services_.database, tenant_, dataset));
  std::optional<semantics::SemanticModel> model;
  if (!dataset.model_yaml.empty()) {
    OA_ASSIGN(model, semantics::parse_model(dataset.model_yaml));
    if (source_ref_of(*model).has_value()) return source_and_file();
  }
  catalog::Dataset record = new_record(dataset, DatasetId::random(), Timestamp::now());
  StagedVersion original(services_.objects, original_key(tenant_, record.id));
  StagedVersion rows(services_.objects, rows_key(tenant_, record.id));
  catalog::DatasetSource source;
  source.dataset_id = record.id;
  OA_ASSIGN(source.original, keep_original(services_.objects, original, file, options, progress));
  OA_ASSIGN(const auto imported, analytics::import_file(services_.objects, file, rows.key(),
                                                        options, rejected, progress));
  rows.made(imported.version);
  if (!model.has_value()) {
    record.model_yaml = default_model(dataset.name, imported.rows.columns);
    OA_ASSIGN(model, semantics::parse_model(record.model_yaml));
  }
  OA_TRY(semantics::check_against(
      *model, analytics::tables_of(imported.rows.columns, model->tables.front().name)));
  OA_TRY(check_keys(services_.objects,
                    {rows.key(), imported.version, imported.rows.columns, imported.rows.row_count},
                    *model, progress));

  record.state = catalog::DatasetState::kReady;
  record.row_count = imported.rows.row_count;
  record.size_bytes = imported.parquet_bytes;
  record.rows = catalog::RowsObject{rows.key().name, imported.version.value};
  record.last_refresh_at = source.last_attempt_at = Timestamp::now();
  record.versions.push_back({1, imported.rows.columns, *record.last_refresh_at});
  OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
  OA_TRY(insert(transaction, record, source, actor));
  if (progress.cancelled()) {
    return make_error(ErrorCode::kCancelled, "dataset.import", "cancelled; nothing was changed");
  }
  // From here the outcome is the database's: even when its answer is lost, the objects must stay
  // for the case that it holds.
  original.keep();
  rows.keep();
  OA_TRY(transaction.commit());
  return record;
}

Result<catalog::Dataset> DatasetService::create_from_source(const NewDataset& dataset,
                                                            const Actor& actor,
                                                            Progress& progress) {
  OA_TRY(check_new(services_.database, tenant_, dataset));
  OA_ASSIGN(const auto model, semantics::parse_model(dataset.model_yaml));
  catalog::Dataset record = new_record(dataset, DatasetId::random(), Timestamp::now());
  record.source_ref = source_ref_of(model);
  if (!record.source_ref.has_value()) {
    return make_error(ErrorCode::kModelInvalid, "dataset.create", "the model names no source")
        .with_hint("add `source: { type: postgres, ref: NAME }` with the name of a secret");
  }
  const SharedProgress shared(progress);
  OA_ASSIGN(const auto connected, connect_source(services_, tenant_, *record.source_ref, shared));
  OA_ASSIGN(const auto tables, describe_source(*connected, model));
  OA_TRY(semantics::check_against(model, tables));
  catalog::DatasetSource source;
  source.dataset_id = record.id;
  OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
  OA_TRY(insert(transaction, record, source, actor));
  OA_TRY(transaction.commit());
  return record;
}

namespace {

// The tables of a model that the old one reads too, from the same place.
std::vector<std::string> kept_tables(const semantics::SemanticModel& model,
                                     const std::string& old_yaml) {
  std::vector<std::string> kept;
  const auto old = semantics::parse_model(old_yaml);
  if (!old.ok()) return kept;
  for (const auto& table : model.tables) {
    const auto* known = old->table(table.name);
    if (known != nullptr && known->from == table.from) kept.push_back(table.name);
  }
  return kept;
}

// The tables that a new model is held against: those of the rows, or of the source when the rows do
// not have them. Empty: there are no rows and no source yet.
Result<std::vector<TableSchema>> tables_for(const Services& services, TenantId tenant,
                                            const catalog::Dataset& dataset,
                                            const semantics::SemanticModel& model,
                                            Progress& progress) {
  const auto ref = source_ref_of(model);
  std::vector<TableSchema> rows;
  if (!dataset.versions.empty())
    rows = analytics::tables_of(dataset.versions.back().columns, model.tables.front().name);
  const auto in_rows = [&](const auto& table) {
    return std::ranges::find(rows, table.name, &TableSchema::name) != rows.end();
  };
  // The model before may name tables that were not read yet.
  const bool rows_have_them = ref == dataset.source_ref &&
                              std::ranges::all_of(model.tables, in_rows) &&
                              kept_tables(model, dataset.model_yaml).size() == model.tables.size();
  if (!ref.has_value() || rows_have_them) return rows;
  const SharedProgress shared(progress);
  OA_ASSIGN(const auto source, connect_source(services, tenant, *ref, shared));
  return describe_source(*source, model);
}

// Of the tables that the rows hold; those that they do not are looked at when they are read.
Status check_keys_of(SealedObjects& objects, TenantId tenant, const catalog::Dataset& dataset,
                     const semantics::SemanticModel& model, Progress& progress) {
  if (!dataset.rows.has_value() || dataset.versions.empty()) return {};
  auto checks = semantics::key_checks(model);
  if (source_ref_of(model).has_value()) {
    const auto kept = kept_tables(model, dataset.model_yaml);
    std::erase_if(checks, [&](const auto& check) {
      return std::find(kept.begin(), kept.end(), check.table) == kept.end();
    });
  }
  const ObjectKey key{tenant, RetentionClass::kRows, dataset.rows->object_name};
  return check_keys(objects,
                    {key, VersionId{dataset.rows->object_version}, dataset.versions.back().columns,
                     dataset.row_count},
                    model, checks, progress);
}

}  // namespace

Result<catalog::Dataset> DatasetService::save_model(DatasetId id, std::string_view model_yaml,
                                                    const Actor& actor, Progress& progress) {
  OA_ASSIGN(const auto model, semantics::parse_model(model_yaml));
  OA_ASSIGN(const auto seen, get(id));
  OA_ASSIGN(const auto tables, tables_for(services_, tenant_, seen, model, progress));
  if (!tables.empty()) OA_TRY(semantics::check_against(model, tables));
  OA_TRY(check_keys_of(services_.objects, tenant_, seen, model, progress));
  OA_ASSIGN(auto transaction, services_.database.begin(tenant_));
  catalog::Datasets datasets(transaction);
  OA_ASSIGN(auto dataset, datasets.lock(id));
  if (dataset.rows != seen.rows || dataset.versions != seen.versions ||
      dataset.source_ref != seen.source_ref) {
    return make_error(ErrorCode::kPreconditionFailed, "dataset.save_model",
                      "the dataset's rows changed while the model was checked")
        .with_hint("save it again");
  }
  dataset.model_yaml = model_yaml;
  dataset.source_ref = source_ref_of(model);
  dataset.updated_at = Timestamp::now();
  OA_TRY(datasets.put({&dataset, 1}));
  OA_TRY(append_event(transaction, actor, "dataset.update", "dataset", id.str(),
                      {{"changed", json::array{"model"}}}));
  OA_TRY(transaction.commit());
  return dataset;
}

}  // namespace oa::datasets
