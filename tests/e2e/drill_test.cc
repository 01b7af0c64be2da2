// A drill is green over a backup that is whole and red over one that is not, for the right reason; it
// leaves nothing behind, and what it was made from as it was.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "oa/accounts/people.h"
#include "oa/api/service.h"
#include "oa/backup/archive_creator.h"
#include "oa/catalog/repositories.h"
#include "oa/catalog/tenant_rows.h"
#include "oa/demo/demo_tenant.h"
#include "oa/drill/chronicle.h"
#include "oa/drill/drill.h"
#include "oa/drill/trust_report.h"
#include "oa/operations/privacy.h"
#include "oa/operations/tenant_keys.h"
#include "e2e/tenant_state.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using catalog::Isolation;

using testkit::must;

// Calls `then` when the drill begins the step `at`.
class Saboteur final : public Progress {
 public:
  Saboteur(std::string at, std::function<void()> then) : at_(std::move(at)), then_(std::move(then)) {}
  void begin(std::string_view step, std::uint64_t, std::string_view) override {
    if (step == at_ && !done_) {
      done_ = true;
      then_();
    }
  }
  void update(std::uint64_t) override {}
  bool done() const { return done_; }

 private:
  const std::string at_;
  const std::function<void()> then_;
  bool done_ = false;
};

void flip_a_byte(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(fs::file_size(path) / 2);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 0x20);
  file.seekp(at);
  file.put(byte);
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& file : testkit::files_below(folder.string())) files.emplace_back(file);
  return files;
}

// One data folder and one service for all cases, each with a tenant of its own that has an archive.
class Drills : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<testkit::Scratch>();
    instance::Settings settings;
    settings.data_folder = *scratch_ / "data";
    settings.create = true;
    instance_ = must(instance::Instance::open(settings));
    must(instance_->erasures().replay(no_progress()));
    api::ServiceSettings service;
    service.upkeep = false;
    service_ = must(api::Service::start(*instance_, service));
  }
  static void TearDownTestSuite() {
    service_.reset();
    instance_.reset();
    scratch_.reset();
  }

  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    tenant_ = must(demo::make_demo_tenant(*instance_, name, {.order_rows = 300, .audit_events = 50},
                                          {}, no_progress()));
    must(drill::set_consent(*instance_, tenant_.id, true, std::nullopt, ""));
    archive_ = make_archive();
    settings_.url = "http://127.0.0.1:" + std::to_string(service_->port());
    settings_.may_make_archive = false;
    settings_.seed = "2026-Q4";
  }

  catalog::ArchiveRecord make_archive() {
    backup::ArchiveRequest request;
    request.with_rows = true;
    request.id = ArchiveId::random();
    const auto signer = must(instance_->signing_key(tenant_.id));
    return must(backup::create_archive(instance_->database(), instance_->objects(), signer,
                                       tenant_.id, request, no_progress()));
  }

  drill::Drill run(Progress& progress = no_progress()) {
    drill_ = must(drill::run_tenant_drill(*instance_, tenant_.id, settings_, progress));
    return drill_;
  }

  // With the recovery tenant when `at` begins.
  drill::Drill run_with(const std::string& at,
                        const std::function<void(TenantId recovery)>& sabotage) {
    Saboteur saboteur(at, [&] { sabotage(recovery_now()); });
    const auto drill = run(saboteur);
    EXPECT_TRUE(saboteur.done()) << "the drill did not come as far as " << at;
    return drill;
  }

  TenantId recovery_now() {
    const auto newest = must(catalog::Drills(instance_->database()).list(std::nullopt, 1));
    return *newest.front().recovery;
  }

  // In the recovery tenant.
  static void change(TenantId tenant,
                     const std::function<void(catalog::TenantTransaction& transaction)>& how) {
    auto transaction = must(instance_->database().begin(tenant));
    how(transaction);
    must(transaction.commit());
  }

  // Red at this step with this code, told to everybody, and the recovery tenant kept to be looked at.
  static void expect_red(const drill::Drill& drill, const std::string& step,
                         const std::string& code,
                         drill::StepState state = drill::StepState::kFailed) {
    ASSERT_FALSE(drill.steps.empty());
    EXPECT_EQ(drill.steps.back().name, step) << drill.steps.back().message;
    EXPECT_EQ(drill.steps.back().code, code) << drill.steps.back().message;
    EXPECT_EQ(drill.state, state);
    for (std::size_t i = 0; i + 1 < drill.steps.size(); ++i)
      EXPECT_EQ(drill.steps[i].state, drill::StepState::kSuccessful) << drill.steps[i].name;
    const auto record = newest_record();
    EXPECT_EQ(record.at("id").as_string(), drill.id.str());
    EXPECT_EQ(record.at("outcome").as_string(), drill::to_text(state));
    EXPECT_EQ(drill.recovery.has_value(), drill.keep_until.has_value());
  }

  static json::object newest_record() {
    const auto chronicle = must(drill::Chronicle::open(*instance_));
    return must(chronicle.entries()).back().record;
  }

  static fs::path objects_of(TenantId tenant, const std::string& kind) {
    return fs::path(*scratch_ / "data") / "objects" / tenant.str() / kind;
  }

  testkit::TenantState contents_of_source() {
    auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
    return testkit::read_state(snapshot, instance_->objects());
  }

  // Every row by table, every object's version, the length of the audit chain.
  std::string state_of_source() {
    std::string state;
    auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
    for (const auto& [table, count] : must(catalog::count_tenant_rows(snapshot)))
      state += table + "=" + std::to_string(count) + "\n";
    state += std::to_string(must(catalog::Audit(snapshot).count())) + "\n";
    must(operations::for_each_version(instance_->objects().store(), tenant_.id,
                                      [&](const ObjectVersion& version) -> Status {
                                        state += version.key.name + " " + version.version.value + "\n";
                                        return {};
                                      }));
    return state;
  }

  static std::unique_ptr<testkit::Scratch> scratch_;
  static std::unique_ptr<instance::Instance> instance_;
  static std::unique_ptr<api::Service> service_;
  catalog::Tenant tenant_;
  catalog::ArchiveRecord archive_;
  drill::Settings settings_;
  drill::Drill drill_;
};
std::unique_ptr<testkit::Scratch> Drills::scratch_;
std::unique_ptr<instance::Instance> Drills::instance_;
std::unique_ptr<api::Service> Drills::service_;

