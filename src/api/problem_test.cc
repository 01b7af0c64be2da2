#include "problem.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "oa/base/json.h"

namespace oa::api {
namespace {

json::object problem_of(const Error& error) {
  const auto response = problem_response(error, "/v1/x", "a trace");
  return json::parse(std::get<std::string>(response.body)).as_object();
}

std::string header(const http::Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

TEST(Problem, OfEveryCodeHasItsMembersAndItsPlaceInThePage) {
  for (const auto& info : error_table()) {
    const auto error = make_error(info.code, "op", "a message").with_cause("the cause");
    const auto response = problem_response(error, "/v1/x", "a trace");
    EXPECT_EQ(response.status, info.http_status) << info.name;
    EXPECT_EQ(header(response, "Content-Type"), "application/problem+json");
    EXPECT_EQ(header(response, "WWW-Authenticate"), info.http_status == 401 ? "Bearer" : "");
    const auto problem = problem_of(error);
    EXPECT_EQ(problem.at("code").as_string(), info.name);
    EXPECT_EQ(problem.at("status").as_int64(), info.http_status);
    EXPECT_EQ(problem.at("trace_id").as_string(), "a trace");
    EXPECT_EQ(problem.at("instance").as_string(), "/v1/x");
    EXPECT_EQ(problem.at("type"), problem.at("doc_url"));
    EXPECT_FALSE(problem.at("title").as_string().empty());
    EXPECT_NE(error_page().find("id=\"" + std::string(info.name) + "\""), std::string::npos);
    EXPECT_EQ(json::serialize(problem).find("the cause"), std::string::npos) << info.name;
  }
}

TEST(Problem, OfTheServiceItselfTellsOnlyItsKind) {
  for (const auto code : {ErrorCode::kInternal, ErrorCode::kDatabase, ErrorCode::kIo,
                          ErrorCode::kDatabaseUnavailable, ErrorCode::kKeyWrong}) {
    const auto problem =
        problem_of(make_error(code, "op", "cannot open /srv/oa/x").with_hint("look at /srv/oa"));
    EXPECT_EQ(json::serialize(problem).find("/srv"), std::string::npos);
    EXPECT_EQ(problem.at("detail").as_string(), error_info(code).summary);
  }
}

TEST(Problem, OfAFailedJobNoMoreIsToldThanOfARequest) {
  const Told disk = told_to_tenants("storage/full", "the disk is full: /srv/oa", "free some space");
  EXPECT_EQ(disk.detail, error_info(ErrorCode::kDiskFull).summary);
  EXPECT_EQ(disk.hint.find("space"), std::string::npos);
  const Told gone = told_to_tenants("resource/not-found", "no such archive", "look at the list");
  EXPECT_EQ(gone.detail, "no such archive");
  EXPECT_EQ(gone.hint, "look at the list");
  EXPECT_EQ(told_to_tenants("of/another-release", "at /srv", "").detail,
            error_info(ErrorCode::kInternal).summary);
}

TEST(Problem, AHintForTheCommandLineIsNotForABrowser) {
  const auto error = make_error(ErrorCode::kConflict, "op", "a message");
  auto hinted = error, command = error;
  hinted.hint = "do this";
  command.hint = "run `oa-backup restore sweep`";
  EXPECT_EQ(problem_of(hinted).at("hint").as_string(), "do this");
  EXPECT_FALSE(problem_of(command).contains("hint"));
}

TEST(Problem, TextsAreEscaped) {
  const auto error = make_error(ErrorCode::kInvalidArgument, "op", "a \"quote\"\r\nand a line");
  EXPECT_EQ(problem_of(error).at("detail").as_string(), "a \"quote\"\r\nand a line");
}

TEST(Problem, SlowClientsAreTheirsSlowWorkIsOurs) {
  const Error error = make_error(ErrorCode::kTimeout, "test", "it took too long");
  const auto refused = refusal_response(error, "trace");
  EXPECT_EQ(refused.status, 408);
  const auto document = json::parse(std::get<std::string>(refused.body)).as_object();
  EXPECT_EQ(document.at("status"), 408);
  EXPECT_EQ(document.at("code"), "request/timeout");
  EXPECT_EQ(document.at("detail"), "it took too long");
  EXPECT_EQ(problem_response(error, "/v1/x", "trace").status, 504);
}

}  // namespace
}  // namespace oa::api
