// Archives that go from the store, and what is left when a process dies in between.
#include "oa/backup/archive_removal.h"

#include <gtest/gtest.h>

#include "restore_fixture.h"

namespace oa {
namespace {

using testkit::must;
using testkit::TenantState;

class ArchiveRemoval : public testkit::RestoreTest {
 protected:
  Status remove(ArchiveId id, const std::optional<UserId>& actor = std::nullopt) {
    return backup::remove_archive(world_->database(), world_->objects(), tenant_.tenant.id, id,
                                  actor);
  }
  // As of so many hours from now.
  std::size_t sweep_after(int hours) {
    const Timestamp then{Timestamp::now().unix_us + std::int64_t{hours} * 3'600'000'000};
    return must(
        backup::sweep_archives(world_->database(), world_->objects(), tenant_.tenant.id, then));
  }
  std::size_t stored() { return world_->stored_objects(tenant_).size(); }
  AuditEvent last_event() {
    auto snapshot =
        must(world_->database().begin(tenant_.tenant.id, catalog::Isolation::kSnapshot));
    AuditEvent last;
    must(catalog::Audit(snapshot).for_each([&](const AuditEvent& event) -> Status {
      last = event;
      return {};
    }));
    return last;
  }
};

TEST_F(ArchiveRemoval, TheRecordAndTheObjectGoAndItIsAudited) {
  const auto other = world_->archive(tenant_, false);
  const auto before = stored();
  must(remove(record_.id, sample_.owner));
  EXPECT_EQ(stored(), before - 1);
  EXPECT_EQ(world_->lost_objects(tenant_), std::set<std::string>{});
  EXPECT_EQ(remove(record_.id).error().code, ErrorCode::kNotFound);
  const auto event = last_event();
  EXPECT_EQ(event.action, "backup.archive.delete");
  EXPECT_EQ(event.resource_id, record_.id.str());
  EXPECT_EQ(event.actor_id, sample_.owner.uuid());
  EXPECT_NE(event.detail.str().find(record_.content_hash), std::string::npos);
  world_->open(tenant_, other);
}

TEST_F(ArchiveRemoval, AnotherTenantsIsNotFound) {
  const auto stranger = world_->make_tenant();
  const auto removed = backup::remove_archive(world_->database(), world_->objects(),
                                              stranger.tenant.id, record_.id, std::nullopt);
  EXPECT_EQ(removed.error().code, ErrorCode::kNotFound);
  world_->open(tenant_, record_);
}

TEST_F(ArchiveRemoval, WhileARestoreFromItIsAppliedItStays) {
  const auto prepared = plan(testkit::everything_back());
  const auto set = [&](catalog::RestoreState state) {
    auto transaction = must(world_->database().begin(tenant_.tenant.id));
    auto restore = must(catalog::Restores(transaction).lock(prepared.plan.id));
    restore.state = state;
    must(catalog::Restores(transaction).put(restore));
    must(transaction.commit());
  };
  set(catalog::RestoreState::kApplying);
  const auto refused = remove(record_.id);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_FALSE(refused.error().hint.empty());
  world_->open(tenant_, record_);
  set(catalog::RestoreState::kPlanned);
  must(remove(record_.id));
}

TEST_F(ArchiveRemoval, ARestoreFromADeletedArchiveCanBeUndone) {
  delete_overview();
  const auto deleted = state();
  const auto prepared = plan(testkit::everything_back());
  must(world_->apply(tenant_, prepared));
  must(remove(record_.id));
  EXPECT_EQ(sweep_after(48), 0u);
  world_->undo(tenant_, prepared.plan.id);
  EXPECT_EQ(differences(deleted, state()), "");
}

// What a process leaves that dies between the transaction and the removal of the object, or before
// a new archive is recorded.
TEST_F(ArchiveRemoval, RemnantsGoADayLaterAndNothingElse) {
  const auto kept = world_->archive(tenant_, false);
  {
    auto transaction = must(world_->database().begin(tenant_.tenant.id));
    must(catalog::Archives(transaction).remove(record_.id));
    must(transaction.commit());
  }
  const ObjectKey upload{tenant_.tenant.id, RetentionClass::kArchives, "uploads/x/1"};
  must(must(world_->objects().create(upload))->commit());
  const auto before = stored();
  EXPECT_EQ(sweep_after(backup::kUnlistedHours - 1), 0u);
  EXPECT_EQ(stored(), before);
  EXPECT_EQ(sweep_after(backup::kUnlistedHours + 1), 1u);
  EXPECT_EQ(stored(), before - 1);
  EXPECT_EQ(sweep_after(backup::kUnlistedHours + 1), 0u);
  EXPECT_EQ(world_->lost_objects(tenant_), std::set<std::string>{});
  world_->open(tenant_, kept);
}

TEST_F(ArchiveRemoval, WhatARestoreIsJustKeepingIsNoRemnant) {
  TenantState changed = archived_;
  changed.reports.at(sample_.overview).name = "renamed";
  world_->set_state(tenant_, changed);
  // Between the undo archive's commit and that of the restore.
  class SweepAt final : public Progress {
   public:
    explicit SweepAt(std::function<std::size_t()> sweep) : sweep_(std::move(sweep)) {}
    void begin(std::string_view step, std::uint64_t, std::string_view) override {
      if (step == "writing") removed_ = sweep_();
    }
    void update(std::uint64_t) override {}
    std::optional<std::size_t> removed() const { return removed_; }

   private:
    const std::function<std::size_t()> sweep_;
    std::optional<std::size_t> removed_;
  };
  SweepAt progress([&] { return sweep_after(48); });
  const auto prepared = plan(testkit::everything_back());
  must(world_->apply(tenant_, prepared, progress));
  EXPECT_EQ(progress.removed(), 0u);
  world_->undo(tenant_, prepared.plan.id);
  EXPECT_EQ(differences(changed, state()), "");
}

}  // namespace
}  // namespace oa
