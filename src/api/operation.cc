#include "operation.h"

#include <algorithm>

namespace oa::api {
namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

struct Pattern {
  const Operation* operation;
  std::vector<std::string_view> segments;
};

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = [] {
    std::vector<Pattern> made;
    for (const auto& operation : operations())
      made.push_back({&operation, segments_of(operation.path)});
    return made;
  }();
  return all;
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

bool matches(const Pattern& pattern, const std::vector<std::string>& path) {
  if (pattern.segments.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i)
    if (!is_parameter(pattern.segments[i]) && pattern.segments[i] != path[i]) return false;
  return true;
}

}  // namespace

std::span<const Operation> operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> made;
    for (const auto group : {account_operations(), platform_operations(), archive_operations(),
                             upload_operations(), restore_operations(), job_operations(),
                             setting_operations()})
      made.insert(made.end(), group.begin(), group.end());
    return made;
  }();
  return all;
}

Result<Route> find_operation(std::string_view method, const std::vector<std::string>& path) {
  std::string methods;
  const Pattern* found = nullptr;
  auto parameters = static_cast<std::ptrdiff_t>(path.size()) + 1;
  for (const auto& pattern : patterns()) {
    if (!matches(pattern, path)) continue;
    // What is spelt out goes before what a parameter would take: /archives/estimate.
    const auto here = std::count_if(pattern.segments.begin(), pattern.segments.end(), is_parameter);
    if (here > parameters) continue;
    if (here < parameters) {
      parameters = here;
      methods.clear();
      found = nullptr;
    }
    const std::string_view offered = pattern.operation->method;
    methods += (methods.empty() ? "" : ", ") + std::string(offered);
    const bool stands_in = offered == "GET" && method == "HEAD";  // where there is no HEAD itself
    if (offered == method || (stands_in && found == nullptr)) found = &pattern;
  }
  if (found == nullptr && methods.empty())
    return make_error(ErrorCode::kNotFound, "request", "there is nothing at this address");
  if (found == nullptr) {
    return make_error(ErrorCode::kMethodNotAllowed, "request",
                      "this address does not take that method")
        .with_hint("it takes " + methods)
        .with_cause(methods);
  }
  Route route;
  route.operation = found->operation;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto segment = found->segments[i];
    if (is_parameter(segment))
      route.path.emplace(std::string(segment.substr(1, segment.size() - 2)), path[i]);
  }
  return route;
}

}  // namespace oa::api
