// The target of a request (RFC 9112, 3.2): its path and its query.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/result.h"

namespace oa::http {

struct Target {
  std::vector<std::string> path;
  std::map<std::string, std::string> query;
};

/// Reads a target in origin-form. Absolute-form, authority-form and "*" are for proxies and
/// refused.
/// "/" has no segment, "/a/" the segments "a" and "". kInvalidArgument: bytes that a target must
/// not hold, an escape that is none, decoded text that is not UTF-8 or holds control characters, a
/// segment "." or "..", an encoded slash or backslash, a name that comes twice in the query, more
/// than 64 names.
Result<Target> parse_target(std::string_view text);

}  // namespace oa::http
