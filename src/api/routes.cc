#include "routes.h"

#include <algorithm>
#include <optional>

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

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string>& path) {
  return std::ranges::equal(pattern, path, [](std::string_view wanted, const std::string& sent) {
    return is_parameter(wanted) || wanted == sent;
  });
}

void add_method(std::string& methods, std::string_view method) {
  methods += (methods.empty() ? "" : ", ") + std::string(method);
}

}  // namespace

RouteTable::RouteTable(const std::vector<Line>& lines) {
  for (const auto& line : lines) {
    auto segments = segments_of(line.path);
    const auto parameters = std::ranges::count_if(segments, is_parameter);
    patterns_.push_back({line.method, std::move(segments), parameters});
  }
}

Result<RouteTable::Found> RouteTable::find(std::string_view method,
                                           const std::vector<std::string>& path) const {
  std::string methods;
  bool gets = false, heads = false;
  std::optional<std::size_t> found;
  auto parameters = static_cast<std::ptrdiff_t>(path.size()) + 1;
  for (std::size_t line = 0; line < patterns_.size(); ++line) {
    const auto& pattern = patterns_[line];
    if (pattern.parameters > parameters || !matches(pattern.segments, path)) continue;
    if (pattern.parameters < parameters) {
      parameters = pattern.parameters;
      methods.clear();
      gets = heads = false;
      found.reset();
    }
    gets = gets || pattern.method == "GET";
    heads = heads || pattern.method == "HEAD";
    add_method(methods, pattern.method);
    const bool stands_in = pattern.method == "GET" && method == "HEAD" && !found.has_value();
    if (pattern.method == method || stands_in) found = line;
  }
  if (found.has_value()) {
    Found route{*found, {}};
    const auto& segments = patterns_[*found].segments;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (is_parameter(segments[i]))
        route.path.emplace(segments[i].substr(1, segments[i].size() - 2), path[i]);
    }
    return route;
  }
  if (methods.empty())
    return make_error(ErrorCode::kNotFound, "request", "there is nothing at this address");
  if (gets && !heads) add_method(methods, "HEAD");
  return make_error(ErrorCode::kMethodNotAllowed, "request",
                    "this address does not take that method")
      .with_hint("it takes " + methods)
      .with_cause(methods);
}

}  // namespace oa::api
