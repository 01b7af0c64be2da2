#include "oa/api/service.h"

#include <boost/json.hpp>
#include <thread>

#include "cell_watch.h"
#include "drill_rounds.h"
#include "erasure_watch.h"
#include "storage_watch.h"
#include "oa/durability/rounds.h"
#include "oa/operations/storage_care.h"
#include "oa/continuity/keeper.h"
#include "oa/durability/replication.h"
#include "oa/instance/service_key.h"
#include "operator.h"
#include "pipeline.h"
#include "schedules.h"

#include "trust_watch.h"

namespace oa::api {

namespace {

// A stream outlives the session or token that it was opened with by no more.
constexpr std::chrono::seconds kStreamsLookedAt(3);
// So long a start waits for an object store that does not answer; then nobody is served until it does.
constexpr std::chrono::seconds kFirstLook(30);

// What becomes of jobs, for the log and to be measured: kinds, codes and times, nothing of what they
// are about.
jobs::RunnerObserver observing(Measures& measures,
                               const std::function<void(const std::string&)>& log) {
  const auto add_error = [](json::object& line, const Error& error) {
    line["level"] = "error";
    line["code"] = error_info(error.code).name;
    line["op"] = error.op;
    line["cause"] = error.cause;
  };
  jobs::RunnerObserver observer;
  observer.attempted = [&measures, log, add_error](TenantId, const catalog::Job& job, const Error* error,
                                        std::chrono::milliseconds took) {
    measures.add_job(job.kind, error == nullptr ? "succeeded" : std::string(error_info(error->code).name),
                     static_cast<double>(took.count()) / 1000);
    if (!log) return;
    json::object line{{"level", "info"},
                      {"ts", Timestamp::now().rfc3339()},
                      {"job", job.id.str()},
                      {"kind", job.kind},
                      {"attempt", job.attempt},
                      {"trace_id", job.trace_id},
                      {"seconds", static_cast<double>(took.count()) / 1000}};
    if (error != nullptr) add_error(line, *error);
    log(json::serialize(line));
  };
  observer.trouble = [&measures, log, add_error](const Error& error) {
    measures.add_job("queue", std::string(error_info(error.code).name), 0);
    if (!log) return;
    json::object line{{"ts", Timestamp::now().rfc3339()}, {"operation", "jobs"}};
    add_error(line, error);
    log(json::serialize(line));
  };
  return observer;
}

}  // namespace

// In the order in which they are made; each uses those before it.
struct Service::State {
  State(instance::Instance& instance, const ServiceSecrets& secrets, const ServiceSettings& given)
      : settings(given),
        parts{instance, secrets, accounts::Accounts(instance.database())},
        cell_watch(instance),
        storage_watch(instance, given.scrub_days),
        trust_watch(instance),
        pipeline(parts, settings, measures) {
    parts.cell_watch = &cell_watch;
    parts.trust = &trust_watch;
  }

