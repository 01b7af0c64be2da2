#include "retry.h"

#include <gtest/gtest.h>

namespace oa::aws {
namespace {

using std::chrono::milliseconds;

Response answer(int status, std::string code = "") {
  return {.head = {.status = status, .headers = {}}, .body = {}, .error_code = std::move(code)};
}

TEST(ErrorCodeOf, ReadsBothKindsOfServices) {
  const auto of = [](std::string_view body) { return error_code_of({}, as_bytes(body)); };
  EXPECT_EQ(of("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Key>a</Key></Error>"),
            "NoSuchKey");
  EXPECT_EQ(of(R"({"__type":"com.amazonaws.kms#DisabledException","message":"x"})"),
            "DisabledException");
  EXPECT_EQ(of(R"({"__type":"ThrottlingException"})"), "ThrottlingException");
  EXPECT_EQ(
      error_code_of(
          {.status = 400, .headers = {{"x-amzn-errortype", "NotFoundException:http://a/b"}}}, {}),
      "NotFoundException");
  for (const char* none : {"", "{", "{}", "[]", R"({"__type":7})", "<html>", "<Code>",
                           "<Code></Code>", "<Code>a b</Code>", "<Code>\n</Code>"})
    EXPECT_EQ(of(none), "") << none;
  EXPECT_EQ(of("<Code>" + std::string(65, 'a') + "</Code>"), "");
}

TEST(Judge, TellsWhatMaySucceedLater) {
  EXPECT_EQ(judge(answer(200)), Verdict::kDone);
  EXPECT_EQ(judge(answer(404, "NoSuchKey")), Verdict::kDone);
  EXPECT_EQ(judge(answer(403, "AccessDenied")), Verdict::kDone);
  EXPECT_EQ(judge(answer(501, "NotImplemented")), Verdict::kDone);
  EXPECT_EQ(judge(answer(503, "SlowDown")), Verdict::kAgain);
  EXPECT_EQ(judge(answer(503)), Verdict::kAgain);
  EXPECT_EQ(judge(answer(429)), Verdict::kAgain);
  EXPECT_EQ(judge(answer(400, "ThrottlingException")), Verdict::kAgain);
  EXPECT_EQ(judge(answer(400, "RequestTimeout")), Verdict::kAgain);
  EXPECT_EQ(judge(answer(400, "XAmzContentSHA256Mismatch")), Verdict::kAgain);
  EXPECT_EQ(judge(answer(500, "InternalError")), Verdict::kAgainMaybe);
  EXPECT_EQ(judge(answer(502)), Verdict::kAgainMaybe);
  EXPECT_EQ(judge(answer(403, "RequestTimeTooSkewed")), Verdict::kSetClock);
  EXPECT_EQ(judge(answer(400, "ExpiredToken")), Verdict::kNewCredentials);
}

TEST(RetryAfter, IsSeconds) {
  const auto of = [](std::string value) {
    return retry_after({.status = 503, .headers = {{"retry-after", std::move(value)}}});
  };
  EXPECT_EQ(of("3"), milliseconds(3000));
  EXPECT_EQ(of("0"), milliseconds(0));
  for (const char* bad : {"", "-1", "3s", "99999999999", "Fri, 31 Dec 1999 23:59:59 GMT"})
    EXPECT_EQ(of(bad), std::nullopt) << bad;
  EXPECT_EQ(retry_after({}), std::nullopt);
}

TEST(WaitBefore, DoublesToTheLongestAndSpreads) {
  const RetrySettings settings{.attempts = 9,
                               .first_wait = milliseconds(100),
                               .longest_wait = milliseconds(1500),
                               .budget = 1};
  EXPECT_EQ(wait_before(settings, 0, 0.999).count(), 99);
  EXPECT_EQ(wait_before(settings, 3, 0.5).count(), 400);
  EXPECT_EQ(wait_before(settings, 4, 1).count(), 1500);
  EXPECT_EQ(wait_before(settings, 1000, 1).count(), 1500);
  EXPECT_EQ(wait_before(settings, 5, 0).count(), 0);
}

TEST(DateOf, ReadsTheFixedForm) {
  const auto of = [](std::string value) {
    return date_of({.status = 403, .headers = {{"date", std::move(value)}}});
  };
  EXPECT_EQ(of("Mon, 23 Nov 2026 17:04:41 GMT"), *Timestamp::parse("2026-11-23T17:04:41Z"));
  EXPECT_EQ(of("Thu, 01 Jan 2026 00:00:00 GMT"), *Timestamp::parse("2026-01-01T00:00:00Z"));
  for (const char* bad : {"", "Mon, 23 Nov 2026 17:04:41 CET", "Mon, 23 Foo 2026 17:04:41 GMT",
                          "Mon, 99 Nov 2026 17:04:41 GMT", "Monday, 23-Nov-26 17:04:41 GMT"})
    EXPECT_EQ(of(bad), std::nullopt) << bad;
}

TEST(RetryBudget, IsUsedUpAndComesBackInTenths) {
  RetryBudget budget(2);
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
  for (int i = 0; i < 9; ++i) budget.give_back_a_tenth();
  EXPECT_FALSE(budget.take());
  budget.give_back_a_tenth();
  EXPECT_TRUE(budget.take());
  for (int i = 0; i < 100; ++i) budget.give_back_a_tenth();
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
}

}  // namespace
}  // namespace oa::aws
