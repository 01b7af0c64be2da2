// Restores that are killed at every step, run beside each other and beside edits, or out of disk:
// the tenant is as it was or as it should be, nothing is lost silently, and nothing is left behind.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <thread>

#include "restore_child.h"
#include "restore_fixture.h"
#include "restore_model.h"

namespace oa {
namespace {

using restore::AssetKind;
using testkit::must;
using testkit::TenantState;

constexpr const char* kSteps[] = {"waiting",      "checking", "keeping what is there",
                                  "staging rows", "writing",  "committing",
                                  "done"};

class RestoreFaults : public testkit::RestoreTest {
 protected:
  // A dataset and what reads it deleted, a report and rows changed, a person and a team gone.
  void damage() {
    TenantState state = archived_;
    state.alerts.clear();
    state.reports.erase(sample_.overview);
    testkit::give_rows(*world_, tenant_, state, sample_.orders, "id,region,amount\n1,other,2.5\n");
    state.reports.at(sample_.elsewhere).name = "renamed";
    state.workspaces.at(sample_.second).roles.clear();
    state.workspaces.at(sample_.first).roles.clear();
    state.teams.clear();
    state.users.erase(sample_.viewer);
    world_->set_state(tenant_, state);
  }

  // Nothing in the store that no record names, but what was there before.
  void expect_nothing_left(const std::set<std::string>& before, const std::string& when) {
    for (const auto& object : world_->unnamed_objects(tenant_))
      EXPECT_TRUE(before.contains(object)) << when << ": nobody knows " << object;
    EXPECT_EQ(world_->lost_objects(tenant_), std::set<std::string>{}) << when;
  }

  struct Kills {
    int before = 0, after = 0;  // that left the old state, the new one
  };

