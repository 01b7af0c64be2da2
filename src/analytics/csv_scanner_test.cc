#include "csv_scanner.h"

#include <gtest/gtest.h>

#include <string>

namespace oa::analytics {
namespace {

using Types = std::vector<std::string_view>;

struct Scan {
  Types types;
  std::uint64_t rows;
};

// In pieces of `piece` bytes.
Scan scan(std::string_view text, std::size_t columns, std::size_t piece) {
  CsvScanner scanner(',', columns);
  scanner.feed(as_bytes("\n"));  // the end of the header
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    scanner.feed(as_bytes(text.substr(0, piece)));
  }
  scanner.finish();
  return {scanner.types(), scanner.row_count()};
}

TEST(CsvScanner, AnswersTheSameHoweverTheBytesAreCut) {
  const std::string text =
      "1,2024-01-01,\"a, \"\"b\"\"\r\nc\", \"5\",\r\n-2,,true,6,\r\n\r\n3,2024-01-02 "
      "10:00,x,7.5,\r\n4,,,,";
  const Types expected = {"BIGINT", "TIMESTAMP", "VARCHAR", "DOUBLE", "VARCHAR"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Scan seen = scan(text, 5, piece);
    EXPECT_EQ(seen.types, expected) << piece;
    EXPECT_EQ(seen.rows, 4u) << piece;
  }
}

TEST(CsvScanner, ColumnWithoutValuesIsText) {
  EXPECT_EQ(scan("1,\n2,\"\"\n", 2, 100).types, (Types{"BIGINT", "VARCHAR"}));
}

TEST(CsvScanner, OneBadValueMakesTheColumnText) {
  EXPECT_EQ(scan("1\n2\n007\n4\n", 1, 100).types, Types{"VARCHAR"});
  EXPECT_EQ(scan("1.5\n123456789012345678\n", 1, 100).types, Types{"VARCHAR"});
  EXPECT_EQ(scan("true\n1\n", 1, 100).types, Types{"VARCHAR"});
  EXPECT_EQ(scan("1\n" + std::string(200, '1') + "\n", 1, 100).types, Types{"VARCHAR"});
}

TEST(CsvScanner, BlankLineIsARowOnlyWhenThereIsOneColumn) {
  EXPECT_EQ(scan("1\n\n3\n", 1, 100).rows, 3u);
  EXPECT_EQ(scan("1,2\n\n3,4\n\n", 2, 100).rows, 2u);
  EXPECT_EQ(scan(",\n", 2, 100).rows, 1u);
}

TEST(ScannedSource, StopsAtTheFirstValueOfAnotherType) {
  const std::string text = "a\n1\n2\nx\n4\n";
  const MemorySource csv(Bytes(text.begin(), text.end()));
  const ScannedSource scanned(csv, 1, CsvScanner(',', 1), {{"BIGINT"}});
  Bytes out(text.size());
  ASSERT_TRUE(scanned.read_at(0, std::span(out).first(5)).ok());
  EXPECT_FALSE(scanned.mismatch());
  ASSERT_TRUE(scanned.read_at(3, std::span(out).first(3)).ok()) << "reading again is no harm";
  EXPECT_FALSE(scanned.row_count().ok()) << "not read to the end";
  (void)scanned.read_at(6, std::span(out).first(4));  // what it reads is scanned behind it
  EXPECT_TRUE(scanned.mismatch());
  EXPECT_EQ(scanned.read_at(0, std::span(out).first(1)).error().code,
            ErrorCode::kPreconditionFailed);
}

TEST(ScannedSource, CountsTheRowsOfAFileReadToItsEnd) {
  const std::string text = "a\n1\n2\n3";
  const MemorySource csv(Bytes(text.begin(), text.end()));
  const ScannedSource scanned(csv, 1, CsvScanner(',', 1), {{"BIGINT"}});
  Bytes out(text.size());
  ASSERT_TRUE(scanned.read_at(0, out).ok());
  EXPECT_EQ(*scanned.row_count(), 3u);
  const ScannedSource gap(csv, 1, CsvScanner(',', 1), {{"BIGINT"}});
  ASSERT_TRUE(gap.read_at(4, std::span(out).first(3)).ok());
  EXPECT_EQ(gap.row_count().error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace oa::analytics
