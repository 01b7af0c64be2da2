// Whatever happens in whatever order, the erased never reappear, chains verify, and exports hold what
// the database holds: random people of two tenants, random actions, erasures, restores and crashes.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <random>
#include <set>

#include "oa/accounts/people.h"
#include "oa/backup/archive_creator.h"
#include "oa/catalog/erasure_ledger.h"
#include "oa/catalog/repositories.h"
#include "oa/demo/demo_tenant.h"
#include "oa/operations/operations.h"
#include "oa/operations/privacy.h"
#include "oa/privacy/erased_user.h"
#include "oa/restore/engine.h"
#include "testkit/process.h"
#include "testkit/readable.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

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

struct Person {
  UserId id;
  std::string email, first, last;
  bool erased = false;
};

struct Place {
  catalog::Tenant tenant;
  std::vector<Person> people;
  std::vector<catalog::ArchiveRecord> archives;
};

class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    settings.create = true;
    instance_ = must(instance::Instance::open(settings));
    must(instance_->erasures().replay(no_progress()));
    for (const char* name : {"One", "Two"}) {
      Place place;
      place.tenant = must(demo::make_demo_tenant(
          *instance_, name, {.order_rows = 50, .audit_events = 20}, {}, no_progress()));
      places_.push_back(std::move(place));
      for (int i = 0; i < 3; ++i) add_person(places_.back());
    }
  }

  void step() {
    Place& place = places_[below(places_.size())];
    switch (below(8)) {
      case 0:
        return add_person(place);
      case 1:
        return act(place);
      case 2:
        return mention(place);
      case 3:
        return archive(place);
      case 4:
        return erase(place);
      case 5:
        return crash_after_the_ledger(place);
      case 6:
        return restore(place);
      default:
        return export_somebody(place);
    }
  }

  void check() {
    const auto dumped = testkit::run({"pg_dump", "-h", scratch_ / "data/postgres/socket", "-U",
                                      "postgres", "-d", "oneanalytics", "--inserts"});
    ASSERT_EQ(dumped.status, 0) << dumped.err;
    std::vector<std::string> gone, there;
    for (const auto& place : places_)
      for (const auto& person : place.people) {
        auto& which = person.erased ? gone : there;
        which.insert(which.end(), {person.email, person.first + " " + person.last});
      }
    if (!gone.empty()) {
      testkit::Search search(gone);
      search.in_text("dump", dumped.out);
      EXPECT_EQ(search.found(), std::vector<std::string>()) << log_;
    }
    for (const auto& value : there)
      EXPECT_NE(dumped.out.find(value.substr(0, value.find(' '))), std::string::npos)
          << "who was not erased stays\n"
          << log_;
    for (auto& place : places_) verify_chain(place);
  }

  std::size_t erased() const {
    std::size_t count = 0;
    for (const auto& place : places_)
      count += static_cast<std::size_t>(std::ranges::count(place.people, true, &Person::erased));
    return count;
  }

 private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  void note(const std::string& what) { log_ += what + "\n"; }

  Person* somebody(Place& place) {
    std::vector<Person*> there;
    for (auto& person : place.people)
      if (!person.erased) there.push_back(&person);
    return there.empty() ? nullptr : there[below(there.size())];
  }

  void add_person(Place& place) {
    Person person;
    const std::string n = std::to_string(++count_) + "x" + std::to_string(below(100000));
    person.email = "person" + n + "@quillfeather.example";
    person.first = "Adalgisa" + n;
    person.last = "Quillfeather" + n;
    person.id = must(accounts::add_person(instance_->database(), place.tenant.id,
                                          {person.email, person.first, person.last, false}))
                    .id;
    note("add " + person.email);
    place.people.push_back(std::move(person));
  }

  void act(Place& place) {
    Person* const person = somebody(place);
    if (person == nullptr) return;
    note("act " + person->email);
    auto transaction = must(instance_->database().begin(place.tenant.id));
    NewAuditEvent event;
    event.ts = Timestamp::now();
    event.actor_type = "user";
    event.actor_id = person->id.uuid();
    event.action = "report.view";
    event.resource_type = "report";
    event.resource_id = "some";
    event.personal = {{"actor.email", person->email}, {"detail.name", "by " + person->first + " " + person->last}};
    must(catalog::Audit(transaction).append({&event, 1}));
    must(transaction.commit());
  }

  void mention(Place& place) {
    Person* const person = somebody(place);
    if (person == nullptr) return;
    note("mention " + person->email);
    auto transaction = must(instance_->database().begin(place.tenant.id));
    const auto workspaces = must(catalog::Workspaces(transaction).list());
    const auto& workspace = workspaces[below(workspaces.size())];
    auto reports = must(catalog::Reports(transaction).list(workspace.id, {}, 50));
    auto& report = reports[below(reports.size())];
    report.name = "For " + person->email;
    report.visuals.front().title = person->last + ", " + person->first;
    if (below(2) == 0) report.created_by = person->id;
    must(catalog::Reports(transaction).put({&report, 1}));
    must(transaction.commit());
  }

  void archive(Place& place) {
    note("archive of " + place.tenant.name);
    const auto signer = must(instance_->signing_key(place.tenant.id));
    backup::ArchiveRequest request;
    request.with_audit = true;
    place.archives.push_back(must(backup::create_archive(instance_->database(), instance_->objects(),
                                                         signer, place.tenant.id, request,
                                                         no_progress())));
  }

  void erase(Place& place) {
    Person* const person = somebody(place);
    if (person == nullptr) return;
    note("erase " + person->email);
    auto eraser = must(operations::eraser_of(*instance_));
    const auto asked =
        must(eraser.request(place.tenant.id, person->id, {}, std::chrono::seconds(0), "trace"));
    must(operations::erase_person(*instance_, place.tenant.id, asked.id, "trace", no_progress()));
    person->erased = true;
  }

  // The ledger has it, the database not; sometimes the wish was written down.
  void crash_after_the_ledger(Place& place) {
    Person* const person = somebody(place);
    if (person == nullptr) return;
    note("crash while erasing " + person->email);
    auto* const ledger = must(instance_->erasures().ledger());
    auto eraser = must(operations::eraser_of(*instance_));
    if (below(2) == 0)
      must(eraser.request(place.tenant.id, person->id, {}, std::chrono::hours(24), "trace"));
    const auto mark = must(catalog::carried_out_mark(instance_->database()));
    const privacy::LedgerMark last =
        mark.number == 0 ? ledger->begin() : privacy::LedgerMark{mark.number, *mark.hash};
    must(ledger->append(last, {place.tenant.id, person->id, Timestamp::now(),
                               ledger->address_of(place.tenant.id, person->email)}));
    EXPECT_EQ(must(instance_->erasures().replay(no_progress())), 1u) << log_;
    person->erased = true;
  }

  void restore(Place& place) {
    if (place.archives.empty()) return;
    const auto& record = place.archives[below(place.archives.size())];
    const bool forks = below(3) == 0;
    note(std::string(forks ? "fork" : "restore") + " in " + place.tenant.name);
    const auto workplace = must(operations::workplace_of(*instance_, place.tenant.id));
    const auto engine = workplace.engine(*instance_, place.tenant.id);
    const auto stored = must(restore::open_stored_archive(
        instance_->objects(), place.tenant.id, record,
        {must(instance_->trusted_keys(place.tenant.id)), false}));
    restore::Request request;
    request.id = RestoreId::random();
    request.selection.everything = true;
    request.with_roles = request.all_people = true;
    request.mode = forks ? restore::Mode::kFork : restore::Mode::kOverwrite;
    const auto prepared =
        must(restore::prepare_restore(engine, *stored.reader, request, no_progress()));
    must(restore::save_plan(engine, prepared, JsonText()));
    must(restore::apply_plan(engine, prepared, {prepared.hash, {}}, no_progress()));
  }

  void export_somebody(Place& place) {
    Person* const person = somebody(place);
    if (person == nullptr) return;
    note("export " + person->email);
    const auto record =
        must(operations::export_person(*instance_, place.tenant.id, Uuid::random(), person->id, {},
                                       no_progress()));
    const auto source = must(operations::open_export(*instance_, place.tenant.id, record));
    const auto bytes = must(read_all(*source, 100 << 20));
    const auto bundle = must(parse_json(as_text(bytes), {100 << 20, 32}));
    EXPECT_EQ(bundle.at("profile").at("email").as_string(), person->email);
    for (const auto& member : bundle.at("counts").as_object()) {
      const auto& section = bundle.at(member.key());
      EXPECT_EQ(member.value().to_number<std::size_t>(),
                section.is_array() ? section.as_array().size() : 1u)
          << member.key() << "\n"
          << log_;
    }
    std::string document(as_text(bytes));
    for (const auto& other : place.people)
      if (other.erased)
        EXPECT_EQ(document.find(other.email), std::string::npos) << log_;
  }

  void verify_chain(Place& place) {
    auto snapshot = must(instance_->database().begin(place.tenant.id, catalog::Isolation::kSnapshot));
    catalog::Audit audit(snapshot);
    AuditChainVerifier verifier(must(audit.begin()));
    const Status verified =
        audit.for_each([&](const AuditEvent& event) { return verifier.check(event); });
    EXPECT_TRUE(verified.ok()) << log_;
  }

  testkit::Scratch scratch_;
  std::mt19937 random_;
  std::unique_ptr<instance::Instance> instance_;
  std::vector<Place> places_;
  int count_ = 0;
  std::string log_;
};

TEST(PrivacyProperty, TheErasedNeverReappear) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  World world(seed);
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 6; ++i) world.step();
    world.check();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(world.erased(), 0u) << "of 48 steps 12 erase somebody";
}

}  // namespace
}  // namespace oa
