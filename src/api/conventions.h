// What the tenants' and the operators' API have alike: the trace id of a request, headers that every
// answer carries, what a JSON body is.
#pragma once

#include <boost/json.hpp>

#include "oa/http/message.h"

namespace oa::api {

/// The caller's (W3C Trace Context), or the request's own.
std::string trace_id_of(const http::Request& request);

/// The answer to GET /healthz, with its headers; none for another request.
std::optional<http::Response> health(const http::Request& request);

/// `request`: null for one that was refused before it was read.
void add_standard_headers(http::Response& response, const http::Request* request,
                          const std::string& trace_id);

/// kUnsupportedMediaType for a body that is not application/json.
Status check_media_type(const http::Request& request);

/// kInvalidArgument (none, or no JSON), kLimitExceeded (nested too deep).
Result<boost::json::value> parse_body(const std::string& body);

}  // namespace oa::api