TEST_F(Drills, AnUnharmedBackupIsGreenAndNothingIsLeftBehind) {
  const auto before = state_of_source();
  const auto contents = contents_of_source();
  const auto tenants = must(instance_->database().list_tenants()).size();
  std::string recovery;
  const auto drill = run_with("export", [&](TenantId id) { recovery = id.str(); });
  EXPECT_EQ(drill.state, drill::StepState::kSuccessful)
      << drill.steps.back().name << " " << drill.steps.back().message;
  EXPECT_EQ(drill.steps.size(), 12U);
  EXPECT_GT(drill.recovery_seconds.value(), 0);
  EXPECT_EQ(state_of_source(), before);
  EXPECT_EQ(testkit::differences(contents, contents_of_source()), "");
  EXPECT_EQ(must(instance_->database().list_tenants()).size(), tenants);
  EXPECT_TRUE(files_in(fs::path(*scratch_ / "data") / "objects" / recovery).empty());
  EXPECT_EQ(instance_->keys().describe(must(TenantId::parse(recovery))).error().code,
            ErrorCode::kKeyDestroyed);
  for (const auto& step : drill.steps) {
    if (step.name == "compare") {
      EXPECT_EQ(step.figures.at("datasets").to_number<int>(), 5);
    }
    if (step.name == "reports") {
      EXPECT_GT(step.figures.at("visuals").to_number<int>(), 10);
    }
    if (step.name == "refresh") {
      EXPECT_EQ(step.figures.at("datasets").to_number<int>(), 3);
    }
  }
  // What is published names nobody.
  const auto record = json::serialize(newest_record());
  for (const std::string& secret : {tenant_.id.str(), tenant_.name, recovery})
    EXPECT_EQ(record.find(secret), std::string::npos);
}

