#include "oa/audit/chain_sink.h"

#include <gtest/gtest.h>

#include "oa/audit/personal_values.h"

namespace oa {
namespace {

const TenantId kTenant(Uuid({4, 5, 6}));

std::vector<std::string> lines(std::size_t count) {
  std::vector<std::string> all;
  AuditMark last = audit_begin(kTenant);
  for (std::size_t i = 0; i < count; ++i) {
    AuditEvent event;
    event.id = EventId::random();
    event.sequence = last.sequence + 1;
    event.ts = {static_cast<std::int64_t>(i)};
    event.actor_type = "user";
    event.action = "report.view";
    event.resource_type = "report";
    event.resource_id = "r1";
    event.personal["actor.email"] = commit_to("actor.email", "user@demo.example");
    event.previous_hash = last.hash;
    event.hash = audit_hash(event);
    if (i % 2 == 1) {
      auto& value = event.personal["actor.email"];
      value.salt.clear();
      value.value = "redacted-00112233445566778899aabbccddeeff";
      value.redacted = true;
    }
    last = {event.sequence, event.hash};
    all.push_back(audit_to_json(event) + "\n");
  }
  return all;
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& line : all) text += line;
  return text;
}

Status pass(const std::string& text, std::size_t piece, std::uint64_t* events = nullptr) {
  AuditChainSink sink(audit_begin(kTenant));
  for (std::size_t at = 0; at < text.size(); at += piece)
    OA_TRY(sink.write(as_bytes(std::string_view(text).substr(at, piece))));
  OA_TRY(sink.finish());
  if (events != nullptr) *events = sink.events();
  return {};
}

TEST(AuditChainSink, TakesPiecesOfAnySize) {
  const std::string text = joined(lines(7));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, text.size()}) {
    std::uint64_t events = 0;
    EXPECT_TRUE(pass(text, piece, &events).ok());
    EXPECT_EQ(events, 7u);
  }
  EXPECT_TRUE(pass(text.substr(0, text.size() - 1), 100).ok());
  EXPECT_TRUE(pass("", 1).ok());
}

TEST(AuditChainSink, WhateverWasAlteredOrRemovedIsFound) {
  const auto broken = [](const std::vector<std::string>& all) {
    const Status passed = pass(joined(all), 64);
    return !passed.ok() && passed.error().code == ErrorCode::kAuditBroken;
  };
  const auto good = lines(6);
  for (std::size_t at = 0; at + 1 < good.size(); ++at) {
    auto removed = good;
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_TRUE(broken(removed)) << at;
    auto swapped = good;
    std::swap(swapped[at], swapped[at + 1]);
    EXPECT_TRUE(broken(swapped)) << at;
    auto altered = good;
    const std::size_t action = altered[at].find("report.view");
    altered[at].replace(action, 11, "report.edit");
    EXPECT_TRUE(broken(altered)) << at;
  }
  auto blank = good;
  blank[2] = "\n";
  EXPECT_TRUE(broken(blank));
  auto unredacted = good;
  const std::size_t value = unredacted[1].find("redacted-0");
  unredacted[1].replace(value, 8, "somebody");
  EXPECT_TRUE(broken(unredacted));
}

TEST(AuditChainSink, ALineHasALimit) {
  AuditChainSink sink(audit_begin(kTenant));
  const std::string piece(1 << 20, 'x');
  Status status;
  for (int i = 0; i < 6 && status.ok(); ++i) status = sink.write(as_bytes(piece));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace oa
