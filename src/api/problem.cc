#include "problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/base/json.h"

namespace oa::api {
namespace {

// Of these an error's text tells about the machine, which is the operator's matter and in the log.
bool is_internal(const ErrorInfo& info) {
  if (info.code == ErrorCode::kWalMissing) return true;
  return info.http_status >= 500 && info.code != ErrorCode::kOverloaded &&
         info.code != ErrorCode::kQueryTimeout && info.code != ErrorCode::kTimeout &&
         info.code != ErrorCode::kDatasetRefreshInProgress &&
         info.code != ErrorCode::kSourceUnreachable && info.code != ErrorCode::kSourceRefused &&
         info.code != ErrorCode::kSealCorrupt;
}

// "try again in 30 seconds" says how long; otherwise a second.
std::string seconds_in(const std::string& hint) {
  const auto digit = hint.find_first_of("0123456789");
  if (digit == std::string::npos) return "1";
  return hint.substr(digit, hint.find_first_not_of("0123456789", digit) - digit);
}

std::string title_of(const ErrorInfo& info) {
  std::string title(info.summary);
  title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

http::Response response_of(const Error& error, int status, const std::string& instance,
                           const std::string& trace_id) {
  const ErrorInfo& info = error_info(error.code);
  const Told told = told_to_tenants(info, error.message, error.hint);
  json::object problem{{"type", fmt::format("/docs/errors#{}", info.name)},
                       {"title", title_of(info)},
                       {"status", status},
                       {"detail", told.detail},
                       {"instance", instance},
                       {"code", info.name},
                       {"trace_id", trace_id},
                       {"doc_url", fmt::format("/docs/errors#{}", info.name)}};
  if (!told.hint.empty()) problem["hint"] = told.hint;
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (info.http_status == 429 || info.code == ErrorCode::kOverloaded ||
      info.code == ErrorCode::kReplayPending)
    response.headers.emplace_back("Retry-After", seconds_in(error.hint));
  response.body = json::serialize(problem);
  return response;
}

}  // namespace

Told told_to_tenants(const ErrorInfo& info, const std::string& message, const std::string& hint) {
  Told told{is_internal(info) ? std::string(info.summary) : message, {}};
  if (!is_internal(info) && hint.find("oa-backup ") == std::string::npos) told.hint = hint;
  if (told.hint.empty() && info.retryable) told.hint = "try again in a moment";
  return told;
}

Told told_to_tenants(std::string_view code, const std::string& message, const std::string& hint) {
  const auto known = std::ranges::find(error_table(), code, &ErrorInfo::name);
  return told_to_tenants(known == error_table().end() ? error_info(ErrorCode::kInternal) : *known,
                         message, hint);
}

http::Response problem_response(const Error& error, const std::string& instance,
                                const std::string& trace_id) {
  return response_of(error, error_info(error.code).http_status, instance, trace_id);
}

http::Response refusal_response(const Error& error, const std::string& trace_id) {
  const bool slow = error.code == ErrorCode::kTimeout;
  return response_of(error, slow ? 408 : error_info(error.code).http_status, "", trace_id);
}

const std::string& error_page() {
  static const std::string page = [] {
    std::string rows;
    for (const auto& info : error_table()) {
      rows += fmt::format("<tr id=\"{0}\"><td><code>{0}</code></td><td>{1}</td><td>{2}</td></tr>\n",
                          info.name, info.http_status, title_of(info));
    }
    return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Error codes</title>"
           "<h1>Error codes</h1><table><tr><th>code</th><th>status</th><th>meaning</th></tr>\n" +
           rows + "</table></html>\n";
  }();
  return page;
}

}  // namespace oa::api
