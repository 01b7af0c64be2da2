#include "paging.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace oa::api {
namespace {

constexpr Timestamp kNow{std::int64_t{1'800'000'000} * 1'000'000};
constexpr std::int64_t kHour = std::int64_t{3600} * 1'000'000;

// A request for a list and what decodes it.
struct Asked {
  http::Request request;
  Arrived arrived;
  ServiceSecrets secrets = ServiceSecrets::of(as_bytes("a key"));
  Asked(std::vector<std::string> path, std::map<std::string, std::string> query) {
    request.path = std::move(path);
    request.query = std::move(query);
    arrived.request = &request;
    arrived.secrets = &secrets;
  }
  Asked(const Asked&) = delete;
  Result<PageRequest> page(Timestamp now = kNow) const { return page_request(arrived, now); }
  std::string next_cursor(const std::string& position) const {
    const auto document = page_document(arrived, {}, {}, position, kNow);
    return std::string(document.at("page").at("next_cursor").as_string());
  }
};

ErrorCode refusal(const Asked& asked, Timestamp now = kNow) {
  const auto page = asked.page(now);
  return page.ok() ? ErrorCode::kInternal : page.error().code;
}

TEST(Paging, ACursorGoesOnWhereThePageEnded) {
  const Asked first({"v1", "jobs"}, {{"limit", "7"}});
  const auto cursor = first.next_cursor("a position");
  const Asked next({"v1", "jobs"}, {{"limit", "9"}, {"cursor", cursor}});
  const auto page = next.page();
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->limit, 9U);
  EXPECT_EQ(page->after, "a position");
}

TEST(Paging, TheLastPageHasNoCursor) {
  const Asked asked({"v1", "jobs"}, {});
  const auto document = page_document(asked.arrived, *asked.page(), {}, std::nullopt, kNow);
  EXPECT_EQ(json::serialize(document.at("page")),
            R"({"limit":50,"next_cursor":null,"has_more":false})");
}

TEST(Paging, LimitsAreFrom1To500) {
  for (const char* limit : {"1", "500"})
    EXPECT_TRUE(Asked({"v1", "jobs"}, {{"limit", limit}}).page().ok()) << limit;
  for (const char* limit : {"", "0", "501", "-1", "+1", " 1", "1 ", "x", "99999999999999999999"})
    EXPECT_EQ(refusal(Asked({"v1", "jobs"}, {{"limit", limit}})), ErrorCode::kInvalidArgument)
        << limit;
}

TEST(Paging, ACursorBelongsToItsPathAndQuery) {
  const auto cursor = Asked({"v1", "jobs"}, {{"kind", "report"}}).next_cursor("p");
  EXPECT_TRUE(Asked({"v1", "jobs"}, {{"kind", "report"}, {"cursor", cursor}}).page().ok());
  for (const auto& query : {std::map<std::string, std::string>{{"kind", "dataset"}},
                            {},
                            {{"kind", "report"}, {"q", "x"}}}) {
    auto with_cursor = query;
    with_cursor["cursor"] = cursor;
    EXPECT_EQ(refusal(Asked({"v1", "jobs"}, with_cursor)), ErrorCode::kCursorMismatch);
  }
  EXPECT_EQ(refusal(Asked({"v1", "archives"}, {{"kind", "report"}, {"cursor", cursor}})),
            ErrorCode::kCursorMismatch);
}

TEST(Paging, ACursorLastsADay) {
  const Asked first({"v1", "jobs"}, {});
  const Asked asked({"v1", "jobs"}, {{"cursor", first.next_cursor("p")}});
  EXPECT_TRUE(asked.page({kNow.unix_us + 24 * kHour}).ok());
  EXPECT_EQ(refusal(asked, {kNow.unix_us + 24 * kHour + 1'000'000}), ErrorCode::kCursorExpired);
  EXPECT_EQ(refusal(asked, {kNow.unix_us - kHour}), ErrorCode::kCursorExpired);  // of the future
}

TEST(Paging, ACursorThatWasChangedIsRefused) {
  const auto cursor = Asked({"v1", "jobs"}, {}).next_cursor("p");
  std::vector<std::string> changed{"", "x", "e30", cursor + "AAAA", "=" + cursor, ".", cursor + ".",
                                   cursor + cursor, "." + cursor};
  for (std::size_t at = 0; at < cursor.size(); ++at) {
    changed.push_back(cursor);
    changed.back()[at] = cursor[at] == 'A' ? 'B' : 'A';
  }
  for (std::size_t size = 1; size < cursor.size(); ++size)
    changed.push_back(cursor.substr(0, size));
  for (const auto& text : changed)
    EXPECT_EQ(refusal(Asked({"v1", "jobs"}, {{"cursor", text}})), ErrorCode::kCursorMismatch)
        << text;
}

TEST(Paging, ACursorOfAnotherInstanceIsRefused) {
  const auto cursor = Asked({"v1", "jobs"}, {}).next_cursor("p");
  Asked elsewhere({"v1", "jobs"}, {{"cursor", cursor}});
  EXPECT_TRUE(elsewhere.page().ok());
  elsewhere.secrets = ServiceSecrets::of(as_bytes("another key"));
  EXPECT_EQ(refusal(elsewhere), ErrorCode::kCursorMismatch);
}

TEST(Paging, PositionsComeBackAsTheyWere) {
  const Uuid id = Uuid::random();
  const auto position = parse_position(position_of(kNow, id));
  ASSERT_TRUE(position.ok());
  EXPECT_EQ(position->created_at, kNow);
  EXPECT_EQ(position->id, id);
  EXPECT_EQ(*parse_ordinal("0"), 0U);
  EXPECT_EQ(*parse_ordinal("9223372036854775807"), 9223372036854775807U);
  EXPECT_EQ(*parse_id<JobId>(id.str()), JobId(id));
}

TEST(Paging, WhatIsNoPositionIsAnotherListsCursor) {
  for (const char* text : {"", "x", "-1", "9223372036854775808", "1x"})
    EXPECT_EQ(parse_ordinal(text).error().code, ErrorCode::kCursorMismatch) << text;
  for (const char* text : {"", "/", "1/x", "x/00000000-0000-0000-0000-000000000000", "1"})
    EXPECT_EQ(parse_position(text).error().code, ErrorCode::kCursorMismatch) << text;
  EXPECT_EQ(parse_id<JobId>("x").error().code, ErrorCode::kCursorMismatch);
}

}  // namespace
}  // namespace oa::api
