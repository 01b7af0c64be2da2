// Who was erased is gone everywhere, and stays so whatever comes back: over a real database, object
// store and archives.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <sstream>

#include "oa/accounts/accounts.h"
#include "oa/accounts/people.h"
#include "oa/audit/audit.h"
#include "oa/backup/archive_creator.h"
#include "oa/catalog/jobs.h"
#include "oa/catalog/repositories.h"
#include "oa/catalog/statements.h"
#include "oa/demo/demo_tenant.h"
#include "oa/operations/operations.h"
#include "oa/operations/privacy.h"
#include "oa/privacy/audit_retention.h"
#include "oa/privacy/erased_user.h"
#include "oa/privacy/registry.h"
#include "oa/restore/engine.h"
#include "testkit/archive_tool.h"
#include "testkit/process.h"
#include "testkit/readable.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using catalog::Isolation;

constexpr const char* kEmail = "Ada.Quillfeather@lovelace-family.example";
constexpr const char* kFirst = "Adalgisa";
constexpr const char* kLast = "Quillfeather";
constexpr const char* kPhone = "+44-1815-000077";
constexpr const char* kAddress = "2001:db8:77aa::51";
constexpr const char* kPassword = "a long enough one 4711";

template <class T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  throw std::runtime_error(result.error().op + ": " + result.error().message + " " +
                           result.error().cause);
}
void must(const Status& status) {
  if (!status.ok())
    throw std::runtime_error(status.error().op + ": " + status.error().message + " " +
                             status.error().cause);
}

void reset(const testkit::Scratch& scratch, std::unique_ptr<instance::Instance>& instance,
           bool create = false) {
  instance.reset();
  instance::Settings settings;
  settings.data_folder = scratch / "data";
  settings.create = create;
  auto opened = instance::Instance::open(settings);
  if (!opened.ok()) throw std::runtime_error(opened.error().message + opened.error().cause);
  instance = must(std::move(opened));
}

