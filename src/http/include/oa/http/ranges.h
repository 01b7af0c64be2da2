// Parts of a body (RFC 9110, 14): one range of bytes. Of several ranges the whole is served, which
// the RFC leaves to the server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oa/http/message.h"

namespace oa::http {

struct Range {
  enum class Kind { kWhole, kPart, kNotSatisfiable };  // status 200, 206, 416
  Kind kind = Kind::kWhole;
  std::uint64_t first = 0, length = 0;  // of what is to be sent; nothing when not satisfiable
};

/// What the Range header `header` asks of a body of `size` bytes. A header that is malformed, has
/// another unit or several ranges asks for the whole.
Range parse_range(std::string_view header, std::uint64_t size);

/// What `request` asks of a body of `size` bytes whose entity tag is `etag` (quoted, strong): its
/// Range, unless the method is not GET or an If-Range names another entity tag or a date.
Range range_of(const Request& request, std::uint64_t size, std::string_view etag);

/// The value of Content-Range that goes with kPart and kNotSatisfiable.
std::string content_range(const Range& range, std::uint64_t size);

}  // namespace oa::http
