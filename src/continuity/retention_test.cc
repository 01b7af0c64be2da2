// How long imported rows are kept, with a clock that is moved, and what a change of plan does to it.
#include "oa/continuity/retention.h"

#include "oa/catalog/repositories.h"
#include "oa/continuity/status.h"
#include "testkit/scratch.h"
#include "testkit/shared_database.h"

namespace oa::continuity {
namespace {

using catalog::Plan;
constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;

class Retention : public testing::Test {
 protected:
  Retention() {
    tenant_ = testkit::make_tenant();
    store_ = open_local_store(scratch_.path()).value();
    workspace_.id = WorkspaceId::random();
    dataset_.id = DatasetId::random();
    dataset_.workspace_id = workspace_.id;
    dataset_.created_by = testkit::make_user(tenant_.id, "ada@acme.example", true);
    dataset_.versions.resize(1);
    auto transaction = database().begin(tenant_.id).value();
    catalog::Workspaces(transaction).put({&workspace_, 1}).value();
    transaction.commit().value();
  }
  static catalog::Database& database() { return testkit::shared_database(); }
  ObjectKey key() const { return {tenant_.id, RetentionClass::kRows, "orders"}; }

  std::string put(std::string_view rows) {
    const auto writer = store_->put(key()).value();
    writer->write(as_bytes(rows)).value();
    return writer->commit().value().value;
  }
  // The dataset names these rows from now on; their version.
  std::string import(std::string_view rows) {
    const std::string version = put(rows);
    dataset_.rows = catalog::RowsObject{"orders", version};
    auto transaction = database().begin(tenant_.id).value();
    catalog::Datasets(transaction).put({&dataset_, 1}).value();
    transaction.commit().value();
    return version;
  }
  void set_plan(Plan plan) {
    database().set_plan(tenant_.id, plan, "").value();
    tenant_.plan = plan;
  }
  static Timestamp in_days(double days) {
    return {Timestamp::now().unix_us + static_cast<std::int64_t>(days * kDayUs)};
  }
  // What the nightly run does for a tenant on that day.
  void clean(double day) {
    const Timestamp now = in_days(day);
    std::vector<Plan> plans;
    const auto all = catalog::CellCatalog(database()).plans_since(regret_begins(now)).value();
    for (const auto& [tenant, plan] : all)
      if (tenant == tenant_.id) plans.push_back(plan);
    days_ = kept_days(plans);
    ASSERT_OK(remove_row_versions(database(), *store_, tenant_.id, days_, now, no_progress()));
  }
  bool there(const std::string& version) const {
    return store_->get(key(), VersionId{version}).ok();
  }
  // What the tenant may ask for on that day.
  Timestamp earliest(double day) const {
    CellStatus cell;
    cell.now = in_days(day);
    cell.earliest = Timestamp{tenant_.created_at.unix_us - 1000 * kDayUs};
    cell.latest = cell.now;
    catalog::Tenant old = tenant_;
    old.created_at = *cell.earliest;
    return *window_of(old, {}, cell).earliest;
  }

  const testkit::Scratch scratch_;
  catalog::Tenant tenant_;
  catalog::Workspace workspace_;
  catalog::Dataset dataset_;
  std::unique_ptr<ObjectStore> store_;
  int days_ = 0;
};

TEST_F(Retention, RowsStayAsLongAsTheWindowMayNameThemForEveryPlan) {
  for (const Plan plan : {Plan::kStarter, Plan::kGrowth, Plan::kScale}) {
    set_plan(plan);
    const int window = catalog::window_days_of(plan);
    const std::string first = import("first"), second = import("second");
    for (int day = 0; day < window + kMarginDays; ++day) {
      clean(day);
      if (day > kRegretDays) EXPECT_EQ(days_, window);
      EXPECT_TRUE(there(first)) << window << " days, on day " << day;
    }
    clean(std::max(days_, window) + kMarginDays + 0.1);
    EXPECT_FALSE(there(first)) << window;
    EXPECT_TRUE(there(second)) << "a dataset names it, however old it is";
  }
}

TEST_F(Retention, RowsThatNothingEverNamedGoByTheirAge) {
  const auto lost = put("lost");
  const std::string named = import("named");
  clean(30);
  EXPECT_TRUE(there(lost)) << "an import may be under way, or a recovery may have cut it off";
  clean(32);
  EXPECT_FALSE(there(lost));
  EXPECT_TRUE(there(named));
}

TEST_F(Retention, ADowngradeNarrowsTheWindowAtOnceAndRegretWidensIt) {
  set_plan(Plan::kScale);
  const std::string old = import("old");
  import("new");
  const auto change_plan = [&](Plan plan) {
    set_plan(plan);
    return earliest(0).unix_us;
  };
  const std::int64_t today = Timestamp::now().unix_us;
  EXPECT_NEAR(change_plan(Plan::kStarter), today - 7 * kDayUs, 60e6);
  clean(kRegretDays - 1);
  EXPECT_EQ(days_, 90) << "the customer may regret it";
  EXPECT_TRUE(there(old));
  EXPECT_NEAR(change_plan(Plan::kScale), today - 90 * kDayUs, 60e6);
  for (const int day : {8, 30, 90}) {
    clean(day);
    EXPECT_EQ(days_, 90);
    EXPECT_TRUE(there(old)) << "back on the plan, on day " << day;
  }
}

TEST_F(Retention, ADowngradeThatIsNotRegrettedTakesEffectAndAnUpgradeKeepsWhatIsLeft) {
  const std::string old = import("old");
  const std::string middle = import("middle");
  set_plan(Plan::kStarter);
  clean(kRegretDays - 0.5);
  EXPECT_EQ(days_, 30);
  EXPECT_TRUE(there(old));
  clean(kRegretDays + 0.5);
  EXPECT_EQ(days_, 7);
  EXPECT_TRUE(there(old)) << "left 7.5 days ago, within the window and its margin";
  clean(9);
  EXPECT_FALSE(there(old));
  EXPECT_TRUE(there(middle));
  set_plan(Plan::kScale);
  const std::string newest = import("newest");
  clean(80);
  EXPECT_EQ(days_, 90);
  EXPECT_TRUE(there(middle)) << "an upgrade counts for what was there on the day of it";
  EXPECT_TRUE(there(newest));
  clean(92);
  EXPECT_FALSE(there(middle));
}

TEST_F(Retention, TheCellKeepsTheLongestWindowOfItsTenants) {
  EXPECT_EQ(kept_days(std::vector<Plan>{}), 7);
  EXPECT_EQ(kept_days(std::vector{Plan::kStarter, Plan::kScale, Plan::kGrowth}), 90);
  const auto cell = [](double day) {
    return kept_days(
        catalog::CellCatalog(database()).plans_since(regret_begins(in_days(day))).value());
  };
  const auto tenants = database().list_tenants().value();
  for (const auto& tenant : tenants)
    if (tenant.plan != Plan::kStarter) database().set_plan(tenant.id, Plan::kStarter, "").value();
  EXPECT_EQ(cell(kRegretDays + 1), 7);
  set_plan(Plan::kScale);
  EXPECT_EQ(cell(kRegretDays + 1), 90);
  set_plan(Plan::kStarter);
  EXPECT_EQ(cell(kRegretDays - 1), 90);
  EXPECT_EQ(cell(kRegretDays + 1), 7);
}

}  // namespace
}  // namespace oa::continuity
