// Nothing readable touches a disk: canaries planted wherever customers' data can be are looked for
// in every file.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "oa/backup/archive_creator.h"
#include "oa/datasets/datasets.h"
#include "oa/datasets/secrets.h"
#include "oa/demo/main_job.h"
#include "oa/reports/open_report.h"
#include "testkit/restoring.h"
#include "testkit/scratch.h"
#include "testkit/source_cluster.h"

namespace oa {
namespace {

using testkit::files_with;

const demo::Canaries kCanaries{"canary-row-7f3a91c4d2", "canary-secret-51be08e77a",
                               "canary-mail-c09d6612af.example", "canary-audit-e4427bd913",
                               "canary-password-90aa3f51c8"};

class CanaryTest : public testing::Test {
 protected:
  void SetUp() override {
    // Whoever makes temporary files does it here, where they are found.
    std::filesystem::create_directory(scratch_ / "tmp");
    setenv("TMPDIR", (scratch_ / "tmp").c_str(), 1);
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    settings.create = true;
    auto opened = instance::Instance::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().message << opened.error().cause;
    instance_ = std::move(opened).value();
    auto tenant = demo::make_demo_tenant(
        *instance_, "Canary", {.order_rows = 5000, .audit_events = 500}, kCanaries, no_progress());
    ASSERT_TRUE(tenant.ok()) << tenant.error().message << tenant.error().cause;
    tenant_ = *tenant;
    auto signer = instance_->signing_key(tenant_.id);
    ASSERT_TRUE(signer.ok());
    auto record = backup::create_archive(
        instance_->database(), instance_->objects(), *signer, tenant_.id,
        {.with_rows = true, .with_audit = true, .workspaces = {}, .parts = {}, .created_by = {}},
        no_progress());
    ASSERT_TRUE(record.ok()) << record.error().message;
    record_ = *record;
    archive::TrustPolicy trust{*instance_->trusted_keys(tenant_.id), false};
    auto stored = restore::open_stored_archive(instance_->objects(), tenant_.id, record_, trust);
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    stored_ = std::move(stored).value();
  }

  void restore_everything(restore::Mode mode) {
    restore::Request request;
    request.id = RestoreId::random();
    request.selection.everything = true;
    request.mode = mode;
    auto prepared = testkit::plan_restore(*instance_, tenant_.id, *stored_.reader, request);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    auto applied = testkit::apply_restore(*instance_, *prepared);
    ASSERT_TRUE(applied.ok()) << applied.error().message << applied.error().cause;
  }

  // Rows out of a file's original and out of a Postgres with the canary in it, and reports that
  // show them.
  void refresh_and_ask() {
    const datasets::Actor actor{"operator", {}, "", {}};
    testkit::SourceCluster source;
    source.sql(
        "CREATE TABLE notes (id bigint PRIMARY KEY, note text); INSERT INTO notes SELECT i, '" +
        kCanaries.row + "' FROM generate_series(1, 5000) i; GRANT SELECT ON notes TO reader");
    source_password_ = source.password();
    datasets::SecretStore secrets(instance_->database(), instance_->keys(), tenant_.id);
    ASSERT_TRUE(secrets
                    .put("notes", catalog::SecretKind::kPostgres,
                         SecretBytes::copy_of(as_bytes(source.secret_payload())), actor)
                    .ok());
    datasets::Services services{instance_->database(), instance_->objects(), instance_->keys(), {}};
    services.policy.allow_private_networks = true;
    datasets::DatasetService service(services, tenant_.id);
    auto snapshot = instance_->database().begin(tenant_.id, catalog::Isolation::kSnapshot);
    const auto workspaces = *catalog::Workspaces(*snapshot).list();
    const auto users = *catalog::Users(*snapshot).list();
    const auto made = service.create_from_source(
        {workspaces[0].id, "notes", users[0].id,
         "dataset: notes\nsource: { type: postgres, ref: notes }\n"
         "tables: [{ name: notes, primary_key: id }]\n"
         "dimensions: [{ id: note, column: notes.note }]\nmeasures: [{ id: n, type: count }]\n"},
        actor, no_progress());
    ASSERT_TRUE(made.ok()) << made.error().message;
    const auto refreshed = service.refresh(made->id, actor, no_progress());
    ASSERT_TRUE(refreshed.ok()) << refreshed.error().message;
    EXPECT_EQ(refreshed->row_count, 5000u);
    std::size_t from_files = 0;
    for (const auto& workspace : workspaces) {
      const auto datasets = *catalog::Datasets(*snapshot).list(workspace.id);
      for (const auto& dataset : datasets) {
        if (!dataset.source_ref.has_value())
          from_files += service.refresh(dataset.id, actor, no_progress()).ok();
      }
      const auto reports = *catalog::Reports(*snapshot).list(workspace.id, std::nullopt, 500);
      for (const auto& report : reports) {
        const auto shown =
            reports::show_report(*snapshot, instance_->objects(), report, {}, {}, no_progress());
        ASSERT_TRUE(shown.ok()) << shown.error().message;
      }
    }
    EXPECT_GE(from_files, 3u);
  }

