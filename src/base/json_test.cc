#include "oa/base/json.h"

#include <gtest/gtest.h>

namespace oa {
namespace {

std::string canonical(std::string_view text) {
  auto value = parse_json(text);
  return value.ok() ? canonical_json(*value) : "error: " + value.error().message;
}

TEST(JsonTest, CanonicalFormHasOneSpelling) {
  EXPECT_EQ(canonical(R"( { "b" : 1.0, "a" : [ true , null, "\u00e9\n" ] } )"),
            "{\"a\":[true,null,\"é\\n\"],\"b\":1}");
  EXPECT_EQ(canonical("0.1"), "0.1");
  EXPECT_EQ(canonical("1e400"), "error: a JSON number is out of range");
  EXPECT_EQ(canonical("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(canonical("-0.0"), "0");
}

TEST(JsonTest, CanonicalDoublesReadBackAsThemselves) {
  // Boost.JSON 1.81's own parser is off by one bit in the first two.
  for (const char* text : {"2.9796466515541166e+70", "3.814323238651089e+71", "5e-324",
                           "1.7976931348623157e+308", "-2.5"}) {
    EXPECT_EQ(canonical(text), text);
  }
  EXPECT_EQ(canonical("1e-400"), "0");
  EXPECT_EQ(canonical("-1e-400"), "0");
  EXPECT_EQ(canonical(std::string(400, '9')), "error: a JSON number is out of range");
  EXPECT_EQ(canonical("1e20"), "100000000000000000000");
  const std::string zeros(400, '0');
  EXPECT_EQ(canonical("0." + zeros + "1"), "0");
  EXPECT_EQ(canonical("0." + zeros + "1e50"), "0");
  EXPECT_EQ(canonical("1" + zeros + "e-50"), "error: a JSON number is out of range");
  EXPECT_EQ(canonical("-1" + zeros + ".5E+1"), "error: a JSON number is out of range");
  EXPECT_EQ(canonical("1e2000000000"), "error: a JSON number is out of range");
  EXPECT_EQ(canonical("1e-2000000000"), "0");
  EXPECT_FALSE(parse_json("1e99999999999999999999").ok());
}

// RFC 8785, appendix B.
TEST(JsonTest, NumbersHaveTheFormOfRfc8785) {
  for (const char* text : {"0",
                           "5e-324",
                           "-5e-324",
                           "1.7976931348623157e+308",
                           "9007199254740992",
                           "-9007199254740992",
                           "295147905179352830000",
                           "9.999999999999997e+22",
                           "1e+23",
                           "1.0000000000000001e+23",
                           "999999999999999700000",
                           "999999999999999900000",
                           "1e+21",
                           "9.999999999999997e-7",
                           "0.000001",
                           "333333333.3333332",
                           "333333333.33333325",
                           "333333333.3333333",
                           "333333333.3333334",
                           "333333333.33333343",
                           "-0.0000033333333333333333",
                           "1424953923781206.2",
                           "1e-7",
                           "0.00001",
                           "123.456"}) {
    EXPECT_EQ(canonical(text), text);
  }
  EXPECT_EQ(canonical("-0.0"), "0");
  EXPECT_EQ(canonical("1.0"), "1");
  EXPECT_EQ(canonical("1E-07"), "1e-7");
}

TEST(JsonTest, BadTextIsRefused) {
  for (const char* text : {"", "{", "{} x", "{\"a\":1,\"a\":2}", "[1,]", "nul", "\"\xFF\"",
                           "[{\"x\":{\"y\":1,\"y\":1}}]"}) {
    EXPECT_FALSE(parse_json(text).ok()) << text;
  }
  EXPECT_EQ(parse_json(std::string(100, '[') + std::string(100, ']')).error().code,
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(parse_json("[1,2,3]", {.max_bytes = 4}).error().code, ErrorCode::kLimitExceeded);
}

TEST(ObjectReaderTest, ReportsTheFirstProblemWithItsPath) {
  const auto value =
      *parse_json(R"({"name":"n","count":3,"when":"2026-04-16T09:42:11Z","extra":1})");
  ObjectReader reader(value, "report");
  EXPECT_EQ(reader.text("name"), "n");
  EXPECT_EQ(reader.unsigned_integer("count"), 3u);
  EXPECT_EQ(reader.timestamp("when").unix_seconds(), 1776332531);
  EXPECT_EQ(reader.optional_text("absent"), std::nullopt);
  EXPECT_EQ(reader.finish().error().message, "report has an unknown member extra");
  EXPECT_TRUE(reader.finish(true).ok());
  EXPECT_FALSE(reader.boolean("name"));
  (void)reader.text("missing");
  EXPECT_EQ(reader.finish().error().message, "report.name is not true or false");
}

TEST(ObjectReaderTest, UnknownNamesAreFitToPrint) {
  const auto message = [](std::string_view text) {
    const auto value = *parse_json(text);
    return ObjectReader(value, "x").finish().error().message;
  };
  EXPECT_EQ(message(R"({"a\u001b[2J\n":1})"), "x has an unknown member a?[2J?");
  std::string accents;
  for (int i = 0; i < 50; ++i) accents += "\u00e9";
  EXPECT_EQ(message("{\"a" + accents + "\":1}"),
            "x has an unknown member a" + accents.substr(0, 78));
}

TEST(ObjectReaderTest, NotAnObject) {
  const auto value = *parse_json("[1]");
  ObjectReader reader(value, "x");
  EXPECT_EQ(reader.text("a"), "");
  EXPECT_EQ(reader.finish().error().message, "x is not an object");
}

}  // namespace
}  // namespace oa
