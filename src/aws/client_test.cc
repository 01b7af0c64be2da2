// What a server can say and do to a client. The real server is asked in the tests of the object
// store; here are answers that it cannot be made to give.
#include "oa/aws/client.h"

#include <gtest/gtest.h>

#include "scripted_server.h"

namespace oa::aws {
namespace {

using std::chrono::milliseconds;

const std::string kGood = http_answer(200, "", "good");
const std::string kSlowDown =
    http_answer(503, "", "<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>");
const std::string kInternal = http_answer(500, "", "<Error><Code>InternalError</Code></Error>");

Credentials make(std::string id) {
  return {.access_key_id = std::move(id),
          .secret_access_key = SecretBytes::copy_of(as_bytes("THESECRET")),
          .session_token = {},
          .expires_at = {}};
}

class Keeping final : public ResponseSink {
 public:
  Status begin(const ResponseHead& head) override {
    ++begun;
    status = head.status;
    text.clear();
    return {};
  }
  Status write(ByteView bytes) override {
    text += as_text(bytes);
    return {};
  }
  int begun = 0;
  int status = 0;
  std::string text;
};

class Repeating final : public RequestBody {
 public:
  explicit Repeating(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  std::string sha256() const override { return std::string(64, 'a'); }
  Status restart() override {
    at_ = 0;
    return {};
  }
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    const std::size_t n = std::min<std::size_t>({out.size(), text_.size() - at_, 1000});
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
    at_ += n;
    return n;
  }

