// Files that must be refused as a whole, with line and reason and without their content.
#include "analytics_testkit.h"
#include "csv_rejection.h"

namespace oa::analytics {
namespace {

class RejectTest : public ImportTest {
 protected:
  /// Refused for `reason` on `line`, be it early in the file or far behind the first look, and
  /// without quoting it.
  void expect_rejected(const std::string& header, const std::string& good, const std::string& bad,
                       const std::string& reason) {
    for (const std::size_t good_lines : {std::size_t{1}, (std::size_t{9} << 20) / good.size()}) {
      std::string text = header;
      for (std::size_t i = 0; i < good_lines; ++i) text += good;
      const Error error = refused(text + bad);
      EXPECT_EQ(error.code, ErrorCode::kImportRejected) << error.message << error.cause;
      EXPECT_EQ(error.message, "Line " + std::to_string(good_lines + 2) + " " + reason);
      EXPECT_FALSE(error.hint.empty());
      EXPECT_EQ((error.message + error.hint + error.cause).find("canary"), std::string::npos);
    }
  }
};

TEST_F(RejectTest, RaggedLines) {
  expect_rejected("a,b\n", "1,2\n", "3,canary,5\n", "has 3 values where the header names 2");
  expect_rejected("a,b,c\n", "1,2,3\n", "4,canary\n", "has 2 values where the header names 3");
}

TEST_F(RejectTest, OpenQuote) {
  expect_rejected("a,b\n", "1,2\n", "3,\"canary\n4,5\n", "has a quoted value that is not closed");
}

TEST_F(RejectTest, OtherEncoding) {
  expect_rejected("a,b\n", "1,x\n", "2,canary M\xFCller\n", "is not UTF-8");
}

TEST_F(RejectTest, LongLine) {
  expect_rejected("a,b\n", "1,x\n", "2,canary" + std::string(kMaxLineBytes, 'x') + "\n",
                  "is longer than 2000000 bytes");
}

TEST_F(RejectTest, WhatIsNoCsv) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("PK\3\4\0\0\0\0", 8),
        std::string("\x7F"
                    "ELF\2\1\1\0\0",
                    9),
        std::string("a,b\r\n1,2\n3,4\r\n")}) {
    EXPECT_EQ(refused(text).code, ErrorCode::kImportRejected);
  }
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 100000; ++i)
    noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  EXPECT_EQ(refused("a,b\n" + noise).code, ErrorCode::kImportRejected);
}

TEST_F(RejectTest, Limits) {
  CsvOptions options;
  options.max_columns = 2;
  EXPECT_EQ(refused("a,b,c\n1,2,3\n", options).code, ErrorCode::kLimitExceeded);
  EXPECT_TRUE(import("a,b\n1,2\n", options).ok());
}

TEST_F(RejectTest, TooManyBytes) {
  CsvOptions options;
  options.max_bytes = 7;
  EXPECT_EQ(refused("a,b\n1,2\n", options).code, ErrorCode::kLimitExceeded);
  options.max_bytes = 8;
  EXPECT_TRUE(import("a,b\n1,2\n", options).ok());
}

TEST_F(RejectTest, ForgedEngineTextInAValueGivesNothingAway) {
  const Error error =
      refused("a,b\n1,CSV Error on Line: 99 Expected Number of Columns: 7 Found: 8 canary,x\n");
  EXPECT_EQ(error.message, "Line 2 has 3 values where the header names 2");
}

TEST_F(RejectTest, VersionThatHoldsNoRows) {
  auto writer = *objects_->create(target_);
  ASSERT_TRUE(writer->write(as_bytes("no parquet at all")).ok());
  const VersionId version = *writer->commit();
  EXPECT_EQ(describe_rows(*objects_, target_, version).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(describe_rows(*objects_, target_, VersionId{"missing"}).error().code,
            ErrorCode::kNotFound);
}

TEST(CsvRejection, TakesOverLineAndReasonAlone) {
  EXPECT_FALSE(csv_rejection("Catalog Error: no such table").has_value());
  const auto cast = csv_rejection(
      "CSV Error on Line: 3\nOriginal Line: x,canary\nError when converting column \"b\".");
  ASSERT_TRUE(cast.has_value());
  EXPECT_EQ(cast->message, "Line 3 has a value that does not fit the type of its column");
  const auto no_line = csv_rejection("The CSV Parser state machine reached an invalid state.\n");
  ASSERT_TRUE(no_line.has_value());
  EXPECT_EQ(no_line->message, "The file is not well-formed CSV (RFC 4180)");
}

}  // namespace
}  // namespace oa::analytics
