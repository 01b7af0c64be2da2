#include "passfile.h"

#include <fmt/format.h>

#include <array>

#include "oa/base/io.h"

namespace oa::catalog {
namespace {

constexpr const char* kOp = "passfile";
constexpr std::size_t kMaxBytes = 64 << 10;

// Up to the next colon that no backslash stands before; `line` is what follows it.
std::string next_field(std::string_view& line, bool last) {
  std::string field;
  while (!line.empty()) {
    char c = line.front();
    line.remove_prefix(1);
    if (c == ':' && !last) break;
    if (c == '\\' && !line.empty()) {
      c = line.front();
      line.remove_prefix(1);
    }
    field += c;
  }
  return field;
}

bool fits(std::string_view line, const PassfileKey& key, std::string& password) {
  const bool comment = line.starts_with('#');
  const std::array<const std::string*, 4> wanted = {&key.host, &key.port, &key.database, &key.role};
  for (const auto* each : wanted) {
    const bool any = line.starts_with("*:");
    if (next_field(line, false) != *each && !any) return false;
  }
  password = next_field(line, true);
  return !comment;
}

}  // namespace

SecretBytes password_in(std::string_view text, const PassfileKey& key) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string password;
    if (fits(line, key, password) && !password.empty())
      return SecretBytes::copy_of(as_bytes(password));
  }
  return {};
}

Result<SecretBytes> password_of(const std::string& path, const PassfileKey& key) {
  OA_ASSIGN(const auto source, FileSource::open(path));
  if (source->size() > kMaxBytes)
    return make_error(ErrorCode::kLimitExceeded, kOp,
                      "the passfile is longer than 64 KiB: " + path);
  SecretBytes text(source->size());
  OA_TRY(source->read_at(0, text.mutable_view()));
  auto password = password_in(as_text(text.view()), key);
  if (!password.empty()) return password;
  return make_error(ErrorCode::kInvalidArgument, kOp,
                    fmt::format("{} has no password of the role {}", path, key.role))
      .with_hint(fmt::format("add a line: *:*:*:{}:PASSWORD", key.role));
}

}  // namespace oa::catalog