  // Kills the application of a saved plan at every call of its Progress until one runs through.
  // `again` brings the old state back and saves another plan of the same.
  template <class Again>
  Kills kill_everywhere(RestoreId id, const TenantState& old_state, const TenantState& new_state,
                        Again again) {
    Kills kills;
    for (int n = 1;; ++n) {
      const auto objects = world_->stored_objects(tenant_);
      const auto outcome = testkit::apply_in_child(*world_, tenant_, id, {.kill_at = n});
      const std::string when = fmt::format("killed at call {}", n);
      EXPECT_EQ(outcome.error, "") << when;
      const TenantState found = state();
      EXPECT_TRUE(found == old_state || found == new_state)
          << when << "\nagainst the old:\n"
          << differences(old_state, found) << "against the new:\n"
          << differences(new_state, found);
      must(restore::sweep(world_->engine(tenant_), Timestamp::now()));
      EXPECT_EQ(differences(found, state()), "") << when << ", after the sweep";
      expect_nothing_left(objects, when);
      const auto record = world_->record(tenant_, id);
      EXPECT_EQ(record.state, found == new_state ? catalog::RestoreState::kApplied
                                                 : catalog::RestoreState::kPlanned)
          << when;
      if (!outcome.killed) {
        EXPECT_EQ(differences(new_state, found), "");
        return kills;
      }
      if (HasFailure()) return kills;
      if (found == old_state) {
        ++kills.before;
      } else {
        ++kills.after;
        id = again(id);
        EXPECT_EQ(differences(old_state, state()), "") << when << ", taken back";
      }
    }
  }
};

TEST_F(RestoreFaults, KilledAtAnyStepTheTenantIsOldOrNew) {
  damage();
  const TenantState damaged = state();
  const auto save = [&] {
    const auto request = testkit::everything_back();
    plan(request);
    return request.id;
  };
  auto request = testkit::everything_back();
  const TenantState restored = testkit::predict(archived_, damaged, request).after;
  const auto kills = kill_everywhere(save(), damaged, restored, [&](RestoreId applied) {
    world_->undo(tenant_, applied);
    return save();
  });
  EXPECT_GE(kills.before, 6);
  EXPECT_GE(kills.after, 1);
}

TEST_F(RestoreFaults, AnUndoKilledAtAnyStepLeavesOldOrNew) {
  damage();
  const TenantState damaged = state();
  const auto request = testkit::everything_back();
  must(world_->apply(tenant_, plan(request)));
  const TenantState restored = state();
  const auto save = [&](RestoreId undoes) {
    restore::UndoRequest undo;
    undo.id = RestoreId::random();
    undo.undoes = undoes;
    world_->plan_undo(tenant_, undo);
    return undo.id;
  };
  // The undo of an undo does the restore again, and is itself what the next one takes back.
  const auto again = [&](RestoreId applied) {
    restore::UndoRequest redo;
    redo.id = RestoreId::random();
    redo.undoes = applied;
    must(world_->apply(tenant_, world_->plan_undo(tenant_, redo)));
    return save(redo.id);
  };
  const auto kills = kill_everywhere(save(request.id), restored, damaged, again);
  EXPECT_GE(kills.before, 6);
  EXPECT_GE(kills.after, 1);
}

TEST_F(RestoreFaults, RestoresOfOneTenantQueue) {
  TenantState damaged = archived_;
  damaged.reports.at(sample_.overview).name = "renamed";
  damaged.reports.at(sample_.elsewhere).name = "renamed too";
  world_->set_state(tenant_, damaged);
  const auto one = plan(testkit::one_back(AssetKind::kReport, sample_.overview.uuid()));
  const auto other = plan(testkit::one_back(AssetKind::kReport, sample_.elsewhere.uuid()));
  std::vector<std::thread> threads;
  std::atomic<int> applied = 0;
  for (const auto* prepared : {&one, &other}) {
    threads.emplace_back([this, prepared, &applied] {
      const auto done = world_->apply(tenant_, *prepared);
      EXPECT_TRUE(done.ok()) << done.error().message;
      applied += done.ok();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(applied, 2);
  EXPECT_EQ(differences(archived_, state()), "");
}

TEST_F(RestoreFaults, OnePlanAppliedByManyAtOnceIsAppliedOnce) {
  damage();
  auto request = testkit::everything_back();
  request.mode = restore::Mode::kFork;
  const TenantState forked = testkit::predict(archived_, state(), request).after;
  const auto prepared = plan(request);
  const auto before = world_->stored_objects(tenant_);
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&] {
      const auto done = world_->apply(tenant_, prepared);
      EXPECT_TRUE(done.ok()) << done.error().message;
      if (!done.ok()) return;
      EXPECT_EQ(done->state, catalog::RestoreState::kApplied);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(differences(forked, state()), "");
  expect_nothing_left(before, "after four at once");
}

// Lets somebody edit when a step begins, and goes on when the edit is done or has to wait.
class EditAt final : public Progress {
 public:
  EditAt(std::string_view step, std::function<void()> edit) : step_(step), edit_(std::move(edit)) {}
  ~EditAt() override {
    if (editor_.joinable()) editor_.join();
  }
  void begin(std::string_view step, std::uint64_t, std::string_view) override {
    if (step != step_ || editor_.joinable()) return;
    editor_ = std::thread([this] {
      edit_();
      edited_ = true;
    });
    for (int tries = 0; tries < 60 && !edited_; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  void update(std::uint64_t) override {}
  void finish() {
    ASSERT_TRUE(editor_.joinable()) << "no step " << step_;
    editor_.join();
  }

 private:
  const std::string step_;
  const std::function<void()> edit_;
  std::thread editor_;
  std::atomic<bool> edited_ = false;
};

TEST_F(RestoreFaults, AnEditBesideARestoreIsNeverLostSilently) {
  int refused = 0, waited = 0;
  for (const char* step : kSteps) {
    TenantState damaged = archived_;
    damaged.reports.at(sample_.overview).name = "to be overwritten";
    world_->set_state(tenant_, damaged);
    const auto prepared = world_->plan(
        tenant_, archive_, testkit::one_back(AssetKind::kReport, sample_.overview.uuid()));
    EditAt progress(step, [&] {
      auto transaction = must(world_->database().begin(tenant_.tenant.id));
      catalog::Report report = damaged.reports.at(sample_.overview);
      report.name = "somebody's edit";
      must(catalog::Reports(transaction).put({&report, 1}));
      must(transaction.commit());
    });
    const auto applied = world_->apply(tenant_, prepared, progress);
    progress.finish();
    EXPECT_EQ(state().reports.at(sample_.overview).name, "somebody's edit") << step;
    if (applied.ok()) {
      ++waited;
    } else {
      ++refused;
      EXPECT_EQ(applied.error().code, ErrorCode::kPreconditionFailed) << step;
      EXPECT_NE(applied.error().message.find(sample_.overview.str()), std::string::npos)
          << applied.error().message;
    }
  }
  EXPECT_GE(refused, 1);
  EXPECT_GE(waited, 1);
}

TEST_F(RestoreFaults, ACancelledRestoreChangesNothing) {
  class Cancel final : public Progress {
   public:
    explicit Cancel(std::string_view step) : step_(step) {}
    void begin(std::string_view step, std::uint64_t, std::string_view) override {
      cancelled_ |= step == step_;
    }
    void update(std::uint64_t) override {}
    bool cancelled() const override { return cancelled_; }

   private:
    const std::string_view step_;
    bool cancelled_ = false;
  };
  damage();
  const TenantState damaged = state();
  const auto prepared = plan(testkit::everything_back());
  const auto before = world_->stored_objects(tenant_);
  for (const char* step : {"keeping what is there", "staging rows", "writing"}) {
    Cancel progress(step);
    const auto applied = world_->apply(tenant_, prepared, progress);
    ASSERT_FALSE(applied.ok()) << step;
    EXPECT_EQ(applied.error().code, ErrorCode::kCancelled) << step;
    EXPECT_EQ(differences(damaged, state()), "") << step;
    EXPECT_EQ(world_->stored_objects(tenant_), before) << step;
  }
  must(world_->apply(tenant_, prepared));
}

// Rows that fit into no file of a process with this limit; the rest does.
constexpr std::size_t kManyRows = 60'000;
constexpr std::uint64_t kSmallDisk = 192 << 10;

TEST_F(RestoreFaults, AFullDiskWhileStagingLeavesTheTenantAsItWas) {
  const auto tenant = world_->make_tenant();
  const auto sample = testkit::make_sample(*world_, tenant, kManyRows);
  const auto archive = world_->open(tenant, world_->archive(tenant, true));
  const TenantState full = world_->state(tenant);
  ASSERT_GT(full.datasets.at(sample.orders).size_bytes, 2 * kSmallDisk);
  TenantState without = full;
  without.alerts.clear();
  without.reports.erase(sample.overview);
  without.rows.erase(sample.orders);
  without.datasets.erase(sample.orders);
  TenantState changed = full;
  testkit::give_rows(*world_, tenant, changed, sample.orders, testkit::orders_csv(kManyRows, 2));
  // The rows do not fit; then what is there does not fit into the undo archive.
  for (const auto* damaged : {&without, &changed}) {
    world_->set_state(tenant, *damaged);
    const auto request = testkit::everything_back();
    world_->plan(tenant, archive, request);
    const auto before = world_->stored_objects(tenant);
    const auto outcome =
        testkit::apply_in_child(*world_, tenant, request.id, {.max_file_bytes = kSmallDisk});
    EXPECT_TRUE(outcome.error == "storage/full" || outcome.error == "storage/io") << outcome.error;
    EXPECT_EQ(differences(*damaged, world_->state(tenant)), "");
    must(restore::sweep(world_->engine(tenant), Timestamp::now()));
    EXPECT_EQ(world_->stored_objects(tenant), before);
    EXPECT_EQ(testkit::apply_in_child(*world_, tenant, request.id, {}).error, "");
    EXPECT_EQ(differences(full, world_->state(tenant)), "");
  }
}

}  // namespace
}  // namespace oa