 private:
  const std::string text_;
  std::size_t at_ = 0;
};

class ClientTest : public testing::Test {
 protected:
  ClientSettings settings(const ScriptedServer& server) {
    return {.endpoint = server.url(),
            .scope = {"default", "s3"},
            .credentials = *CredentialProvider::fixed(make("AKID")),
            .ca_file = {},
            .connect_timeout = milliseconds(2000),
            .idle_timeout = milliseconds(10'000),
            .total_timeout = milliseconds(20'000),
            .retries = {
                .attempts = 4, .first_wait = milliseconds(1), .longest_wait = milliseconds(50)}};
  }
  void serve(std::vector<std::string> answers) {
    server_ = std::make_unique<ScriptedServer>(std::move(answers));
    client_ = *Client::open(settings(*server_));
  }
  Result<Response> get() { return client_->send({.path = "/b/k"}); }
  std::size_t asked() { return server_->requests().size(); }

  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, OneConnectionServesManyRequests) {
  serve({kGood, kGood, kGood});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(as_text(get()->body), "good");
  EXPECT_EQ(client_->counts().connections, 1u);
  EXPECT_EQ(client_->counts().attempts, 3u);
}

TEST_F(ClientTest, WhatIsSignedIsWhatIsSent) {
  serve({kGood});
  ASSERT_TRUE(client_
                  ->send({.method = "PUT",
                          .path = "/b/a!b c",
                          .query = {{"versions", ""}, {"prefix", "x/y"}},
                          .headers = {{"x-amz-meta-a", "1"}},
                          .body = as_bytes("body")})
                  .ok());
  const std::string sent = server_->requests()[0];
  EXPECT_TRUE(sent.starts_with("PUT /b/a%21b%20c?prefix=x%2Fy&versions= HTTP/1.1\r\n")) << sent;
  EXPECT_TRUE(sent.ends_with("\r\n\r\nbody"));
  EXPECT_NE(sent.find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a,"),
            std::string::npos);
  EXPECT_NE(sent.find("Host: " + server_->host() + "\r\n"), std::string::npos);
  EXPECT_EQ(sent.find("Expect"), std::string::npos);
}

TEST_F(ClientTest, AskedToSlowDownItWaitsAndAsksAgain) {
  serve({kSlowDown, http_answer(429, "", ""),
         http_answer(400, "", R"({"__type":"ThrottlingException"})"), kGood});
  EXPECT_EQ(as_text(get()->body), "good");
  EXPECT_EQ(asked(), 4u);
}

TEST_F(ClientTest, ItGivesUpAfterItsAttempts) {
  serve({kSlowDown, kInternal, kSlowDown, kSlowDown, kGood});
  const auto answer = get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kObjectStoreUnavailable);
  EXPECT_EQ(answer.error().cause, "HTTP 503 SlowDown");
  EXPECT_EQ(asked(), 4u);
}

TEST_F(ClientTest, RetryAfterIsKeptUpToALimit) {
  serve({http_answer(503, "Retry-After: 1\r\n", ""), http_answer(503, "Retry-After: 90\r\n", "")});
  ClientSettings patient = settings(*server_);
  patient.retries.longest_wait = milliseconds(1500);
  client_ = *Client::open(std::move(patient));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(get().error().code, ErrorCode::kObjectStoreUnavailable);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(990));
  EXPECT_EQ(asked(), 2u);
}

TEST_F(ClientTest, AllRequestsShareABudgetOfRetries) {
  serve(std::vector<std::string>(20, kSlowDown));
  ClientSettings few = settings(*server_);
  few.retries.budget = 4;
  client_ = *Client::open(std::move(few));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(get().ok());
  EXPECT_EQ(asked(), 9u);  // 5 requests, 4 retries
}

TEST_F(ClientTest, RefusalsAreAnswersAndAreNotRepeated) {
  serve({http_answer(403, "", "<Error><Code>AccessDenied</Code></Error>")});
  const auto answer = get();
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->head.status, 403);
  EXPECT_EQ(answer->error_code, "AccessDenied");
  EXPECT_EQ(asked(), 1u);
}

TEST_F(ClientTest, WhatMayHaveBeenDoneIsRepeatedOnlyWhereThatIsAllowed) {
  serve({std::string(kHangUp), kGood});
  EXPECT_TRUE(get().ok());
  for (const std::string& trouble : {std::string(kHangUp), kInternal}) {
    serve({trouble, kGood});
    const auto answer = client_->send({.path = "/b/k", .repeatable = false});
    EXPECT_FALSE(answer.ok() && answer->ok());
    EXPECT_EQ(asked(), 1u);
  }
  serve({kSlowDown, kGood});
  EXPECT_TRUE(client_->send({.path = "/b/k", .repeatable = false})->ok());
}

TEST_F(ClientTest, AnAnswerThatBreaksOffIsNone) {
  serve({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf", kGood});
  Keeping sink;
  ASSERT_TRUE(client_->send({.path = "/b/k", .sink = &sink}).ok());
  EXPECT_EQ(sink.text, "good");
  EXPECT_EQ(sink.begun, 2);
}

TEST_F(ClientTest, AHeadThatBreaksOffIsNone) {
  for (const char* cut : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\nX-Amz-Vers",
                          "HTTP/1.1 200 OK\r\nConnection: close\r\n"}) {
    serve({cut, http_answer(200, "X-Amz-Version-Id: v1\r\n", "")});
    EXPECT_EQ(get()->head.header("x-amz-version-id"), "v1");
    EXPECT_EQ(asked(), 2u);
  }
}

TEST_F(ClientTest, WhatIsNoHttpIsNoAnswer) {
  serve({"nonsense\r\nConnection: close\r\n\r\n", kGood});
  EXPECT_EQ(as_text(get()->body), "good");
  EXPECT_EQ(asked(), 2u);
}

TEST_F(ClientTest, SilenceEnds) {
  serve({std::string(kSilence), kGood});
  ClientSettings hasty = settings(*server_);
  hasty.idle_timeout = milliseconds(300);
  client_ = *Client::open(std::move(hasty));
  EXPECT_EQ(as_text(get()->body), "good");
}

TEST_F(ClientTest, ARequestCanBeCancelled) {
  serve({std::string(kSilence)});
  std::atomic<bool> cancelled = false;
  std::thread canceller([&] {
    while (asked() == 0) usleep(1000);
    cancelled = true;
  });
  const auto answer = client_->send({.path = "/b/k", .cancelled = &cancelled});
  canceller.join();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
}

TEST_F(ClientTest, ABodyIsSentAgainFromItsBeginning) {
  serve({kSlowDown, std::string(kHangUp), kGood});
  Repeating body(std::string(100'000, 'x') + "end");
  ASSERT_TRUE(client_->send({.method = "PUT", .path = "/b/k", .streamed = &body}).ok());
  for (const std::string& request : server_->requests())
    EXPECT_TRUE(request.ends_with("\r\n\r\n" + std::string(100'000, 'x') + "end"));
  EXPECT_EQ(asked(), 3u);
}

TEST_F(ClientTest, AnErrorsBodyNeverReachesTheSink) {
  serve({http_answer(404, "", "<Error><Code>NoSuchKey</Code></Error>")});
  Keeping sink;
  EXPECT_EQ(client_->send({.path = "/b/k", .sink = &sink})->error_code, "NoSuchKey");
  EXPECT_EQ(sink.begun, 0);
}

TEST_F(ClientTest, AnEmptyAnswerBeginsTheSinkToo) {
  serve({http_answer(200, "X-Amz-Version-Id:  v1 \r\n", "")});
  Keeping sink;
  EXPECT_EQ(client_->send({.path = "/b/k", .sink = &sink})->head.header("x-amz-version-id"), "v1");
  EXPECT_EQ(sink.begun, 1);
}

TEST_F(ClientTest, LongAnswersAreRefused) {
  serve({http_answer(200, "", std::string(101, 'x')), http_answer(200, "", std::string(100, 'x'))});
  EXPECT_EQ(client_->send({.path = "/", .max_body_bytes = 100}).error().code,
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(client_->send({.path = "/", .max_body_bytes = 100})->body.size(), 100u);
  serve({http_answer(200, "X: " + std::string(90'000, 'x') + "\r\n", "")});
  EXPECT_EQ(get().error().code, ErrorCode::kLimitExceeded);
}

TEST_F(ClientTest, TheServersClockIsTaken) {
  const std::string skewed = http_answer(403, "Date: Fri, 24 May 2013 00:10:00 GMT\r\n",
                                         "<Error><Code>RequestTimeTooSkewed</Code></Error>");
  serve({skewed, kGood, kGood, skewed, skewed});
  EXPECT_TRUE(get()->ok());
  EXPECT_TRUE(get()->ok());
  const auto requests = server_->requests();
  EXPECT_EQ(requests[0].find("x-amz-date: 20130524T001"), std::string::npos);
  EXPECT_NE(requests[1].find("x-amz-date: 20130524T001"), std::string::npos);
  EXPECT_NE(requests[2].find("x-amz-date: 20130524T001"), std::string::npos);
  EXPECT_EQ(get()->error_code, "RequestTimeTooSkewed");  // once, then it is the answer
  EXPECT_EQ(asked(), 5u);
}

// As the key management service says it: "AWS signature expired" of its troubleshooting guide.
TEST_F(ClientTest, TheServersClockIsTakenWhenOnlyTheWordsSayThatItDiffers) {
  const auto invalid = [](const std::string& message) {
    return http_answer(400, "Date: Fri, 24 May 2013 00:10:00 GMT\r\n",
                       R"({"__type":"InvalidSignatureException","message":")" + message + "\"}");
  };
  serve({invalid("Signature expired: 20130524T000000Z is now earlier than 20130524T000500Z "
                 "(20130524T001000Z - 5 min.)"),
         kGood,
         invalid("Signature not yet current: 20130524T003000Z is still later than 20130524T001500Z"), kGood,
         invalid("The request signature we calculated does not match"), kGood});
  EXPECT_TRUE(get()->ok());
  EXPECT_NE(server_->requests()[1].find("x-amz-date: 20130524T001"), std::string::npos);
  EXPECT_TRUE(get()->ok());
  EXPECT_EQ(get()->error_code, "InvalidSignatureException");
  EXPECT_EQ(asked(), 5u);
}

TEST_F(ClientTest, ARedirectToAnotherRegionIsFollowedAndKept) {
  const std::string moved = http_answer(301, "x-amz-bucket-region: eu-west-1\r\n",
                                        "<Error><Code>PermanentRedirect</Code></Error>");
  serve({moved, kGood, kGood});
  EXPECT_TRUE(get()->ok());
  EXPECT_TRUE(get()->ok());
  const auto requests = server_->requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_NE(requests[0].find("/default/s3/"), std::string::npos);
  EXPECT_NE(requests[1].find("/eu-west-1/s3/"), std::string::npos);
  EXPECT_NE(requests[2].find("/eu-west-1/s3/"), std::string::npos);
}

TEST_F(ClientTest, RedirectsAreFollowedOnce) {
  serve({http_answer(301, "x-amz-bucket-region: a\r\n", ""),
         http_answer(301, "x-amz-bucket-region: b\r\n", ""), kGood});
  EXPECT_EQ(get()->head.status, 301);
  EXPECT_EQ(asked(), 2u);
}

TEST_F(ClientTest, ATemporaryRedirectIsForOneRequest) {
  ScriptedServer other({kGood});
  serve({http_answer(307, "Location: " + other.url() + "/b/k\r\n", ""), kGood});
  EXPECT_EQ(as_text(get()->body), "good");
  EXPECT_EQ(other.requests().size(), 1u);
  EXPECT_NE(other.requests()[0].find("Host: " + other.host()), std::string::npos);
  EXPECT_TRUE(get()->ok());
  EXPECT_EQ(asked(), 2u);
}

TEST_F(ClientTest, CredentialsThatExpiredAreFetchedAgain) {
  serve({kGood, http_answer(400, "", "<Error><Code>ExpiredToken</Code></Error>"), kGood});
  int fetched = 0;
  ClientSettings temporary = settings(*server_);
  temporary.credentials = CredentialProvider::refreshed(
      [&]() -> Result<Credentials> { return make("AKID" + std::to_string(++fetched)); });
  client_ = *Client::open(std::move(temporary));
  EXPECT_TRUE(get()->ok());
  EXPECT_TRUE(get()->ok());
  EXPECT_NE(server_->requests()[1].find("Credential=AKID1/"), std::string::npos);
  EXPECT_NE(server_->requests()[2].find("Credential=AKID2/"), std::string::npos);
  EXPECT_EQ(fetched, 2);
}

TEST(CredentialProviderTest, FetchesBeforeTheEndAndKeepsWhatIsGood) {
  std::vector<std::int64_t> lifetimes_s{3600, 200, 3600};
  std::size_t fetched = 0;
  bool broken = false;
  const auto provider = CredentialProvider::refreshed([&]() -> Result<Credentials> {
    if (broken) return make_error(ErrorCode::kTimeout, "test", "no answer");
    Credentials credentials = make("AKID" + std::to_string(fetched));
    credentials.expires_at = Timestamp{Timestamp::now().unix_us + lifetimes_s[fetched] * 1'000'000};
    ++fetched;
    return credentials;
  });
  EXPECT_EQ((*provider->current())->access_key_id, "AKID0");
  EXPECT_EQ((*provider->current())->access_key_id, "AKID0");
  const auto first = *provider->current();
  EXPECT_TRUE(provider->refused(*first));
  EXPECT_EQ((*provider->current())->access_key_id, "AKID1");  // ends in less than five minutes
  broken = true;
  EXPECT_EQ((*provider->current())->access_key_id, "AKID1");
  broken = false;
  EXPECT_EQ((*provider->current())->access_key_id, "AKID2");
  EXPECT_TRUE(provider->refused(*first));  // an old one: those held are newer
  EXPECT_EQ((*provider->current())->access_key_id, "AKID2");
  EXPECT_TRUE(provider->refused(**provider->current()));
  broken = true;
  EXPECT_EQ(provider->current().error().code, ErrorCode::kTimeout);
}

TEST(CredentialProviderTest, BadOnesAreRefused) {
  EXPECT_FALSE(CredentialProvider::fixed(make("")).ok());
  EXPECT_FALSE(CredentialProvider::fixed(make("a b")).ok());
  EXPECT_FALSE(CredentialProvider::fixed(make("a\n")).ok());
  EXPECT_FALSE(CredentialProvider::fixed({.access_key_id = "a"}).ok());
  const auto fixed = *CredentialProvider::fixed(make("a"));
  EXPECT_FALSE(fixed->refused(**fixed->current()));
}

TEST_F(ClientTest, ErrorsHoldNothingSecret) {
  for (const auto& answers : std::vector<std::vector<std::string>>{
           {}, {kSlowDown, kSlowDown, kSlowDown, kSlowDown}, {"nonsense"}}) {
    serve(answers);
    const auto answer = get();
    ASSERT_FALSE(answer.ok());
    const Error& error = answer.error();
    const std::string all = error.op + error.message + error.hint + error.cause;
    for (const char* secret : {"THESECRET", "AKID", "Signature", "Credential", "/b/k"})
      EXPECT_EQ(all.find(secret), std::string::npos) << all;
  }
}

TEST_F(ClientTest, WhatCannotBeSentIsRefused) {
  serve({});
  for (const Request& bad :
       {Request{.bucket = "a/b"}, Request{.path = "k"}, Request{.headers = {{"x", "a\r\nevil: 1"}}},
        Request{.headers = {{"", "a"}}}})
    EXPECT_EQ(client_->send(bad).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(asked(), 0u);
  ClientSettings bad = settings(*server_);
  bad.retries.attempts = 0;
  EXPECT_EQ(Client::open(std::move(bad)).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Client::open({.endpoint = server_->url(), .scope = {"a", "s3"}}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(ClientTest, NobodyThereIsUnavailable) {
  serve({});
  ClientSettings gone = settings(*server_);
  gone.unavailable = ErrorCode::kKeyStoreMissing;
  server_.reset();
  client_ = *Client::open(std::move(gone));
  EXPECT_EQ(get().error().code, ErrorCode::kKeyStoreMissing);
  EXPECT_EQ(client_->counts().attempts, 4u);
}

}  // namespace
}  // namespace oa::aws
