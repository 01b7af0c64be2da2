// Answers of S3 that a server here cannot be made to give, recorded.
#include <gtest/gtest.h>

#include <algorithm>

#include "oa/objects/s3_store.h"
#include "s3_bucket.h"
#include "scripted_server.h"

namespace oa {
namespace {

using aws::http_answer;
using std::chrono::milliseconds;

const std::string kVersioned = http_answer(
    200, "",
    R"(<?xml version="1.0" encoding="UTF-8"?><VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>)");
const std::string kNoLock = http_answer(
    404, "",
    R"(<Error><Code>ObjectLockConfigurationNotFoundError</Code><Message>Object Lock configuration does not exist for this bucket</Message></Error>)");
const std::string kNoVersions = http_answer(
    200, "",
    R"(<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated></ListVersionsResult>)");
const std::string kRemoved = http_answer(204, "", "");

std::string error_answer(int status, const std::string& code) {
  return http_answer(status, "",
                     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
                         "</Code><Message>x</Message><RequestId>1</RequestId></Error>");
}

class S3Replies : public testing::Test {
 protected:
  // What the server answers behind the two questions of open().
  void serve(const std::vector<std::string>& answers) {
    std::vector<std::string> all{kVersioned, kNoLock};
    all.insert(all.end(), answers.begin(), answers.end());
    server_ = std::make_unique<aws::ScriptedServer>(all);
    settings_.connection = {
        .endpoint = server_->url(),
        .scope = {"eu-central-1", "s3"},
        .credentials = *aws::CredentialProvider::fixed(
            {.access_key_id = "AKID", .secret_access_key = SecretBytes::copy_of(as_bytes("S"))}),
        .retries = {.attempts = 3, .first_wait = milliseconds(1), .longest_wait = milliseconds(5)}};
    settings_.bucket = "bucket";
    store_ = *open_s3_store(settings_);
  }
  Result<VersionId> put() {
    OA_ASSIGN(const auto writer, store_->put(key_));
    OA_TRY(writer->write(as_bytes("content")));
    return writer->commit();
  }
  ErrorCode put_error() {
    const auto version = put();
    return version.ok() ? ErrorCode::kInternal : version.error().code;
  }
  std::string last_request() { return server_->requests().back(); }

