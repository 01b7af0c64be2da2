// Places in Postgres' write-ahead log and the names of its files (Postgres 15, access/xlogdefs.h
// and access/xlog_internal.h).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/bytes.h"

namespace oa::wal {

/// A byte of the log. Text: two hexadecimal numbers of up to eight digits, "16/B374D848".
struct Lsn {
  std::uint64_t value = 0;  // 0: none

  /// kInvalidArgument.
  static Result<Lsn> parse(std::string_view text);
  std::string str() const;
  auto operator<=>(const Lsn&) const = default;
};

/// A branch of the log's history; the first one is 1.
struct Timeline {
  std::uint32_t value = 0;  // 0: none

  auto operator<=>(const Timeline&) const = default;
};

/// Bytes in a segment, as chosen by initdb.
class SegmentSize {
 public:
  /// kInvalidArgument unless a power of two from 1 MiB to 1 GiB.
  static Result<SegmentSize> of(std::uint64_t bytes);
  constexpr SegmentSize() = default;  // 16 MiB
  std::uint32_t bytes() const { return bytes_; }
  Lsn floor(Lsn lsn) const { return {lsn.value & ~std::uint64_t{bytes_ - 1}}; }
  std::uint32_t offset(Lsn lsn) const {
    return static_cast<std::uint32_t>(lsn.value & (bytes_ - 1));
  }
  auto operator<=>(const SegmentSize&) const = default;

 private:
  constexpr explicit SegmentSize(std::uint32_t bytes) : bytes_(bytes) {}
  std::uint32_t bytes_ = 16u << 20;
};

/// One segment of one timeline. Sorts by timeline, then by place.
struct SegmentName {
  Timeline timeline;
  std::uint64_t number = 0;  // its first byte, in segments
  SegmentSize size;

  /// The segment with the byte at `lsn`.
  static SegmentName containing(Timeline timeline, Lsn lsn, SegmentSize size);
  /// 24 upper-case hex digits; kInvalidArgument, also for one that cannot be with that size.
  static Result<SegmentName> parse(std::string_view text, SegmentSize size);
  std::string str() const;
  Lsn begin() const { return {number * size.bytes()}; }
  Lsn end() const { return {(number + 1) * size.bytes()}; }
  SegmentName next() const { return {timeline, number + 1, size}; }
  auto operator<=>(const SegmentName&) const = default;
};

/// "00000002.history", the file that says where a timeline comes from. None for timeline 1.
std::string history_name(Timeline timeline);
/// The timeline of such a name; none when it is no such name.
std::optional<Timeline> parse_history_name(std::string_view name);

/// An ancestor of a timeline, and where it was left for its successor.
struct Ancestor {
  Timeline timeline;
  Lsn end;
};

/// No history file that Postgres makes comes near it.
inline constexpr std::size_t kMaxHistorySize = 1 << 20;

/// The ancestors of `own` by its history file, oldest first. kInvalidArgument when it is none:
/// lines that do not parse, timelines or ends that do not ascend, one that is not older than `own`.
Result<std::vector<Ancestor>> parse_history(Timeline own, ByteView file);

}  // namespace oa::wal
