// Errors as problem+json (RFC 7807).
#pragma once

#include "oa/http/message.h"

namespace oa::api {

/// What of a failure a tenant is told: of one of the service itself, whose words are about the
/// machine and for operators, only what kind it is; no hint that names a command.
struct Told {
  std::string detail, hint;
};
Told told_to_tenants(const ErrorInfo& info, const std::string& message, const std::string& hint);
/// The same by the code's name; one that this release does not know is an internal one.
Told told_to_tenants(std::string_view code, const std::string& message, const std::string& hint);

/// What of an error a tenant sees: code, message and hint; of a failure of the service itself only
/// what kind it is.
http::Response problem_response(const Error& error, const std::string& instance,
                                const std::string& trace_id);
/// What a request is answered that the HTTP server refuses before a handler has it. There kTimeout
/// is a client that is too slow: 408 (RFC 9110, 15.5.9), not the 504 of work that takes too long.
http::Response refusal_response(const Error& error, const std::string& trace_id);
/// A page that lists every code, which `doc_url` points into.
const std::string& error_page();

}  // namespace oa::api