// One data folder for all cases, each with a tenant of its own.
class Privacy : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<testkit::Scratch>();
    reset(*scratch_, instance_, true);
    must(instance_->erasures().replay(no_progress()));
  }
  static void TearDownTestSuite() {
    instance_.reset();
    scratch_.reset();
  }

  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    tenant_ = must(demo::make_demo_tenant(*instance_, name, {.order_rows = 200, .audit_events = 200}, {},
                                     no_progress()));
    person_ = add_person();
    names_.push_back(name);
  }

  // Somebody who left traces wherever one can.
  UserId add_person() {
    auto& database = instance_->database();
    const auto made =
        must(accounts::add_person(database, tenant_.id, {kEmail, kFirst, kLast, false}));
    accounts::Accounts accounts(database);
    must(accounts.set_password(tenant_.id, made.id, SecretBytes::copy_of(as_bytes(std::string(kPassword)))));
    const auto signed_in =
        must(accounts
            .sign_in({tenant_.name, kEmail, SecretBytes::copy_of(as_bytes(std::string(kPassword))),
                      kAddress, "trace"}));
    must(accounts.make_token(signed_in.identity, {std::string("token of ") + kEmail, {accounts::Scope::kRead}, {}}, "trace"));
    auto transaction = must(database.begin(tenant_.id));
    catalog::Users users(transaction);
    auto person = must(users.get(made.id));
    person.attributes = JsonText::of(json::object{{"phone", kPhone}});
    must(users.put({&person, 1}));
    plant(transaction, made.id);
    must(transaction.commit());
    return made.id;
  }

  void plant(catalog::TenantTransaction& transaction, UserId person) {
    const auto workspace = catalog::Workspaces(transaction).list().value().front();
    workspace_ = workspace.id;
    auto teams = must(catalog::Teams(transaction).list());
    auto& members = teams.front().members;
    members.insert(std::ranges::lower_bound(members, person), person);
    teams.front().name = std::string("Team ") + kFirst + " " + kLast;
    must(catalog::Teams(transaction).put({&teams.front(), 1}));
    auto reports = must(catalog::Reports(transaction).list(workspace.id, {}, 10));
    auto& report = reports.front();
    report_ = report.id;
    report.name = std::string("Weekly, by ") + kEmail;
    report.created_by = person;
    report.visuals.front().title = std::string(kLast) + ", " + kFirst + " asked for it";
    report.visuals.front().options =
        JsonText::of(json::object{{"note", std::string("mailto:") + kEmail}});
    report.grants = {{catalog::PrincipalKind::kUser, person.uuid(), catalog::Role::kViewer}};
    must(catalog::Reports(transaction).put({&report, 1}));
    auto alerts = must(catalog::Alerts(transaction).list(workspace.id, {}, 10));
    alerts.front().channels = JsonText::of(json::object{
        {"items", json::array{json::object{{"kind", "email"}, {"to", kEmail}},
                              json::object{{"kind", "in_app"}}}}});
    alert_ = alerts.front().id;
    must(catalog::Alerts(transaction).put({&alerts.front(), 1}));
    auto datasets = must(catalog::Datasets(transaction).list(workspace.id));
    datasets.front().model_yaml += std::string("# ask ") + kEmail + "\n";
    must(catalog::Datasets(transaction).put({&datasets.front(), 1}));
    const auto event = [&](const char* action, std::optional<Uuid> actor, const char* type,
                           const std::string& id, std::map<std::string, std::string> personal) {
      NewAuditEvent made;
      made.ts = Timestamp::now();
      made.actor_type = actor.has_value() ? "user" : "operator";
      made.actor_id = actor;
      made.action = action;
      made.resource_type = type;
      made.resource_id = id;
      made.personal = std::move(personal);
      must(catalog::Audit(transaction).append({&made, 1}));
    };
    const Uuid other = Uuid::random();
    event("report.view", person.uuid(), "report", report_.str(),
          {{"actor.email", kEmail}, {"actor.ip", kAddress}});
    event("user.update", other, "user", person.str(),
          {{"actor.email", "boss@elsewhere.example"}, {"detail.phone", kPhone}});
    event("report.rename", other, "report", report_.str(),
          {{"actor.email", "boss@elsewhere.example"},
           {"detail.name", std::string("for ") + kFirst + " " + kLast}});
    catalog::Job job;
    job.id = JobId::random();
    job.kind = "archive.create";
    job.request = JsonText::of(json::object{{"note", kEmail}});
    job.created_by = person;
    must(catalog::Jobs(transaction).add(job));
  }

  catalog::ArchiveRecord archive() {
    const auto signer = must(instance_->signing_key(tenant_.id));
    backup::ArchiveRequest request;
    request.with_rows = request.with_audit = true;
    return must(backup::create_archive(instance_->database(), instance_->objects(), signer, tenant_.id,
                                  request, no_progress()));
  }

  privacy::ErasureRecord erase(UserId user) {
    auto eraser = must(operations::eraser_of(*instance_));
    const auto asked = must(eraser.request(tenant_.id, user, {}, std::chrono::seconds(0), "trace"));
    return must(operations::erase_person(*instance_, tenant_.id, asked.id, "trace", no_progress()));
  }

  void restore(const catalog::ArchiveRecord& record, restore::Mode mode) {
    const auto place = must(operations::workplace_of(*instance_, tenant_.id));
    const auto engine = place.engine(*instance_, tenant_.id);
    const auto stored =
        must(restore::open_stored_archive(instance_->objects(), tenant_.id, record,
                                     {instance_->trusted_keys(tenant_.id).value(), false}));
    restore::Request request;
    request.id = RestoreId::random();
    request.selection.everything = true;
    request.with_roles = request.all_people = true;
    request.mode = mode;
    const auto prepared =
        must(restore::prepare_restore(engine, *stored.reader, request, no_progress()));
    must(restore::save_plan(engine, prepared, JsonText()));
    const auto applied = restore::apply_plan(engine, prepared, {prepared.hash, {}}, no_progress());
    ASSERT_TRUE(applied.ok()) << applied.error().message << applied.error().cause;
  }

  static std::string dump() {
    const auto dumped = testkit::run({"pg_dump", "-h", *scratch_ / "data/postgres/socket", "-U",
                                      "postgres", "-d", "oneanalytics", "--inserts"});
    EXPECT_EQ(dumped.status, 0) << dumped.err;
    return dumped.out;
  }
  // As the server's own superuser, whom no policy binds. One line a row.
  static std::string ask(const std::string& sql) {
    const auto asked = testkit::run({"psql", "-h", *scratch_ / "data/postgres/socket", "-U",
                                     "postgres", "-d", "oneanalytics", "-Atc", sql});
    EXPECT_EQ(asked.status, 0) << asked.err;
    return asked.out;
  }
  static std::vector<std::string> values() {
    return {kEmail, "ada.quillfeather@lovelace-family.example",
                            "ADA.QUILLFEATHER@LOVELACE-FAMILY.EXAMPLE",
                            "Ada.Quillfeather%40lovelace-family.example",
                            std::string(kFirst) + " " + kLast, std::string(kLast) + ", " + kFirst,
                            "adalgisa quillfeather", "Quillfeather", kPhone, kAddress};
  }
  static testkit::Search look() { return testkit::Search(values()); }

  std::uint64_t verified_events() {
    auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
    catalog::Audit audit(snapshot);
    AuditChainVerifier verifier(audit.begin().value());
    const Status verified =
        audit.for_each([&](const AuditEvent& event) { return verifier.check(event); });
    EXPECT_TRUE(verified.ok()) << verified.error().message << verified.error().cause;
    return verifier.events();
  }

  catalog::User user(UserId id) {
    auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
    return must(catalog::Users(snapshot).get(id));
  }

  static inline std::unique_ptr<testkit::Scratch> scratch_;
  static inline std::unique_ptr<instance::Instance> instance_;
  static inline std::vector<std::string> names_;
  catalog::Tenant tenant_;
  UserId person_;
  WorkspaceId workspace_;
  ReportId report_;
  AlertId alert_;
};

