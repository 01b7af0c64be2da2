#include "demo_reports.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace oa::demo {
namespace {

using catalog::VisualKind;

constexpr int kReports = 12;
constexpr int kAlerts = 6;
// The products table has one report and nothing else, so that it can be deleted and brought back by
// itself.
constexpr std::size_t kShared[] = {0, 1, 3, 4};
constexpr std::size_t kProducts = 2;
// Those with a date, which a change is measured by.
constexpr std::size_t kDated[] = {0, 3, 4};

json::object query(const Table& table, VisualKind kind, const std::string& measure) {
  json::array dimensions;
  const bool by_date = kind == VisualKind::kLine && !table.date_dimension.empty();
  if (by_date) {
    dimensions.push_back(json::object{{"id", table.date_dimension}, {"grain", "month"}});
  } else if (kind != VisualKind::kKpi) {
    dimensions.push_back(json::object{{"id", table.dimension}});
  }
  if (kind == VisualKind::kMatrix && !table.date_dimension.empty())
    dimensions.push_back(json::object{{"id", table.date_dimension}, {"grain", "month"}});
  json::array measures{json::string(measure)};
  if (kind == VisualKind::kTable || kind == VisualKind::kMatrix) {
    measures.clear();
    for (const auto& each : table.measures) measures.emplace_back(each);
  }
  json::array filters;
  if (kind == VisualKind::kBar) {
    filters.push_back(
        json::object{{"field", table.dimension}, {"op", "is_null"}, {"value", false}});
  }
  const std::string order = by_date ? table.date_dimension : measures.front().as_string().c_str();
  return {
      {"dimensions", std::move(dimensions)},
      {"measures", std::move(measures)},
      {"filters", std::move(filters)},
      {"order_by", json::array{json::object{{"field", order}, {"dir", by_date ? "asc" : "desc"}}}},
      {"limit", kind == VisualKind::kTable || kind == VisualKind::kMatrix ? 1000 : 50}};
}

json::object options(const Table& table, VisualKind kind) {
  json::object options{{"colour", "default"}, {"decimals", 2}, {"scale", 0.75}};
  if (table.date_dimension.empty()) return options;
  if (kind == VisualKind::kMatrix) {
    options["rows"] = json::array{json::string(table.dimension)};
    options["columns"] = json::array{json::string(table.date_dimension)};
  }
  if (kind == VisualKind::kKpi) {
    options["comparison"] = json::object{
        {"kind", "previous_period"}, {"dimension", table.date_dimension}, {"grain", "month"}};
  }
  return options;
}

catalog::Visual visual(const DemoDataset& dataset, VisualKind kind, std::size_t index) {
  const auto& measures = dataset.table.measures;
  const std::string& measure = measures[index % measures.size()];
  catalog::Visual visual;
  visual.id = VisualId::random();
  visual.kind = kind;
  visual.title = fmt::format("{} by {}", measure, dataset.table.dimension);
  visual.dataset_id = dataset.record.id;
  visual.dataset_version = 1;
  visual.query = JsonText::of(query(dataset.table, kind, measure));
  visual.options = JsonText::of(options(dataset.table, kind));
  return visual;
}

catalog::Bookmark bookmark(const std::string& name, const catalog::Report& report,
                           json::array filters) {
  catalog::Bookmark bookmark;
  bookmark.id = BookmarkId::random();
  bookmark.name = name;
  bookmark.state = JsonText::of(
      json::object{{"filters", std::move(filters)}, {"focus", report.visuals.front().id.str()}});
  return bookmark;
}

std::vector<catalog::Bookmark> bookmarks(const catalog::Report& report, const Table& table) {
  json::array board;
  for (const auto& value : table.board) board.emplace_back(value);
  const json::object of_board{{"field", table.dimension}, {"op", "in"}, {"value", board}};
  const json::object of_others{{"field", table.dimension}, {"op", "not_in"}, {"value", board}};
  return {bookmark("Board meeting", report, {of_board}),
          bookmark("All others", report, {of_others})};
}

}  // namespace

std::vector<catalog::Report> demo_reports(const std::vector<DemoDataset>& datasets, Timestamp now) {
  constexpr VisualKind kKinds[] = {VisualKind::kBar, VisualKind::kLine,  VisualKind::kMatrix,
                                   VisualKind::kKpi, VisualKind::kTable, VisualKind::kBar};
  std::vector<catalog::Report> reports;
  for (int n = 0; n < kReports; ++n) {
    const auto& dataset =
        datasets[n == kReports - 1 ? kProducts
                                   : kShared[static_cast<std::size_t>(n) % std::size(kShared)]];
    catalog::Report report;
    report.id = ReportId::random();
    report.workspace_id = dataset.record.workspace_id;
    report.name = fmt::format("{} overview {}", dataset.table.name,
                              n / static_cast<int>(std::size(kShared)) + 1);
    json::array cells;
    for (std::size_t i = 0; i < std::size(kKinds); ++i) {
      report.visuals.push_back(visual(dataset, kKinds[i], i));
      cells.push_back(json::object{{"visual", report.visuals.back().id.str()},
                                   {"x", i % 2 * 6},
                                   {"y", i / 2 * 4},
                                   {"w", 6},
                                   {"h", 4}});
    }
    report.layout = JsonText::of(json::object{{"grid", 12}, {"cells", std::move(cells)}});
    report.filters = JsonText::of(json::object{{"items", json::array{}}});
    report.bookmarks = bookmarks(report, dataset.table);
    report.created_by = dataset.record.created_by;
    report.created_at = report.updated_at = now;
    reports.push_back(std::move(report));
  }
  return reports;
}

std::vector<catalog::Alert> demo_alerts(const std::vector<DemoDataset>& datasets, Timestamp now) {
  std::vector<catalog::Alert> alerts;
  for (int n = 0; n < kAlerts; ++n) {
    const auto& dataset = datasets[kDated[static_cast<std::size_t>(n) % std::size(kDated)]];
    catalog::Alert alert;
    alert.id = AlertId::random();
    alert.workspace_id = dataset.record.workspace_id;
    alert.dataset_id = dataset.record.id;
    alert.measure = dataset.table.measures[0];
    alert.name = fmt::format("{} watch {}", alert.measure, n + 1);
    alert.condition = n % 2 == 0
                          ? JsonText::of(json::object{
                                {"type", "threshold"}, {"op", "lt"}, {"value", 1000 * (n + 1)}})
                          : JsonText::of(json::object{{"type", "change"}, {"percent", -12.5}});
    alert.grain = "month";
    alert.channels =
        JsonText::of(json::object{{"items", json::array{json::object{{"kind", "in_app"}}}}});
    alert.created_by = dataset.record.created_by;
    alert.created_at = alert.updated_at = now;
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

}  // namespace oa::demo
