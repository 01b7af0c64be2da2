// The head of a response as it goes over the wire.
#pragma once

#include <ctime>
#include <optional>
#include <string>

#include "oa/http/message.h"

namespace oa::http {

struct HeadFacts {
  bool http_1_0 = false;   // what the request spoke
  bool keep_alive = true;  // whether another request may follow
  std::optional<std::uint64_t>
      content_length;  // none: no body, or one that ends with the connection
  std::time_t now = 0;
};

/// kInternal: a status outside of 200 to 599, a header that is no header, or one that is the
/// server's (connection, content-length, date, transfer-encoding).
Result<std::string> format_head(const Response& response, const HeadFacts& facts);

/// The length of a body that has one before it is read.
std::optional<std::uint64_t> body_length(const Response& response);

}  // namespace oa::http
