#include "endpoint.h"

#include <gtest/gtest.h>

namespace oa::aws {
namespace {

Response answer(int status, Fields headers, std::string code = "", std::string_view body = "") {
  const ByteView bytes = as_bytes(body);
  return {.head = {.status = status, .headers = std::move(headers)},
          .body = {bytes.begin(), bytes.end()},
          .error_code = std::move(code)};
}

const Endpoint kFrankfurt{"https", "s3.eu-central-1.amazonaws.com", "eu-central-1"};

TEST(ParseEndpoint, TakesWhatCanBeAsked) {
  const auto host = [](std::string_view url) { return parse_endpoint(url, "default")->host; };
  EXPECT_EQ(host("https://s3.example.org"), "s3.example.org");
  EXPECT_EQ(host("https://S3.Example.org:443/"), "s3.example.org");
  EXPECT_EQ(host("https://s3.example.org:8443"), "s3.example.org:8443");
  EXPECT_EQ(host("http://127.0.0.1:80"), "127.0.0.1");
  EXPECT_EQ(host("http://[::1]:8000"), "[::1]:8000");
  EXPECT_EQ(host("http://localhost:8000"), "localhost:8000");
  for (const char* bad :
       {"", "s3.example.org", "ftp://s3.example.org", "https://", "https://a/b", "https://a?b",
        "https://user@a", "https://a b", "http://s3.example.org", "http://127.0.0.1.example.org",
        "http://[::1].example.org", "https://a\n"}) {
    const auto parsed = parse_endpoint(bad, "default");
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  }
  for (const std::string bad : {"", "a/b", "EU", "a b"})
    EXPECT_FALSE(parse_endpoint("https://a", bad).ok()) << bad;
}

TEST(HostOf, ABucketComesFirst) {
  EXPECT_EQ(host_of(kFrankfurt, ""), "s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(host_of(kFrankfurt, "b"), "b.s3.eu-central-1.amazonaws.com");
}

TEST(Redirected, ToTheRegionThatIsNamed) {
  const Endpoint ireland{"https", "s3.eu-west-1.amazonaws.com", "eu-west-1"};
  EXPECT_EQ(redirected(kFrankfurt, "",
                       answer(301, {{"x-amz-bucket-region", "eu-west-1"}}, "PermanentRedirect")),
            ireland);
  EXPECT_EQ(redirected(kFrankfurt, "", answer(400, {{"x-amz-bucket-region", "eu-west-1"}})),
            ireland);  // of a HEAD, which has no body
  EXPECT_EQ(redirected(kFrankfurt, "",
                       answer(400, {}, "AuthorizationHeaderMalformed",
                              "<Error><Region>eu-west-1</Region></Error>")),
            ireland);
  const Endpoint own{"http", "127.0.0.1:8000", "a"};
  EXPECT_EQ(redirected(own, "", answer(301, {{"x-amz-bucket-region", "b"}})),
            (Endpoint{"http", "127.0.0.1:8000", "b"}));
}

TEST(Redirected, ToAnotherHostOfTheSameService) {
  EXPECT_EQ(redirected(kFrankfurt, "b",
                       answer(307, {{"location", "https://b.s3.eu-west-1.amazonaws.com/k?x=1"}})),
            (Endpoint{"https", "s3.eu-west-1.amazonaws.com", "eu-central-1"}));
  const Endpoint own{"http", "127.0.0.1:8000", "a"};
  EXPECT_EQ(redirected(own, "", answer(307, {{"location", "http://127.0.0.1:9000/b/k"}})),
            (Endpoint{"http", "127.0.0.1:9000", "a"}));
}

TEST(Redirected, NeverToAStrangerNorInTheClear) {
  const Endpoint own{"https", "s3.example.org", "a"};
  for (const char* location :
       {"https://evil.example.com/", "http://s3.example.org/", "https://s3.example.org.evil.com/",
        "https://evils3.example.org@evil.com/", "//s3.example.org/", "/elsewhere", ""})
    EXPECT_EQ(redirected(own, "", answer(307, {{"location", location}})), std::nullopt) << location;
  EXPECT_EQ(redirected(kFrankfurt, "", answer(307, {{"location", "https://amazonaws.com.evil/"}})),
            std::nullopt);
}

TEST(Redirected, NothingElseIs) {
  EXPECT_EQ(redirected(kFrankfurt, "", answer(200, {{"x-amz-bucket-region", "eu-west-1"}})),
            std::nullopt);
  EXPECT_EQ(redirected(kFrankfurt, "",
                       answer(403, {{"x-amz-bucket-region", "eu-west-1"}}, "AccessDenied")),
            std::nullopt);
  EXPECT_EQ(redirected(kFrankfurt, "", answer(301, {{"x-amz-bucket-region", "eu-central-1"}})),
            std::nullopt);
  EXPECT_EQ(redirected(kFrankfurt, "", answer(301, {{"x-amz-bucket-region", "../evil"}})),
            std::nullopt);
}

}  // namespace
}  // namespace oa::aws
