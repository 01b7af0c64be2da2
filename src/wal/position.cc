#include "oa/wal/position.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>

namespace oa::wal {
namespace {

constexpr std::size_t kHalfDigits = 8;
constexpr std::size_t kSegmentDigits = 24;
constexpr std::string_view kHistorySuffix = ".history";

Error invalid(std::string what) {
  return make_error(ErrorCode::kInvalidArgument, "wal.parse", std::move(what));
}

// Up to eight hex digits and nothing else.
std::optional<std::uint32_t> parse_hex(std::string_view text) {
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  if (text.empty() || text.size() > kHalfDigits) return std::nullopt;
  const auto [rest, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// As Postgres writes names of files: exactly eight digits, upper case.
std::optional<std::uint32_t> parse_name_part(std::string_view text) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
  if (text.size() != kHalfDigits || !std::ranges::all_of(text, digit)) return std::nullopt;
  return parse_hex(text);
}

std::string_view next_field(std::string_view& line) {
  constexpr std::string_view kBlank = " \t";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const auto field = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(field.size());
  return field;
}

}  // namespace

Result<Lsn> Lsn::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto high = parse_hex(text.substr(0, slash)), low = parse_hex(text.substr(slash + 1));
    if (high && low) return Lsn{std::uint64_t{*high} << 32 | *low};
  }
  return invalid("not a position in the write-ahead log")
      .with_hint("two hexadecimal numbers with a slash between, like 16/B374D848");
}

std::string Lsn::str() const { return fmt::format("{:X}/{:X}", value >> 32, value & 0xffffffffu); }

Result<SegmentSize> SegmentSize::of(std::uint64_t bytes) {
  if (!std::has_single_bit(bytes) || bytes < (1u << 20) || bytes > (1u << 30))
    return invalid("not a size of segments of the write-ahead log");
  return SegmentSize(static_cast<std::uint32_t>(bytes));
}

SegmentName SegmentName::containing(Timeline timeline, Lsn lsn, SegmentSize size) {
  return {timeline, lsn.value / size.bytes(), size};
}

Result<SegmentName> SegmentName::parse(std::string_view text, SegmentSize size) {
  if (text.size() == kSegmentDigits) {
    const std::uint64_t per_high = (std::uint64_t{1} << 32) / size.bytes();
    const auto timeline = parse_name_part(text.substr(0, 8));
    const auto high = parse_name_part(text.substr(8, 8)), low = parse_name_part(text.substr(16));
    if (timeline && *timeline != 0 && high && low && *low < per_high)
      return SegmentName{{*timeline}, *high * per_high + *low, size};
  }
  return invalid("not the name of a segment of the write-ahead log");
}

std::string SegmentName::str() const {
  const std::uint64_t per_high = (std::uint64_t{1} << 32) / size.bytes();
  return fmt::format("{:08X}{:08X}{:08X}", timeline.value, number / per_high, number % per_high);
}

std::string history_name(Timeline timeline) {
  return fmt::format("{:08X}{}", timeline.value, kHistorySuffix);
}

std::optional<Timeline> parse_history_name(std::string_view name) {
  if (!name.ends_with(kHistorySuffix)) return std::nullopt;
  name.remove_suffix(kHistorySuffix.size());
  const auto timeline = parse_name_part(name);
  if (!timeline || *timeline < 2) return std::nullopt;
  return Timeline{*timeline};
}

// readTimeLineHistory() of Postgres: per line the timeline, where it was left, a reason; comments
// begin with '#'.
Result<std::vector<Ancestor>> parse_history(Timeline own, ByteView file) {
  if (file.size() > kMaxHistorySize) return invalid("a timeline history of more than 1 MiB");
  std::vector<Ancestor> ancestors;
  for (std::string_view rest = as_text(file); !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto timeline_text = next_field(line);
    if (timeline_text.empty() || timeline_text.front() == '#') continue;
    std::uint32_t timeline = 0;
    const auto end = timeline_text.data() + timeline_text.size();
    const auto parsed = std::from_chars(timeline_text.data(), end, timeline);
    const auto left_at = Lsn::parse(next_field(line));
    if (parsed.ec != std::errc() || parsed.ptr != end || timeline == 0 || !left_at.ok())
      return invalid("a line of a timeline history does not parse");
    const Ancestor last = ancestors.empty() ? Ancestor{} : ancestors.back();
    if (timeline <= last.timeline.value || timeline >= own.value || *left_at < last.end)
      return invalid("the lines of a timeline history are out of order");
    ancestors.push_back({{timeline}, *left_at});
  }
  return ancestors;
}

}  // namespace oa::wal
