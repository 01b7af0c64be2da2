#include <sys/wait.h>

#include "oa/catalog/repositories.h"
#include "random_records.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

std::vector<NewAuditEvent> events(std::size_t count) {
  std::vector<NewAuditEvent> all(count);
  for (auto& event : all) {
    event.ts = Timestamp::now();
    event.action = "report.view";
    event.resource_type = "report";
    event.personal["actor.email"] = "user@demo.example";
  }
  return all;
}

Status verify(TenantTransaction& tx, std::uint64_t& count) {
  AuditChainVerifier verifier(tx.tenant());
  OA_TRY(Audit(tx).for_each([&](const AuditEvent& event) { return verifier.check(event); }));
  count = verifier.events();
  return {};
}

void expect_chain(TenantId tenant, std::uint64_t length) {
  TenantTransaction tx = begin(tenant, Isolation::kSnapshot);
  std::uint64_t count = 0;
  ASSERT_OK(verify(tx, count));
  EXPECT_EQ(count, length);
  EXPECT_EQ(Audit(tx).count().value(), length);
}

void append_and_commit(TenantId tenant, std::size_t count) {
  TenantTransaction tx = begin(tenant);
  ASSERT_OK(Audit(tx).append(events(count)));
  ASSERT_OK(tx.commit());
}

TEST(AuditStore, AppendsContinueOneChainPerTenant) {
  const TenantId tenant = new_tenant(), other = new_tenant();
  expect_chain(tenant, 0);
  append_and_commit(tenant, 1);
  append_and_commit(other, 3);
  append_and_commit(tenant, 6000);  // several pages, several batches
  append_and_commit(tenant, 0);
  expect_chain(tenant, 6001);
  expect_chain(other, 3);
}

TEST(AuditStore, WhatIsRolledBackLeavesNoGap) {
  const TenantId tenant = new_tenant();
  append_and_commit(tenant, 2);
  {
    TenantTransaction tx = begin(tenant);
    ASSERT_OK(Audit(tx).append(events(2)));
  }
  append_and_commit(tenant, 1);
  expect_chain(tenant, 3);
}

TEST(AuditStore, AnyEventComesBackWithAHashThatFits) {
  const TenantId tenant = new_tenant();
  EXPECT_TRUE(rc::check("append, then read and verify", [&] {
    std::vector<NewAuditEvent> added;
    for (int i = 0; i < 3; ++i) added.push_back(random_event());
    TenantTransaction tx = begin(tenant);
    RC_ASSERT(Audit(tx).append(added).ok());
    std::uint64_t count = 0;
    RC_ASSERT(verify(tx, count).ok());
    RC_ASSERT(count == 3);
    std::size_t at = 0;
    const Status same = Audit(tx).for_each([&](const AuditEvent& event) -> Status {
      const NewAuditEvent& wanted = added[at++];
      RC_ASSERT(event.ts == wanted.ts);
      RC_ASSERT(event.actor_id == wanted.actor_id);
      RC_ASSERT(event.detail == wanted.detail);
      RC_ASSERT(event.personal.size() == wanted.personal.size());
      for (const auto& [path, value] : wanted.personal)
        RC_ASSERT(event.personal.at(path).value == value);
      RC_ASSERT(audit_from_json(audit_to_json(event)).value() == event);
      return {};
    });
    RC_ASSERT(same.ok());
  }));
}

TEST(AuditStore, APageOfChangesLeavesOutWhatChangedNothing) {
  const TenantId tenant = new_tenant();
  std::vector<NewAuditEvent> added = events(7);
  std::size_t next = 0;
  for (const char* action :
       {"report.view", "report.delete", "auth.login.success", "backup.archive.create",
        "dataset.refresh.success", "user.password.change", "backup.restore.apply"}) {
    added[next++].action = action;
  }
  TenantTransaction tx = begin(tenant);
  ASSERT_OK(Audit(tx).append(added));
  const auto actions = [&](bool changes) {
    Audit::Filter filter;
    filter.changes = changes;
    const auto events = Audit(tx).page(filter, std::nullopt, 100);
    std::vector<std::string> found;
    for (const auto& event : *events) found.push_back(event.action);
    return found;
  };
  EXPECT_EQ(actions(false).size(), added.size());
  EXPECT_EQ(actions(true), (std::vector<std::string>{"backup.restore.apply",
                                                     "dataset.refresh.success", "report.delete"}));
}

TEST(AuditStore, ConcurrentAppendersMakeOneChain) {
  const TenantId tenant = new_tenant();
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    children.push_back(fork_child([&] {
      for (int i = 0; i < 10; ++i) {
        auto tx = database().begin(tenant);
        if (!tx.ok() || !Audit(*tx).append(events(5)).ok() || !tx->commit().ok()) return 1;
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(exit_status(child), 0);
  expect_chain(tenant, 200);
}

TEST(AuditStore, TamperingBehindOurBackIsFound) {
  for (const char* sql :
       {"UPDATE oa.audit_events SET action = 'report.edit' WHERE tenant_id = $1 AND sequence = 2",
        "UPDATE oa.audit_events SET personal = '{}' WHERE tenant_id = $1 AND sequence = 2",
        "DELETE FROM oa.audit_events WHERE tenant_id = $1 AND sequence = 2"}) {
    const TenantId tenant = new_tenant();
    append_and_commit(tenant, 3);
    ASSERT_OK(superuser()->execute(sql, {Parameter::of(tenant)}));
    TenantTransaction tx = begin(tenant);
    std::uint64_t count = 0;
    const Status status = verify(tx, count);
    ASSERT_FALSE(status.ok()) << sql;
    EXPECT_EQ(status.error().code, ErrorCode::kAuditBroken);
    EXPECT_NE(status.error().message.find("event 2"), std::string::npos);
  }
}

TEST(AuditStore, AVisitorCanStop) {
  const TenantId tenant = new_tenant();
  append_and_commit(tenant, 3);
  TenantTransaction tx = begin(tenant);
  int seen = 0;
  const Status status = Audit(tx).for_each([&](const AuditEvent&) -> Status {
    ++seen;
    return make_error(ErrorCode::kCancelled, "test", "enough");
  });
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(seen, 1);
}

TEST(AuditStore, BadEventsAreRefused) {
  TenantTransaction tx = begin(new_tenant());
  auto bad = events(1);
  bad[0].actor_type = "robot";
  EXPECT_EQ(Audit(tx).append(bad).error().code, ErrorCode::kInvalidArgument);
  bad = events(1);
  bad[0].personal["actor.email"] = std::string("a\0b", 3);
  EXPECT_EQ(Audit(tx).append(bad).error().code, ErrorCode::kInvalidArgument);
}

TEST(AuditStore, TheNewestEventStaysHoweverOldItIs) {
  const TenantId tenant = new_tenant();
  append_and_commit(tenant, 3);
  TenantTransaction tx = begin(tenant);
  const auto last = Audit(tx).last_before({Timestamp::now().unix_us + 3'600'000'000});
  ASSERT_OK(last);
  EXPECT_EQ((*last)->mark.sequence, 2u);
}

}  // namespace
}  // namespace oa::catalog
