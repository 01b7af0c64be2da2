#include "oa/http/cookies.h"

#include <algorithm>

namespace oa::http {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

std::optional<std::string_view> cookie(const Request& request, std::string_view name) {
  auto rest = request.header("cookie").value_or("");
  std::optional<std::string_view> found;
  while (!rest.empty()) {
    const auto pair = trimmed(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.size(), rest.find(';')));
    rest.remove_prefix(rest.empty() ? 0 : 1);
    const auto equals = pair.find('=');
    if (equals == pair.npos || trimmed(pair.substr(0, equals)) != name) continue;
    if (found) return std::nullopt;
    found = trimmed(pair.substr(equals + 1));
  }
  return found;
}

}  // namespace oa::http
