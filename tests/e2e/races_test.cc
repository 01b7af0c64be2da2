// Edits beside a restore, interrupted runs, tenants of other makers.
#include <gtest/gtest.h>

#include <thread>

#include "oa/backup/archive_creator.h"
#include "oa/demo/main_job.h"
#include "testkit/restoring.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

class Silent final : public demo::Narrator {
 public:
  void step(std::string_view) override {}
  void fact(std::string_view, std::string_view) override {}
};

class RacesTest : public testing::Test {
 protected:
  void SetUp() override {
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    settings.create = true;
    auto opened = instance::Instance::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().message << opened.error().cause;
    instance_ = std::move(opened).value();
  }
  Status run_demo() {
    Silent silent;
    return demo::run_main_job(*instance_, {.order_rows = 2000, .audit_events = 100}, silent,
                              no_progress());
  }
  catalog::TenantTransaction begin(TenantId tenant) {
    return instance_->database().begin(tenant).value();
  }
  std::vector<catalog::Report> reports(TenantId tenant) {
    auto transaction = begin(tenant);
    std::vector<catalog::Report> all;
    const auto workspaces = catalog::Workspaces(transaction).list().value();
    for (const auto& workspace : workspaces) {
      const auto some = catalog::Reports(transaction).list(workspace.id, std::nullopt, 500).value();
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
  testkit::Scratch scratch_;
  std::unique_ptr<instance::Instance> instance_;
};

TEST_F(RacesTest, AnEditWhileARestoreIsAppliedIsNotOverwrittenSilently) {
  const auto tenant =
      demo::make_demo_tenant(*instance_, "T", {.order_rows = 500, .audit_events = 10}, {},
                             no_progress())
          .value();
  const auto signer = instance_->signing_key(tenant.id).value();
  const auto record = backup::create_archive(instance_->database(), instance_->objects(), signer,
                                             tenant.id, {}, no_progress())
                          .value();
  const auto stored =
      restore::open_stored_archive(instance_->objects(), tenant.id, record,
                                   {instance_->trusted_keys(tenant.id).value(), false})
          .value();
  catalog::Report report = reports(tenant.id).front();
  {
    auto transaction = begin(tenant.id);
    report.name = "changed, so that the plan overwrites it";
    ASSERT_TRUE(catalog::Reports(transaction).put({&report, 1}).ok());
    ASSERT_TRUE(transaction.commit().ok());
  }
  restore::Request request;
  request.id = RestoreId::random();
  request.selection.assets = {{restore::AssetKind::kReport, report.id.uuid()}};
  const auto prepared =
      testkit::plan_restore(*instance_, tenant.id, *stored.reader, request).value();
  ASSERT_EQ(prepared.plan.items.at(0).action, restore::Action::kOverwrite);

  auto editor = begin(tenant.id);
  report.name = "somebody's edit";
  ASSERT_TRUE(catalog::Reports(editor).put({&report, 1}).ok());
  std::thread commits([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    EXPECT_TRUE(editor.commit().ok());
  });
  const auto applied = testkit::apply_restore(*instance_, prepared);
  commits.join();
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, ErrorCode::kPreconditionFailed) << applied.error().message;
  EXPECT_EQ(reports(tenant.id).front().name, "somebody's edit");
}

TEST_F(RacesTest, WhatAnInterruptedDemoLostComesBackWithTheNextRun) {
  const auto tenant =
      demo::make_demo_tenant(*instance_, demo::kDemoTenant,
                             {.order_rows = 2000, .audit_events = 100}, {}, no_progress())
          .value();
  const auto signer = instance_->signing_key(tenant.id).value();
  backup::ArchiveRequest rows;
  rows.with_rows = true;
  ASSERT_TRUE(backup::create_archive(instance_->database(), instance_->objects(), signer, tenant.id,
                                     rows, no_progress())
                  .ok());
  const auto before = reports(tenant.id);
  // As a run leaves it that is ended between damage and restore.
  {
    auto transaction = begin(tenant.id);
    catalog::Report spoilt = before.front();
    spoilt.name = "overwritten by mistake";
    ASSERT_TRUE(catalog::Reports(transaction).put({&spoilt, 1}).ok());
    ASSERT_TRUE(transaction.commit().ok());
  }
  {
    auto transaction = begin(tenant.id);
    for (const auto& report : before) {
      if (report.name.starts_with("products overview") && report.id != before.front().id) {
        ASSERT_TRUE(catalog::Reports(transaction).remove(report.id).ok());
        break;
      }
    }
    ASSERT_TRUE(transaction.commit().ok());
  }
  const Status again = run_demo();
  ASSERT_TRUE(again.ok()) << again.error().message;
  const auto after = reports(tenant.id);
  for (const auto& report : after) EXPECT_NE(report.name, "overwritten by mistake");
  EXPECT_GE(after.size(), before.size());
}

TEST_F(RacesTest, TheDemoLeavesATenantOfItsNameAloneThatItDidNotMake) {
  const auto tenant =
      instance_->provision_tenant(demo::kDemoTenant, catalog::Plan::kStarter).value();
  EXPECT_EQ(run_demo().error().code, ErrorCode::kConflict);
  EXPECT_TRUE(reports(tenant.id).empty());
}

TEST_F(RacesTest, APartialArchiveTakesNoAuditChain) {
  const auto tenant = instance_->provision_tenant("A", catalog::Plan::kStarter).value();
  const auto signer = instance_->signing_key(tenant.id).value();
  backup::ArchiveRequest request;
  request.with_audit = true;
  request.workspaces = {WorkspaceId::random()};
  EXPECT_EQ(backup::create_archive(instance_->database(), instance_->objects(), signer, tenant.id,
                                   request, no_progress())
                .error()
                .code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace oa
