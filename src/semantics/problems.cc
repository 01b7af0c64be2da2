#include "problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "oa/base/bytes.h"

namespace oa::semantics {
namespace {

constexpr std::size_t kMaxQuotedBytes = 80;
constexpr std::size_t kMaxComparedBytes = 64;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Levenshtein's distance by bytes, without regard to the case of ASCII letters.
std::size_t distance(std::string_view left, std::string_view right) {
  const std::string a = lower(left.substr(0, kMaxComparedBytes));
  const std::string b = lower(right.substr(0, kMaxComparedBytes));
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

void Problems::add(Position at, std::string what) {
  if (count_++ == 0 || at < first_at_) {
    first_at_ = at;
    first_ = printable(what);
  }
}

Error Problems::error(std::string op) const {
  std::string message =
      fmt::format("line {}, column {}: {}", first_at_.line, first_at_.column, first_);
  if (count_ > 1)
    message += fmt::format(" (and {} more problem{})", count_ - 1, count_ > 2 ? "s" : "");
  return make_error(ErrorCode::kModelInvalid, std::move(op), std::move(message))
      .with_hint("correct the model there and save it again");
}

std::string quoted_name(std::string_view name) {
  if (name.size() <= kMaxQuotedBytes) return fmt::format("\"{}\"", printable(name));
  std::size_t end = kMaxQuotedBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return fmt::format("\"{}…\"", printable(name.substr(0, end)));
}

std::string printable(std::string_view text) {
  const bool utf8 = is_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // C1 controls are U+0080 to U+009F, C2 80 to C2 9F in UTF-8.
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    out += c < 0x20 || c == 0x7F || c1 || (c >= 0x80 && !utf8) ? '?' : text[i];
    if (c1) ++i;
  }
  return out;
}

std::string suggestion(std::string_view name, const std::vector<std::string_view>& candidates) {
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    // As many bytes at least as the one is longer than the other.
    if (std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size()) >= best)
      continue;
    const std::size_t apart = distance(name, candidate);
    if (apart < best && apart < std::max(name.size(), candidate.size())) {
      best = apart;
      nearest = candidate;
    }
  }
  return nearest.empty() ? "" : fmt::format(" (did you mean {}?)", quoted_name(nearest));
}

}  // namespace oa::semantics
