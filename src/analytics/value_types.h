// Which column types give a text back unchanged in meaning.
#pragma once

#include <cstdint>
#include <string_view>

namespace oa::analytics {

/// A set of types, one bit each.
using TypeSet = std::uint8_t;
inline constexpr TypeSet kBoolean = 1;  // true, false in any case
inline constexpr TypeSet kBigint = 2;   // up to 18 digits; no leading zero, no plus sign
inline constexpr TypeSet kDouble =
    4;  // at most 15 digits before the point, no leading zero, no plus sign
inline constexpr TypeSet kDate = 8;          // 2024-02-29
inline constexpr TypeSet kTimestamp = 16;    // 2024-02-29[ T]12:30[:15[.123456]], also a date
inline constexpr TypeSet kTimestampTz = 32;  // a timestamp with seconds and Z, +hh or +hh:mm
inline constexpr TypeSet kAllTypes = 63;

/// Longest text that any of the types takes; a longer one is in none.
inline constexpr std::size_t kMaxTypedBytes = 48;

/// The types that `text` (not empty) fits. 00501, +4930123, 0x1F, 1_000, a 20-digit code and
/// 01/02/2024 fit none: DuckDB's casts would take them and change them, as they would 1.5 to BIGINT
/// or a timestamp to DATE.
TypeSet types_of(std::string_view text);

/// The SQL name of the narrowest type of `candidates`; VARCHAR when there is none.
std::string_view type_name(TypeSet candidates);

}  // namespace oa::analytics
