// Where requests go: host and region of a service, and what a redirect makes of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oa/aws/client.h"

namespace oa::aws {

struct Endpoint {
  std::string scheme;  // "https", "http"
  std::string host;    // in lower case, with the port unless it is the scheme's own
  std::string region;  // to sign for
  bool operator==(const Endpoint&) const = default;
};

/// kInvalidArgument for another scheme, a path, user or query in it, http to another machine, and
/// for a region that is no name.
Result<Endpoint> parse_endpoint(std::string_view url, const std::string& region);

/// The host of a bucket, or of the service when `bucket` is empty.
std::string host_of(const Endpoint& endpoint, const std::string& bucket);

/// Where an answer sends the request, when that is another region of the same service: nullopt for
/// every other answer. Only hosts of AWS lead to other hosts of AWS; every other server can name
/// another region or another port of itself, so nobody sends the request to a stranger.
std::optional<Endpoint> redirected(const Endpoint& from, const std::string& bucket,
                                   const Response& answer);

}  // namespace oa::aws
