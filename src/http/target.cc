#include "target.h"

#include <algorithm>
#include <optional>

#include "oa/base/bytes.h"

namespace oa::http {
namespace {

constexpr std::size_t kMaxQueryNames = 64;

Error refused(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "http.target", std::move(message));
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low) return refused("the address holds a % that begins no escape");
      decoded += static_cast<char>(*high << 4 | *low);
      i += 2;
    }
  }
  if (std::ranges::any_of(decoded, is_control))
    return refused("the address holds a control character");
  if (!is_utf8(decoded)) return refused("the address is not UTF-8");
  return decoded;
}

Result<std::vector<std::string>> parse_path(std::string_view text) {
  std::vector<std::string> path;
  text.remove_prefix(1);
  if (text.empty()) return path;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('/', begin), text.size());
    OA_ASSIGN(std::string segment, decode(text.substr(begin, end - begin), false));
    if (segment == "." || segment == "..") return refused("the address holds a dot segment");
    if (segment.find_first_of("/\\") != segment.npos)
      return refused("the address holds an encoded slash");
    path.push_back(std::move(segment));
    begin = end + 1;
  }
  return path;
}

Result<std::map<std::string, std::string>> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    OA_ASSIGN(std::string name, decode(part.substr(0, equals), true));
    OA_ASSIGN(std::string value, decode(part.substr(std::min(equals + 1, part.size())), true));
    if (query.size() == kMaxQueryNames) return refused("the address has too many parameters");
    if (!query.emplace(std::move(name), std::move(value)).second)
      return refused("the address gives a parameter twice");
  }
  return query;
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/'))
    return refused("the address must begin with a slash; this server is no proxy");
  const auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
           c == '#' || c == '\\' || c == '"' || c == '<' || c == '>';
  };
  if (std::ranges::any_of(text, forbidden))
    return refused("the address holds a character that must be percent-encoded");
  const auto mark = std::min(text.find('?'), text.size());
  Target target;
  OA_ASSIGN(target.path, parse_path(text.substr(0, mark)));
  OA_ASSIGN(target.query, parse_query(text.substr(std::min(mark + 1, text.size()))));
  return target;
}

}  // namespace oa::http
