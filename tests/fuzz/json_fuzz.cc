// JSON: bounded parsing; the canonical form reads back as the same value, which has the same form.
#include <cmath>
#include <cstdlib>
#include <limits>

#include "fuzz_input.h"
#include "oa/base/json.h"

namespace oa {
namespace {

constexpr JsonLimits kLimits{.max_bytes = 4096, .max_depth = 8};

std::size_t depth_of(const json::value& value) {
  std::size_t deepest = 0;
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) deepest = std::max(deepest, depth_of(member.value()));
    return deepest + 1;
  }
  if (const auto* array = value.if_array()) {
    for (const auto& item : *array) deepest = std::max(deepest, depth_of(item));
    return deepest + 1;
  }
  return 0;
}

// Numbers are read as the C library reads them.
void check_number(const json::value& value, std::string_view text) {
  if (!value.is_double()) return;
  const double expected = std::strtod(std::string(text).c_str(), nullptr);
  OA_ASSERT(std::isfinite(expected));
  OA_ASSERT(value.get_double() == expected ||
            std::abs(expected) < std::numeric_limits<double>::min());
}

void check(std::string_view text) {
  const auto value = parse_json(text, kLimits);
  if (!fuzz::accepted(value)) return;
  OA_ASSERT(text.size() <= kLimits.max_bytes && depth_of(*value) <= kLimits.max_depth);
  const std::string canonical = canonical_json(*value);
  OA_ASSERT(is_utf8(canonical));
  const auto again = parse_json(canonical);
  OA_ASSERT(again.ok());
  OA_ASSERT(canonical_json(*again) == canonical);
  const auto carried = JsonText::parse(text, kLimits);
  OA_ASSERT(carried.ok() && carried->str() == canonical);
  check_number(*value, text);
  (void)fuzz::accepted(ObjectReader(*value, "input").finish());
}

}  // namespace
}  // namespace oa

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  oa::check(oa::as_text({data, size}));
  return 0;
}
