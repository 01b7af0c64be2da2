#include "csv_header.h"

#include <gtest/gtest.h>

#include "csv_rejection.h"

namespace oa::analytics {
namespace {

using Names = std::vector<std::string>;

Result<CsvHeader> header_of(std::string_view text, const CsvOptions& options = {}) {
  return read_csv_header(MemorySource(Bytes(text.begin(), text.end())), options);
}

ErrorCode refusal(std::string_view text, const CsvOptions& options = {}) {
  const auto header = header_of(text, options);
  return header.ok() ? ErrorCode::kInternal : header.error().code;
}

TEST(CsvHeader, ReadsNamesUpToAnyLineBreak) {
  for (const char* text : {"a,Cost $", "a,Cost $\n1,2", "a,Cost $\r\n1,2", "a,Cost $\r1,2"}) {
    const auto header = header_of(text);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->names, (Names{"a", "Cost $"}));
    EXPECT_EQ(header->end, 8u);
  }
}

TEST(CsvHeader, SkipsByteOrderMarkAndUnquotes) {
  const auto header = header_of("\xEF\xBB\xBF\"a, \"\"b\"\"\nc\",d\n");
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->names, (Names{"a, \"b\"\nc", "d"}));
  EXPECT_EQ(header->end, 3u + 14u);
}

TEST(CsvHeader, DetectsDelimiterOutsideOfQuotes) {
  EXPECT_EQ(header_of("a;b;c,d\n")->delimiter, ';');
  EXPECT_EQ(header_of("a\tb\n")->delimiter, '\t');
  EXPECT_EQ(header_of("a|b\n")->delimiter, '|');
  EXPECT_EQ(header_of("\"x;y;z\",b\n")->delimiter, ',');
  EXPECT_EQ(header_of("single\n")->delimiter, ',');
  CsvOptions options;
  options.delimiter = ':';
  EXPECT_EQ(header_of("a:b,c\n", options)->names, (Names{"a", "b,c"}));
  for (const char bad : {'"', '\n', '\r', '\xE4'}) {
    options.delimiter = bad;
    EXPECT_EQ(refusal("a:b\n", options), ErrorCode::kInvalidArgument);
  }
}

TEST(CsvHeader, NamesAreUniqueAndNeverEmpty) {
  EXPECT_EQ(header_of("a,A,a,a_1,, \n")->names,
            (Names{"a", "A_1", "a_2", "a_1_1", "column5", "column6"}));
  EXPECT_EQ(header_of("a,\n")->names, (Names{"a", "column2"}));
}

TEST(CsvHeader, RefusesWhatIsNoHeader) {
  EXPECT_EQ(refusal(""), ErrorCode::kImportRejected);
  EXPECT_EQ(refusal("\xEF\xBB\xBF"), ErrorCode::kImportRejected);
  EXPECT_EQ(refusal("\na,b\n"), ErrorCode::kImportRejected);
  EXPECT_EQ(refusal("a,\"b\n1,2\n"), ErrorCode::kImportRejected);
  EXPECT_EQ(refusal("M\xFCller,b\n"), ErrorCode::kImportRejected);
  EXPECT_EQ(refusal(std::string_view("a\0b,c\n", 6)), ErrorCode::kImportRejected);
  EXPECT_EQ(refusal(std::string(kMaxLineBytes + 1, 'x')), ErrorCode::kImportRejected);
  EXPECT_EQ(refusal(std::string(5000, ',')), ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace oa::analytics