  std::unique_ptr<aws::ScriptedServer> server_;
  S3Settings settings_;
  std::unique_ptr<S3Store> store_;
  const ObjectKey key_{TenantId::random(), RetentionClass::kRows, "a"};
};

TEST_F(S3Replies, APutThatIsNotEncryptedAsAskedForIsRemoved) {
  settings_.kms_key_of = [](TenantId) { return "1234-key"; };
  for (const char* headers : {"x-amz-version-id: v1\r\n",
                              "x-amz-version-id: v1\r\nx-amz-server-side-encryption: AES256\r\n",
                              "x-amz-version-id: v1\r\nx-amz-server-side-encryption: aws:kms\r\n"
                              "x-amz-server-side-encryption-aws-kms-key-id: other\r\n"}) {
    serve({kNoVersions, http_answer(200, headers, ""), kRemoved});
    EXPECT_EQ(put_error(), ErrorCode::kIo);
    const std::string removal = server_->requests()[4];
    EXPECT_TRUE(removal.starts_with("DELETE /bucket/objects/")) << removal;
    EXPECT_NE(removal.find("?versionId=v1 "), std::string::npos);
  }
}

TEST_F(S3Replies, AmazonNamesTheKeyByItsArn) {
  settings_.kms_key_of = [](TenantId) { return "1234-key"; };
  serve(
      {kNoVersions, http_answer(200,
                                "x-amz-version-id: v1\r\nx-amz-server-side-encryption: aws:kms\r\n"
                                "x-amz-server-side-encryption-aws-kms-key-id: "
                                "arn:aws:kms:eu-central-1:111122223333:key/1234-key\r\n",
                                "")});
  EXPECT_TRUE(put().ok());
}

TEST_F(S3Replies, APutWithoutAVersionIsRemoved) {
  for (const char* headers : {"", "x-amz-version-id: null\r\n"}) {
    serve({});
    const auto writer = *store_->put(key_);
    ASSERT_TRUE(writer->write(as_bytes("content")).ok());
    server_->go_on_with(
        {kNoVersions, http_answer(200, headers, "")}, [](const std::string& request) {
          // The listing behind the PUT shows what was put, under the name that it was given.
          const auto begin = request.find("prefix=") + 7;
          std::string key = request.substr(begin, request.find('&', begin) - begin);
          for (const auto& [from, to] : {std::pair{"%2F", "/"}, std::pair{"%21", "!"}})
            for (auto at = key.find(from); at != std::string::npos; at = key.find(from))
              key.replace(at, 3, to);
          return http_answer(
              200, "",
              "<ListVersionsResult><Version><Key>" + key +
                  "</Key><VersionId>null</VersionId></Version></ListVersionsResult>");
        });
    const auto version = writer->commit();
    ASSERT_FALSE(version.ok());
    EXPECT_EQ(version.error().code, ErrorCode::kIo);
    EXPECT_EQ(version.error().message, "the bucket keeps no versions");
    EXPECT_TRUE(std::ranges::any_of(server_->requests(), [](const std::string& request) {
      return request.starts_with("DELETE /bucket/objects/") &&
             request.find("?versionId=null ") != std::string::npos;
    }));
  }
}

TEST_F(S3Replies, ErrorsHaveStableCodes) {
  const std::vector<std::pair<std::string, ErrorCode>> cases{
      {error_answer(403, "AccessDenied"), ErrorCode::kPermissionDenied},
      {error_answer(403, "InvalidAccessKeyId"), ErrorCode::kPermissionDenied},
      {error_answer(403, "SignatureDoesNotMatch"), ErrorCode::kPermissionDenied},
      {error_answer(403, "QuotaExceeded"), ErrorCode::kDiskFull},
      {error_answer(400, "EntityTooLarge"), ErrorCode::kLimitExceeded},
      {error_answer(400, "KMS.DisabledException"), ErrorCode::kKeyDisabled},
      {error_answer(400, "KMS.NotFoundException"), ErrorCode::kKeyDestroyed},
      {error_answer(404, "NoSuchBucket"), ErrorCode::kObjectStoreUnavailable},
      {error_answer(400, "InvalidRequest"), ErrorCode::kIo},
      {error_answer(507, "X"), ErrorCode::kDiskFull}};
  for (const auto& [answer, code] : cases) {
    serve({kNoVersions, answer});
    EXPECT_EQ(put_error(), code) << answer;
  }
}

TEST_F(S3Replies, SlowDownIsWaitedFor) {
  serve({kNoVersions, error_answer(503, "SlowDown"), error_answer(503, "SlowDown"),
         http_answer(200, "x-amz-version-id: v1\r\n", "")});
  EXPECT_TRUE(put().ok());
}

TEST_F(S3Replies, ABucketOfAnotherRegionIsAskedThere) {
  const std::string moved =
      http_answer(301, "x-amz-bucket-region: eu-west-1\r\n",
                  "<Error><Code>PermanentRedirect</"
                  "Code><Endpoint>bucket.s3.eu-west-1.amazonaws.com</Endpoint></Error>");
  serve({moved, kNoVersions, http_answer(200, "x-amz-version-id: v1\r\n", "")});
  EXPECT_TRUE(put().ok());
  EXPECT_NE(last_request().find("/eu-west-1/s3/aws4_request"), std::string::npos);
  EXPECT_TRUE(last_request().ends_with("\r\n\r\ncontent"));
}

TEST_F(S3Replies, AClockThatIsWrongIsSet) {
  const std::string skewed = http_answer(403, "Date: Sat, 25 Jul 2026 09:30:00 GMT\r\n",
                                         "<Error><Code>RequestTimeTooSkewed</Code></Error>");
  serve({skewed, kNoVersions, http_answer(200, "x-amz-version-id: v1\r\n", "")});
  EXPECT_TRUE(put().ok());
  EXPECT_NE(last_request().find("x-amz-date: 20260725T093"), std::string::npos);
}

TEST_F(S3Replies, ListingsThatMakeNoSenseAreErrors) {
  for (const std::string body :
       {"", "<html/>", "<ListVersionsResult>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><ListVersionsResult/>",
        "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>"}) {
    serve({http_answer(200, "", body)});
    EXPECT_EQ(store_->head(key_).error().code, ErrorCode::kIo) << body;
  }
}

TEST_F(S3Replies, AnAnswerToAnotherRangeIsNotTaken) {
  const std::string listed = http_answer(
      200, "", "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>");
  const VersionId version{"00001790000000000000-0123456789abcdef-40000-w"};  // 256 KiB
  const std::string half(128 << 10, 'x');
  for (const std::string& answer :
       {http_answer(200, "", half), http_answer(206, "", half),
        http_answer(206, "Content-Range: bytes 1-131072/262144\r\n", half),
        http_answer(206, "Content-Range: bytes 0-131071/262145\r\n", half),
        http_answer(206, "Content-Range: bytes 0-131071/262144\r\n", half + "x"),
        http_answer(206, "Content-Range: bytes 0-131071/262144\r\n", half.substr(1)),
        error_answer(416, "InvalidRange")}) {
    serve({answer, answer});
    const auto opened = store_->get(key_, version);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::kSealCorrupt);
    serve({answer, http_answer(206, "Content-Range: bytes 0-131071/262144\r\n", half)});
    EXPECT_TRUE(store_->get(key_, version).ok());
  }
}

TEST_F(S3Replies, ErrorsHoldNothingSecret) {
  serve({kNoVersions, error_answer(403, "AccessDenied")});
  const auto version = put();
  ASSERT_FALSE(version.ok());
  const Error& error = version.error();
  const std::string all = error.op + error.message + error.hint + error.cause;
  for (const std::string& secret :
       {std::string("AKID"), std::string("Signature"), key_.tenant.str()})
    EXPECT_EQ(all.find(secret), std::string::npos) << all;
}

}  // namespace
}  // namespace oa
