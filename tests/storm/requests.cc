#include "requests.h"

#include <yaml-cpp/yaml.h>

#include <set>
#include <string_view>

namespace oa::storm {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kTexts[] = {"",
                                       "0",
                                       "-1",
                                       "1e999",
                                       "18446744073709551616",
                                       "null",
                                       "true",
                                       "'; DROP TABLE oa.users; --",
                                       "../../etc/passwd",
                                       "a\0b"sv,
                                       "\r\nSet-Cookie: a=b",
                                       "%s%n%x",
                                       "\xc3\x28",
                                       "\xed\xa0\x80",
                                       "\xf0\x9f\x98\x80",
                                       "\u202eevil",
                                       "<script>alert(1)</script>",
                                       "{{7*7}}",
                                       "=1+1",
                                       "00000000-0000-0000-0000-000000000000",
                                       "2026-11-23T10:00:00Z",
                                       "9999-99-99T99:99:99Z",
                                       "bytes=0-0",
                                       "bytes=-1",
                                       "bytes=5-1,7-",
                                       "1.0.0",
                                       "sha256 AAAA",
                                       "filename !!!!",
                                       "*",
                                       "W/\"a\"",
                                       "application/json",
                                       "application/offset+octet-stream",
                                       "text/html",
                                       "100-continue",
                                       "overwrite"};
constexpr std::string_view kHeaders[] = {
    "Accept",         "Authorization",   "Content-Type",
    "Cookie",         "Expect",          "Idempotency-Key",
    "If-Match",       "If-None-Match",   "If-Range",
    "Last-Event-ID",  "Origin",          "Range",
    "Sec-Fetch-Site", "Tus-Resumable",   "Upload-Checksum",
    "Upload-Length",  "Upload-Metadata", "Upload-Offset",
    "X-CSRF-Token",   "X-Forwarded-For", "X-HTTP-Method-Override"};
constexpr std::string_view kMethods[] = {"GET",   "HEAD",   "POST",    "PUT",
                                         "PATCH", "DELETE", "OPTIONS", "TRACE"};

void collect_names(const YAML::Node& node, std::set<std::string>& names) {
  if (node.IsSequence()) {
    for (const auto& each : node) collect_names(each, names);
  }
  if (!node.IsMap()) return;
  if (node["in"] && node["name"] && node["name"].IsScalar())
    names.insert(node["name"].as<std::string>());
  for (const auto& entry : node) {
    if (entry.first.as<std::string>() == "properties" && entry.second.IsMap()) {
      for (const auto& member : entry.second) names.insert(member.first.as<std::string>());
    }
    collect_names(entry.second, names);
  }
}

}  // namespace

Contract read_contract(const std::string& path) {
  const YAML::Node document = YAML::LoadFile(path);
  Contract contract;
  for (const auto& entry : document["paths"]) {
    for (const auto& method : kMethods) {
      std::string lower(method);
      for (char& c : lower) c = static_cast<char>(c - 'A' + 'a');
      if (entry.second[lower])
        contract.operations.push_back({std::string(method), entry.first.as<std::string>()});
    }
  }
  std::set<std::string> names;
  collect_names(document, names);
  contract.names.assign(names.begin(), names.end());
  return contract;
}

std::string Requests::text() {
  if (one_in(20)) return std::string(random_() % 20'000, 'a');
  if (one_in(4)) {
    std::string bytes(random_() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random_());
    return bytes;
  }
  return std::string(pick(kTexts));
}

std::string Requests::escaped(const std::string& raw) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : raw.substr(0, 3000)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || one_in(200)) {
      out += c;
    } else {
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

std::string Requests::target(const std::string& path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const auto close = path[at] == '{' ? path.find('}', at) : path.npos;
    if (close == path.npos) {
      out += path[at++];
      continue;
    }
    const auto known = known_.find(path.substr(at + 1, close - at - 1));
    out += known != known_.end() && !one_in(3) ? known->second : escaped(text());
    at = close + 1;
  }
  for (char mark = '?'; !one_in(2); mark = '&')
    out += mark + escaped(one_in(3) ? pick(kTexts).data() : pick(contract_.names)) + "=" +
           escaped(text());
  return out;
}

std::string Requests::headers() {
  std::string out;
  while (!one_in(3)) {
    std::string value = text();
    if (!one_in(30)) {  // most are headers
      std::erase_if(value,
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    }
    out.append(pick(kHeaders)).append(": ").append(value).append("\r\n");
  }
  return out;
}

std::string Requests::json(unsigned depth) {
  switch (random_() % (depth > 4 ? 4 : 6)) {
    case 0:
      return std::to_string(static_cast<std::int32_t>(random_()));
    case 1:
      return one_in(2) ? "null" : "true";
    case 2:
      return one_in(10) ? "1e400" : "0.5";
    case 3: {
      std::string out = "\"";
      for (const char c : text()) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 0x20 || one_in(50)) out += c;
      }
      if (!known_.empty() && one_in(3))
        return "\"" + std::next(known_.begin(), random_() % known_.size())->second + "\"";
      return out + "\"";
    }
    case 4: {
      std::string out = "[";
      while (!one_in(3)) out += (out.size() > 1 ? "," : "") + json(depth + 1);
      return out + "]";
    }
    default: {
      std::string out = "{";
      while (!one_in(6))
        out += (out.size() > 1 ? ",\"" : "\"") + pick(contract_.names) + "\":" + json(depth + 1);
      return out + "}";
    }
  }
}

std::string Requests::body() {
  if (one_in(8)) return "";
  if (one_in(20)) return std::string(random_() % 200'000, '[');
  if (one_in(40)) return std::string(random_() % 3'000'000, 'x');
  std::string out = json(0);
  if (one_in(10)) out.resize(random_() % (out.size() + 1));
  return one_in(20) ? text() : out;
}

Made Requests::next() {
  const Operation& operation = pick(contract_.operations);
  Made made;
  const std::string method(one_in(12) ? pick(kMethods) : std::string_view(operation.method));
  made.is_head = method == "HEAD";
  std::string head = method + " " + target(operation.path) + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!one_in(10)) head += credentials_ + "\r\n";
  if (!one_in(5)) head += "Content-Type: application/json\r\n";
  head += headers() + "Connection: close\r\n";
  const std::string content = method == "GET" || method == "HEAD" ? "" : body();
  switch (random_() % 10) {
    case 0: {
      char size[20];
      std::snprintf(size, sizeof(size), "%zx\r\n", content.size());
      made.bytes = head + "Transfer-Encoding: chunked\r\n\r\n" +
                   (content.empty() ? "" : size + content + "\r\n") + "0\r\n\r\n";
      break;
    }
    case 1:
      made.sound = false;
      made.bytes =
          head + "Content-Length: " + std::to_string(random_() % 10'000) + "\r\n\r\n" + content;
      break;
    default:
      made.bytes =
          head + "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
  }
  for (auto changes = one_in(10) ? random_() % 8 + 1 : 0; changes > 0; --changes) {
    made.sound = false;
    made.bytes[random_() % std::min<std::size_t>(made.bytes.size(), 2000)] =
        static_cast<char>(random_());
  }
  return made;
}

}  // namespace oa::storm
