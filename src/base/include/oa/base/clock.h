// Moments in UTC with microseconds, the resolution of Postgres timestamptz.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "oa/base/result.h"

namespace oa {

struct Timestamp {
  std::int64_t unix_us = 0;  // microseconds since 1970-01-01T00:00:00Z

  /// The system clock.
  static Timestamp now();
  /// RFC 3339 in UTC with six fraction digits and 'Z': "2026-04-16T09:42:11.134000Z".
  std::string rfc3339() const;
  /// Accepts RFC 3339 with 0–6 fraction digits and any numeric offset or 'Z'; kInvalidArgument
  /// otherwise.
  static Result<Timestamp> parse(std::string_view text);
  /// Whole seconds, rounded down.
  std::int64_t unix_seconds() const;
  auto operator<=>(const Timestamp&) const = default;
};

}  // namespace oa
