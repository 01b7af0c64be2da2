// Archives made and restored over a network that does damage: each fault at each request in turn. No
// success is false, nothing is half done, and nothing that was there is lost.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fault_proxy.h"
#include "restore_model.h"
#include "restore_sample.h"
#include "rgw_testkit.h"

namespace oa {
namespace {

using std::chrono::milliseconds;
using testkit::must;
using testkit::TenantState;

struct FaultCase {
  const char* name;
  Fault fault;
  bool heals;  // one of them alone is mended by trying again
};
void PrintTo(const FaultCase& tested, std::ostream* out) { *out << tested.name; }

// Small segments and one upload at a time, so that there are many requests and they have an order.
instance::Deployment deployment_over(const FaultProxy& proxy) {
  instance::Deployment deployment;
  S3Settings settings = rgw::Gateway::shared().fresh_store();
  settings.connection.endpoint = proxy.url();
  settings.connection.idle_timeout = milliseconds(150);
  settings.connection.retries = {
      .attempts = 2, .first_wait = milliseconds(1), .longest_wait = milliseconds(2), .budget = 100'000};
  settings.segment_bytes = 64 << 10;
  settings.uploads_at_once = 1;
  deployment.objects = std::move(settings);
  return deployment;
}

bool clean(const Error& error) {
  return error.code == ErrorCode::kObjectStoreUnavailable || error.code == ErrorCode::kIo ||
         error.code == ErrorCode::kSealCorrupt;
}

class S3RestoreFaults : public testing::TestWithParam<FaultCase> {
 protected:
  static void SetUpTestSuite() {
    proxy_ = std::make_unique<FaultProxy>(rgw::Gateway::shared().port());
    world_ = std::make_unique<testkit::RestoreWorld>("/tmp", deployment_over(*proxy_));
  }
  static void TearDownTestSuite() {
    world_.reset();
    proxy_.reset();
  }
  void SetUp() override {
    proxy_->arm(Fault::kNone, 0, false);
    sample_ = testkit::make_sample(*world_, tenant_, 60'000);
    archived_ = world_->state(tenant_);
  }
  Result<catalog::ArchiveRecord> create() {
    backup::ArchiveRequest request;
    request.with_rows = true;
    return backup::create_archive(world_->database(), world_->objects(), tenant_.signer,
                                  tenant_.tenant.id, request, no_progress());
  }
  // Every archive that the tenant is shown is whole.
  std::size_t whole_archives() {
    auto snapshot =
        must(world_->database().begin(tenant_.tenant.id, catalog::Isolation::kSnapshot));
    const auto records = must(catalog::Archives(snapshot).list());
    for (const auto& record : records) {
      const auto opened = world_->open(tenant_, record);
      const auto verified = opened.reader->verify({}, no_progress());
      EXPECT_TRUE(verified.ok()) << record.id.str() << ": " << verified.error().message;
    }
    return records.size();
  }
  int hit() {
    const int hits = proxy_->hits();
    proxy_->arm(Fault::kNone, 0, false);
    return hits;
  }

  static inline std::unique_ptr<FaultProxy> proxy_;
  static inline std::unique_ptr<testkit::RestoreWorld> world_;
  const testkit::WorldTenant tenant_ = world_->make_tenant();
  testkit::Sample sample_;
  TenantState archived_;
};

TEST_P(S3RestoreFaults, OnceAtEachRequestOfACreate) {
  ASSERT_TRUE(create().ok());
  proxy_->arm(Fault::kNone, 0, false);
  ASSERT_TRUE(create().ok());
  const int requests = proxy_->seen();
  ASSERT_GE(requests, 8);
  std::size_t archives = 2;
  int hits = 0;
  for (int at = 0; at < requests; ++at) {
    proxy_->arm(GetParam().fault, at, false);
    const auto created = create();
    const int met = hit();
    hits += met;
    if (created.ok()) ++archives;
    if (GetParam().heals || met == 0) {
      EXPECT_TRUE(created.ok()) << at << ": " << created.error().message;
    } else if (!created.ok()) {
      EXPECT_TRUE(clean(created.error())) << at << ": " << created.error().message;
    }
    EXPECT_EQ(world_->lost_objects(tenant_), std::set<std::string>{}) << at;
  }
  EXPECT_GE(hits, GetParam().fault == Fault::kWrongRequest ? 3 : requests - 2);
  EXPECT_EQ(whole_archives(), archives);
  EXPECT_EQ(differences(archived_, world_->state(tenant_)), "");
}

TEST_P(S3RestoreFaults, OnceAtEachRequestOfARestore) {
  const auto record = must(create());
  TenantState damaged = archived_;
  damaged.alerts.clear();
  damaged.reports.erase(sample_.overview);
  testkit::give_rows(*world_, tenant_, damaged, sample_.orders, "id,region,amount\n1,other,2.5\n");
  world_->set_state(tenant_, damaged);
  damaged = world_->state(tenant_);
  const auto archive = world_->open(tenant_, record);
  const TenantState restored =
      testkit::predict(archived_, damaged, testkit::everything_back()).after;
  int hits = 0, applied = 0, requests = 1;
  for (int at = -1; at < requests; ++at) {  // first, none meets it
    const auto request = testkit::everything_back();
    const auto prepared = world_->plan(tenant_, archive, request);
    proxy_->arm(at < 0 ? Fault::kNone : GetParam().fault, at, false);
    const auto done = world_->apply(tenant_, prepared);
    if (at < 0) requests = proxy_->seen();
    const int met = hit();
    hits += met;
    if (GetParam().heals || met == 0) {
      EXPECT_TRUE(done.ok()) << at << ": " << done.error().message;
    } else if (!done.ok()) {
      EXPECT_TRUE(clean(done.error())) << at << ": " << done.error().message;
    }
    const TenantState found = world_->state(tenant_);
    EXPECT_EQ(differences(done.ok() ? restored : damaged, found), "") << at;
    must(restore::sweep(world_->engine(tenant_), Timestamp::now()));
    EXPECT_EQ(world_->lost_objects(tenant_), std::set<std::string>{}) << at;
    if (!done.ok()) continue;
    ++applied;
    world_->undo(tenant_, request.id);
    ASSERT_EQ(differences(damaged, world_->state(tenant_)), "") << at;
  }
  EXPECT_GE(requests, 12);
  EXPECT_GE(hits, GetParam().fault == Fault::kWrongRequest ? 3 : requests - 2);
  EXPECT_GE(applied, 1);
  EXPECT_GE(whole_archives(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Fault, S3RestoreFaults,
    testing::Values(FaultCase{"reset_before", Fault::kResetBefore, true},
                    FaultCase{"reset_after", Fault::kResetAfter, true},
                    FaultCase{"stall", Fault::kStall, true}, FaultCase{"cut", Fault::kCut, true},
                    FaultCase{"error_500", Fault::kError500, true},
                    FaultCase{"slow_down", Fault::kSlowDown, true},
                    FaultCase{"wrong_request", Fault::kWrongRequest, true},
                    FaultCase{"wrong_answer", Fault::kWrongAnswer, false}),
    [](const testing::TestParamInfo<FaultCase>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace oa
