// Cookies of a request (RFC 6265, 4.2).
#pragma once

#include <optional>
#include <string_view>

#include "oa/http/message.h"

namespace oa::http {

/// The value of the cookie `name`, as sent. None when there is none, or several: another host or
/// path of the same site must not be able to put its own beside ours.
std::optional<std::string_view> cookie(const Request& request, std::string_view name);

}  // namespace oa::http
