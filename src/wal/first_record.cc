#include "oa/wal/first_record.h"

#include <array>

#include "oa/base/bytes.h"

namespace oa::wal {
namespace {

constexpr std::uint32_t kPage = 8192, kPageHeader = 24, kLongPageHeader = 40;
constexpr std::size_t kRecordHeader = 24, kCrcAt = 20, kDataHeader = 2, kAlignment = 8;
constexpr std::size_t kMaxRecord = 512;  // those that are looked for are a quarter of it
constexpr int kMaxRecords = 8;           // what may come before them: a changed setting
constexpr std::uint8_t kShortData = 255;
constexpr std::uint8_t kXlogManager = 0, kCheckpointShutdown = 0x00, kEndOfRecovery = 0x90;
constexpr std::size_t kCheckpointTimeAt = 64, kCheckpointTimelineAt = 8, kCheckpointBytes = 88;
constexpr std::size_t kEndTimelineAt = 8, kEndBytes = 16;
constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;

std::uint32_t crc32c(std::uint32_t crc, ByteView bytes) {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;
  for (const auto byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
  }
  return crc;
}

// Walks over the records of a segment; they go on behind the headers of pages.
class Records {
 public:
  Records(ByteView segment, std::size_t at) : segment_(segment), at_(at) {}

  // The next record; none when there is no sound one.
  std::optional<Bytes> next() {
    at_ = (at_ + kAlignment - 1) / kAlignment * kAlignment;
    skip_page_header();
    if (at_ + sizeof(std::uint32_t) > segment_.size()) return std::nullopt;
    const auto length = read_le<std::uint32_t>(segment_.subspan(at_));
    if (length < kRecordHeader + kDataHeader || length > kMaxRecord) return std::nullopt;
    Bytes record;
    while (record.size() < length) {
      skip_page_header();
      if (at_ >= segment_.size()) return std::nullopt;
      const std::size_t left_in_page = kPage - at_ % kPage;
      const auto piece = segment_.subspan(at_, std::min(left_in_page, length - record.size()));
      record.insert(record.end(), piece.begin(), piece.end());
      at_ += piece.size();
    }
    const ByteView view(record);
    const std::uint32_t crc =
        crc32c(crc32c(~0u, view.subspan(kRecordHeader)), view.first(kCrcAt)) ^ ~0u;
    if (crc != read_le<std::uint32_t>(view.subspan(kCrcAt))) return std::nullopt;
    return record;
  }

 private:
  void skip_page_header() {
    if (at_ % kPage == 0) at_ += at_ == 0 ? kLongPageHeader : kPageHeader;
  }
  ByteView segment_;
  std::size_t at_;
};

std::optional<Timestamp> moment_of(ByteView record, Timeline timeline) {
  constexpr std::size_t kInfoAt = 16, kManagerAt = 17;
  const ByteView data = record.subspan(kRecordHeader + kDataHeader);
  if (record[kManagerAt] != kXlogManager || record[kRecordHeader] != kShortData ||
      record[kRecordHeader + 1] != data.size())
    return std::nullopt;
  const std::uint8_t info = record[kInfoAt] & 0xf0;
  if (info == kEndOfRecovery && data.size() == kEndBytes &&
      read_le<std::uint32_t>(data.subspan(kEndTimelineAt)) == timeline.value)
    return Timestamp{static_cast<std::int64_t>(read_le<std::uint64_t>(data)) + kPostgresEpochUs};
  if (info == kCheckpointShutdown && data.size() == kCheckpointBytes &&
      read_le<std::uint32_t>(data.subspan(kCheckpointTimelineAt)) == timeline.value)
    return Timestamp{
        static_cast<std::int64_t>(read_le<std::uint64_t>(data.subspan(kCheckpointTimeAt))) *
        1'000'000};
  return std::nullopt;
}

}  // namespace

std::optional<Timestamp> began_at(const SegmentName& segment, ByteView bytes, Lsn fork) {
  if (bytes.size() != segment.size.bytes() || fork < segment.begin() || fork >= segment.end())
    return std::nullopt;
  Records records(bytes, segment.size.offset(fork));
  for (int i = 0; i < kMaxRecords; ++i) {
    const auto record = records.next();
    if (!record) break;
    if (const auto moment = moment_of(*record, segment.timeline)) return moment;
  }
  return std::nullopt;
}

}  // namespace oa::wal
