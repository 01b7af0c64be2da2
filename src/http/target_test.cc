#include "target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oa::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Target, PathBecomesSegments) {
  const auto path = [](std::string_view text) {
    auto target = parse_target(text);
    EXPECT_TRUE(target.ok()) << text;
    return target.ok() ? target->path : std::vector<std::string>{"refused"};
  };
  EXPECT_THAT(path("/"), IsEmpty());
  EXPECT_THAT(path("/v1/jobs"), ElementsAre("v1", "jobs"));
  EXPECT_THAT(path("/v1/jobs/"), ElementsAre("v1", "jobs", ""));
  EXPECT_THAT(path("//evil.example/a"), ElementsAre("", "evil.example", "a"));
  EXPECT_THAT(path("/a%20b/%C3%A9/c+d"), ElementsAre("a b", "\xc3\xa9", "c+d"));
  EXPECT_THAT(path("/%252e%252e"), ElementsAre("%2e%2e"));  // decoded once
  EXPECT_THAT(path("/..."), ElementsAre("..."));
  EXPECT_THAT(path("/.well-known?x"), ElementsAre(".well-known"));
}

TEST(Target, QueryBecomesNamesAndValues) {
  const auto query = [](std::string_view text) {
    auto target = parse_target(text);
    EXPECT_TRUE(target.ok()) << text;
    return target.ok() ? target->query : std::map<std::string, std::string>{{"refused", ""}};
  };
  EXPECT_THAT(query("/a"), IsEmpty());
  EXPECT_THAT(query("/a?"), IsEmpty());
  EXPECT_THAT(query("/a?b"), ElementsAre(Pair("b", "")));
  EXPECT_THAT(query("/a?q=x+y%2B%26%3D&limit=5&&u=?/"),
              UnorderedElementsAre(Pair("q", "x y+&="), Pair("limit", "5"), Pair("u", "?/")));
  EXPECT_THAT(query("/a?a=b=c"), ElementsAre(Pair("a", "b=c")));
}

TEST(Target, RefusesWhatCouldBeReadInTwoWays) {
  for (const std::string_view text : {
           "",
           "v1",
           "*",
           "http://host/v1",
           "host:443",
           "/a b",
           "/a#b",
           "/a\\b",
           "/\xc3\xa9",
           "/%",
           "/%4",
           "/%zz",
           "/%0",
           "/a%",
           "/%00",
           "/a%0a",
           "/%7f",
           "/%1b[2J",
           "/..",
           "/a/../b",
           "/a/..",
           "/./a",
           "/%2e%2e/a",
           "/.%2E",
           "/a%2fb",
           "/a%2F..%2fb",
           "/a%5cb",
           "/%c0%af",         // an overlong slash
           "/%c0%ae%c0%ae/",  // overlong dots
           "/%ff",
           "/%ed%a0%80",     // a surrogate
           "/%f4%90%80%80",  // beyond Unicode
           "/a?b=%00",
           "/a?b=%0d%0aSet-Cookie:x",
           "/a?%ff=1",
           "/a?b=1&b=2",
           "/a?b=1&%62=2",  // the same name
           "/a?b=1&b",
       }) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_EQ(target.error().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(Target, LimitsTheNamesOfAQuery) {
  std::string text = "/?a0=";
  for (int i = 1; i < 64; ++i) text += "&a" + std::to_string(i);
  EXPECT_TRUE(parse_target(text).ok());
  EXPECT_FALSE(parse_target(text + "&b").ok());
}

}  // namespace
}  // namespace oa::http
