#include "oa/diff/lines.h"

#include <algorithm>
#include <vector>

namespace oa::diff {
namespace {

constexpr std::size_t kContext = 3;

using Lines = std::vector<std::string_view>;

// Each with its line break, so that a missing one at the end is a difference.
Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto length = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

struct Edit {
  char mark;  // ' ', '-', '+'
  std::string_view line;
};

// Furthest positions in `before` per diagonal, one row per number of edits; empty past the limit.
std::vector<std::vector<int>> trace(const Lines& before, const Lines& after) {
  const int n = static_cast<int>(before.size()), m = static_cast<int>(after.size());
  const int most = std::min(n + m, static_cast<int>(kMaxDifferentLines));
  std::vector<std::vector<int>> rows;
  std::vector<int> furthest(static_cast<std::size_t>(2 * most + 3), 0);
  const auto at = [&](int k) -> int& { return furthest[static_cast<std::size_t>(k + most + 1)]; };
  for (int d = 0; d <= most; ++d) {
    rows.emplace_back(furthest.begin() + (most + 1 - d - 1), furthest.begin() + (most + 1 + d + 2));
    for (int k = -d; k <= d; k += 2) {
      const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
      int x = down ? at(k + 1) : at(k - 1) + 1;
      while (x < n && x - k < m &&
             before[static_cast<std::size_t>(x)] == after[static_cast<std::size_t>(x - k)])
        ++x;
      at(k) = x;
      if (x >= n && x - k >= m) return rows;
    }
  }
  return {};
}

std::vector<Edit> edits(const Lines& before, const Lines& after,
                        const std::vector<std::vector<int>>& rows) {
  std::vector<Edit> reversed;
  int x = static_cast<int>(before.size()), y = static_cast<int>(after.size());
  const auto same = [&] {
    --x, --y;
    reversed.push_back({' ', before[static_cast<std::size_t>(x)]});
  };
  for (int d = static_cast<int>(rows.size()) - 1; d >= 0; --d) {
    const auto at = [&](int k) {
      return rows[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d + 1)];
    };
    const int k = x - y;
    const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
    const int from_x = d == 0 ? 0 : down ? at(k + 1) : at(k - 1);
    const int from_y = d == 0 ? 0 : from_x - (down ? k + 1 : k - 1);
    while (x > from_x && y > from_y && (d == 0 || x > from_x + (down ? 0 : 1)) &&
           (d == 0 || y > from_y + (down ? 1 : 0)))
      same();
    if (d == 0) break;
    if (down) {
      --y;
      reversed.push_back({'+', after[static_cast<std::size_t>(y)]});
    } else {
      --x;
      reversed.push_back({'-', before[static_cast<std::size_t>(x)]});
    }
  }
  std::ranges::reverse(reversed);
  return reversed;
}

std::string range_text(std::size_t first, std::size_t count) {
  const std::size_t shown =
      count == 0 ? first : first + 1;  // POSIX: an empty range names the line before
  return std::to_string(shown) + (count == 1 ? "" : "," + std::to_string(count));
}

std::string hunks(const std::vector<Edit>& edits) {
  std::string text;
  std::size_t old_line = 0, new_line = 0;  // of edits[done]
  std::size_t done = 0;
  const auto skip_to = [&](std::size_t to) {
    for (; done < to; ++done) {
      old_line += edits[done].mark != '+' ? 1 : 0;
      new_line += edits[done].mark != '-' ? 1 : 0;
    }
  };
  const auto next_change = [&](std::size_t from) {
    while (from < edits.size() && edits[from].mark == ' ') ++from;
    return from;
  };
  for (std::size_t change = next_change(0); change < edits.size();) {
    const std::size_t first = change > done + kContext ? change - kContext : done;
    skip_to(first);
    std::size_t end = change;  // behind the hunk's last change
    for (std::size_t next = change; next < edits.size() && next <= end + 2 * kContext;
         next = next_change(end))
      end = next + 1;
    const std::size_t last = std::min(end + kContext, edits.size());
    const std::size_t old_first = old_line, new_first = new_line;
    std::string body;
    for (std::size_t i = first; i < last; ++i) {
      body += edits[i].mark;
      body += edits[i].line;
      if (!edits[i].line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    }
    skip_to(last);
    text += "@@ -" + range_text(old_first, old_line - old_first) + " +" +
            range_text(new_first, new_line - new_first) + " @@\n" + body;
    change = next_change(end);
  }
  return text;
}

}  // namespace

std::string unified_lines(std::string_view before, std::string_view after) {
  if (before == after) return {};
  const Lines old_lines = split(before), new_lines = split(after);
  const auto too_many = [&] {
    return "(" + std::to_string(old_lines.size()) + " lines before, " +
           std::to_string(new_lines.size()) + " after)\n";
  };
  if (old_lines.size() > kMaxLines || new_lines.size() > kMaxLines) return too_many();
  const auto rows = trace(old_lines, new_lines);
  if (rows.empty()) return too_many();
  return hunks(edits(old_lines, new_lines, rows));
}

}  // namespace oa::diff