TEST_F(Drills, WithoutConsentThereIsNone) {
  must(drill::set_consent(*instance_, tenant_.id, false, std::nullopt, ""));
  const auto refused =
      drill::run_tenant_drill(*instance_, tenant_.id, settings_, no_progress());
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(Drills, AFlippedByteInTheArchive) {
  for (const auto& file : files_in(objects_of(tenant_.id, "archives"))) flip_a_byte(file);
  expect_red(run(), "archive", "storage/seal-corrupt");
}

TEST_F(Drills, AnArchiveThatIsNotThere) {
  for (const auto& file : files_in(objects_of(tenant_.id, "archives"))) fs::remove(file);
  expect_red(run(), "archive", "resource/not-found");
}

TEST_F(Drills, AnArchiveThatWasCutShort) {
  for (const auto& file : files_in(objects_of(tenant_.id, "archives")))
    fs::resize_file(file, fs::file_size(file) / 2);
  expect_red(run(), "archive", "storage/seal-corrupt");
}

TEST_F(Drills, AnArchiveWithoutRows) {
  change(tenant_.id, [&](catalog::TenantTransaction& transaction) {
    must(catalog::Archives(transaction).remove(archive_.id));
  });
  expect_red(run(), "archive", "drill/failed");
}

TEST_F(Drills, AStaleArchive) {
  settings_.max_archive_age_days = 0;
  expect_red(run(), "archive", "drill/failed");
  settings_.may_make_archive = true;
  EXPECT_EQ(run().state, drill::StepState::kSuccessful);
}

TEST_F(Drills, ALostKey) {
  must(operations::disable_key(*instance_, tenant_));
  expect_red(run(), "archive", "key/disabled");
}

TEST_F(Drills, ASignatureThatIsTrustedNoMore) {
  const auto first = must(instance_->signing_key(tenant_.id)).public_key();
  must(instance_->rotate_signing_key(tenant_.id));
  const auto people = must(demo::people_to_try(*instance_, tenant_.id));
  must(instance_->revoke_signer(tenant_.id, first.fingerprint(), people.front().id));
  expect_red(run(), "archive", "archive/untrusted-signer");
}

TEST_F(Drills, ARestoreThatTakesTooLong) {
  settings_.recovery_time = std::chrono::seconds(0);
  expect_red(run(), "recovery-time", "request/timeout", drill::StepState::kTimedOut);
}

TEST_F(Drills, ADrillThatTakesTooLong) {
  settings_.time_limit = std::chrono::seconds(0);
  const auto drill = run();
  EXPECT_EQ(drill.state, drill::StepState::kTimedOut);
  EXPECT_EQ(drill.steps.back().code, "request/timeout");
}

TEST_F(Drills, AServiceThatIsNotThere) {
  settings_.url = "http://127.0.0.1:9";  // discard, RFC 863: nobody listens
  expect_red(run(), "sign-in", "storage/io");
}

TEST_F(Drills, SomebodyWhoCannotSignIn) {
  const auto drill = run_with("sign-in", [](TenantId recovery) {
    for (const auto& person : must(accounts::list_people(instance_->database(), recovery)))
      must(accounts::set_active(instance_->database(), recovery, person.user.id, false));
  });
  expect_red(drill, "sign-in", "drill/failed");
}

TEST_F(Drills, PeopleWhoAreMissing) {
  const auto extra = must(accounts::add_person(instance_->database(), tenant_.id,
                                               {"extra@x.example", "A", "B", false}));
  archive_ = make_archive();
  const auto drill = run_with("erasures", [&](TenantId recovery) {
    change(recovery, [&](catalog::TenantTransaction& transaction) {
      must(catalog::Users(transaction).remove_unused({&extra.id, 1}));
    });
  });
  expect_red(drill, "erasures", "drill/failed");
}

TEST_F(Drills, AnErasedPersonWhoComesBack) {
  const auto person = must(accounts::add_person(instance_->database(), tenant_.id,
                                                {"gone@x.example", "Gonda", "Gone", false}));
  archive_ = make_archive();
  auto eraser = must(operations::eraser_of(*instance_));
  const auto asked = must(eraser.request(tenant_.id, person.id, {}, std::chrono::seconds(0), ""));
  must(operations::erase_person(*instance_, tenant_.id, asked.id, "", no_progress()));
  // Unharmed, they stay erased although the archive has them.
  const auto green = run();
  EXPECT_EQ(green.state, drill::StepState::kSuccessful) << green.steps.back().message;
  const auto drill = run_with("erasures", [&](TenantId recovery) {
    change(recovery, [&](catalog::TenantTransaction& transaction) {
      catalog::Users users(transaction);
      catalog::User back;
      back.id = person.id;
      back.email = "gone@x.example";
      back.first_name = "Gonda";
      must(users.put({&back, 1}));
    });
  });
  expect_red(drill, "erasures", "drill/failed");
}

TEST_F(Drills, AReportThatIsMissing) {
  const auto drill = run_with("reports", [](TenantId recovery) {
    change(recovery, [](catalog::TenantTransaction& transaction) {
      const auto workspace = must(catalog::Workspaces(transaction).list()).front();
      const auto reports = must(catalog::Reports(transaction).list(workspace.id, {}, 1));
      must(catalog::Reports(transaction).remove(reports.front().id));
    });
  });
  expect_red(drill, "reports", "drill/failed");
}

TEST_F(Drills, AReportWhoseRowsAreGone) {
  const auto drill = run_with("reports", [](TenantId recovery) {
    for (const auto& file : files_in(objects_of(recovery, "rows"))) fs::remove(file);
  });
  expect_red(drill, "reports", "drill/failed");
}

TEST_F(Drills, AServiceThatAnswersWithEmptyRows) {
  testkit::Running proxy({"sh", "-c",
                          "exec python3 " OA_TESTS "/e2e/lying_service.py " + settings_.url + " >" +
                              (*scratch_ / "port")});
  for (int tries = 0; tries < 100 && testkit::contents_of(*scratch_ / "port").empty(); ++tries)
    proxy.wait(100);
  settings_.url = "http://127.0.0.1:" + std::to_string(std::stoi(testkit::contents_of(*scratch_ / "port")));
  expect_red(run(), "reports", "drill/failed");
  proxy.send(SIGTERM);
  proxy.wait(10'000);
}

TEST_F(Drills, RowsThatAreFewer) {
  const auto drill = run_with("compare", [](TenantId recovery) {
    change(recovery, [](catalog::TenantTransaction& transaction) {
      const auto workspace = must(catalog::Workspaces(transaction).list()).front();
      auto dataset = must(catalog::Datasets(transaction).list(workspace.id)).front();
      --dataset.row_count;
      must(catalog::Datasets(transaction).put({&dataset, 1}));
    });
  });
  expect_red(drill, "compare", "drill/failed");
}

TEST_F(Drills, RowsThatAreOthers) {
  const auto drill = run_with("compare", [](TenantId recovery) {
    change(recovery, [](catalog::TenantTransaction& transaction) {
      std::vector<catalog::Dataset> all;
      for (const auto& workspace : must(catalog::Workspaces(transaction).list()))
        for (const auto& one : must(catalog::Datasets(transaction).list(workspace.id))) all.push_back(one);
      ASSERT_GE(all.size(), 2U);
      all[0].rows = all[1].rows;  // as many, it says, but another's
      must(catalog::Datasets(transaction).put({&all[0], 1}));
    });
  });
  expect_red(drill, "compare", "drill/failed");
}

TEST_F(Drills, AFlippedByteInRestoredRows) {
  const auto drill = run_with("compare", [](TenantId recovery) {
    for (const auto& file : files_in(objects_of(recovery, "rows"))) flip_a_byte(file);
  });
  expect_red(drill, "compare", "storage/seal-corrupt");
}

TEST_F(Drills, AReportThatShowsSomethingElse) {
  const auto drill = run_with("compare", [](TenantId recovery) {
    change(recovery, [](catalog::TenantTransaction& transaction) {
      for (const auto& workspace : must(catalog::Workspaces(transaction).list())) {
        for (auto report : must(catalog::Reports(transaction).list(workspace.id, {}, 100))) {
          report.visuals.pop_back();
          report.bookmarks.clear();
          must(catalog::Reports(transaction).put({&report, 1}));
        }
      }
    });
  });
  expect_red(drill, "compare", "drill/failed");
}

TEST_F(Drills, AnOriginalThatIsNotThere) {
  const auto drill = run_with("refresh", [this](TenantId) {
    for (const auto& file : files_in(objects_of(tenant_.id, "originals"))) fs::remove(file);
  });
  expect_red(drill, "refresh", "resource/not-found");
}

TEST_F(Drills, AnOriginalThatIsDamaged) {
  const auto drill = run_with("refresh", [this](TenantId) {
    for (const auto& file : files_in(objects_of(tenant_.id, "originals"))) flip_a_byte(file);
  });
  expect_red(drill, "refresh", "storage/seal-corrupt");
}

TEST_F(Drills, ASignInThatIsTakenBack) {
  const auto drill = run_with("export", [](TenantId recovery) {
    for (const auto& person : must(accounts::list_people(instance_->database(), recovery)))
      must(accounts::set_active(instance_->database(), recovery, person.user.id, false));
  });
  expect_red(drill, "export", "drill/failed");
}

TEST_F(Drills, WhatFailedIsKeptAndThenGoes) {
  settings_.recovery_time = std::chrono::seconds(0);
  const auto drill = run();
  ASSERT_TRUE(drill.recovery.has_value());
  const Timestamp later{drill.keep_until->unix_us + 1};
  EXPECT_GE(must(drill::take_down_kept(*instance_, later, false, no_progress())), 1U);
  EXPECT_FALSE(instance_->database().find_tenant(drill.recovery->str()).ok());
  EXPECT_FALSE(must(catalog::Drills(instance_->database()).get(drill.id)).recovery.has_value());
}

TEST_F(Drills, ACopyDoesNotOutliveWhatItsTenantDecides) {
  settings_.recovery_time = std::chrono::seconds(0);
  const auto gone = [&](const drill::Drill& drill) {
    must(drill::take_down_kept(*instance_, Timestamp::now(), false, no_progress()));
    return !must(catalog::Drills(instance_->database()).get(drill.id)).recovery.has_value();
  };
  const auto person = must(accounts::add_person(instance_->database(), tenant_.id,
                                                {"gone@x.example", "Gonda", "Gone", false}));
  auto drill = run();
  EXPECT_FALSE(gone(drill));
  auto eraser = must(operations::eraser_of(*instance_));
  const auto asked = must(eraser.request(tenant_.id, person.id, {}, std::chrono::seconds(0), ""));
  must(operations::erase_person(*instance_, tenant_.id, asked.id, "", no_progress()));
  EXPECT_TRUE(gone(drill));
  drill = run();
  EXPECT_FALSE(gone(drill));
  must(drill::set_consent(*instance_, tenant_.id, false, std::nullopt, ""));
  EXPECT_TRUE(gone(drill));
}

TEST_F(Drills, TheReportIsWhatTheRecordsSay) {
  run();
  const auto report = must(drill::trust_report(*instance_));
  const auto key = must(PublicKey::parse(report.at("public_key").as_string().c_str()));
  must(drill::verify_report(report, key));
  auto forged = report;
  forged.at("measured").as_object()["recovery_seconds"] = nullptr;
  EXPECT_EQ(drill::verify_report(forged, key).error().code, ErrorCode::kDrillFailed);
  forged = report;
  forged.at("records").as_array().pop_back();
  EXPECT_FALSE(drill::verify_report(forged, key).ok());
  EXPECT_FALSE(drill::verify_report(report, SigningKey::generate().public_key()).ok());
  EXPECT_EQ(json::serialize(report).find(tenant_.id.str()), std::string::npos);
}

TEST_F(Drills, ADamagedRecordIsNotPassedOver) {
  run();
  const auto folder = objects_of(instance::ledger_owner(), "ledger") / "drills";
  const auto files = files_in(folder);
  ASSERT_FALSE(files.empty());
  const auto kept = testkit::contents_of(files.front().string());
  flip_a_byte(files.front());
  const auto broken = drill::trust_report(*instance_);
  EXPECT_EQ(broken.error().code, ErrorCode::kDrillFailed);
  std::ofstream(files.front(), std::ios::binary | std::ios::trunc) << kept;
  EXPECT_TRUE(drill::trust_report(*instance_).ok());
}

}  // namespace
}  // namespace oa
