#include "even_lines.h"

#include "file_testkit.h"

namespace oa::analytics {
namespace {

MemorySource source_of(std::string_view text) {
  return MemorySource(Bytes(text.begin(), text.end()));
}

// What `text` becomes; "alike" when its records end so already.
std::string even(std::string_view text, std::string_view line_break = "\n") {
  const MemorySource file = source_of(text);
  const auto lines = EvenLines::create(file, ',', line_break, no_progress());
  EXPECT_TRUE(lines.ok());
  if (*lines == nullptr) return "alike";
  const Bytes all = *read_all(**lines, 1 << 30);
  return std::string(as_text(all));
}

TEST(EvenLines, EachRecordEndsInOneLineFeed) {
  EXPECT_EQ(even("a,b\n1,\"x\"\r\n2,\"y\"\n"), "a,b\n1,\"x\"\n2,\"y\"\n");
  EXPECT_EQ(even("a\r1\r\n2\n3"), "a\n1\n2\n3");
  EXPECT_EQ(even("a\n1\r"), "a\n1\n");
  EXPECT_EQ(even("a\n\r\n\r\r\n2"), "a\n\n\n\n2") << "blank lines stay";
  EXPECT_EQ(even("a\n1\r2\r\n3", "\r\n"), "a\r\n1\r\n2\r\n3");
  EXPECT_EQ(even("a\n1\r2\r\n3\r", "\r"), "a\r1\r2\r3\r");
  EXPECT_EQ(even("a\r1\r", "\r\n"), "a\r\n1\r\n") << "alike, but not so";
}

TEST(EvenLines, WhatIsEvenStays) {
  for (const char* text : {"", "a", "a\n1\n", "\"a\r\nb\"\n1\n", "\xEF\xBB\xBF\"a\r\nb\"\n1\n"}) {
    EXPECT_EQ(even(text), "alike") << text;
  }
  for (const char* text : {"a\r\n1\r\n", "a\r\n1", "a\r\n\"x\ny\rz\"\r\n"})
    EXPECT_EQ(even(text, "\r\n"), "alike") << text;
  EXPECT_EQ(even("a\r1\r", "\r"), "alike");
}

TEST(EvenLines, LineBreaksInsideOfQuotesStay) {
  EXPECT_EQ(even("a\r\n\"x\r\ny\nz\rw\"\n"), "a\n\"x\r\ny\nz\rw\"\n");
  EXPECT_EQ(even("a,b\n \"x\r\n\",\"\"\"\r\n\"\r\n"), "a,b\n \"x\r\n\",\"\"\"\r\n\"\n");
  EXPECT_EQ(even("a,b\n5\" x,6\"\r\n"), "a,b\n5\" x,6\"\n") << "a quote inside of a plain value";
  EXPECT_EQ(even("\xEF\xBB\xBF\"a\r\n\"\n1\r\n"), "\xEF\xBB\xBF\"a\r\n\"\n1\n");
}

class EvenLinesTest : public FileTest {
 protected:
  std::uint32_t random(std::uint32_t below) {
    return ((state_ = state_ * 1664525 + 1013904223) >> 8) % below;
  }
  // A table of three columns, twice: with mixed line ends, and with LF alone.
  std::pair<std::string, std::string> table(int rows) {
    constexpr const char* kEnds[] = {"\n", "\r\n", "\r"};
    constexpr const char* kCells[] = {
        "1",          "x",        "",         "\"\"",     "\"q\"",
        "\"a\r\nb\"", "\"a\nb\"", "\"a\rb\"", "\"\r\n\"", "\"say \"\"ok\"\"\r\n\"",
        "Zürich"};
    std::pair<std::string, std::string> both{"id,b,c", "id,b,c"};
    for (int row = 0; row < rows; ++row) {
      std::string record = std::to_string(row);
      for (int column = 1; column < 3; ++column)
        record += std::string(",") + kCells[random(std::size(kCells))];
      both.first += kEnds[row % 3 == 0 ? 2 : random(3)] + record;
      both.second += "\n" + record;
    }
    if (random(2) == 0) both.first += kEnds[random(3)];
    return both;
  }
  std::uint32_t state_ = 20240229;
};

TEST_F(EvenLinesTest, AFileOfMixedLineEndsImportsAsOneOfLineFeeds) {
  for (int round = 0; round < 40; ++round) {
    const auto [mixed, plain] = table(static_cast<int>(3 + random(40)));
    const auto columns = columns_of(plain);
    const Rows rows = select_all();
    ASSERT_EQ(columns_of(mixed), columns) << mixed;
    ASSERT_EQ(select_all(), rows) << mixed;
  }
}

TEST_F(EvenLinesTest, LineEndsAcrossPieces) {
  const auto [mixed, plain] = table(120'000);
  ASSERT_GT(mixed.size(), std::size_t{1} << 20);
  EXPECT_TRUE(even(mixed) == plain || even(mixed) == plain + "\n");
  ASSERT_EQ(columns_of(mixed), columns_of(plain));
  const Rows rows = select_all();
  columns_of(mixed);
  EXPECT_TRUE(select_all() == rows);
}

TEST_F(EvenLinesTest, QuotedValuesAtLineEnds) {
  const std::vector<Column> columns = {{"a", "BIGINT"}, {"b", "VARCHAR"}};
  for (const char* text : {"a,b\n1,\"x\"\r\n2,\"y\"\n", "a,b\r\n1,\"x\"\n2,\"y\"\r\n",
                           "a,b\n1,\"x\"\r2,\"y\"", "a,\"b\"\r\n1,\"x\"\n2,y",
                           "a,b\r1,\"x\"\r\n2,\"y\"\r", "\xEF\xBB\xBF\"a\",b\r\n1,x\n\n2,y\n"}) {
    EXPECT_EQ(columns_of(text), columns) << text;
    EXPECT_EQ(select_all(), (Rows{{"1", "x"}, {"2", "y"}})) << text;
  }
  EXPECT_EQ(columns_of("a\n1\r\n\r\n3\n").size(), 1u);
  EXPECT_EQ(select_all(), (Rows{{"1"}, {std::nullopt}, {"3"}}));
}

// DuckDB would take the first line break of the file for that of its records.
TEST_F(EvenLinesTest, LineBreaksInsideOfTheHeader) {
  for (const std::string inside : {"\n", "\r\n", "\r"}) {
    for (const std::string end : {"\n", "\r\n", "\r"}) {
      const std::string text = "\"a" + inside + "b\",c" + end + "1,\"x\"" + end + "2,y" + end;
      EXPECT_EQ(columns_of(text),
                (std::vector<Column>{{"a" + inside + "b", "BIGINT"}, {"c", "VARCHAR"}}))
          << text;
      EXPECT_EQ(select_all(), (Rows{{"1", "x"}, {"2", "y"}})) << text;
      EXPECT_EQ(columns_of(text + "3,z\n4,\r\n").size(), 2u) << text;
      EXPECT_EQ(select_all().size(), 4u) << text;
    }
  }
}

TEST_F(EvenLinesTest, LineBreaksInsideOfAFirstRowWithoutNames) {
  options_.header = Choice::kNo;
  EXPECT_EQ(columns_of("\"a\nb\",1\r\nc,2\r\n").size(), 2u);
  EXPECT_EQ(select_all(), (Rows{{"a\nb", "1"}, {"c", "2"}}));
  EXPECT_EQ(columns_of("\"a\r\nb\",1\nc,2").size(), 2u);
  EXPECT_EQ(select_all(), (Rows{{"a\r\nb", "1"}, {"c", "2"}}));
}

TEST_F(EvenLinesTest, BadLinesAreNamedAsEver) {
  const Error error = refused_file("a,b\n1,\"x\r\ny\"\r\n2\n3,\"canary\" y\r\n4,5\n");
  EXPECT_EQ(error.code, ErrorCode::kImportRejected);
  EXPECT_EQ(error.message,
            "Line 4 has 1 values where the header names 2 (and 1 more lines are bad)");
  ASSERT_EQ(rejected_.rows.size(), 2u);
  EXPECT_EQ(rejected_.rows[1], (RejectedRow{5, "has text behind a closing quote"}));
}

}  // namespace
}  // namespace oa::analytics
