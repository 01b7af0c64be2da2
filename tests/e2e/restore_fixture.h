// What tests of the restore engine have in common: a data folder for all tests of a suite, and for
// each test a tenant with the sample in it and an archive of that.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "restore_sample.h"

namespace oa::testkit {

class RestoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<RestoreWorld>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    sample_ = make_sample(*world_, tenant_);
    archived_ = world_->state(tenant_);
    record_ = world_->archive(tenant_, true);
    archive_ = world_->open(tenant_, record_);
  }

  TenantState state() { return world_->state(tenant_); }
  void delete_overview() {
    TenantState state = archived_;
    state.reports.erase(sample_.overview);
    world_->set_state(tenant_, state);
  }
  restore::Request overview_back() const {
    return one_back(restore::AssetKind::kReport, sample_.overview.uuid());
  }
  restore::PreparedRestore plan(const restore::Request& request) {
    return world_->plan(tenant_, archive_, request);
  }
  /// The application fails with `code` and changes nothing; returns what is said.
  std::string refused(const restore::PreparedRestore& prepared, ErrorCode code) {
    const TenantState before = state();
    const auto applied = world_->apply(tenant_, prepared);
    EXPECT_EQ(differences(before, state()), "");
    if (applied.ok()) {
      ADD_FAILURE() << "it was applied";
      return {};
    }
    EXPECT_EQ(applied.error().code, code) << applied.error().message;
    EXPECT_FALSE(applied.error().hint.empty()) << applied.error().message;
    return applied.error().message;
  }
  static const restore::PlanItem& item_of(const restore::PreparedRestore& prepared,
                                          restore::AssetKind kind, const Uuid& id) {
    for (const auto& item : prepared.plan.items) {
      if (item.source == restore::AssetRef{kind, id}) return item;
    }
    throw std::runtime_error("no item for " + std::string(to_text(kind)) + " " + id.str());
  }

  static inline std::unique_ptr<RestoreWorld> world_;
  const WorldTenant tenant_ = world_->make_tenant();
  Sample sample_;
  TenantState archived_;
  catalog::ArchiveRecord record_;
  restore::StoredArchive archive_;
};

}  // namespace oa::testkit
