#include "binary_copy.h"

#include <bit>
#include <limits>

namespace oa::sources {
namespace {

using analytics::Int128;

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr std::size_t kFixedHeader = kSignature.size() + 8;  // flags, length of the extension
constexpr std::uint32_t kMaxExtension = 1024;
constexpr std::uint32_t kCriticalFlags = 0xFFFF0000;
constexpr std::int64_t kEpochDays = 10'957;  // 2000-01-01 since 1970-01-01
constexpr std::int64_t kEpochUs = 946'684'800'000'000;
// What Postgres can hold from 4714-11-24 BC on and what fits behind our epoch.
constexpr std::int32_t kFirstDay = -2'451'545, kLastDay = 2'145'031'948;
constexpr std::int64_t kFirstUs = -211'813'488'000'000'000;
constexpr std::int64_t kLastUs = std::numeric_limits<std::int64_t>::max() - kEpochUs - 1;
constexpr std::size_t kCompactBytes = std::size_t{1} << 20;

template <class T>
T read_be(ByteView bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | bytes[i]);
  return value;
}

std::int16_t read_int2(ByteView bytes) {
  return static_cast<std::int16_t>(read_be<std::uint16_t>(bytes));
}
std::int32_t read_int4(ByteView bytes) {
  return static_cast<std::int32_t>(read_be<std::uint32_t>(bytes));
}
std::int64_t read_int8(ByteView bytes) {
  return static_cast<std::int64_t>(read_be<std::uint64_t>(bytes));
}

std::size_t width_of(Wire wire) {
  switch (wire) {
    case Wire::kBool:
      return 1;
    case Wire::kInt2:
      return 2;
    case Wire::kInt4:
    case Wire::kFloat4:
    case Wire::kDate:
      return 4;
    case Wire::kInt8:
    case Wire::kFloat8:
    case Wire::kTimestamp:
      return 8;
    case Wire::kNumeric:
    case Wire::kText:
      return 0;  // varies
  }
  OA_ASSERT(false);
}

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// The digits of a numeric: groups of four, the first one worth 10000^weight.
struct Numeric {
  static constexpr std::uint16_t kPositive = 0x0000, kNegative = 0x4000;
  std::size_t groups = 0;
  int weight = 0;
  std::uint16_t sign = kPositive;
  ByteView digits;
};

// The value times 10^scale, exactly; false when it has digits beyond the scale or does not fit.
bool scaled(const Numeric& numeric, int precision, int scale, Int128& out) {
  Int128 value = 0;
  const Int128 bound = power_of_ten(precision);  // 10^38 fits
  for (std::size_t i = 0; i < numeric.groups; ++i) {
    const int group = read_be<std::uint16_t>(numeric.digits.subspan(2 * i));
    if (group == 0) continue;
    // Its last digit stands at 10^exponent of the scaled value.
    const int exponent = 4 * (numeric.weight - static_cast<int>(i)) + scale;
    if (exponent < -3 || exponent > 38) return false;
    Int128 part = group;
    if (exponent < 0) {
      const Int128 cut = power_of_ten(-exponent);
      if (part % cut != 0) return false;
      part /= cut;
    } else {
      if (exponent == 38 || part >= bound / power_of_ten(exponent) + 1) return false;
      part *= power_of_ten(exponent);
    }
    if (part >= bound - value) return false;
    value += part;
  }
  out = numeric.sign == Numeric::kNegative ? -value : value;
  return true;
}

}  // namespace

Error CopyReader::malformed(const std::string& what) const {
  return make_error(ErrorCode::kImportRejected, "source.read",
                    "table " + table_ + ", row " + std::to_string(rows_ + 1) + ": " + what)
      .with_hint("check that the secret names a Postgres server, not something else");
}

Error CopyReader::rejected(const WireColumn& column, const std::string& what) const {
  return make_error(ErrorCode::kImportRejected, "source.read",
                    "table " + table_ + ", column " + column.column.name + ", row " +
                        std::to_string(rows_ + 1) + ": " + what);
}

void CopyReader::feed(std::string_view bytes) {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ > kCompactBytes) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_ += bytes;
}

Result<bool> CopyReader::read_header() {
  const std::size_t there = rest().size();
  if (there < kFixedHeader) return false;
  if (as_text(rest().first(kSignature.size())) != kSignature)
    return malformed("the source sends no binary COPY");
  const auto flags = read_be<std::uint32_t>(rest().subspan(kSignature.size()));
  const auto extension = read_be<std::uint32_t>(rest().subspan(kSignature.size() + 4));
  if ((flags & kCriticalFlags) != 0 || extension > kMaxExtension)
    return malformed("the source sends a binary COPY of an unknown version");
  if (there < kFixedHeader + extension) return false;
  at_ += kFixedHeader + extension;
  part_ = Part::kRows;
  return true;
}

