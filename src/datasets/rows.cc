#include "rows.h"

#include "oa/analytics/row_writer.h"
#include "secret_payload.h"

namespace oa::datasets {
namespace {

const std::string& name_in_source(const semantics::ModelTable& table) {
  return table.from.empty() ? table.name : table.from;
}

}  // namespace

ObjectKey rows_key(TenantId tenant, DatasetId dataset) {
  return {tenant, RetentionClass::kRows, dataset.str() + "/rows.parquet"};
}

std::optional<std::string> source_ref_of(const semantics::SemanticModel& model) {
  if (model.source.type != "postgres" || model.source.ref.empty()) return std::nullopt;
  return model.source.ref;
}

Result<std::unique_ptr<sources::PostgresSource>> connect_source(const Services& services,
                                                                TenantId tenant,
                                                                std::string_view ref,
                                                                const SharedProgress& progress) {
  OA_ASSIGN(auto transaction, services.database.begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto credentials, open_postgres(transaction, services.keys, ref));
  return sources::PostgresSource::connect(credentials, services.policy,
                                          [&progress] { return progress.cancelled(); });
}

Result<std::vector<TableSchema>> describe_source(sources::PostgresSource& source,
                                                 const semantics::SemanticModel& model) {
  std::vector<TableSchema> tables;
  for (const auto& table : model.tables) {
    OA_ASSIGN(auto columns, source.describe(name_in_source(table)));
    tables.push_back({table.name, std::move(columns)});
  }
  return tables;
}

Result<analytics::ImportResult> import_source(const Services& services, TenantId tenant,
                                              const semantics::SemanticModel& model,
                                              std::string_view ref, const ObjectKey& target,
                                              Progress& progress) {
  SharedProgress shared(progress);
  shared.begin("connecting to the source", model.tables.size(), "tables");
  OA_ASSIGN(const auto source, connect_source(services, tenant, ref, shared));
  std::vector<analytics::NamedRows> tables;
  for (const auto& table : model.tables) {
    OA_ASSIGN(auto rows, source->read(name_in_source(table)));
    tables.push_back({table.name, std::move(rows)});
    shared.update(tables.size());
  }
  return analytics::write_rows(services.objects, std::move(tables), target, 0, "rows", shared);
}

}  // namespace oa::datasets
