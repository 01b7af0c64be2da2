#include "oa/audit/audit.h"

#include <gtest/gtest.h>

#include "oa/audit/personal_values.h"

namespace oa {
namespace {

const TenantId kTenant(Uuid({1, 2, 3}));

std::vector<AuditEvent> chain(std::size_t length, TenantId tenant = kTenant) {
  std::vector<AuditEvent> events;
  Sha256Digest previous = audit_chain_start(tenant);
  for (std::size_t i = 0; i < length; ++i) {
    AuditEvent event;
    event.id = EventId::random();
    event.sequence = i + 1;
    event.ts = {static_cast<std::int64_t>(i)};
    event.actor_type = "user";
    event.actor_id = Uuid::random();
    event.action = "report.view";
    event.resource_type = "report";
    event.resource_id = "r1";
    event.personal["actor.email"] = commit_to("actor.email", "user@demo.example");
    event.personal["actor.ip"] = commit_to("actor.ip", "203.0.113.42");
    event.previous_hash = previous;
    event.hash = audit_hash(event);
    previous = event.hash;
    events.push_back(event);
  }
  return events;
}

Status verify(const std::vector<AuditEvent>& events) {
  AuditChainVerifier verifier(kTenant);
  for (const auto& event : events) OA_TRY(verifier.check(event));
  EXPECT_EQ(verifier.events(), events.size());
  return {};
}

TEST(Audit, AWholeChainVerifies) { EXPECT_TRUE(verify(chain(5)).ok()); }

TEST(Audit, AnotherTenantsChainIsRefused) {
  EXPECT_EQ(verify(chain(2, TenantId::random())).error().code, ErrorCode::kAuditBroken);
}

TEST(Audit, ARedactedChainStillVerifies) {
  auto events = chain(4);
  auto& email = events[2].personal["actor.email"];
  email.salt.clear();
  email.value = "redacted-1234";
  email.redacted = true;
  EXPECT_TRUE(verify(events).ok());
  EXPECT_EQ(audit_from_json(audit_to_json(events[2])).value(), events[2]);
}

TEST(Audit, EveryTamperedFieldIsFoundAtItsEvent) {
  const auto good = chain(4);
  const std::vector<std::function<void(AuditEvent&)>> changes = {
      [](AuditEvent& e) { e.id = EventId::random(); },
      [](AuditEvent& e) { e.sequence = 7; },
      [](AuditEvent& e) { e.ts.unix_us += 1; },
      [](AuditEvent& e) { e.actor_type = "system"; },
      [](AuditEvent& e) { e.actor_id.reset(); },
      [](AuditEvent& e) { e.action = "report.update"; },
      [](AuditEvent& e) { e.resource_type = "alert"; },
      [](AuditEvent& e) { e.resource_id = "r2"; },
      [](AuditEvent& e) { e.detail = JsonText::parse("{\"a\":1}").value(); },
      [](AuditEvent& e) { e.trace_id = "t"; },
      [](AuditEvent& e) { e.personal["actor.email"].value = "eve@example.com"; },
      [](AuditEvent& e) { e.personal["actor.email"].salt[0] ^= 1; },
      [](AuditEvent& e) { e.personal["actor.email"].commitment[0] ^= 1; },
      [](AuditEvent& e) { e.personal["actor.email"].redacted = true; },
      [](AuditEvent& e) {
        e.personal["actor.email"] = commit_to("actor.email", "eve@example.com");
      },
      [](AuditEvent& e) { std::swap(e.personal["actor.email"], e.personal["actor.ip"]); },
      [](AuditEvent& e) { e.personal.erase("actor.ip"); },
      [](AuditEvent& e) { e.previous_hash[0] ^= 1; },
      [](AuditEvent& e) { e.hash[0] ^= 1; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto events = good;
    changes[i](events[1]);
    const Status status = verify(events);
    ASSERT_FALSE(status.ok()) << "change " << i;
    EXPECT_EQ(status.error().code, ErrorCode::kAuditBroken);
    EXPECT_NE(status.error().message.find("event 2"), std::string::npos) << status.error().message;
  }
}

TEST(Audit, MissingSwappedAndRepeatedEventsAreFound) {
  auto missing = chain(4);
  missing.erase(missing.begin() + 1);
  EXPECT_FALSE(verify(missing).ok());
  auto swapped = chain(4);
  std::swap(swapped[1], swapped[2]);
  EXPECT_FALSE(verify(swapped).ok());
  auto beheaded = chain(4);
  beheaded.erase(beheaded.begin());
  EXPECT_FALSE(verify(beheaded).ok());
  auto repeated = chain(2);
  repeated.push_back(repeated.back());
  EXPECT_FALSE(verify(repeated).ok());
}

TEST(Audit, RehashingOneEventBreaksTheNext) {
  auto events = chain(3);
  events[1].action = "report.delete";
  events[1].hash = audit_hash(events[1]);
  const Status status = verify(events);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("event 3"), std::string::npos);
}

TEST(Audit, LinesAreStrict) {
  const std::string line = audit_to_json(chain(1)[0]);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  ASSERT_TRUE(audit_from_json(line).ok());
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string text = line;
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const auto result = audit_from_json(text);
    ASSERT_FALSE(result.ok()) << to;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  };
  refused("{\"action\"", "{\"extra\":1,\"action\"");
  refused("\"actor_type\":\"user\"", "\"actor_type\":\"robot\"");
  refused("\"sequence\":1", "\"sequence\":-1");
  refused("\"sequence\":1", "\"sequence\":\"1\"");
  refused("\"salt\":\"", "\"salt\":\"zz");
  refused("\"hash\":\"", "\"hash\":\"00");
  refused("\"redacted\":false", "\"redacted\":0");
  refused("\"trace_id\":\"\"", "\"trace_id\":\"" + std::string(600, 'x') + "\"");
  refused("\"trace_id\":\"\",", "");
}

}  // namespace
}  // namespace oa
