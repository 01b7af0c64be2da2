// restore_bench OA_BACKUP SCRATCH [REPORTS] [DATASETS] [ROUNDS]: a large tenant's archive restored
// into new tenants (plan and apply), beside COPY of the same rows into tables of the same
// definition; then everything overwritten after an edit to each report, taken back, and one report
// restored by the command line. One server runs all the time (`OA_BACKUP up`); each restore is a
// process of its own. SCRATCH must not exist.
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "copy_peer.h"
#include "large_tenant.h"
#include "oa/backup/archive_creator.h"
#include "oa/catalog/embedded_postgres.h"
#include "oa/restore/engine.h"

namespace {

using namespace oa;         // NOLINT: a program of one file
using namespace oa::bench;  // NOLINT
using Clock = std::chrono::steady_clock;

constexpr char kTenant[] = "Bench";
constexpr int kOneReportRounds = 5;

std::string program, folder;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

std::unique_ptr<instance::Instance> open_instance(bool create = false) {
  instance::Settings settings;
  settings.data_folder = folder + "/data";
  settings.create = create;
  return must(instance::Instance::open(settings));
}

// `oa-backup up`, ended with the program.
class Server {
 public:
  Server() : pid_(fork()) {
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      const std::string log = folder + "/up.log";
      if (std::freopen(log.c_str(), "w", stdout) == nullptr) std::_Exit(127);
      execl(program.c_str(), "oa-backup", "up", "--data", (folder + "/data").c_str(), "--port", "0", nullptr);
      std::_Exit(127);
    }
    for (int i = 0; i < 600 && !up(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ~Server() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  static bool up() {
    std::ifstream log(folder + "/up.log");
    std::string line;
    return static_cast<bool>(std::getline(log, line));
  }
  pid_t pid_;
};

struct Step {
  double seconds = 0;
  long peak_mib = 0;
};

// Runs `work` and tells its time and the most memory that the process had meanwhile.
Step measure(const std::function<void()>& work) {
  std::ofstream("/proc/self/clear_refs") << "5";
  const auto begin = Clock::now();
  work();
  Step step{seconds_since(begin), 0};
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) step.peak_mib = std::atol(line.c_str() + 6) / 1024;
  }
  return step;
}

struct Outcome {
  Step read, plan, apply;  // `read`: opening and verifying the whole archive
  RestoreId id;
  std::size_t items = 0;
};

Outcome in_a_process(const std::function<Outcome()>& work) {
  int ends[2];
  if (pipe(ends) != 0) std::exit(1);
  const pid_t child = fork();
  if (child == 0) {
    const Outcome outcome = work();
    if (write(ends[1], &outcome, sizeof(outcome)) != sizeof(outcome)) std::_Exit(1);
    std::_Exit(0);
  }
  close(ends[1]);
  Outcome outcome;
  const bool told = read(ends[0], &outcome, sizeof(outcome)) == sizeof(outcome);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!told || status != 0) std::exit(1);
  return outcome;
}

struct Parts {
  std::unique_ptr<instance::Instance> instance;
  catalog::Tenant bench;
  std::unique_ptr<SigningKey> signer;
  restore::StoredArchive archive;
};

Parts open_parts(TenantId target, Step& reading) {
  Parts parts;
  parts.instance = open_instance();
  parts.bench = must(parts.instance->database().find_tenant(kTenant));
  parts.signer = std::make_unique<SigningKey>(must(parts.instance->signing_key(target)));
  auto transaction =
      must(parts.instance->database().begin(parts.bench.id, catalog::Isolation::kSnapshot));
  const auto archives = must(catalog::Archives(transaction).list());
  reading = measure([&] {
    parts.archive = must(
        restore::open_stored_archive(parts.instance->objects(), parts.bench.id, archives.back(),
                                     {must(parts.instance->trusted_keys(parts.bench.id)), false}));
    must(parts.archive.reader->verify({}, no_progress()));
  });
  return parts;
}

restore::Engine engine_of(Parts& parts, TenantId target) {
  return {parts.instance->database(),
          parts.instance->objects(),
          target,
          *parts.signer,
          must(parts.instance->own_keys(target)),
          nullptr};
}

