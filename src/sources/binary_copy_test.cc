#include "binary_copy.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

#include "table.h"

namespace oa::sources {
namespace {

using analytics::Int128;
using analytics::RowBatch;

template <class T>
std::string be(T value) {
  std::string out;
  for (int shift = static_cast<int>(8 * sizeof(T)) - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
  return out;
}

std::string header() {
  return std::string("PGCOPY\n\377\r\n\0", 11) + be(std::uint32_t{0}) + be(std::uint32_t{0});
}
std::string field(const std::string& bytes) {
  return be(static_cast<std::uint32_t>(bytes.size())) + bytes;
}
std::string row(std::initializer_list<std::string> fields) {
  std::string out = be(static_cast<std::uint16_t>(fields.size()));
  for (const auto& each : fields) out += each;
  return out;
}
const std::string kNull = be(std::uint32_t{0xFFFFFFFF});
const std::string kEnd = be(std::uint16_t{0xFFFF});

std::string numeric(std::initializer_list<int> groups, int weight, std::uint16_t sign,
                    int display) {
  std::string out = be(static_cast<std::uint16_t>(groups.size())) +
                    be(static_cast<std::uint16_t>(weight)) + be(sign) +
                    be(static_cast<std::uint16_t>(display));
  for (const int group : groups) out += be(static_cast<std::uint16_t>(group));
  return field(out);
}

constexpr std::uint32_t kInt8 = 20, kText = 25, kNumeric = 1700, kDate = 1082, kTimestamp = 1114;
constexpr CopyLimits kLimits{1000, 3000};

std::vector<WireColumn> columns(std::initializer_list<std::uint32_t> types,
                                std::int32_t modifier = -1) {
  std::vector<WireColumn> out;
  for (const auto type : types)
    out.push_back(wire_column("c" + std::to_string(out.size()), type, modifier));
  return out;
}

std::vector<Column> plain(const std::vector<WireColumn>& wire) {
  std::vector<Column> out;
  for (const auto& column : wire) out.push_back(column.column);
  return out;
}

struct Decoded {
  Status status;
  RowBatch batch;
};

Decoded decode(const std::vector<WireColumn>& wire, const std::string& bytes) {
  CopyReader reader("t", wire, kLimits);
  Decoded out{{}, RowBatch(plain(wire))};
  reader.feed(bytes);
  out.status = reader.decode(out.batch);
  if (out.status.ok()) out.status = reader.finish();
  return out;
}

Error refusal(const std::vector<WireColumn>& wire, const std::string& bytes) {
  const auto decoded = decode(wire, bytes);
  EXPECT_FALSE(decoded.status.ok());
  return decoded.status.ok() ? Error{} : decoded.status.error();
}

TEST(BinaryCopy, MessagesMayBeCutAnywhere) {
  const auto wire = columns({kInt8, kText, kDate});
  std::string bytes = header();
  for (int i = 0; i < 50; ++i) {
    bytes += row({field(be(std::int64_t{i} - 25)),
                  i % 3 == 0 ? kNull : field(std::string(static_cast<std::size_t>(i), 'x')),
                  field(be(std::int32_t{i}))});
  }
  bytes += kEnd;
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{100}, bytes.size()}) {
    CopyReader reader("t", wire, kLimits);
    RowBatch batch(plain(wire));
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.feed(std::string_view(bytes).substr(at, step));
      ASSERT_TRUE(reader.decode(batch).ok());
    }
    ASSERT_TRUE(reader.finish().ok());
    ASSERT_EQ(batch.rows(), 50u);
    EXPECT_EQ(batch.columns()[0].integers[0], -25);
    EXPECT_EQ(batch.columns()[1].valid[3], 0);
    EXPECT_EQ(batch.columns()[1].valid[4], 1);
    EXPECT_EQ(batch.columns()[1].text_end[5], 1u + 2 + 4 + 5);
    EXPECT_EQ(batch.columns()[2].integers[49], 49 + 10957);
  }
}

TEST(BinaryCopy, AFullBatchLeavesTheRest) {
  const auto wire = columns({kInt8});
  std::string bytes = header();
  for (std::size_t i = 0; i < RowBatch::kMaxRows + 5; ++i)
    bytes += row({field(be(static_cast<std::int64_t>(i)))});
  CopyReader reader("t", wire, kLimits);
  RowBatch batch(plain(wire));
  reader.feed(bytes + kEnd);
  ASSERT_TRUE(reader.decode(batch).ok());
  EXPECT_EQ(batch.rows(), RowBatch::kMaxRows);
  EXPECT_FALSE(reader.finish().ok());
  batch.clear();
  ASSERT_TRUE(reader.decode(batch).ok());
  EXPECT_EQ(batch.rows(), 5u);
  EXPECT_TRUE(reader.finish().ok());
}

