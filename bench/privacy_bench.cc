// A person with many audit events is erased while others append; then the chain is verified.
// usage: privacy_bench FOLDER EVENTS OF_THE_PERSON   (an empty folder; peer: one UPDATE of as many rows by psql)
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "oa/accounts/people.h"
#include "oa/audit/audit.h"
#include "oa/catalog/repositories.h"
#include "oa/operations/privacy.h"

namespace {

using namespace oa;
using Clock = std::chrono::steady_clock;
constexpr std::size_t kBatch = 5000;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

NewAuditEvent event_of(UserId actor, const std::string& email) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "user";
  event.actor_id = actor.uuid();
  event.action = "report.view";
  event.resource_type = "report";
  event.resource_id = actor.str();
  event.personal = {{"actor.email", email}, {"actor.ip", "2001:db8::51"}};
  return event;
}

// `share` of each batch are of `first`, as many of `second`, the rest of others.
void fill(catalog::Database& database, TenantId tenant, std::size_t events, std::size_t of_each,
          const NewAuditEvent& first, const NewAuditEvent& second) {
  const std::size_t every = events / of_each;
  for (std::size_t done = 0; done < events;) {
    std::vector<NewAuditEvent> batch;
    for (; batch.size() < kBatch && done < events; ++done) {
      const auto place = done % every;
      batch.push_back(place == 0   ? first
                      : place == 1 ? second
                                   : event_of(UserId::random(), "somebody@else.example"));
    }
    auto transaction = database.begin(tenant).value();
    catalog::Audit(transaction).append(batch).value();
    transaction.commit().value();
  }
}

// Appends an event every ten milliseconds; the longest that one took.
class Others {
 public:
  Others(catalog::Database& database, TenantId tenant) : thread_([this, &database, tenant] {
    const auto event = event_of(UserId::random(), "writer@else.example");
    while (!stopping_) {
      const auto begun = Clock::now();
      auto transaction = database.begin(tenant).value();
      catalog::Audit(transaction).append({&event, 1}).value();
      transaction.commit().value();
      longest_ = std::max(longest_, seconds_since(begun));
      ++appended_;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }) {}
  void stop() {
    stopping_ = true;
    thread_.join();
  }
  double longest() const { return longest_; }
  int appended() const { return appended_; }

 private:
  std::atomic<bool> stopping_ = false;
  double longest_ = 0;
  int appended_ = 0;
  std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: privacy_bench FOLDER EVENTS OF_THE_PERSON\n");
    return 2;
  }
  const std::size_t events = std::strtoull(argv[2], nullptr, 10);
  const std::size_t of_person = std::strtoull(argv[3], nullptr, 10);
  instance::Settings settings;
  settings.data_folder = argv[1];
  settings.create = settings.run_server = true;
  const auto instance = instance::Instance::open(settings).value();
  instance->erasures().replay(no_progress()).value();
  auto& database = instance->database();
  const auto tenant = instance->provision_tenant("Bench", catalog::Plan::kScale).value();
  const auto person = accounts::add_person(database, tenant.id,
                                           {"ada@quillfeather.example", "Ada", "Quillfeather", false})
                          .value();
  const UserId peer = UserId::random();
  auto begun = Clock::now();
  fill(database, tenant.id, events, of_person, event_of(person.id, person.email),
       event_of(peer, "peer@quillfeather.example"));
  std::printf("%zu events appended, %.0f a second\n", events,
              static_cast<double>(events) / seconds_since(begun));

  // The peer first: what both do to the cache is then the same or better for it.
  const std::string update =
      "psql -q -h '" + std::string(argv[1]) + "/postgres/socket' -U postgres -d oneanalytics -c \"" +
      "UPDATE oa.audit_events SET personal = personal WHERE actor_id = '" + peer.str() + "'\"";
  begun = Clock::now();
  if (std::system(update.c_str()) != 0) return 1;
  const double plain = seconds_since(begun);

  auto eraser = operations::eraser_of(*instance).value();
  const double before = peak_mib();
  Others others(database, tenant.id);
  begun = Clock::now();
  const auto asked = eraser.request(tenant.id, person.id, {}, std::chrono::seconds(0), "").value();
  const auto done =
      operations::erase_person(*instance, tenant.id, asked.id, "", no_progress()).value();
  const double erased = seconds_since(begun);
  others.stop();
  std::printf("erased with %llu events in %.2f s; one UPDATE of as many %.2f s, ratio %.2f\n",
              static_cast<unsigned long long>(done.effects.at("audit_events")), erased, plain,
              erased / plain);
  std::printf("meanwhile %d events of others, the longest wait %.2f s\n", others.appended(),
              others.longest());

  begun = Clock::now();
  auto snapshot = database.begin(tenant.id, catalog::Isolation::kSnapshot).value();
  catalog::Audit audit(snapshot);
  AuditChainVerifier verifier(audit.begin().value());
  audit.for_each([&](const AuditEvent& event) { return verifier.check(event); }).value();
  std::printf("chain verified, %.0f events a second; memory %.0f MiB more than before\n",
              static_cast<double>(verifier.events()) / seconds_since(begun), peak_mib() - before);
  return 0;
}
