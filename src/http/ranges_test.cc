#include "oa/http/ranges.h"

#include <gtest/gtest.h>

#include "oa/http/conditional.h"
#include "oa/http/cookies.h"

namespace oa::http {
namespace {

std::string described(std::string_view header, std::uint64_t size) {
  const auto range = parse_range(header, size);
  if (range.kind == Range::Kind::kWhole) return "whole";
  return content_range(range, size);
}

TEST(Ranges, OneRange) {
  EXPECT_EQ(described("bytes=0-", 10), "bytes 0-9/10");
  EXPECT_EQ(described("bytes=0-0", 10), "bytes 0-0/10");
  EXPECT_EQ(described("bytes=3-5", 10), "bytes 3-5/10");
  EXPECT_EQ(described("BYTES=9-", 10), "bytes 9-9/10");
  EXPECT_EQ(described("bytes=5-99", 10), "bytes 5-9/10");
  EXPECT_EQ(described("bytes=-3", 10), "bytes 7-9/10");
  EXPECT_EQ(described("bytes=-30", 10), "bytes 0-9/10");
  EXPECT_EQ(described("bytes=0-99999999999999999999999", 10), "bytes 0-9/10");
}

TEST(Ranges, NotSatisfiable) {
  EXPECT_EQ(described("bytes=10-", 10), "bytes */10");
  EXPECT_EQ(described("bytes=99999999999999999999999-", 10), "bytes */10");
  EXPECT_EQ(described("bytes=-0", 10), "bytes */10");
  EXPECT_EQ(described("bytes=0-", 0), "bytes */0");
}

TEST(Ranges, WhatIsNoRangeAsksForTheWhole) {
  for (const auto* header : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-3",
                             "bytes=1-2,4-5", "bytes= 1-2", "bytes=1 -2", "items=0-1", "bytes=1",
                             "bytes=--1", "bytes=0x1-2", "bytes=1-2-3", "bytes=+1-2", "bytes 1-2"})
    EXPECT_EQ(described(header, 10), "whole") << header;
  EXPECT_EQ(described("bytes=-5", 0), "whole");
}

Request request_with(std::map<std::string, std::string> headers, std::string method = "GET") {
  Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  return request;
}

TEST(Ranges, IfRangeMustNameTheSameBody) {
  const auto kind = [](std::map<std::string, std::string> headers, std::string method = "GET") {
    return range_of(request_with(std::move(headers), std::move(method)), 10, "\"a\"").kind;
  };
  EXPECT_EQ(kind({}), Range::Kind::kWhole);
  EXPECT_EQ(kind({{"range", "bytes=1-"}}), Range::Kind::kPart);
  EXPECT_EQ(kind({{"range", "bytes=1-"}}, "HEAD"), Range::Kind::kWhole);
  EXPECT_EQ(kind({{"range", "bytes=1-"}, {"if-range", "\"a\""}}), Range::Kind::kPart);
  for (const auto* other : {"\"b\"", "W/\"a\"", "*", "Mon, 23 Nov 2026 10:00:00 GMT", "", "a"})
    EXPECT_EQ(kind({{"range", "bytes=1-"}, {"if-range", other}}), Range::Kind::kWhole) << other;
}

TEST(Conditional, EntityTags) {
  const auto weak = EtagComparison::kWeak, strong = EtagComparison::kStrong;
  EXPECT_TRUE(names_etag("*", "\"a\"", strong));
  EXPECT_TRUE(names_etag("\"b\" , \"a\"", "\"a\"", strong));
  EXPECT_TRUE(names_etag("\"b,\"\"a\"", "\"b,\"", strong));
  EXPECT_FALSE(names_etag("W/\"a\"", "\"a\"", strong));
  EXPECT_TRUE(names_etag("W/\"a\"", "\"a\"", weak));
  for (const auto* none : {"", "a", "\"a", "\"b\"", "\"b\"x\"a\"", "w/\"a\"", "\"A\"", "**"})
    EXPECT_FALSE(names_etag(none, "\"a\"", weak)) << none;
}

TEST(Conditional, Requests) {
  EXPECT_TRUE(is_unchanged(request_with({{"if-none-match", "W/\"a\""}}), "\"a\""));
  EXPECT_FALSE(is_unchanged(request_with({{"if-none-match", "\"b\""}}), "\"a\""));
  EXPECT_FALSE(is_unchanged(request_with({}), "\"a\""));
  EXPECT_FALSE(is_unchanged(request_with({{"if-none-match", "\"a\""}}, "PUT"), "\"a\""));
  EXPECT_TRUE(precondition_holds(request_with({}), "\"a\""));
  EXPECT_TRUE(precondition_holds(request_with({{"if-match", "\"b\", \"a\""}}), "\"a\""));
  EXPECT_FALSE(precondition_holds(request_with({{"if-match", "W/\"a\""}}), "\"a\""));
}

TEST(Cookies, ByNameAndOnlyOne) {
  const auto get = [](std::string header, std::string_view name) {
    const auto request = request_with({{"cookie", std::move(header)}});
    return std::string(cookie(request, name).value_or("none"));
  };
  EXPECT_EQ(get("__Host-id=abc; theme=dark", "__Host-id"), "abc");
  EXPECT_EQ(get("theme=dark;__Host-id=a=b", "__Host-id"), "a=b");
  EXPECT_EQ(get("id=", "id"), "");
  EXPECT_EQ(get("id=1; other=2; id=1", "id"), "none");
  EXPECT_EQ(get("ID=1; xid=2; id2=3; id", "id"), "none");
  EXPECT_EQ(get(";;=; ;", "id"), "none");
  EXPECT_FALSE(cookie(request_with({}), "id"));
}

}  // namespace
}  // namespace oa::http
