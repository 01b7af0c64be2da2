// Why a CSV file is refused, in words that never quote it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oa/base/error.h"

namespace oa::analytics {

/// Longest line an import takes; DuckDB's own default, which its 32 MiB buffers are sized for.
inline constexpr std::size_t kMaxLineBytes = 2'000'000;

/// kImportRejected for one line of the file (the first is 1): "Line 7 <reason>".
Error rejected_line(std::uint64_t line, std::string_view reason);

/// What DuckDB's CSV reader complained about; nothing when `engine_message` is not one of its
/// complaints. The message quotes the raw line and must not go on: only its line number and the
/// kind of fault are taken over.
std::optional<Error> csv_rejection(std::string_view engine_message);

}  // namespace oa::analytics