// Plans, saves the plan, applies it.
void carry_out(const restore::Engine& engine,
               const std::function<restore::PreparedRestore()>& prepare, const char* source,
               Outcome& outcome) {
  restore::PreparedRestore prepared;
  outcome.plan = measure([&] {
    prepared = prepare();
    must(restore::save_plan(engine, prepared, must(JsonText::parse(source))));
  });
  outcome.id = prepared.plan.id;
  for (const auto& item : prepared.plan.items) outcome.items += restore::writes(item) ? 1 : 0;
  const std::string& hash = prepared.hash;
  outcome.apply = measure([&] {
    must(restore::apply_plan(engine, prepared, {hash, std::nullopt}, no_progress()));
  });
}

Outcome restore_all(TenantId target, catalog::RestoreKind kind) {
  Outcome outcome;
  Parts parts = open_parts(target, outcome.read);
  const auto engine = engine_of(parts, target);
  restore::Request request;
  request.id = RestoreId::random();
  request.kind = kind;
  request.selection.everything = true;
  request.all_people = request.with_roles = kind == catalog::RestoreKind::kImport;
  carry_out(
      engine,
      [&] {
        return must(
            restore::prepare_restore(engine, *parts.archive.reader, request, no_progress()));
      },
      R"({"kind":"stored"})", outcome);
  return outcome;
}

Outcome undo(TenantId target, RestoreId undoes) {
  Outcome outcome;
  Parts parts = open_parts(target, outcome.read);
  const auto engine = engine_of(parts, target);
  carry_out(
      engine,
      [&] {
        return must(restore::prepare_undo(
            engine, {RestoreId::random(), undoes, false, std::nullopt}, no_progress()));
      },
      R"({"kind":"undo"})", outcome);
  return outcome;
}

// One number for all that a tenant's reports say.
std::string digest(Session& session, TenantId tenant) {
  return session
      .values(fmt::format(
          "SELECT count(*) || ' ' || sum(hashtextextended(concat_ws('|', id, workspace_id, name, "
          "document, created_by, created_at, updated_at), 0)::numeric) || ' ' || (SELECT count(*) "
          "FROM oa.report_datasets WHERE tenant_id = '{0}') || ' ' || (SELECT count(*) FROM "
          "oa.dataset_versions WHERE tenant_id = '{0}') FROM oa.reports WHERE tenant_id = '{0}'",
          tenant.str()))
      .front();
}

void same(const std::string& a, const std::string& b, const char* what) {
  if (a == b) return;
  fmt::print(stderr, "{}: {} is not {}\n", what, a, b);
  std::exit(1);
}

void show(const char* what, const Outcome& outcome) {
  fmt::print("{:<28}{:>9.2f}{:>9.2f}{:>9.2f}{:>10}{:>10}{:>10}\n", what, outcome.plan.seconds,
             outcome.apply.seconds, outcome.plan.seconds + outcome.apply.seconds,
             outcome.plan.peak_mib, outcome.apply.peak_mib, outcome.items);
  std::fflush(stdout);
}

// With the archive's own Owner, so that who made what stays the same.
TenantId new_tenant(TenantId bench, int number) {
  const auto opened = open_instance();
  auto transaction = must(opened->database().begin(bench, catalog::Isolation::kSnapshot));
  const auto users = must(catalog::Users(transaction).list());
  const auto owner = std::ranges::find(users, true, &catalog::User::owner);
  return must(opened->blank_tenant(fmt::format("Copy {}", number), catalog::Plan::kScale, *owner))
      .tenant.id;
}