TEST_F(Privacy, NothingOfTheErasedIsFoundAnywhere) {
  const auto kept = archive();
  for (const std::string value : {kEmail, kLast, kPhone, kAddress}) {
    testkit::Search before({value});
    before.in_text("dump", dump());
    EXPECT_NE(before.found(), std::vector<std::string>()) << value;
  }
  const auto bundle = must(operations::export_person(*instance_, tenant_.id, Uuid::random(), person_, {},
                                                no_progress()));
  EXPECT_EQ(bundle.state, privacy::ExportState::kReady);
  const std::uint64_t events = verified_events();
  auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
  const auto preview = must(privacy::preview_erasure(snapshot, person_));
  EXPECT_EQ(preview.assets.at("reports"), 1u);

  const auto done = erase(person_);
  EXPECT_EQ(done.state, privacy::ErasureState::kDone);
  EXPECT_EQ(done.effects, preview.effects);
  for (const char* effect : {"profile", "memberships", "grants", "sessions", "tokens", "documents",
                             "alert_channels", "audit_events", "exports"})
    EXPECT_GE(done.effects.count(effect), 1u) << effect;

  auto after = look();
  after.in_text("dump", dump());
  EXPECT_EQ(after.found(), std::vector<std::string>());
  // What is stored: all but the archive that the certificate names.
  for (const auto retention : {RetentionClass::kArchives, RetentionClass::kRows,
                               RetentionClass::kOriginals, RetentionClass::kLedger}) {
    auto& objects = instance_->objects();
    const TenantId owner =
        retention == RetentionClass::kLedger ? instance::ledger_owner() : tenant_.id;
    const auto listed = must(objects.store().list(owner, retention, "", 1000));
    for (const auto& object : listed) {
      if (object.key.name == kept.object_name) continue;
      const auto source = must(objects.open(object.key, object.version));
      after.in_text(object.key.name, as_text(read_all(*source, 100 << 20).value()));
    }
  }
  EXPECT_EQ(after.found(), std::vector<std::string>());
  EXPECT_EQ(verified_events(), events + 2) << "the request, and the erasure";

  EXPECT_EQ(user(person_), privacy::erased_user(person_, user(person_).created_at));
  auto now = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
  const auto report = must(catalog::Reports(now).get(report_));
  EXPECT_EQ(report.created_by, person_);
  EXPECT_TRUE(report.grants.empty());
  EXPECT_EQ(report.name.find("Weekly, by redacted-"), 0u) << report.name;
  EXPECT_EQ(catalog::Alerts(now).get(alert_).value().channels,
            JsonText::of(json::object{{"items", json::array{json::object{{"kind", "in_app"}}}}}));
  // Others' values stay.
  std::size_t boss = 0;
  catalog::Audit(now)
      .for_each([&](const AuditEvent& event) -> Status {
        for (const auto& [path, value] : event.personal)
          boss += value.value == "boss@elsewhere.example" ? 1 : 0;
        return {};
      })
      .value();
  EXPECT_EQ(boss, 2u);

  // Again: nothing more happens.
  const auto again = erase(person_);
  EXPECT_EQ(again.id, done.id);
  EXPECT_EQ(verified_events(), events + 2);
  const auto gone = operations::export_person(*instance_, tenant_.id, Uuid::random(), person_, {},
                                              no_progress());
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::kErased);
}

