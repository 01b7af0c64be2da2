#include "oa/diff/lines.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>
#include <vector>

namespace oa::diff {
namespace {

TEST(UnifiedLines, EqualTextsHaveNone) { EXPECT_EQ(unified_lines("a\nb\n", "a\nb\n"), ""); }

TEST(UnifiedLines, AChangedLineWithItsContext) {
  EXPECT_EQ(unified_lines("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedLines, FarChangesAreHunksOfTheirOwn) {
  std::string before, after;
  for (int n = 1; n <= 20; ++n) {
    before += std::to_string(n) + "\n";
    if (n != 2 && n != 19) after += std::to_string(n) + "\n";
  }
  EXPECT_EQ(unified_lines(before, after),
            "@@ -1,5 +1,4 @@\n 1\n-2\n 3\n 4\n 5\n@@ -16,5 +15,4 @@\n 16\n 17\n 18\n-19\n 20\n");
}

TEST(UnifiedLines, FromAndToNothing) {
  EXPECT_EQ(unified_lines("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
  EXPECT_EQ(unified_lines("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
}

TEST(UnifiedLines, AMissingLastLineBreakIsSaid) {
  EXPECT_EQ(unified_lines("a\n", "a"), "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
}

TEST(UnifiedLines, PastTheLimitOnlyTheNumbers) {
  std::string before, after;
  for (std::size_t n = 0; n < kMaxDifferentLines; ++n) {
    before += "a" + std::to_string(n) + "\n";
    after += "b" + std::to_string(n) + "\n";
  }
  EXPECT_EQ(unified_lines(before, after), "(2000 lines before, 2000 after)\n");
}

// What a reader of the format would make of the old text.
std::string patched(const std::string& before, const std::string& hunks) {
  std::istringstream old_text(before), patch(hunks);
  std::string line, result;
  std::size_t at = 0;
  const auto copy = [&] {
    std::getline(old_text, line);
    result += line + "\n";
    ++at;
  };
  for (std::string text; std::getline(patch, text);) {
    if (text.starts_with("@@ -")) {
      std::size_t used = 0;
      std::size_t first = std::stoul(text.substr(4), &used);
      const bool empty = text.substr(4 + used).starts_with(",0");
      while (at + (empty ? 0 : 1) < first) copy();
    } else if (text[0] == ' ') {
      copy();
    } else if (text[0] == '-') {
      std::getline(old_text, line);
      ++at;
    } else {
      result += text.substr(1) + "\n";
    }
  }
  while (std::getline(old_text, line)) result += line + "\n";
  return result;
}

RC_GTEST_PROP(UnifiedLines, MakeTheNewTextOfTheOld, ()) {
  const auto text_of = [](const std::vector<int>& lines) {
    std::string text;
    for (const int line : lines) text += std::to_string(line) + "\n";
    return text;
  };
  const auto lines = rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4));
  const std::string before = text_of(*lines), after = text_of(*lines);
  RC_ASSERT(patched(before, unified_lines(before, after)) == after);
}

}  // namespace
}  // namespace oa::diff