void against_copy(Session& session, TenantId bench, int rounds) {
  CopyPeer peer(session, bench, folder);
  session.run("VACUUM ANALYZE");
  const std::string expected = digest(session, bench);
  std::vector<double> ours, theirs, plans, applies;
  long plan_peak = 0;
  fmt::print("{:<28}{:>9}{:>9}{:>9}{:>10}{:>10}{:>10}\n", "", "plan/s", "apply/s", "both/s",
             "plan MiB", "apply MiB", "items");
  for (int round = 1; round <= rounds; ++round) {
    const TenantId target = new_tenant(bench, round);
    session.run("CHECKPOINT");
    const Outcome outcome =
        in_a_process([&] { return restore_all(target, catalog::RestoreKind::kImport); });
    show(fmt::format("into a new tenant, {}", round).c_str(), outcome);
    same(digest(session, target), expected, "the restored tenant");
    plans.push_back(outcome.plan.seconds);
    applies.push_back(outcome.apply.seconds);
    ours.push_back(outcome.plan.seconds + outcome.apply.seconds);
    plan_peak = std::max(plan_peak, outcome.plan.peak_mib);
    theirs.push_back(peer.copy());
    fmt::print("{:<28}{:>27.2f}\n", fmt::format("COPY of the same rows, {}", round), theirs.back());
    if (round == 1) {
      fmt::print("{:<28}{:>27.2f}{:>10}\n", "(archive opened and verified)", outcome.read.seconds,
                 outcome.read.peak_mib);
    }
    std::fflush(stdout);
  }
  fmt::print(
      "medians of {}: plan {:.2f} s, apply {:.2f} s, both {:.2f} s; COPY of {:.0f} MB {:.2f} s; "
      "rate of ours to COPY's {:.2f} (goal 0.5); plan's peak {} MiB (goal 512)\n",
      rounds, median(plans), median(applies), median(ours), static_cast<double>(peer.bytes()) / 1e6,
      median(theirs), median(theirs) / median(ours), plan_peak);
  session.run("DROP SCHEMA peer CASCADE");
}

void overwrite_and_undo(Session& session, TenantId bench) {
  const std::string archived = digest(session, bench);
  edit_every_report(*open_instance(), bench);
  const std::string edited = digest(session, bench);
  session.run("CHECKPOINT");
  const Outcome overwritten =
      in_a_process([&] { return restore_all(bench, catalog::RestoreKind::kRestore); });
  show("overwritten after an edit", overwritten);
  same(digest(session, bench), archived, "the overwritten tenant");
  session.run("CHECKPOINT");
  const Outcome undone = in_a_process([&] { return undo(bench, overwritten.id); });
  show("taken back (undo)", undone);
  same(digest(session, bench), edited, "the tenant after the undo");
}

void one_report(Session& session, TenantId bench, const std::string& archive) {
  const auto reports = session.values(
      fmt::format("SELECT id FROM oa.reports WHERE tenant_id = '{}' ORDER BY id LIMIT {}",
                  bench.str(), kOneReportRounds));
  std::vector<double> times;
  for (const auto& report : reports) {
    const std::string command = fmt::format(
        "{} restore run {} --tenant {} --asset report:{} --yes --json --data {}/data "
        "> {}/one.json",
        program, archive, kTenant, report, folder, folder);
    const auto begin = Clock::now();
    if (std::system(command.c_str()) != 0) std::exit(1);
    times.push_back(seconds_since(begin));
  }
  fmt::print("one report by the command line: median of {} {:.2f} s, slowest {:.2f} s (goal 1 s)\n",
             times.size(), median(times), *std::ranges::max_element(times));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: restore_bench OA_BACKUP SCRATCH [REPORTS] [DATASETS] [ROUNDS]\n");
    return 2;
  }
  program = std::filesystem::absolute(argv[1]);
  folder = argv[2];
  TenantSize size;
  if (argc > 3) size.reports = std::strtoull(argv[3], nullptr, 10);
  if (argc > 4) size.datasets = std::strtoull(argv[4], nullptr, 10);
  const int rounds = argc > 5 ? std::atoi(argv[5]) : 3;
  if (!std::filesystem::create_directories(folder) || chmod(folder.c_str(), 0711) != 0) {
    fmt::print(stderr, "{} exists already\n", folder);
    return 2;
  }
  const Server server;
  TenantId bench;
  std::string archive;
  {
    const auto opened = open_instance(true);
    auto begin = Clock::now();
    bench = make_large_tenant(*opened, kTenant, size).id;
    fmt::print("{} reports, {} datasets made in {:.1f} s\n", size.reports, size.datasets,
               seconds_since(begin));
    begin = Clock::now();
    const auto record =
        must(backup::create_archive(opened->database(), opened->objects(),
                                    must(opened->signing_key(bench)), bench, {}, no_progress()));
    archive = record.id.str();
    fmt::print("archived in {:.1f} s, {:.0f} MB\n", seconds_since(begin),
               static_cast<double>(record.size_bytes) / 1e6);
  }
  const auto postgres = must(catalog::EmbeddedPostgres::start(folder + "/data/postgres"));
  Session session(postgres->settings());
  against_copy(session, bench, rounds);
  overwrite_and_undo(session, bench);
  one_report(session, bench, archive);
  return 0;
}
