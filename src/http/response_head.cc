#include "response_head.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace oa::http {
namespace {

constexpr std::array<std::string_view, 4> kOfTheServer{"connection", "content-length", "date",
                                                       "transfer-encoding"};

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";  // RFC 9112, 4: may be empty
  }
}

std::string http_date(std::time_t now) {  // RFC 9110, 5.6.7
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  std::snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday],
                utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text;
}

bool is_token_char(char c) {  // RFC 9110, 5.6.2
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\t';
}

bool same_name(std::string_view name, std::string_view lower) {
  return std::ranges::equal(
      name, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

Status check_header(std::string_view name, std::string_view value) {
  const auto defect = [](std::string message) {
    return make_error(ErrorCode::kInternal, "http.response", std::move(message));
  };
  if (name.empty() || !std::ranges::all_of(name, is_token_char))
    return defect("a response has a header whose name is none");
  if (!std::ranges::all_of(value, is_value_char))
    return defect("the response's header " + std::string(name) + " holds a control character");
  const auto is_name = [&](std::string_view own) { return same_name(name, own); };
  if (std::ranges::any_of(kOfTheServer, is_name))
    return defect("the response's header " + std::string(name) + " is the server's");
  return {};
}

}  // namespace

std::optional<std::uint64_t> body_length(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  if (const auto* page = std::get_if<StaticBody>(&response.body)) return page->bytes.size();
  if (const auto* known = std::get_if<KnownBody>(&response.body)) return known->length;
  return std::nullopt;
}

Result<std::string> format_head(const Response& response, const HeadFacts& facts) {
  if (response.status < 200 || response.status > 599)
    return make_error(ErrorCode::kInternal, "http.response",
                      "a response has the status " + std::to_string(response.status));
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(reason(response.status)).append("\r\nDate: ").append(http_date(facts.now));
  for (const auto& [name, value] : response.headers) {
    OA_TRY(check_header(name, value));
    head.append("\r\n").append(name).append(": ").append(value);
  }
  if (facts.content_length)
    head.append("\r\nContent-Length: ").append(std::to_string(*facts.content_length));
  if (!facts.keep_alive) head.append("\r\nConnection: close");
  if (facts.keep_alive && facts.http_1_0) head.append("\r\nConnection: keep-alive");
  return head.append("\r\n\r\n");
}

}  // namespace oa::http
