#include "csv_bad_lines.h"

#include <gtest/gtest.h>

#include "csv_rejection.h"

namespace oa::analytics {
namespace {

using namespace std::string_literals;
using Lines = std::vector<RejectedRow>;

constexpr char kOpenQuote[] = "has a quoted value that is not closed";
constexpr char kText[] = "is not UTF-8";

RejectedRows bad_lines(const std::string& text, BadLineRules rules = {.columns = 2}) {
  RejectedRows rejected;
  const MemorySource source(Bytes(text.begin(), text.end()));
  const auto first = find_bad_lines(source, rules, rejected, no_progress());
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(first->has_value(), rejected.total > 0);
  if (first->has_value()) {
    EXPECT_EQ((*first)->message,
              "Line " + std::to_string(rejected.rows[0].line) + " " + rejected.rows[0].reason);
    EXPECT_FALSE((*first)->hint.empty());
  }
  return rejected;
}

std::string count(int seen) {
  return "has " + std::to_string(seen) + " values where the header names 2";
}

TEST(BadLines, NoneInWhatIsWellFormed) {
  for (const char* text :
       {"a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "a,b\n\n1,2\n\n\n", "a,b\n\"x\ny\",2\n3,4",
        "a,b\n\"x\r\ny\",\"\"\r\n", "\xEF\xBB\xBF\"a\",b\n1,\"say \"\"ok\"\"\"\n",
        "a,b\n 1, \"2\" \n", "a,b\n1,x\"y\n", "a,b\n東京,😀\n", "a,b"}) {
    EXPECT_EQ(bad_lines(text).total, 0u) << text;
  }
}

TEST(BadLines, EveryKindByLineAndReason) {
  EXPECT_EQ(bad_lines("a,b\n1,2,3\n4,5\n6\n\n7,8,9").rows,
            (Lines{{2, count(3)}, {4, count(1)}, {6, count(3)}}));
  EXPECT_EQ(bad_lines("a,b\n1,M\xFC\n2,x\n3,\xED\xA0\x80\n4,\xE6\x9D\n").rows,
            (Lines{{2, kText}, {4, kText}, {5, kText}}));
  EXPECT_EQ(bad_lines("a,b\n1,\0\n2,x\n"s).rows, (Lines{{2, "holds a NUL byte"}}));
  EXPECT_EQ(bad_lines("a,b\n1,\"x\"y\n2,x\n").rows,
            (Lines{{2, "has text behind a closing quote"}}));
  EXPECT_EQ(bad_lines("a,b\n" + std::string(kMaxLineBytes + 1, 'x') + "\n1,2\n3\n").rows,
            (Lines{{2, "is longer than 2000000 bytes"}, {4, count(1)}}));
}

TEST(BadLines, OpenQuoteDoesNotHideWhatFollows) {
  EXPECT_EQ(bad_lines("a,b\n1,\"x\n2,3\n4\n5,6\n").rows, (Lines{{2, kOpenQuote}, {4, count(1)}}));
  EXPECT_EQ(bad_lines("a,b\n1,\"x").rows, (Lines{{2, kOpenQuote}}));
  EXPECT_EQ(bad_lines("a,b\r\n1,\"x\r\n2\r\n3,4\r\n").rows,
            (Lines{{2, kOpenQuote}, {3, count(1)}}));
  EXPECT_EQ(bad_lines("a,b\n1,\"x\n2,\"y\"\n3\n").rows, (Lines{{2, kOpenQuote}, {4, count(1)}}));
  std::string far = "a,b\n1,\"x\n";
  while (far.size() < 2 * kMaxLineBytes) far += "2,3\n";
  EXPECT_EQ(bad_lines(far + "4\n").rows.front(), (RejectedRow{2, kOpenQuote}));
  EXPECT_EQ(bad_lines(far + "4\n").total, 2u);
}

TEST(BadLines, LinesAreCountedAsAnEditorDoes) {
  EXPECT_EQ(bad_lines("a,b\n\"1\n\r\n\r2\",3\n4\n").rows, (Lines{{6, count(1)}}));
}

TEST(BadLines, FirstHundredAndTheTotal) {
  std::string text = "a,b\n";
  for (int i = 0; i < 1000; ++i) text += "1\n2,3\n";
  const RejectedRows rejected = bad_lines(text);
  EXPECT_EQ(rejected.total, 1000u);
  ASSERT_EQ(rejected.rows.size(), RejectedRows::kMaxRows);
  EXPECT_EQ(rejected.rows.back(), (RejectedRow{200, count(1)}));
  std::string quotes = "a,b\n";
  for (int i = 0; i < 1001; ++i) quotes += "1,\"x\n\n";
  EXPECT_LE(bad_lines(quotes).total, RejectedRows::kMaxRows) << "then it ends";
}

TEST(BadLines, WordsFitTheFile) {
  EXPECT_EQ(bad_lines("1,2\n3\n", {.columns = 2, .has_header = false}).rows,
            (Lines{{2, "has 1 values where the first line has 2"}}));
  EXPECT_EQ(bad_lines("a\nM\xFC\n", {.columns = 1, .encoding = "UTF-16"}).rows,
            (Lines{{2, "is not UTF-16"}}));
  EXPECT_EQ(bad_lines("a,b\n1\n\n\n", {.columns = 0}).total, 0u);
  EXPECT_EQ(bad_lines("a\n\n1\n", {.columns = 1}).total, 0u) << "an empty cell";
}

}  // namespace
}  // namespace oa::analytics