  std::string everything_in_the_archive() {
    MemorySink all;
    EXPECT_TRUE(stored_.reader
                    ->for_each("",
                               [&](const archive::EntryInfo& entry) {
                                 return stored_.reader->copy(entry.path, all);
                               })
                    .ok());
    return std::string(as_text(all.bytes())) + stored_.reader->manifest().content.tenant.str();
  }

  testkit::Scratch scratch_;
  std::unique_ptr<instance::Instance> instance_;
  catalog::Tenant tenant_;
  catalog::ArchiveRecord record_;
  restore::StoredArchive stored_;
  std::string source_password_;
};

TEST_F(CanaryTest, NoFileOutsideOfPostgresHoldsReadableData) {
  restore_everything(restore::Mode::kFork);
  refresh_and_ask();
  stored_ = {};
  instance_.reset();
  for (const auto& canary : {kCanaries.row, kCanaries.secret, kCanaries.email_domain,
                             kCanaries.audit, kCanaries.password, source_password_}) {
    EXPECT_EQ(files_with(scratch_.path(), canary, {"postgres"}), std::vector<std::string>{})
        << canary;
  }
  // Its log is not data, and holds nothing of anybody's.
  const std::string log = testkit::contents_of(scratch_ / "data/postgres/server.log");
  EXPECT_FALSE(log.empty());
  EXPECT_EQ(log.find("canary"), std::string::npos);
  // The search can find: Postgres' own folder holds the addresses, in the clear on the host's
  // encrypted volume.
  EXPECT_FALSE(files_with(scratch_ / "data/postgres", kCanaries.email_domain).empty());
  // Secrets, passwords and rows are not even there.
  for (const auto& canary :
       {kCanaries.row, kCanaries.secret, kCanaries.password, source_password_}) {
    EXPECT_EQ(files_with(scratch_ / "data/postgres", canary), std::vector<std::string>{}) << canary;
  }
  EXPECT_EQ(testkit::files_below(scratch_ / "tmp"), std::vector<std::string>{});
}

TEST_F(CanaryTest, EveryStoredObjectIsSealed) {
  const auto objects = testkit::files_below(scratch_ / "data/objects");
  EXPECT_GE(objects.size(), 6u);
  for (const auto& path : objects) {
    const std::string bytes = testkit::contents_of(path);
    EXPECT_EQ(bytes.substr(0, 4), "OAS1") << path;
    // A compressed archive or Parquet would hide a canary from the search above, but not its own
    // marks.
    EXPECT_EQ(bytes.find("PAR1", 4), std::string::npos) << path;
  }
}

TEST_F(CanaryTest, AnArchiveHoldsRowsAndAuditButNoSecretAndNoPasswordHash) {
  const std::string all = everything_in_the_archive();
  EXPECT_NE(all.find(kCanaries.audit), std::string::npos);
  EXPECT_NE(all.find(kCanaries.email_domain), std::string::npos);
  EXPECT_NE(all.find("PAR1"), std::string::npos);
  EXPECT_EQ(all.find(kCanaries.secret), std::string::npos);
  EXPECT_EQ(all.find(kCanaries.password), std::string::npos);
  EXPECT_EQ(all.find("$argon2"), std::string::npos);
  EXPECT_EQ(all.find("password"), std::string::npos);
}

}  // namespace
}  // namespace oa