TEST_F(Privacy, TheCertificateIsVerifiedByMinisign) {
  const auto kept = archive();
  const auto done = erase(person_);
  const auto certificate = done.certificate.value();
  const auto& statement = certificate.at("statement");
  EXPECT_EQ(statement.at("user").as_string(), person_.str());
  EXPECT_EQ(statement.at("archives").at(0).at("archive").as_string(), kept.id.str());
  auto text = look();
  text.in_text("certificate", done.certificate.str());
  EXPECT_EQ(text.found(), std::vector<std::string>());
  testkit::write_file(*scratch_ / "statement", canonical_json(statement));
  testkit::write_file(*scratch_ / "statement.minisig",
                      std::string(certificate.at("signature").as_string()));
  const std::string key(certificate.at("public_key").as_string());
  const std::vector<std::string> verify = {"minisign", "-V", "-P", key, "-m", *scratch_ / "statement"};
  const auto verified = testkit::run(verify);
  EXPECT_EQ(verified.status, 0) << verified.err;
  testkit::write_file(*scratch_ / "statement", canonical_json(statement) + " ");
  EXPECT_NE(testkit::run(verify).status, 0);
}

TEST_F(Privacy, AnOlderArchiveDoesNotBringThemBack) {
  const auto kept = archive();
  erase(person_);
  for (const auto mode : {restore::Mode::kOverwrite, restore::Mode::kFork}) {
    restore(kept, mode);
    auto after = look();
    after.in_text("dump", dump());
    EXPECT_EQ(after.found(), std::vector<std::string>());
  }
  EXPECT_TRUE(privacy::is_erased(user(person_)));
  auto now = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
  EXPECT_EQ(catalog::Reports(now).get(report_).value().created_by, person_);
  verified_events();
}

