// Which line of a table of methods and paths a request means. Knows nothing of who may.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/result.h"

namespace oa::api {

/// Parameters of a path, by name.
using PathParameters = std::map<std::string, std::string, std::less<>>;

/// Immutable. Borrows the texts of its lines.
class RouteTable {
 public:
  struct Line {
    std::string_view method;
    std::string_view path;  // "/v1/jobs/{job_id}"
  };
  explicit RouteTable(const std::vector<Line>& lines);

  struct Found {
    std::size_t line = 0;  // index
    PathParameters path;
  };
  /// What is spelt out goes before what a parameter would take; a GET stands in for a HEAD that there
  /// is not. kNotFound; kMethodNotAllowed with the methods that there are as its cause.
  Result<Found> find(std::string_view method, const std::vector<std::string>& path) const;

 private:
  struct Pattern {
    std::string_view method;
    std::vector<std::string_view> segments;
    std::ptrdiff_t parameters = 0;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace oa::api