Int128 decimal(std::int32_t modifier, const std::string& value) {
  const auto decoded = decode(columns({kNumeric}, modifier), header() + row({value}) + kEnd);
  EXPECT_TRUE(decoded.status.ok()) << decoded.status.error().message;
  return decoded.status.ok() ? decoded.batch.columns()[0].decimals[0] : 0;
}

std::int32_t numeric_type(int precision, int scale) {
  return (precision << 16 | (scale & 0x7FF)) + 4;
}

TEST(BinaryCopy, NumericsAreExact) {
  EXPECT_TRUE(decimal(numeric_type(10, 2), numeric({}, 0, 0, 2)) == 0);
  EXPECT_TRUE(decimal(numeric_type(10, 2), numeric({1234, 5600}, 0, 0, 2)) == 123456);
  EXPECT_TRUE(decimal(numeric_type(10, 2), numeric({1234, 5600}, 0, 0x4000, 2)) == -123456);
  EXPECT_TRUE(decimal(numeric_type(10, 2), numeric({500}, -1, 0, 2)) == 5);
  EXPECT_TRUE(decimal(-1, numeric({1}, -1, 0, 4)) == 100'000);  // 0.0001 to nine digits
  EXPECT_TRUE(decimal(-1, numeric({1000}, -3, 0, 9)) == 1);     // 0.000000001
  EXPECT_TRUE(decimal(numeric_type(2, -3), numeric({9, 9000}, 1, 0, 0)) == 99000);
  EXPECT_TRUE(decimal(numeric_type(2, 4), numeric({99}, -1, 0, 4)) == 99);  // 0.0099
  Int128 most = 0;
  for (int i = 0; i < 38; ++i) most = most * 10 + 9;
  const auto nines = numeric({99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999}, 9, 0, 0);
  EXPECT_TRUE(decimal(numeric_type(38, 0), nines) == most);
}

TEST(BinaryCopy, NumericsThatDoNotFitAreRefusedByPlace) {
  const std::string good = row({numeric({7}, 0, 0, 0)});
  const std::pair<std::int32_t, std::string> cases[] = {
      {numeric_type(4, 2), numeric({100}, 0, 0, 2)},      // 100.00
      {numeric_type(4, 2), numeric({1}, -1, 0, 4)},       // 0.0001
      {-1, numeric({100}, -3, 0, 10)},                    // 0.0000000001
      {numeric_type(38, 0), numeric({100, 0}, 9, 0, 0)},  // 1e38
      {-1, numeric({1}, 32767, 0, 0)},
      {-1, numeric({1}, -32768, 0, 0)},
      {-1, numeric({}, 0, 0xC000, 0)},  // NaN
      {-1, numeric({}, 0, 0xD000, 0)},
      {-1, numeric({}, 0, 0xF000, 0)},
      {-1, numeric({10000}, 0, 0, 0)},
      {-1, numeric({1}, 0, 0x1234, 0)},
      {-1, field("1234567")},
      {-1, field(std::string(9, '\0'))},
  };
  for (const auto& [modifier, value] : cases) {
    const Error error =
        refusal(columns({kNumeric}, modifier), header() + good + row({value}) + kEnd);
    EXPECT_EQ(error.code, ErrorCode::kImportRejected);
    EXPECT_TRUE(error.message.starts_with("table t, column c0, row 2: ")) << error.message;
  }
}

TEST(BinaryCopy, InfiniteDatesAreRefused) {
  for (const std::int32_t days :
       {std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()})
    EXPECT_EQ(refusal(columns({kDate}), header() + row({field(be(days))}) + kEnd).code,
              ErrorCode::kImportRejected);
  for (const std::int64_t us :
       {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max() - 1})
    EXPECT_EQ(refusal(columns({kTimestamp}), header() + row({field(be(us))}) + kEnd).code,
              ErrorCode::kImportRejected);
}

TEST(BinaryCopy, WhatIsNoCopyOfTheColumnsIsRefused) {
  const auto wire = columns({kInt8, kText});
  const std::string good = row({field(be(std::int64_t{1})), field("x")});
  std::string critical = header();
  critical[11] = 1;
  for (const auto& bytes :
       {std::string("PGCOPY"), std::string(19, 'x'), critical, header(), header() + good,
        header() + good.substr(0, good.size() - 1), header() + kEnd + "x", header() + kEnd + kEnd,
        header() + row({kNull}) + kEnd, header() + row({kNull, kNull, kNull}) + kEnd,
        header() + be(std::uint16_t{0x8000}) + kEnd,
        header() + row({field("1234567"), kNull}) + kEnd,
        header() + row({kNull, be(std::uint32_t{0xFFFFFFFE})}) + kEnd,
        header() + row({kNull, field("\xFF")}) + kEnd,
        std::string("PGCOPY\n\377\r\n\0", 11) + be(std::uint32_t{0}) +
            be(std::uint32_t{0x7FFFFFFF})}) {
    EXPECT_EQ(refusal(wire, bytes).code, ErrorCode::kImportRejected);
  }
}

TEST(BinaryCopy, LargeFieldsAndRowsAreRefusedBeforeTheyArrive) {
  const auto wire = columns({kText, kText, kText, kText});
  const std::string announced = be(std::uint16_t{4}) + be(std::uint32_t{0x7FFFFFFF});
  EXPECT_EQ(refusal(wire, header() + announced).code, ErrorCode::kLimitExceeded);
  const std::string most = field(std::string(1000, 'x'));
  EXPECT_TRUE(decode(wire, header() + row({most, most, kNull, kNull}) + kEnd).status.ok());
  EXPECT_EQ(refusal(wire, header() + row({most, most, most, kNull}) + kEnd).code,
            ErrorCode::kLimitExceeded);
}

// Whatever comes, the batch holds whole rows and an error names a place.
TEST(BinaryCopy, DamagedStreamsAreRowsOrErrors) {
  const auto wire = columns({16, 21, 23, kInt8, 700, 701, kNumeric, kDate, kTimestamp, kText});
  std::string bytes = header();
  for (int i = 0; i < 4; ++i) {
    bytes += row({field("\1"), field(be(std::int16_t{2})), field(be(std::int32_t{3})),
                  field(be(std::int64_t{4})), field(be(std::uint32_t{0x3F800000})),
                  field(be(std::uint64_t{0x3FF0000000000000})), numeric({12, 3400}, 0, 0, 2),
                  field(be(std::int32_t{7})), i % 2 == 0 ? kNull : field(be(std::int64_t{8})),
                  field("text")});
  }
  bytes += kEnd;
  std::mt19937 random(20240229);
  int refusals = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string damaged = bytes;
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % damaged.size();
      switch (random() % 4) {
        case 0:
          damaged[at] = static_cast<char>(random());
          break;
        case 1:
          damaged.erase(at, 1 + random() % 8);
          break;
        case 2:
          damaged.insert(at, 1 + random() % 8, static_cast<char>(random()));
          break;
        default:
          damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
          break;
      }
    }
    const auto decoded = decode(wire, damaged);
    if (decoded.status.ok()) {
      for (const auto& cells : decoded.batch.columns())
        ASSERT_EQ(cells.valid.size(), decoded.batch.rows());
      continue;
    }
    ++refusals;
    ASSERT_TRUE(decoded.status.error().message.starts_with("table t, "));
  }
  EXPECT_GT(refusals, 10'000);
  EXPECT_LT(refusals, 50'000);
}

TEST(BinaryCopy, TypesOfNumerics) {
  const auto type = [](std::int32_t modifier) {
    return wire_column("c", kNumeric, modifier).column.type;
  };
  EXPECT_EQ(type(-1), "DECIMAL(38,9)");
  EXPECT_EQ(type(numeric_type(12, 2)), "DECIMAL(12,2)");
  EXPECT_EQ(type(numeric_type(2, -3)), "DECIMAL(5,0)");
  EXPECT_EQ(type(numeric_type(2, 4)), "DECIMAL(4,4)");
  EXPECT_EQ(type(numeric_type(1000, 10)), "DECIMAL(38,10)");
  EXPECT_EQ(type(numeric_type(1000, 1000)), "DECIMAL(38,38)");
  EXPECT_EQ(type(numeric_type(1000, -1000)), "DECIMAL(38,0)");
}

}  // namespace
}  // namespace oa::sources
