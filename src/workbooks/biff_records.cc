#include "biff_records.h"

#include <bit>

#include "oa/base/utf8.h"

namespace oa::workbooks {
namespace {

constexpr std::uint16_t kContinue = 0x3C;
constexpr char32_t kReplacement = 0xFFFD;
// Of a string's flags.
constexpr std::uint8_t kWide = 1;
constexpr std::uint8_t kPhonetic = 4;
constexpr std::uint8_t kRich = 8;

}  // namespace

Error damaged_biff(std::string cause) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", "The workbook is damaged")
      .with_hint("Open it in a spreadsheet program, save it as .xlsx and import that")
      .with_cause(std::move(cause));
}

Result<std::optional<BiffRecord>> BiffRecords::next() {
  BiffRecord record;
  for (bool first = true; at_ + 4 <= stream_.size(); first = false) {
    const auto type = read_le<std::uint16_t>(stream_.subspan(at_));
    const std::size_t size = read_le<std::uint16_t>(stream_.subspan(at_ + 2));
    if (!first && type != kContinue) break;
    if (size > stream_.size() - at_ - 4) return damaged_biff("a record is cut");
    if (first) record.type = type;
    record.pieces.push_back(stream_.subspan(at_ + 4, size));
    at_ += 4 + size;
  }
  if (record.pieces.empty()) return std::optional<BiffRecord>();
  return std::optional<BiffRecord>(std::move(record));
}

// Whether there is a byte more, be it in the next piece.
bool BiffReader::fill() {
  while (piece_ < pieces_.size() && at_ == pieces_[piece_].size()) {
    ++piece_;
    at_ = 0;
  }
  failed_ = failed_ || piece_ == pieces_.size();
  return !failed_;
}

std::uint64_t BiffReader::number(std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes && fill(); ++i)
    value |= std::uint64_t{pieces_[piece_][at_++]} << (8 * i);
  return failed_ ? 0 : value;
}

double BiffReader::real() { return std::bit_cast<double>(number(8)); }

void BiffReader::skip(std::uint64_t bytes) {
  while (bytes > 0 && fill()) {
    const std::uint64_t count = std::min<std::uint64_t>(bytes, pieces_[piece_].size() - at_);
    at_ += count;
    bytes -= count;
  }
}

std::string BiffReader::text(std::size_t length_bytes, std::size_t most_bytes) {
  const std::uint64_t length = number(length_bytes);
  auto flags = static_cast<std::uint8_t>(number(1));
  const std::uint64_t runs = (flags & kRich) != 0 ? number(2) : 0;
  const std::uint64_t phonetic = (flags & kPhonetic) != 0 ? number(4) : 0;
  std::string out;
  char32_t high = 0;
  for (std::uint64_t i = 0; i < length && !failed_; ++i) {
    const std::size_t piece = piece_;
    if (!fill()) break;
    // Characters that go on in the next piece have flags of their own there.
    if (piece_ != piece && i > 0) flags = static_cast<std::uint8_t>(number(1));
    const auto unit = static_cast<char32_t>(number((flags & kWide) != 0 ? 2 : 1));
    if (high != 0 && is_low_surrogate(unit)) {
      append_utf8(out, from_surrogates(high, unit));
      high = 0;
      continue;
    }
    if (high != 0) append_utf8(out, kReplacement);
    high = is_high_surrogate(unit) ? unit : 0;
    if (high == 0) append_utf8(out, is_low_surrogate(unit) ? kReplacement : unit);
    if (out.size() > most_bytes) failed_ = true;
  }
  if (high != 0) append_utf8(out, kReplacement);
  skip(runs * 4);
  skip(phonetic);
  return out;
}

}  // namespace oa::workbooks
