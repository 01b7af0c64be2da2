#include "oa/analytics/file_options.h"

#include <gtest/gtest.h>

namespace oa::analytics {
namespace {

std::string text_of(const FileOptions& options) { return canonical_json(to_json(options)); }

TEST(FileOptions, ComeBackFromJson) {
  EXPECT_EQ(text_of(FileOptions()),
            R"({"date_order":"none","decimal_comma":"auto","delimiter":"","encoding":"auto",)"
            R"("format":"auto","header":"auto","null_texts":[],"sheet":""})");
  FileOptions options;
  options.format = FileFormat::kXls;
  options.encoding = TextEncoding::kUtf16Be;
  options.delimiter = ';';
  options.header = Choice::kNo;
  options.decimal_comma = Choice::kYes;
  options.null_texts = {"NULL", "\\N"};
  options.date_order = DateOrder::kMdy;
  options.sheet = "Übersicht";
  const auto again = file_options_from_json(to_json(options));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(text_of(*again), text_of(options));
  EXPECT_EQ(again->null_texts, options.null_texts);
  const auto defaults = file_options_from_json(*parse_json("{}"));
  ASSERT_TRUE(defaults.ok());
  EXPECT_EQ(text_of(*defaults), text_of(FileOptions()));
}

TEST(FileOptions, StrictAboutJson) {
  for (
      const char* text :
      {"[]", R"({"colour":1})", R"({"format":"ods"})", R"({"format":1})", R"({"delimiter":"ab"})",
       R"({"delimiter":"\""})", R"({"delimiter":"\n"})", R"({"delimiter":"ä"})",
       R"({"header":true})", R"({"null_texts":"NULL"})", R"({"null_texts":[1]})",
       R"({"null_texts":[""]})", R"({"null_texts":["a\nb"]})", R"({"sheet":null})",
       R"({"date_order":"ymd"})",
       R"({"null_texts":["1","2","3","4","5","6","7","8","9","a","b","c","d","e","f","g","h"]})"}) {
    const auto options = file_options_from_json(*parse_json(text));
    ASSERT_FALSE(options.ok()) << text;
    EXPECT_EQ(options.error().code, ErrorCode::kInvalidArgument) << text;
  }
  const std::string name(125, 'x');
  EXPECT_FALSE(file_options_from_json(*parse_json("{\"sheet\":\"" + name + "\"}")).ok());
}

}  // namespace
}  // namespace oa::analytics
