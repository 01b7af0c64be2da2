#include "object_key.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "oa/crypto/secret.h"

namespace oa {
namespace {

constexpr std::size_t kMaxName = 512;
constexpr std::size_t kMaxSegment =
    200;  // a file system takes 255, and the local driver adds a mark
constexpr std::size_t kTimeDigits = 20;
constexpr std::size_t kRandomBytes = 4;
constexpr std::size_t kVersionSize = kTimeDigits + 1 + 2 * kRandomBytes;

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool is_segment(std::string_view segment) {
  return !segment.empty() && segment.size() <= kMaxSegment && segment.front() != '.' &&
         std::ranges::all_of(segment, is_name_character);
}

}  // namespace

std::string_view to_text(RetentionClass retention_class) {
  switch (retention_class) {
    case RetentionClass::kRows:
      return "rows";
    case RetentionClass::kOriginals:
      return "originals";
    case RetentionClass::kArchives:
      return "archives";
    case RetentionClass::kWal:
      return "wal";
    case RetentionClass::kLedger:
      return "ledger";
  }
  OA_ASSERT(false);
}

Status check_object_key(const ObjectKey& key) {
  const auto bad = [] {
    return make_error(
        ErrorCode::kInvalidArgument, "object.name",
        "an object's name has 1 to 512 characters of A-Z a-z 0-9 . _ - in segments of at most 200, "
        "parted by / and not beginning with a dot");
  };
  std::string_view rest = key.name;
  if (rest.size() > kMaxName) return bad();
  for (;;) {
    const auto slash = rest.find('/');
    if (!is_segment(rest.substr(0, slash))) return bad();
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

VersionId make_version(Timestamp created_at) {
  std::array<std::uint8_t, kRandomBytes> random;
  random_fill(random);
  std::string digits = std::to_string(created_at.unix_us);
  OA_ASSERT(created_at.unix_us >= 0 && digits.size() <= kTimeDigits);
  digits.insert(0, kTimeDigits - digits.size(), '0');
  return {digits + "-" + to_hex(random)};
}

std::optional<Timestamp> parse_version(std::string_view text) {
  if (text.size() != kVersionSize || text[kTimeDigits] != '-') return std::nullopt;
  const auto random = text.substr(kTimeDigits + 1);
  if (random.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  Timestamp created_at;
  const char* const end = text.data() + kTimeDigits;
  const auto parsed = std::from_chars(text.data(), end, created_at.unix_us);
  if (parsed.ec != std::errc{} || parsed.ptr != end || text.front() == '-') return std::nullopt;
  return created_at;
}

}  // namespace oa
