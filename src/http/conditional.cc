#include "oa/http/conditional.h"

#include <algorithm>

namespace oa::http {
namespace {

constexpr std::string_view kBetween = " \t,";

// Takes one entity tag (RFC 9110, 8.8.3) from the front; empty when there is none.
std::string_view take_etag(std::string_view& list) {
  const auto open = list.starts_with("W/") ? std::size_t{2} : std::size_t{0};
  if (list.size() <= open || list[open] != '"') return {};
  const auto close = list.find('"', open + 1);
  if (close == list.npos) return {};
  const auto tag = list.substr(0, close + 1);
  list.remove_prefix(tag.size());
  return tag;
}

std::string_view without_weakness(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

bool same(std::string_view a, std::string_view b, EtagComparison comparison) {
  if (comparison == EtagComparison::kWeak) return without_weakness(a) == without_weakness(b);
  return a == b && !a.starts_with("W/");
}

}  // namespace

bool names_etag(std::string_view list, std::string_view etag, EtagComparison comparison) {
  if (list == "*") return true;
  for (;;) {
    list.remove_prefix(std::min(list.find_first_not_of(kBetween), list.size()));
    const auto tag = take_etag(list);
    if (tag.empty()) return false;
    if (same(tag, etag, comparison)) return true;
    if (!list.empty() && kBetween.find(list.front()) == kBetween.npos) return false;
  }
}

bool is_unchanged(const Request& request, std::string_view etag) {
  if (request.method != "GET" && request.method != "HEAD") return false;
  const auto list = request.header("if-none-match");
  return list && names_etag(*list, etag, EtagComparison::kWeak);
}

bool precondition_holds(const Request& request, std::string_view etag) {
  const auto list = request.header("if-match");
  return !list || names_etag(*list, etag, EtagComparison::kStrong);
}

}  // namespace oa::http
