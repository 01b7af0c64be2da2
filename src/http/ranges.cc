#include "oa/http/ranges.h"

#include <algorithm>
#include <limits>

#include "oa/http/conditional.h"

namespace oa::http {
namespace {

// None when it is no number. A number that is too large is larger than any body.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
  }
  return value;
}

Range part(std::uint64_t first, std::uint64_t length) {
  return {Range::Kind::kPart, first, length};
}

}  // namespace

Range parse_range(std::string_view header, std::uint64_t size) {
  const Range whole{Range::Kind::kWhole, 0, size};
  const Range none{Range::Kind::kNotSatisfiable, 0, 0};
  const auto equals = header.find('=');
  std::string unit(header.substr(0, equals));
  std::ranges::transform(unit, unit.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (equals == header.npos || unit != "bytes") return whole;
  const auto spec = header.substr(equals + 1);
  const auto dash = spec.find('-');
  if (dash == spec.npos) return whole;
  const auto first = parse_position(spec.substr(0, dash));
  const auto last = parse_position(spec.substr(dash + 1));
  if (dash == 0) {  // the last so many bytes
    if (!last) return whole;
    if (*last == 0) return none;
    return size == 0 ? whole : part(size - std::min(*last, size), std::min(*last, size));
  }
  const bool open_ended = dash + 1 == spec.size();
  if (!first || (!last && !open_ended) || (last && *last < *first)) return whole;
  if (*first >= size) return none;
  const auto end = open_ended ? size - 1 : std::min(*last, size - 1);
  return part(*first, end - *first + 1);
}

Range range_of(const Request& request, std::uint64_t size, std::string_view etag) {
  const Range whole{Range::Kind::kWhole, 0, size};
  const auto header = request.header("range");
  if (!header || request.method != "GET") return whole;
  const auto condition = request.header("if-range");
  if (condition && (*condition == "*" || !names_etag(*condition, etag, EtagComparison::kStrong)))
    return whole;
  return parse_range(*header, size);
}

std::string content_range(const Range& range, std::uint64_t size) {
  const auto total = std::to_string(size);
  if (range.kind == Range::Kind::kNotSatisfiable) return "bytes */" + total;
  return "bytes " + std::to_string(range.first) + "-" +
         std::to_string(range.first + range.length - 1) + "/" + total;
}

}  // namespace oa::http
