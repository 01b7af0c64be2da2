// The two forms of an opened report that leave the program: its digest and its JSON.
#include <boost/json.hpp>

#include "visual.h"

namespace oa::reports {
namespace {

json::value number(const std::optional<double>& value) {
  return value.has_value() ? json::value(*value) : json::value(nullptr);
}

json::object comparison_json(const PeriodComparison& comparison) {
  return {
      {"period", comparison.period},         {"previous_period", comparison.previous_period},
      {"value", number(comparison.value)},   {"reference", number(comparison.reference)},
      {"change", number(comparison.change)}, {"change_percent", number(comparison.change_percent)}};
}

json::object visual_json(const VisualResult& visual) {
  json::object object{{"id", visual.id.str()},
                      {"kind", catalog::to_text(visual.kind)},
                      {"title", visual.title},
                      {"options", visual.options.value()},
                      {"digest", to_hex(visual.digest)}};
  if (visual.error.has_value()) {
    object["error"] = json::object{{"code", error_info(visual.error->code).name},
                                   {"message", visual.error->message},
                                   {"hint", visual.error->hint}};
    return object;
  }
  object["answer"] = to_json(visual.answer);
  json::array subtotals;
  for (const QueryAnswer& subtotal : visual.subtotals) subtotals.push_back(to_json(subtotal));
  if (visual.kind == catalog::VisualKind::kMatrix) object["subtotals"] = std::move(subtotals);
  if (visual.comparison.has_value()) object["comparison"] = comparison_json(*visual.comparison);
  if (!visual.ignored_filters.empty())
    object["ignored_filters"] =
        json::array(visual.ignored_filters.begin(), visual.ignored_filters.end());
  return object;
}

}  // namespace

Blake2bDigest visual_digest(const VisualResult& result) {
  Blake2b hash;
  hash.update(as_bytes("oa-visual:v1"));
  if (result.error.has_value()) {
    hash.update(as_bytes(error_info(result.error->code).name));
    return hash.finish();
  }
  hash.update(answer_digest(result.answer));
  for (const QueryAnswer& subtotal : result.subtotals) hash.update(answer_digest(subtotal));
  if (result.comparison.has_value())
    hash.update(as_bytes(canonical_json(comparison_json(*result.comparison))));
  return hash.finish();
}

json::value to_json(const OpenedReport& report) {
  json::array visuals;
  for (const VisualResult& visual : report.visuals) visuals.push_back(visual_json(visual));
  json::object object{{"id", report.id.str()},
                      {"name", report.name},
                      {"layout", report.layout.value()},
                      {"visuals", std::move(visuals)},
                      {"digest", to_hex(report.digest)}};
  if (report.bookmark.has_value()) object["bookmark"] = *report.bookmark;
  return object;
}

}  // namespace oa::reports
