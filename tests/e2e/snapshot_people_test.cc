// Everybody whom a workspace's entries name stands in its document, so that an archive of it alone
// brings them along.
#include <gtest/gtest.h>

#include <set>

#include "oa/archive/entry_paths.h"
#include "oa/backup/snapshot_entries.h"
#include "oa/catalog/portable.h"
#include "oa/demo/demo_tenant.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

class EntriesInMemory final : public backup::EntryConsumer {
 public:
  std::map<std::string, Bytes> entries;
  Status add(std::string path, Bytes content) override {
    EXPECT_TRUE(entries.empty() || entries.rbegin()->first < path) << path;
    entries[std::move(path)] = std::move(content);
    return {};
  }
  Status add_stream(std::string, std::uint64_t, const std::function<Status(ByteSink&)>&) override {
    return make_error(ErrorCode::kInternal, "test", "no rows were asked for");
  }
};

class SnapshotPeopleTest : public testing::Test {
 protected:
  void SetUp() override {
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    settings.create = true;
    instance_ = *instance::Instance::open(settings);
    tenant_ = *demo::make_demo_tenant(*instance_, "Demo", {.order_rows = 100, .audit_events = 10},
                                      {}, no_progress());
    auto transaction = *instance_->database().begin(tenant_.id);
    const auto workspaces = *catalog::Workspaces(transaction).list();
    for (const auto& workspace : workspaces) {
      if (workspace.name == "Sales") sales_ = workspace;
    }
  }

  EntriesInMemory entries_of_sales() {
    auto snapshot = *instance_->database().begin(tenant_.id, catalog::Isolation::kSnapshot);
    backup::ArchiveRequest request;
    request.workspaces = {sales_.id};
    EntriesInMemory consumer;
    const auto walked = backup::walk_snapshot(snapshot, instance_->objects(), tenant_, request,
                                              consumer, no_progress());
    EXPECT_TRUE(walked.ok()) << (walked.ok() ? "" : walked.error().message);
    return consumer;
  }

  testkit::Scratch scratch_;
  std::unique_ptr<instance::Instance> instance_;
  catalog::Tenant tenant_;
  catalog::Workspace sales_;
};

TEST_F(SnapshotPeopleTest, WhomAReportIsSharedWithComesAlong) {
  const auto made = entries_of_sales();
  const auto document = *catalog::workspace_from_portable(
      as_text(made.entries.at(archive::workspace_path(sales_.id))));
  std::set<Uuid> people, with_role;
  for (const auto& user : document.users) people.insert(user.id.uuid());
  for (const auto& team : document.teams) {
    people.insert(team.id.uuid());
    for (const auto& member : team.members) EXPECT_TRUE(people.contains(member.uuid()));
  }
  for (const auto& grant : sales_.roles) with_role.insert(grant.principal);
  std::size_t strangers = 0;
  for (const auto& [path, content] : made.entries) {
    const auto ref = archive::parse_entry_path(path);
    if (!ref.has_value() || ref->kind != archive::EntryKind::kReport) continue;
    const auto report = *catalog::report_from_portable(as_text(content));
    for (const auto& grant : report.grants) {
      EXPECT_TRUE(people.contains(grant.principal));
      strangers += !with_role.contains(grant.principal);
    }
  }
  EXPECT_EQ(strangers, 2u) << "a person and a team of the other workspace";
}

}  // namespace
}  // namespace oa