Result<std::size_t> CopyReader::measure_row() const {
  const ByteView bytes = rest();
  std::size_t size = 2;
  for (const WireColumn& column : columns_) {
    if (bytes.size() < size + 4) return std::size_t{0};
    const std::int32_t length = read_int4(bytes.subspan(size));
    size += 4;
    if (length == -1) continue;
    if (length < 0) return malformed("a field has a negative length");
    const auto field = static_cast<std::size_t>(length);
    if (width_of(column.wire) != 0 && field != width_of(column.wire))
      return rejected(column, "the field is not of its column's type");
    if (field > limits_.max_field_bytes || size + field > limits_.max_row_bytes) {
      Error error =
          rejected(column, field > limits_.max_field_bytes
                               ? "the field is larger than " + format_size(limits_.max_field_bytes)
                               : "the row is larger than " + format_size(limits_.max_row_bytes));
      error.code = ErrorCode::kLimitExceeded;
      error.hint = "leave the column out with a view at the source";
      return error;
    }
    size += field;
    if (bytes.size() < size) return std::size_t{0};
  }
  return size;
}

Status CopyReader::read_numeric(const WireColumn& column, ByteView field,
                                analytics::RowBatch& batch) const {
  constexpr std::size_t kFixed = 8;
  if (field.size() < kFixed) return rejected(column, "the field is no numeric");
  Numeric numeric;
  numeric.groups = read_be<std::uint16_t>(field);
  numeric.weight = read_int2(field.subspan(2));
  numeric.sign = read_be<std::uint16_t>(field.subspan(4));
  numeric.digits = field.subspan(kFixed);
  if (numeric.sign == 0xC000) return rejected(column, "the value is not a number");
  if (numeric.sign == 0xD000 || numeric.sign == 0xF000)
    return rejected(column, "the value is infinite");
  if ((numeric.sign != Numeric::kPositive && numeric.sign != Numeric::kNegative) ||
      numeric.digits.size() != 2 * numeric.groups) {
    return rejected(column, "the field is no numeric");
  }
  for (std::size_t i = 0; i < numeric.groups; ++i) {
    if (read_be<std::uint16_t>(numeric.digits.subspan(2 * i)) > 9999)
      return rejected(column, "the field is no numeric");
  }
  Int128 value = 0;
  if (!scaled(numeric, column.precision, column.scale, value)) {
    return rejected(column, "the value does not fit " + column.column.type)
        .with_hint(
            "give the column a precision and a scale that fit, of at most 38 digits, or cast "
            "it to double precision or text in a view");
  }
  batch.decimal(value);
  return {};
}

Status CopyReader::read_field(const WireColumn& column, ByteView field,
                              analytics::RowBatch& batch) const {
  switch (column.wire) {
    case Wire::kBool:
      if (field[0] > 1) return rejected(column, "the field is no boolean");
      batch.boolean(field[0] == 1);
      return {};
    case Wire::kInt2:
      batch.integer(read_int2(field));
      return {};
    case Wire::kInt4:
      batch.integer(read_int4(field));
      return {};
    case Wire::kInt8:
      batch.integer(read_int8(field));
      return {};
    case Wire::kFloat4:
      batch.real(std::bit_cast<float>(read_int4(field)));
      return {};
    case Wire::kFloat8:
      batch.real(std::bit_cast<double>(read_int8(field)));
      return {};
    case Wire::kNumeric:
      return read_numeric(column, field, batch);
    case Wire::kDate: {
      const std::int32_t days = read_int4(field);
      if (days < kFirstDay || days > kLastDay) return rejected(column, "the date is infinite");
      batch.integer(days + kEpochDays);
      return {};
    }
    case Wire::kTimestamp: {
      const std::int64_t us = read_int8(field);
      if (us < kFirstUs || us > kLastUs)
        return rejected(column, "the timestamp is infinite or too far away");
      batch.integer(us + kEpochUs);
      return {};
    }
    case Wire::kText:
      if (!is_utf8(as_text(field))) return rejected(column, "the text is not UTF-8");
      batch.text(as_text(field));
      return {};
  }
  OA_ASSERT(false);
}

Status CopyReader::read_row(std::size_t size, analytics::RowBatch& batch) {
  ByteView bytes = rest().first(size).subspan(2);
  for (const WireColumn& column : columns_) {
    const std::int32_t length = read_int4(bytes);
    bytes = bytes.subspan(4);
    if (length == -1) {
      batch.null();
      continue;
    }
    const auto field = static_cast<std::size_t>(length);
    OA_TRY(read_field(column, bytes.first(field), batch));
    bytes = bytes.subspan(field);
  }
  OA_ASSERT(bytes.empty());
  batch.end_row();
  at_ += size;
  ++rows_;
  return {};
}

Status CopyReader::decode(analytics::RowBatch& batch) {
  if (part_ == Part::kHeader) {
    OA_ASSIGN(const bool whole, read_header());
    if (!whole) return {};
  }
  while (!batch.full()) {
    if (part_ == Part::kEnd) {
      if (rest().empty()) return {};
      return malformed("something follows the end of the rows");
    }
    if (rest().size() < 2) return {};
    const std::int16_t fields = read_int2(rest());
    if (fields == -1) {
      at_ += 2;
      part_ = Part::kEnd;
      continue;
    }
    if (fields < 0 || static_cast<std::size_t>(fields) != columns_.size())
      return malformed("the row has another number of fields than the table has columns");
    OA_ASSIGN(const std::size_t size, measure_row());
    if (size == 0) return {};
    OA_TRY(read_row(size, batch));
  }
  return {};
}

Status CopyReader::finish() const {
  if (part_ == Part::kEnd && rest().empty()) return {};
  return malformed("the source's rows end too early");
}

}  // namespace oa::sources
