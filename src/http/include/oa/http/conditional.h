// Requests that depend on what the client has already (RFC 9110, 13), by entity tags.
#pragma once

#include <string_view>

#include "oa/http/message.h"

namespace oa::http {

/// Whether a list of entity tags, the value of If-Match or If-None-Match, names `etag` or is "*".
/// A list that is malformed names what stands before the fault.
enum class EtagComparison { kStrong, kWeak };
bool names_etag(std::string_view list, std::string_view etag, EtagComparison comparison);

/// True when a GET or HEAD is to be answered with 304, as its If-None-Match names `etag`.
bool is_unchanged(const Request& request, std::string_view etag);

/// False when the request is to be answered with 412, as its If-Match does not name `etag`.
bool precondition_holds(const Request& request, std::string_view etag);

}  // namespace oa::http
