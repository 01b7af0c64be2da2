// What every record is held against, so that whatever is stored can be archived and the reverse.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "oa/base/bytes.h"
#include "oa/base/clock.h"
#include "oa/base/json.h"

namespace oa {

/// Of the name of a tenant, workspace, user …, in UTF-8.
inline constexpr std::size_t kMaxNameBytes = 512;
/// JSON documents inside a record may nest this deep, so that the whole entry stays within
/// JsonLimits.
inline constexpr std::size_t kMaxJsonDepth = 24;

/// Collects the first broken rule of one record.
class RecordChecker {
 public:
  explicit RecordChecker(std::string_view kind) : kind_(kind) {}

  void text(std::string_view field, std::string_view value, std::size_t max_bytes) {
    if (value.size() > max_bytes)
      return fail(field, "is longer than " + std::to_string(max_bytes) + " bytes");
    if (value.find('\0') != std::string_view::npos) return fail(field, "contains a NUL character");
    if (!is_utf8(value)) fail(field, "is not UTF-8");
  }
  void name(std::string_view field, std::string_view value) { text(field, value, kMaxNameBytes); }
  void json(std::string_view field, const JsonText& value) {
    if (value.str().size() > kMaxJsonBytes) return fail(field, "is larger than 1 MiB");
    json_bytes_ += value.str().size();
    if (depth(value.str()) > kMaxJsonDepth)
      fail(field, "is nested deeper than " + std::to_string(kMaxJsonDepth));
  }
  void moment(std::string_view field, Timestamp value) {
    if (value.unix_us < kFirstMomentUs || value.unix_us > kLastMomentUs) {
      fail(field, "is outside the years 1 to 9999");
    }
  }
  void moment(std::string_view field, const std::optional<Timestamp>& value) {
    if (value.has_value()) moment(field, *value);
  }
  void count(std::string_view field, std::size_t value, std::size_t max) {
    if (value > max) fail(field, "has more than " + std::to_string(max) + " items");
  }
  void amount(std::string_view field, std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail(field, "is out of range");
    }
  }
  void that(bool holds, std::string_view field, std::string_view what) {
    if (!holds) fail(field, std::string(what));
  }
  std::size_t json_bytes() const { return json_bytes_; }
  Status result() const {
    if (failure_.empty()) return {};
    return make_error(ErrorCode::kInvalidArgument, "record.check", failure_);
  }

 private:
  static constexpr std::size_t kMaxJsonBytes = std::size_t{1} << 20;
  static constexpr std::int64_t kFirstMomentUs =
      -62'135'596'800'000'000;  // 0001-01-01, as far back as RFC 3339 and Postgres go
  static constexpr std::int64_t kLastMomentUs = 253'402'300'799'999'999;  // the end of 9999

  void fail(std::string_view field, const std::string& what) {
    if (failure_.empty()) failure_ = kind_ + "." + std::string(field) + " " + what;
  }
  // Of canonical JSON, where a quote inside a string is always escaped.
  static std::size_t depth(std::string_view json) {
    std::size_t now = 0, deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
      const char c = json[i];
      if (in_string && c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = !in_string;
      } else if (!in_string && (c == '{' || c == '[')) {
        deepest = std::max(deepest, ++now);
      } else if (!in_string && (c == '}' || c == ']')) {
        --now;
      }
    }
    return deepest;
  }

  std::string kind_;
  std::string failure_;
  std::size_t json_bytes_ = 0;
};

}  // namespace oa
