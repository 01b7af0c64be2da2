#include "measure_value.h"

#include <charconv>
#include <cmath>

namespace oa::reports {

std::optional<double> measure_value(const Value& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  double value = std::nan("");
  if (const auto* real = std::get_if<double>(&cell)) value = *real;
  if (const auto* text = std::get_if<std::string>(&cell)) {
    const char* const end = text->data() + text->size();
    if (std::from_chars(text->data(), end, value).ptr != end) return std::nullopt;
  }
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> absolute_change(double value, double reference) {
  const double change = value - reference;
  if (!std::isfinite(change)) return std::nullopt;
  return change;
}

std::optional<double> percent_change(double value, double reference) {
  const double percent = (value - reference) / std::fabs(reference) * 100;
  if (!std::isfinite(percent)) return std::nullopt;
  return percent;
}

}  // namespace oa::reports