TEST_F(Privacy, StoredArchivesAreWrittenAnewWhereTheTenantWantsIt) {
  const auto before = archive();
  auto eraser = must(operations::eraser_of(*instance_));
  must(eraser.set_settings(tenant_.id, {privacy::ArchivePolicy::kRewrite, 0}, {}, "trace"));
  erase(person_);
  auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
  const auto after = must(catalog::Archives(snapshot).get(before.id));
  EXPECT_NE(after.content_hash, before.content_hash);
  EXPECT_EQ(after.snapshot_time, before.snapshot_time);
  EXPECT_EQ(after.workspaces, before.workspaces);
  const archive::TrustPolicy trust{instance_->trusted_keys(tenant_.id).value(), false};
  EXPECT_FALSE(
      restore::open_stored_archive(instance_->objects(), tenant_.id, before, trust).ok());
  const std::string file = *scratch_ / "rewritten.oa-archive";
  testkit::oa_json({"archive", "download", after.id.str(), "--tenant", tenant_.name, "--output", file,
                    "--data", *scratch_ / "data"});
  const std::string key = must(instance_->trusted_keys(tenant_.id)).front().base64();
  const auto verified = testkit::oa_archive({"verify", file, "--trust-key", key});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
  const auto chain = testkit::oa_archive({"audit", file, "--trust-key", key});
  EXPECT_EQ(chain.status, 0) << chain.out << chain.err;
  const auto stored =
      must(restore::open_stored_archive(instance_->objects(), tenant_.id, after, trust));
  auto inside = look();
  MemorySink all;
  must(stored.reader
      ->for_each("", [&](const archive::EntryInfo& entry) { return stored.reader->copy(entry.path, all); }));
  inside.in_text("entries", as_text(all.bytes()));
  inside.in_text("manifest", stored.reader->manifest().content.tenant.str());
  EXPECT_EQ(inside.found(), std::vector<std::string>());
  EXPECT_TRUE(stored.reader->manifest().content.options.value().as_object().contains("rewritten"));
  restore(after, restore::Mode::kOverwrite);
  EXPECT_TRUE(privacy::is_erased(user(person_)));
}

TEST_F(Privacy, NorDoesAnotherTenantOutOfIt) {
  const auto kept = archive();
  testkit::oa_json({"archive", "download", kept.id.str(), "--tenant", tenant_.name, "--output",
                    *scratch_ / "old.oa-archive", "--data", *scratch_ / "data"});
  erase(person_);
  const auto keys = must(instance_->trusted_keys(tenant_.id));
  testkit::write_file(*scratch_ / "signer.pub", keys.front().file_text());
  testkit::oa_json({"tenant", "import", *scratch_ / "old.oa-archive", "--name", "Imported", "--plan",
                    "growth", "--owner", demo::people_to_try(*instance_, tenant_.id)->front().email,
                    "--trust", *scratch_ / "signer.pub", "--data", *scratch_ / "data"});
  auto after = look();
  after.in_text("dump", dump());
  EXPECT_EQ(after.found(), std::vector<std::string>());
}

TEST_F(Privacy, WhatTheLedgerHasTheDatabaseGetsBeforeAnybodyIsLetIn) {
  // As after a crash between the two, or a restore to an earlier moment.
  auto* const ledger = must(instance_->erasures().ledger());
  auto eraser = must(operations::eraser_of(*instance_));
  const auto mark = must(catalog::carried_out_mark(instance_->database()));
  const privacy::LedgerMark last =
      mark.number == 0 ? ledger->begin() : privacy::LedgerMark{mark.number, *mark.hash};
  must(ledger->append(last, {tenant_.id, person_, Timestamp::now(),
                        ledger->address_of(tenant_.id, kEmail)}));
  EXPECT_EQ(eraser.behind().value(), 1u);
  reset(*scratch_, instance_);
  EXPECT_EQ(instance_->erasures().check().error().code, ErrorCode::kReplayPending);
  EXPECT_FALSE(privacy::is_erased(user(person_)));
  // Any command carries it out first.
  const auto listed = testkit::oa_json({"user", "list", "--tenant", tenant_.name, "--data", *scratch_ / "data"});
  EXPECT_EQ(json::serialize(listed).find("Quillfeather"), std::string::npos);
  EXPECT_EQ(instance_->erasures().replay(no_progress()).value(), 0u);
  EXPECT_TRUE(instance_->erasures().check().ok());
  EXPECT_TRUE(privacy::is_erased(user(person_)));
  auto after = look();
  after.in_text("dump", dump());
  EXPECT_EQ(after.found(), std::vector<std::string>());
  auto again = must(operations::eraser_of(*instance_));
  const auto records = must(again.list(tenant_.id, person_));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].state, privacy::ErasureState::kDone);
  EXPECT_NE(records[0].certificate, JsonText());
  verified_events();
}

