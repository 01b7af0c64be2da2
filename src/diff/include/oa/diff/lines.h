// Which lines of two texts differ.
#pragma once

#include <string>
#include <string_view>

namespace oa::diff {

/// Past so many lines of a side, or so many different ones, only the numbers of lines are told.
inline constexpr std::size_t kMaxLines = 20'000;
inline constexpr std::size_t kMaxDifferentLines = 2'000;

/// The unified format (POSIX diff -u) without its file header: hunks with three lines of context.
/// Empty when the texts are equal. Fewest changed lines (E. W. Myers, "An O(ND) Difference
/// Algorithm and Its Variations", 1986).
std::string unified_lines(std::string_view before, std::string_view after);

}  // namespace oa::diff
