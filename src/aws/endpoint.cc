#include "endpoint.h"

#include <algorithm>

namespace oa::aws {
namespace {

constexpr std::size_t kMaxHost = 255;
constexpr std::size_t kMaxRegion = 32;

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
         c == '[' || c == ']';
}

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRegion && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket))
    return host;
  return host.substr(0, colon);
}

bool on_this_machine(std::string_view host) {
  const std::string_view name = without_port(host);
  return name == "127.0.0.1" || name == "[::1]" || name == "localhost" ||
         name.ends_with(".localhost");
}

bool of_aws(std::string_view host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// "https://HOST[:PORT]" and, for a Location, whatever path comes behind it.
std::optional<Endpoint> split(std::string_view url, bool with_path) {
  Endpoint endpoint;
  const auto mark = url.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  endpoint.scheme = url.substr(0, mark);
  if (endpoint.scheme != "https" && endpoint.scheme != "http") return std::nullopt;
  std::string_view rest = url.substr(mark + 3);
  if (const auto slash = rest.find_first_of("/?"); slash != std::string_view::npos) {
    if (!with_path && slash + 1 != rest.size()) return std::nullopt;
    rest = rest.substr(0, slash);
  }
  endpoint.host = lower(rest);
  if (endpoint.host.empty() || endpoint.host.size() > kMaxHost ||
      !std::ranges::all_of(endpoint.host, is_host_character))
    return std::nullopt;
  const std::string_view own_port = endpoint.scheme == "https" ? ":443" : ":80";
  if (endpoint.host.ends_with(own_port))
    endpoint.host.resize(endpoint.host.size() - own_port.size());
  return endpoint;
}

std::string_view region_named(const Response& answer) {
  if (const auto named = answer.head.header("x-amz-bucket-region"); !named.empty()) return named;
  const std::string_view body = as_text(answer.body);
  const auto begin = body.find("<Region>");
  const auto end = body.find("</Region>");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + 8)
    return {};
  return body.substr(begin + 8, end - begin - 8);
}

// "s3.eu-central-1.amazonaws.com" for another region.
std::string host_in_region(const std::string& host, const std::string& region) {
  if (!of_aws(host) || (!host.starts_with("s3.") && !host.starts_with("s3-"))) return host;
  return "s3." + region + host.substr(host.find(".amazonaws.com"));
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view url, const std::string& region) {
  auto endpoint = split(url, false);
  if (!endpoint) {
    return make_error(ErrorCode::kInvalidArgument, "aws.endpoint",
                      "not the address of a service: it is written as https://HOST[:PORT]");
  }
  if (endpoint->scheme == "http" && !on_this_machine(endpoint->host)) {
    return make_error(ErrorCode::kInvalidArgument, "aws.endpoint",
                      "requests would go over the network in the clear: " + endpoint->host)
        .with_hint("use https");
  }
  if (!is_region(region)) {
    return make_error(ErrorCode::kInvalidArgument, "aws.endpoint", "not a region: " + region)
        .with_hint("for example eu-central-1; for Ceph the name of its zone group, or default");
  }
  endpoint->region = region;
  return *std::move(endpoint);
}

std::string host_of(const Endpoint& endpoint, const std::string& bucket) {
  return bucket.empty() ? endpoint.host : bucket + "." + endpoint.host;
}

std::optional<Endpoint> redirected(const Endpoint& from, const std::string& bucket,
                                   const Response& answer) {
  const int status = answer.head.status;
  if (status != 301 && status != 302 && status != 307 && status != 308 &&
      !(status == 400 && answer.error_code == "AuthorizationHeaderMalformed") &&
      !(status == 400 && answer.error_code.empty()))
    return std::nullopt;
  Endpoint to = from;
  if (const auto region = region_named(answer); is_region(region) && region != from.region) {
    to.region = region;
    to.host = host_in_region(from.host, to.region);
  } else if (const auto named = split(answer.head.header("location"), true);
             named && named->scheme == from.scheme &&
             ((of_aws(from.host) && of_aws(named->host)) ||
              without_port(host_of(from, bucket)) == without_port(named->host))) {
    to.host = named->host;
    if (!bucket.empty() && to.host.starts_with(bucket + ".")) to.host.erase(0, bucket.size() + 1);
  }
  return to == from ? std::nullopt : std::optional(to);
}

}  // namespace oa::aws