TEST_F(Privacy, ADamagedLedgerLetsNobodyIn) {
  erase(person_);
  std::string entry;
  for (const auto& file : testkit::files_below(*scratch_ / "data/objects"))
    if (file.find("erasures") != std::string::npos && file > entry) entry = file;
  ASSERT_NE(entry, "");
  const std::string whole = testkit::contents_of(entry);
  std::string damaged = whole;
  damaged[damaged.size() / 2] ^= 1;
  std::filesystem::permissions(entry, std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  testkit::write_file(entry, damaged);
  reset(*scratch_, instance_);
  const auto replayed = instance_->erasures().replay(no_progress());
  ASSERT_FALSE(replayed.ok());
  EXPECT_EQ(replayed.error().code, ErrorCode::kLedgerBroken) << replayed.error().message;
  EXPECT_EQ(instance_->erasures().check().error().code, ErrorCode::kReplayPending);
  testkit::write_file(entry, whole);
  EXPECT_TRUE(instance_->erasures().replay(no_progress()).ok());
  EXPECT_TRUE(instance_->erasures().check().ok());
}

TEST_F(Privacy, WishesWaitAndAreTakenBack) {
  auto eraser = must(operations::eraser_of(*instance_));
  const auto wait = std::chrono::hours(24);
  const auto asked = must(eraser.request(tenant_.id, person_, {}, wait, "trace"));
  EXPECT_EQ(asked.state, privacy::ErasureState::kScheduled);
  EXPECT_EQ(eraser.request(tenant_.id, person_, {}, wait, "trace").value().id, asked.id);
  EXPECT_EQ(eraser.carry_out_due(Timestamp::now(), no_progress()).value(), 0u);
  EXPECT_EQ(eraser.cancel(tenant_.id, asked.id, {}, "trace").value().state,
            privacy::ErasureState::kCancelled);
  EXPECT_EQ(eraser.cancel(tenant_.id, asked.id, {}, "trace").error().code, ErrorCode::kConflict);
  EXPECT_EQ(eraser.carry_out(tenant_.id, asked.id, "trace", no_progress()).error().code,
            ErrorCode::kConflict);
  EXPECT_FALSE(privacy::is_erased(user(person_)));
  const auto other = must(eraser.request(tenant_.id, person_, {}, wait, "trace"));
  EXPECT_NE(other.id, asked.id);
  const Timestamp tomorrow{Timestamp::now().unix_us + std::int64_t{25} * 3600 * 1'000'000};
  EXPECT_EQ(eraser.carry_out_due(tomorrow, no_progress()).value(), 1u);
  EXPECT_TRUE(privacy::is_erased(user(person_)));
  EXPECT_EQ(eraser.request(tenant_.id, UserId::random(), {}, wait, "trace").error().code,
            ErrorCode::kNotFound);
}

TEST_F(Privacy, SomebodyAsksForTheirOwn) {
  auto eraser = must(operations::eraser_of(*instance_));
  const auto asked =
      must(eraser.request(tenant_.id, person_, person_, std::chrono::seconds(0), "trace"));
  EXPECT_EQ(asked.requested_by, person_);
  const auto done =
      must(operations::erase_person(*instance_, tenant_.id, asked.id, "trace", no_progress()));
  EXPECT_EQ(done.state, privacy::ErasureState::kDone);
  EXPECT_TRUE(privacy::is_erased(user(person_)));
  verified_events();
  // Nothing is written in their name any more, as by a request that was on its way.
  auto transaction = must(instance_->database().begin(tenant_.id));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "user";
  event.actor_id = person_.uuid();
  event.action = "report.view";
  const Status late = catalog::Audit(transaction).append({&event, 1});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(Privacy, TheLastOwnerStays) {
  auto eraser = must(operations::eraser_of(*instance_));
  std::vector<UserId> owners;
  {
    auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
    const auto users = must(catalog::Users(snapshot).list());
    for (const auto& each : users)
      if (each.owner && each.active) owners.push_back(each.id);
  }
  const auto at_once = std::chrono::seconds(0);
  while (owners.size() > 1) {
    erase(owners.back());
    owners.pop_back();
  }
  EXPECT_EQ(eraser.request(tenant_.id, owners.front(), {}, at_once, "trace").error().code,
            ErrorCode::kLastOwner);
  EXPECT_FALSE(privacy::is_erased(user(owners.front())));
}

TEST_F(Privacy, AnExportHoldsWhatTheDatabaseHolds) {
  const auto record = must(operations::export_person(*instance_, tenant_.id, Uuid::random(), person_,
                                                {person_, "trace"}, no_progress()));
  const auto source = must(operations::open_export(*instance_, tenant_.id, record));
  const auto bundle =
      must(parse_json(as_text(read_all(*source, 100 << 20).value()), {100 << 20, 32}));
  EXPECT_EQ(bundle.at("format").as_string(), "oa-personal-data");
  EXPECT_EQ(bundle.at("profile").at("email").as_string(), kEmail);
  EXPECT_EQ(bundle.at("profile").at("attributes").at("phone").as_string(), kPhone);
  EXPECT_EQ(bundle.at("counts"), record.counts.value());
  const std::string id = "'" + person_.str() + "'", here = "tenant_id = '" + tenant_.id.str() + "' AND ";
  const auto counted = [&](const std::string& table, const std::string& where) {
    return std::stoull(ask("SELECT count(*) FROM oa." + table + " WHERE " + here + where));
  };
  const auto& counts = bundle.at("counts");
  EXPECT_EQ(counts.at("sessions").to_number<std::uint64_t>(), counted("sessions", "user_id = " + id));
  EXPECT_EQ(counts.at("tokens").to_number<std::uint64_t>(), counted("tokens", "user_id = " + id));
  EXPECT_EQ(counts.at("memberships").to_number<std::uint64_t>(), counted("team_members", "user_id = " + id));
  EXPECT_EQ(counts.at("jobs").to_number<std::uint64_t>(), counted("jobs", "created_by = " + id));
  // Whoever the events are of; the one that tells of this export came after its snapshot.
  EXPECT_EQ(counts.at("activity").to_number<std::uint64_t>(),
            counted("audit_events", "(actor_id = " + id + " OR resource_id = " + id +
                                        ") AND action <> 'privacy.export'"));
  EXPECT_EQ(bundle.at("assets").as_array().size(), 1u);
  EXPECT_EQ(bundle.at("activity").as_array().size(), counts.at("activity").to_number<std::uint64_t>());
  EXPECT_EQ(json::serialize(bundle).find("boss@elsewhere.example"), std::string::npos)
      << "other people's values";
  // Sealed: not to be found in any file.
  auto stored = look();
  stored.in_folder(*scratch_ / "data/objects");
  EXPECT_EQ(stored.found(), std::vector<std::string>());
}

TEST_F(Privacy, EventsOfLongAgoGoAndTheChainStillVerifies) {
  const std::int64_t day = std::int64_t{24} * 3600 * 1'000'000;
  const Timestamp now = Timestamp::now();
  tenant_.id = TenantId::random();
  tenant_.name = "Long ago";
  tenant_.plan = catalog::Plan::kStarter;
  must(instance_->database().create_tenant(tenant_));
  const auto append = [&](int days_ago) {
    NewAuditEvent event;
    event.ts = Timestamp{now.unix_us - days_ago * day};
    event.action = "report.view";
    auto transaction = must(instance_->database().begin(tenant_.id));
    must(catalog::Audit(transaction).append({&event, 1}));
    must(transaction.commit());
  };
  for (const int days : {200, 150, 95, 91, 80, 100, 1}) append(days);
  auto* const ledger = must(instance_->erasures().ledger());
  const auto retire = [&](catalog::Plan plan) {
    tenant_.plan = plan;
    return must(privacy::retire_audit_events(instance_->database(), *ledger, tenant_, now));
  };
  EXPECT_EQ(retire(catalog::Plan::kGrowth), 0u);
  EXPECT_EQ(verified_events(), 7u);
  EXPECT_EQ(retire(catalog::Plan::kStarter), 4u) << "the one of 100 days ago came later";
  EXPECT_EQ(verified_events(), 3u);
  EXPECT_EQ(retire(catalog::Plan::kStarter), 0u);
  append(0);
  EXPECT_EQ(verified_events(), 4u);
  auto snapshot = must(instance_->database().begin(tenant_.id, Isolation::kSnapshot));
  const auto checkpoint = must(catalog::Audit(snapshot).checkpoint());
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_TRUE(check_checkpoint(tenant_.id, *checkpoint).value() == ledger->public_key());
}

TEST_F(Privacy, CommandsSayWhatTheyRefuse) {
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "privacy");
    arguments.insert(arguments.end(), {"--tenant", tenant_.name, "--data", *scratch_ / "data", "--json"});
    return testkit::oa(arguments);
  };
  const auto refusal = [&](std::vector<std::string> arguments) {
    const auto finished = run(std::move(arguments));
    const auto error = parse_json(finished.err.substr(0, finished.err.find('\n')));
    if (finished.status == 0 || !error.ok()) return finished.out + finished.err;
    return std::to_string(finished.status) + " " +
           std::string(error->at("error").at("code").as_string());
  };
  EXPECT_EQ(refusal({"erase", kEmail}), "2 request/invalid") << "nobody said yes";
  EXPECT_EQ(refusal({"erase", "nobody@else.example", "--yes"}), "3 resource/not-found");
  EXPECT_EQ(run({"erase", kEmail, "--wait-days", "31", "--yes"}).status, 2);
  EXPECT_EQ(refusal({"cancel", "some"}), "2 request/invalid");
  EXPECT_EQ(refusal({"certificate", Uuid::random().str()}), "3 resource/not-found");
  EXPECT_EQ(refusal({"download", Uuid::random().str(), "--output", *scratch_ / "none"}),
            "3 resource/not-found");
  const std::string file = *scratch_ / "export.json";
  const auto made = run({"export", kEmail, "--output", file});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(refusal({"export", kEmail, "--output", file}), "4 resource/already-exists");
  const auto id = std::string(parse_json(made.out).value().at("id").as_string());
  const auto waits = run({"erase", kEmail, "--wait-days", "3", "--yes"});
  ASSERT_EQ(waits.status, 0) << waits.err;
  const auto erasure = std::string(parse_json(waits.out).value().at("id").as_string());
  EXPECT_EQ(refusal({"certificate", erasure}), "4 resource/conflict");
  EXPECT_EQ(run({"cancel", erasure}).status, 0);
  EXPECT_EQ(refusal({"cancel", erasure}), "4 resource/conflict");
  EXPECT_EQ(run({"erase", kEmail, "--wait-days", "0", "--yes"}).status, 0);
  EXPECT_EQ(refusal({"download", id, "--output", *scratch_ / "late.json"}), "3 resource/gone");
  EXPECT_FALSE(std::filesystem::exists(*scratch_ / "late.json"));
  const auto help = testkit::oa({"privacy", "erase", "--help"});
  EXPECT_NE(help.out.find("oa-backup privacy erase ada@example.com"), std::string::npos) << help.out;
}

TEST_F(Privacy, TheRegistryHasEveryColumn) {
  std::set<std::string> there, known;
  std::istringstream lines(
      ask("SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = "
          "c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relnamespace = 'oa'::regnamespace "
          "AND c.relkind = 'r'"));
  for (std::string line; std::getline(lines, line);) there.insert(line);
  const auto add = [&](std::string_view table, std::string_view column) {
    EXPECT_TRUE(known.insert(std::string(table) + "." + std::string(column)).second)
        << table << "." << column << " is listed twice";
  };
  for (const auto& column : privacy::registry()) {
    add(column.table, column.column);
    const bool kept = column.erased == privacy::OnErasure::kKept;
    EXPECT_EQ(kept, !column.kept_because.empty()) << column.table << "." << column.column;
    EXPECT_EQ(column.exported == privacy::OnExport::kNever, column.section.empty())
        << column.table << "." << column.column;
  }
  for (const auto& column : privacy::impersonal_columns()) add(column.table, column.column);
  EXPECT_EQ(known, there);
}

}  // namespace
}  // namespace oa
