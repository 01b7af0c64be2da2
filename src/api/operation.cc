#include "operation.h"

namespace oa::api {
namespace {

const RouteTable& routes() {
  static const RouteTable table = [] {
    std::vector<RouteTable::Line> lines;
    for (const auto& operation : operations()) lines.push_back({operation.method, operation.path});
    return RouteTable(lines);
  }();
  return table;
}

}  // namespace

std::span<const Operation> operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> made;
    for (const auto group : {account_operations(), platform_operations(), archive_operations(),
                             upload_operations(), restore_operations(), job_operations(),
                             setting_operations(), continuity_operations(), privacy_operations(), drill_operations()})
      made.insert(made.end(), group.begin(), group.end());
    return made;
  }();
  return all;
}

Result<Route> find_operation(std::string_view method, const std::vector<std::string>& path) {
  OA_ASSIGN(auto found, routes().find(method, path));
  return Route{&operations()[found.line], std::move(found.path)};
}

}  // namespace oa::api
