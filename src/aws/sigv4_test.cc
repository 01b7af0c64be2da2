// The vectors that AWS publishes: its signature test suite (service "service"), and the examples of
// the Amazon S3 API reference.
#include "oa/aws/sigv4.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "oa/crypto/hash.h"

namespace oa::aws {
namespace {

Credentials make(std::string id, std::string_view secret, std::string_view token = "") {
  return {.access_key_id = std::move(id),
          .secret_access_key = SecretBytes::copy_of(as_bytes(secret)),
          .session_token = SecretBytes::copy_of(as_bytes(token)),
          .expires_at = {}};
}

std::string header(const Fields& fields, std::string_view name) {
  for (const auto& [field, value] : fields)
    if (field == name) return value;
  return {};
}

std::string signature_in(const std::string& text) { return text.substr(text.rfind('=') + 1); }

struct SuiteVector {
  const char* name;
  RequestToSign request;
  const char* signature;
};

TEST(SigV4, SignsTheTestSuite) {
  const Credentials credentials = make("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  const std::string host = "example.amazonaws.com";
  const std::string form = to_hex(Sha256::of(as_bytes("Param1=value1")));
  const std::vector<SuiteVector> vectors{
      {"get-vanilla",
       {.method = "GET", .host = host},
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       {.method = "GET", .host = host, .query = {{"Param2", "value2"}, {"Param1", "value1"}}},
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-header-key-duplicate",
       {.method = "GET",
        .host = host,
        .headers = {{"my-header1", "value2"}, {"my-header1", "value2"}, {"my-header1", "value1"}}},
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-order",
       {.method = "GET",
        .host = host,
        .headers = {{"my-header1", "value4"},
                    {"my-header1", "value1"},
                    {"my-header1", "value3"},
                    {"my-header1", "value2"}}},
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-header-value-trim",
       {.method = "GET",
        .host = host,
        .headers = {{"my-header1", " value1"}, {"my-header2", " \"a   b   c\""}}},
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-vanilla",
       {.method = "POST", .host = host},
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       {.method = "POST",
        .host = host,
        .headers = {{"content-type", "application/x-www-form-urlencoded"}},
        .payload_sha256 = form},
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  const Timestamp now = *Timestamp::parse("2015-08-30T12:36:00Z");
  for (const auto& vector : vectors) {
    const Fields added = sign_headers(vector.request, credentials, {"us-east-1", "service"}, now);
    EXPECT_EQ(signature_in(header(added, "authorization")), vector.signature) << vector.name;
    EXPECT_EQ(header(added, "x-amz-date"), "20150830T123600Z");
    EXPECT_EQ(header(added, "x-amz-content-sha256"), "");
  }
}

class SigV4S3 : public testing::Test {
 protected:
  std::string sign(const RequestToSign& request) {
    return header(sign_headers(request, credentials_, {"us-east-1", "s3"}, now_), "authorization");
  }
  const Credentials credentials_ =
      make("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  const Timestamp now_ = *Timestamp::parse("2013-05-24T00:00:00.999999Z");
  const std::string host_ = "examplebucket.s3.amazonaws.com";
};

TEST_F(SigV4S3, SignsTheExamplesOfTheReference) {
  EXPECT_EQ(sign({.method = "GET",
                  .host = host_,
                  .path = "/test.txt",
                  .headers = {{"range", "bytes=0-9"}}}),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(
      signature_in(sign({.method = "PUT",
                         .host = host_,
                         .path = "/test$file.text",
                         .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                         .payload_sha256 = to_hex(Sha256::of(as_bytes("Welcome to Amazon S3.")))})),
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signature_in(sign({.method = "GET", .host = host_, .query = {{"lifecycle", ""}}})),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature_in(sign(
                {.method = "GET", .host = host_, .query = {{"prefix", "J"}, {"max-keys", "2"}}})),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_F(SigV4S3, PresignsTheExampleOfTheReference) {
  const RequestToSign request{.method = "GET", .host = host_, .path = "/test.txt"};
  const std::string url = *presign("https", request, credentials_, {"us-east-1", "s3"}, now_,
                                   std::chrono::seconds(86400));
  EXPECT_EQ(url,
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
            "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&"
            "X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&"
            "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  for (const int seconds : {0, -1, 7 * 86400 + 1}) {
    EXPECT_EQ(presign("https", request, credentials_, {"us-east-1", "s3"}, now_,
                      std::chrono::seconds(seconds))
                  .error()
                  .code,
              ErrorCode::kInvalidArgument);
  }
}

TEST_F(SigV4S3, ASessionTokenIsSentAndSigned) {
  const Credentials temporary = make("AKIA", "secret", "the/token+==");
  const RequestToSign request{.method = "GET", .host = host_};
  const Fields added = sign_headers(request, temporary, {"us-east-1", "s3"}, now_);
  EXPECT_EQ(header(added, "x-amz-security-token"), "the/token+==");
  EXPECT_NE(header(added, "authorization").find(";x-amz-security-token,"), std::string::npos);
  const std::string url =
      *presign("https", request, temporary, {"us-east-1", "s3"}, now_, std::chrono::seconds(1));
  EXPECT_NE(url.find("X-Amz-Security-Token=the%2Ftoken%2B%3D%3D"), std::string::npos);
}

TEST(UriEncode, FollowsRfc3986) {
  EXPECT_EQ(uri_encode("AZaz09-._~", false), "AZaz09-._~");
  EXPECT_EQ(uri_encode("/a b+c!'()*ä\x7f", false), "%2Fa%20b%2Bc%21%27%28%29%2A%C3%A4%7F");
  EXPECT_EQ(uri_encode("/a/b!c", true), "/a/b%21c");
}

TEST(CanonicalQuery, IsSortedByWhatIsSent) {
  EXPECT_EQ(canonical_query({}), "");
  EXPECT_EQ(canonical_query({{"versions", ""}, {"prefix", "a/b"}, {"max-keys", "2"}}),
            "max-keys=2&prefix=a%2Fb&versions=");
  // By code of the encoded name, and names that begin alike: "versionId" before "versioning".
  EXPECT_EQ(canonical_query({{"versioning", "1"}, {"versionId", "2"}, {"a", "2"}, {"a", "1"}}),
            "a=1&a=2&versionId=2&versioning=1");
}

}  // namespace
}  // namespace oa::aws