  const ServiceSettings settings;
  Parts parts;
  Measures measures;
  CellWatch cell_watch;
  StorageWatch storage_watch;
  TrustWatch trust_watch;
  std::unique_ptr<continuity::Keeper> keeper;
  std::unique_ptr<OpenStreams> streams;
  std::unique_ptr<jobs::Watcher> watcher;
  std::unique_ptr<jobs::Runner> runner;
  Pipeline pipeline;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<DrillRounds> drills;
  std::unique_ptr<OperatorApi> operators;
  std::unique_ptr<http::Server> operator_server;
  std::unique_ptr<Schedules> schedules;
  std::unique_ptr<durability::Rounds> rounds;
  std::unique_ptr<durability::ReplicationMonitor> replication;
  std::unique_ptr<ErasureWatch> erasures;
};

namespace {

Result<std::unique_ptr<continuity::Keeper>> start_keeper(
    instance::Instance& instance, Measures& measures,
    const std::function<void(const std::string&)>& log) {
  const auto& live = instance.database().settings();
  continuity::KeeperSettings settings;
  settings.conninfo = catalog::connection_string(live, live.replication_role);
  settings.ended = [&measures, log](const catalog::CellRun& run) {
    const auto outcome = run.failure.has_value() ? run.failure->code
                                                 : std::string(catalog::to_text(run.state));
    measures.add_round("cell." + std::string(catalog::to_text(run.kind)), outcome);
    if (!log) return;
    log(json::serialize(json::object{{"level", run.failure.has_value() ? "error" : "info"},
                                     {"ts", Timestamp::now().rfc3339()},
                                     {"operation", "cell.run"},
                                     {"run", run.id.str()},
                                     {"kind", catalog::to_text(run.kind)},
                                     {"outcome", outcome}}));
  };
  settings.trouble = [log](const Error& error) {
    if (!log) return;
    log(json::serialize(json::object{{"level", "error"},
                                     {"ts", Timestamp::now().rfc3339()},
                                     {"operation", "cell"},
                                     {"code", error_info(error.code).name},
                                     {"op", error.op},
                                     {"cause", error.message + " " + error.cause}}));
  };
  return continuity::Keeper::start(*instance.cell(), instance.database(),
                                   instance.objects().store(), std::move(settings));
}

std::unique_ptr<durability::Rounds> start_rounds(instance::Instance& instance,
                                                 const ServiceSettings& settings,
                                                 Measures& measures) {
  durability::RoundSettings rounds;
  rounds.days = settings.scrub_days;
  rounds.bytes_per_second = settings.scrub_bytes_per_second;
  if (instance.bucket() != nullptr) {
    rounds.check = [&instance] { return operations::check_buckets(instance.bucket_settings()); };
  }
  if (auto* const both = instance.replicated(); both != nullptr)
    rounds.damaged = [both] { return both->take_damaged(); };
  rounds.done = [&measures](const char* what, const std::string& outcome) {
    measures.add_round(what, outcome);
  };
  rounds.trouble = [log = settings.log](const char* what, const Error& error) {
    if (!log) return;
    log(json::serialize(json::object{{"level", "error"},
                                     {"ts", Timestamp::now().rfc3339()},
                                     {"operation", what},
                                     {"code", error_info(error.code).name},
                                     {"op", error.op},
                                     {"cause", error.message + " " + error.cause}}));
  };
  return durability::Rounds::start(operations::scrub_parts(instance), std::move(rounds));
}

// Canaries are sealed under the cell's own key.
std::unique_ptr<durability::ReplicationMonitor> start_replication(instance::Instance& instance,
                                                                  const ServiceSettings& settings) {
  if (instance.replicated() == nullptr || instance.cell() == nullptr) return nullptr;
  durability::ReplicationSettings wanted;
  wanted.every = settings.replica_looked_at;
  return durability::ReplicationMonitor::start(
      {instance.database(), instance.keys(), *instance.replicated(), instance.cell()->id()}, wanted,
      [log = settings.log](const Error& error) {
        if (!log) return;
        log(json::serialize(json::object{{"level", "error"},
                                         {"ts", Timestamp::now().rfc3339()},
                                         {"operation", "replication"},
                                         {"code", error_info(error.code).name},
                                         {"op", error.op},
                                         {"cause", error.message + " " + error.cause}}));
      });
}

void measure_replica(instance::Instance& instance, Measures& measures) {
  if (instance.replicated() == nullptr) return;
  const auto state = durability::read_replication(instance.database());
  if (state.ok()) measures.set_replication(*state, instance.replicated()->counts());
}

}  // namespace

std::unique_ptr<DrillRounds> Service::start_drills(instance::Instance& instance, State& state) {
  DrillSettings settings;
  settings.sample = state.settings.drill_sample;
  settings.log = state.settings.log;
  // The same API, on this machine alone and without TLS, whatever the public listener is set to.
  settings.serve = [&pipeline = state.pipeline] {
    http::ServerSettings local;
    local.address = "127.0.0.1";
    local.workers = 2;
    return http::Server::start(local, pipeline);
  };
  return DrillRounds::start(instance, state.measures, std::move(settings));
}

void Service::set_findings(const std::map<std::string, std::size_t>& by_severity) {
  state_->measures.set_findings(by_severity);
}

Service::Service(std::unique_ptr<State> state) : state_(std::move(state)) {}
Service::~Service() { stop_after(std::chrono::milliseconds(0), std::chrono::milliseconds(0)); }

Result<std::unique_ptr<Service>> Service::start(instance::Instance& instance,
                                                const ServiceSettings& settings) {
  OA_ASSIGN(const auto key, instance::service_key(instance));
  auto state = std::make_unique<State>(instance, ServiceSecrets::of(key.view()), settings);
  if (settings.upkeep && instance.cell() != nullptr) {
    OA_ASSIGN(state->keeper, start_keeper(instance, state->measures, settings.log));
    state->cell_watch.set_keeper(state->keeper.get());
  }
  state->erasures = std::make_unique<ErasureWatch>(instance, state->measures, settings.log);
  // Whoever comes as soon as it is said that the service runs is let in.
  state->erasures->await_first_look(kFirstLook);
  state->streams = OpenStreams::start(state->parts.accounts, kStreamsLookedAt);
  state->parts.streams = state->streams.get();
  state->watcher = jobs::Watcher::start(instance.database());
  state->parts.watcher = state->watcher.get();
  jobs::RunnerSettings runner;
  runner.workers = settings.job_workers;
  runner.observer = observing(state->measures, settings.log);
  runner.may_take = [&gate = instance.erasures()] { return gate.check().ok(); };
  state->runner = jobs::Runner::start(instance.database(), operations::kinds(instance), runner);
  state->parts.runner = state->runner.get();
  OA_ASSIGN(state->server, http::Server::start(settings.server, state->pipeline));
  if (settings.upkeep) state->drills = start_drills(instance, *state);
  if (settings.operators.has_value()) {
    OA_ASSIGN(const auto token, operator_token(settings.operator_token_file));
    state->operators = std::make_unique<OperatorApi>(
        instance, state->cell_watch, state->storage_watch, state->drills.get(), state->parts.secrets, Sha256::of(as_bytes(token)), [&watch = state->cell_watch, &storage = state->storage_watch, &measures = state->measures, &server = *state->server, &instance] {
          const auto status = watch.status();
          if (status.ok()) measures.set_cell(*status);
          const auto stored = storage.status();
          if (stored.ok()) measures.set_storage(*stored);
          measure_replica(instance, measures);
          return measures.text(server.counters());
        },
        settings.log);
    OA_ASSIGN(state->operator_server, http::Server::start(*settings.operators, *state->operators));
  }
  if (settings.upkeep) {
    state->schedules = Schedules::start(state->parts, state->measures, settings.log);
    state->rounds = start_rounds(instance, settings, state->measures);
    state->replication = start_replication(instance, settings);
  }
  return std::unique_ptr<Service>(new Service(std::move(state)));
}

std::uint16_t Service::port() const { return state_->server->port(); }
Status Service::reload_certificate() { return state_->server->reload_certificate(); }
std::uint16_t Service::operator_port() const {
  return state_->operator_server == nullptr ? 0 : state_->operator_server->port();
}

void Service::stop(std::chrono::milliseconds patience) {
  stop_after(state_->settings.drain, patience);
}

void Service::stop_after(std::chrono::milliseconds drain, std::chrono::milliseconds patience) {
  if (state_->server == nullptr) return;
  state_->pipeline.shutting_down();
  state_->drills.reset();  // while it can still be asked
  // Jobs are put back while requests come to their end, so that this process takes no more.
  std::thread jobs([this] { state_->runner->stop(); });
  std::this_thread::sleep_for(drain);
  std::thread operators([this] {
    if (state_->operator_server != nullptr) state_->operator_server->stop(std::chrono::seconds(1));
  });
  state_->server->stop(patience);
  operators.join();
  jobs.join();
  state_->erasures.reset();
  state_->rounds.reset();
  state_->replication.reset();
  state_->schedules.reset();
  // Last, so that what the others wrote is received; a run that is on its way is interrupted.
  state_->cell_watch.set_keeper(nullptr);
  state_->keeper.reset();
}

}  // namespace oa::api
