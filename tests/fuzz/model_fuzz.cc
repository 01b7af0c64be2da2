// Semantic models, their predicates and expressions: what parses compiles to a statement that holds
// nothing of the model's text but quoted names.
#include <boost/json.hpp>
#include <map>

#include "fuzz_input.h"
#include "oa/semantics/query.h"
#include "sql_shape.h"

namespace oa::semantics {
namespace {

class Schemas {
 public:
  void add(const ColumnRef& ref, const char* type) {
    columns_[ref.table].emplace(ref.column, type);
  }
  std::vector<TableSchema> tables(const SemanticModel& model) {
    std::vector<TableSchema> out;
    for (const ModelTable& table : model.tables) {
      for (const std::string& column : table.primary_key) add({table.name, column, {}}, "BIGINT");
      TableSchema schema{table.name, {}};
      for (const auto& [name, type] : columns_[table.name]) schema.columns.push_back({name, type});
      out.push_back(std::move(schema));
    }
    return out;
  }

 private:
  std::map<std::string, std::map<std::string, std::string>> columns_;
};

// Rows that fit the model, as far as it does not contradict itself.
std::vector<TableSchema> tables_for(const SemanticModel& model) {
  Schemas schemas;
  for (const Join& join : model.joins) {
    schemas.add(join.left, "BIGINT");
    schemas.add(join.right, "BIGINT");
  }
  for (const Dimension& dimension : model.dimensions)
    schemas.add(dimension.column, !dimension.grains.empty() ? "TIMESTAMP WITH TIME ZONE"
                                  : dimension.type == DimensionType::kNumber  ? "DECIMAL(9,2)"
                                  : dimension.type == DimensionType::kBoolean ? "BOOLEAN"
                                  : dimension.type == DimensionType::kDate    ? "TIMESTAMP"
                                                                              : "VARCHAR");
  for (const Measure& measure : model.measures) {
    if (measure.column) schemas.add(*measure.column, "BIGINT");
  }
  return schemas.tables(model);
}

void check(std::string_view text) {
  const auto model = parse_model(text);
  if (!fuzz::accepted(model)) return;
  const auto tables = tables_for(*model);
  (void)fuzz::accepted(check_against(*model, tables));
  QueryRequest request;
  for (const Dimension& each : model->dimensions) {
    if (request.dimensions.size() == kMaxQueryDimensions) break;
    const auto grain = each.grains.empty() ? std::nullopt : std::optional(each.grains.front());
    request.dimensions.push_back({each.id, grain});
    request.filters.push_back({each.id, FilterOp::kNe, {Value()}, {}});
  }
  for (const Measure& each : model->measures) {
    if (!each.nested && request.measures.size() < kMaxQueryMeasures)
      request.measures.push_back(each.id);
  }
  Viewer viewer;
  viewer.attributes = JsonText::of(json::object{{"region", json::array{"a'\"", "b"}}});
  if (model->security) {
    for (const SecurityRule& rule : *model->security) {
      viewer.roles.insert(viewer.roles.end(), rule.roles.begin(), rule.roles.end());
      viewer.teams.insert(viewer.teams.end(), rule.teams.begin(), rule.teams.end());
    }
  }
  const auto query = compile_query(*model, tables, request, viewer, {});
  if (fuzz::accepted(query)) OA_ASSERT(foreign_text(query->statement).empty());
}

}  // namespace
}  // namespace oa::semantics

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  oa::semantics::check(oa::as_text({data, size}));
  return 0;
}
