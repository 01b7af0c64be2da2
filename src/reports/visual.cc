#include "visual.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "measure_value.h"
#include "periods.h"

namespace oa::reports {
namespace {

using semantics::Filter;
using semantics::QueryRequest;

constexpr std::size_t kMaxMatrixDimensions = 6;

Error invalid(std::string message) {
  return make_error(ErrorCode::kQueryInvalid, "reports.visual", std::move(message));
}

bool has_dimension(const QueryRequest& request, std::string_view id) {
  return std::ranges::any_of(request.dimensions,
                             [&](const auto& dimension) { return dimension.id == id; });
}

Result<std::vector<std::string>> dimension_list(const json::object& options, const char* name,
                                                const QueryRequest& request) {
  std::vector<std::string> ids;
  const json::value* list = options.if_contains(name);
  if (list == nullptr) return ids;
  if (!list->is_array()) return invalid(std::string("options.") + name + " is not a list");
  for (const json::value& each : list->as_array()) {
    if (!each.is_string() || !has_dimension(request, each.as_string()))
      return invalid(std::string("options.") + name + " names what is no dimension of the query");
    ids.emplace_back(each.as_string());
  }
  return ids;
}

// Every way to cut rows and columns short from the right, but for the query itself.
Result<std::vector<std::vector<std::string>>> subtotals_of(const json::object& options,
                                                           const QueryRequest& request) {
  OA_ASSIGN(auto rows, dimension_list(options, "rows", request));
  OA_ASSIGN(const auto columns, dimension_list(options, "columns", request));
  if (rows.empty() && columns.empty()) {
    for (const auto& dimension : request.dimensions) rows.push_back(dimension.id);
  }
  const json::value* wanted = options.if_contains("subtotals");
  if (wanted != nullptr && !wanted->is_bool())
    return invalid("options.subtotals is not true or false");
  std::vector<std::vector<std::string>> levels;
  if (wanted != nullptr && !wanted->as_bool()) return levels;
  if (rows.size() + columns.size() > kMaxMatrixDimensions)
    return invalid("a matrix with subtotals has at most 6 dimensions");
  for (std::size_t r = rows.size() + 1; r-- > 0;) {
    for (std::size_t c = columns.size() + 1; c-- > 0;) {
      if (r == rows.size() && c == columns.size()) continue;
      std::vector<std::string> level(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(r));
      level.insert(level.end(), columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(c));
      levels.push_back(std::move(level));
    }
  }
  return levels;
}

Result<std::optional<VisualQuery::PeriodComparison>> comparison_of(const json::object& options) {
  const json::value* value = options.if_contains("comparison");
  if (value == nullptr || value->is_null()) return std::optional<VisualQuery::PeriodComparison>();
  ObjectReader reader(*value, "options.comparison");
  VisualQuery::PeriodComparison comparison;
  if (reader.text("kind") != "previous_period") reader.fail("kind", "is not previous_period");
  comparison.dimension = reader.text("dimension");
  const auto grain = semantics::grain_of(reader.text("grain"));
  if (!grain.has_value()) reader.fail("grain", "is not day, week, month, quarter or year");
  const Status read = reader.finish();
  if (!read.ok()) return invalid(read.error().message);
  comparison.grain = *grain;
  return std::optional(comparison);
}

// The query with only some of its dimensions, and without an order by the others. A filter on a
// measure chooses among the groups of the matrix itself; on a total it would choose the total.
QueryRequest level_of(const QueryRequest& request, const std::vector<std::string>& dimensions) {
  QueryRequest level = request;
  const auto dropped = [&](const std::string& id) {
    return has_dimension(request, id) && std::ranges::find(dimensions, id) == dimensions.end();
  };
  std::erase_if(level.dimensions, [&](const auto& dimension) { return dropped(dimension.id); });
  std::erase_if(level.order_by, [&](const auto& order) { return dropped(order.field); });
  std::erase_if(level.filters, [&](const Filter& filter) {
    return std::ranges::find(level.measures, filter.field) != level.measures.end();
  });
  return level;
}

Result<PeriodComparison> compare_periods(const DatasetReader& dataset, const VisualQuery& query,
                                         const semantics::Viewer& viewer, const AskOptions& options,
                                         std::uint32_t made_for, Progress& progress) {
  const auto& wanted = *query.comparison;
  QueryRequest request;
  request.dimensions = {{wanted.dimension, wanted.grain}};
  request.measures = {query.request.measures.front()};
  request.filters = query.request.filters;
  Filter dated;
  dated.field = wanted.dimension;
  dated.op = semantics::FilterOp::kIsNull;
  dated.values = {false};
  request.filters.push_back(dated);
  request.order_by = {{wanted.dimension, true}};
  request.limit = 2;
  OA_ASSIGN(const QueryAnswer answer, dataset.ask(request, viewer, options, progress, made_for));
  PeriodComparison comparison;
  if (answer.row_count == 0) return comparison;
  const auto day_at = [&](std::size_t row) {
    const auto* text = std::get_if<std::string>(&answer.fields[0].cells[row]);
    return text == nullptr ? std::nullopt : day_of(*text);
  };
  const auto newest = day_at(0);
  if (!newest.has_value()) return invalid("options.comparison names what is no date");
  const Day before = previous_period(*newest, wanted.grain);
  comparison.period = to_text(*newest);
  comparison.previous_period = to_text(before);
  comparison.value = measure_value(answer.fields[1].cells[0]);
  if (answer.row_count > 1 && day_at(1) == before)
    comparison.reference = measure_value(answer.fields[1].cells[1]);
  if (!comparison.value || !comparison.reference) return comparison;
  comparison.change = absolute_change(*comparison.value, *comparison.reference);
  comparison.change_percent = percent_change(*comparison.value, *comparison.reference);
  return comparison;
}

}  // namespace

Result<VisualQuery> decode_visual(const catalog::Visual& visual) {
  VisualQuery query;
  OA_ASSIGN(query.request, semantics::decode_query(visual.query.value(), "query"));
  const json::value options = visual.options.value();
  if (!options.is_object()) return invalid("options is not an object");
  if (visual.kind == catalog::VisualKind::kMatrix) {
    OA_ASSIGN(query.subtotals, subtotals_of(options.as_object(), query.request));
  }
  if (visual.kind == catalog::VisualKind::kKpi) {
    if (query.request.measures.empty()) return invalid("a kpi needs a measure");
    OA_ASSIGN(query.comparison, comparison_of(options.as_object()));
  }
  return query;
}

Status show_visual(const DatasetReader& dataset, VisualQuery query,
                   const std::vector<Filter>& report_filters, const semantics::Viewer& viewer,
                   const AskOptions& options, std::uint32_t made_for, Progress& progress,
                   VisualResult& result) {
  for (const Filter& filter : report_filters) {
    const bool known =
        dataset.model().dimension(filter.field) != nullptr ||
        std::ranges::find(query.request.measures, filter.field) != query.request.measures.end();
    if (known) {
      query.request.filters.push_back(filter);
    } else {
      result.ignored_filters.push_back(filter.field);
    }
  }
  OA_ASSIGN(result.answer, dataset.ask(query.request, viewer, options, progress, made_for));
  for (const auto& level : query.subtotals) {
    OA_ASSIGN(auto subtotal,
              dataset.ask(level_of(query.request, level), viewer, options, progress, made_for));
    result.subtotals.push_back(std::move(subtotal));
  }
  if (query.comparison.has_value()) {
    OA_ASSIGN(result.comparison,
              compare_periods(dataset, query, viewer, options, made_for, progress));
  }
  return {};
}

}  // namespace oa::reports
