#include "oa/restore/differences.h"

#include <boost/json.hpp>

#include "oa/diff/lines.h"
#include "oa/diff/render.h"
#include "written.h"

namespace oa::restore {
namespace {

constexpr JsonLimits kDocumentLimits{std::size_t{64} << 20, 64};

Result<std::vector<diff::FieldChange>> compare_texts(const std::string& before,
                                                     const std::string& after) {
  OA_ASSIGN(const auto old_value, parse_json(before, kDocumentLimits));
  OA_ASSIGN(const auto new_value, parse_json(after, kDocumentLimits));
  return diff::compare_json(old_value, new_value);
}

std::string workspace_text(const catalog::Workspace& workspace) {
  catalog::WorkspaceDocument document;
  document.workspace = workspace;
  return catalog::to_portable(document);
}

std::string dataset_text(catalog::Dataset dataset) {
  catalog::WorkspaceDocument document;
  dataset.model_yaml.clear();
  document.datasets.push_back(std::move(dataset));
  return catalog::to_portable(document);
}

// The same path as in an archive's comparison, without the document around it.
void strip_prefix(std::vector<diff::FieldChange>& fields, const std::string& prefix) {
  for (auto& field : fields) {
    if (field.path.starts_with(prefix)) field.path.erase(0, prefix.size());
  }
}

json::value columns_of(const catalog::Dataset& dataset) {
  json::array columns;
  if (dataset.versions.empty()) return columns;
  for (const auto& column : dataset.versions.back().columns) {
    columns.push_back(json::object{{"name", column.name}, {"type", column.type}});
  }
  return columns;
}

class Differ {
 public:
  Differ(catalog::TenantTransaction& transaction, const PreparedRestore& prepared)
      : tx_(transaction),
        contents_(prepared.contents),
        rewriter_(prepared.plan, prepared.contents) {}

  Result<ItemDifferences> of(const PlanItem& item) {
    switch (item.source.kind) {
      case AssetKind::kWorkspace:
        return workspace(item);
      case AssetKind::kDataset:
        return dataset(item);
      case AssetKind::kReport:
        return report(item);
      case AssetKind::kAlert:
        return alert(item);
    }
    return ItemDifferences{};
  }

 private:
  Result<ItemDifferences> workspace(const PlanItem& item) {
    const WorkspaceId id(item.target_id);
    OA_ASSIGN(const auto live, catalog::Workspaces(tx_).get(id));
    const auto written = rewriter_.workspace(contents_.workspaces.at(id), item, &live);
    ItemDifferences differences;
    OA_ASSIGN(differences.fields, compare_texts(workspace_text(live), workspace_text(written)));
    strip_prefix(differences.fields, "workspace.");
    return differences;
  }

  Result<ItemDifferences> dataset(const PlanItem& item) {
    const DatasetId id(item.target_id);
    OA_ASSIGN(const auto live, catalog::Datasets(tx_).get(id));
    const auto written = rewriter_.dataset(contents_.datasets.at(id), item, &live);
    ItemDifferences differences;
    OA_ASSIGN(differences.fields, compare_texts(dataset_text(live), dataset_text(written)));
    strip_prefix(differences.fields, "datasets[" + id.str() + "].");
    differences.model = diff::unified_lines(live.model_yaml, written.model_yaml);
    if (item.rows != RowsAction::kRestore) return differences;
    differences.rows = RowsDifference{live.row_count, written.row_count,
                                      diff::compare_json(columns_of(live), columns_of(written))};
    return differences;
  }

  Result<ItemDifferences> report(const PlanItem& item) {
    const ReportId id(item.target_id);
    OA_ASSIGN(const auto live, catalog::Reports(tx_).get(id));
    ItemDifferences differences;
    OA_TRY(contents_.documents->reports(
        {id}, no_progress(), [&](const catalog::Report& archived) -> Status {
          const auto written = rewriter_.report(archived, item, live.grants);
          OA_ASSIGN(differences.fields,
                    compare_texts(catalog::to_portable(live), catalog::to_portable(written)));
          return {};
        }));
    return differences;
  }

  Result<ItemDifferences> alert(const PlanItem& item) {
    const AlertId id(item.target_id);
    OA_ASSIGN(const auto live, catalog::Alerts(tx_).get(id));
    ItemDifferences differences;
    OA_TRY(contents_.documents->alerts(
        {id}, no_progress(), [&](const catalog::Alert& archived) -> Status {
          const auto written = rewriter_.alert(archived, item);
          OA_ASSIGN(differences.fields,
                    compare_texts(catalog::to_portable(live), catalog::to_portable(written)));
          return {};
        }));
    return differences;
  }

  catalog::TenantTransaction& tx_;
  const Contents& contents_;
  const Rewriter rewriter_;
};

json::array fields_json(const std::vector<diff::FieldChange>& fields) {
  json::array array;
  for (const auto& field : fields) array.push_back(diff::to_json(field));
  return array;
}

}  // namespace

Result<ItemDifferences> differences(catalog::TenantTransaction& transaction,
                                    const PreparedRestore& prepared, const PlanItem& item) {
  if (item.action != Action::kOverwrite) return ItemDifferences{};
  return Differ(transaction, prepared).of(item);
}

json::value to_json(const ItemDifferences& differences) {
  json::object object{{"fields", fields_json(differences.fields)}};
  if (!differences.model.empty()) object["model"] = differences.model;
  if (differences.rows.has_value()) {
    object["rows"] = json::object{{"before", differences.rows->before},
                                  {"after", differences.rows->after},
                                  {"columns", fields_json(differences.rows->columns)}};
  }
  return object;
}

}  // namespace oa::restore
