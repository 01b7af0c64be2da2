#include "continuity_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <iostream>
#include <thread>

#include "oa/catalog/repositories.h"
#include "oa/continuity/checks.h"
#include "oa/continuity/keeper_lock.h"
#include "oa/continuity/pitr.h"
#include "oa/continuity/runs.h"
#include "oa/continuity/status_json.h"
#include "oa/operations/operations.h"

namespace oa::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr auto kPoll = std::chrono::milliseconds(250);
constexpr auto kFailover = std::chrono::seconds(60);

std::string moment_text(const std::optional<Timestamp>& at) {
  return at.has_value() ? at->rfc3339().substr(0, 19) + "Z" : "-";
}

std::string seconds_text(const std::optional<double>& seconds) {
  if (!seconds.has_value()) return "-";
  return *seconds < 10 ? fmt::format("{:.3f} s", *seconds) : fmt::format("{:.0f} s", *seconds);
}

Error not_on() {
  return make_error(ErrorCode::kNotFound, "continuity", "nothing is backed up continuously here")
      .with_hint("`oa-backup up` begins it");
}

// Of a cluster that nobody leads there is something to tell, too.
Result<continuity::Observed> look(const Context& context) {
  const auto instance = open_unfenced(context.options);
  if (instance.ok()) return continuity::observe((*instance)->cell(), (*instance)->database());
  if (instance.error().code != ErrorCode::kDatabaseUnavailable ||
      context.options.config_file.empty())
    return instance.error();
  instance::Settings settings;
  OA_TRY(read_place(context.options, settings));
  const auto offline = instance::open_offline(settings);
  if (!offline.ok()) return instance.error();
  return continuity::observe_without_database(*offline->cell, instance.error());
}

void tell_cluster(const Context& context, const continuity::ClusterView& cluster) {
  context.output.line(fmt::format(
      "{:<26} {}, {}{}", "cluster", cluster.driver,
      cluster.leader.empty()
          ? "no leader"
          : fmt::format("{} leads on timeline {}", cluster.leader, cluster.timeline.value),
      cluster.paused ? ", paused" : ""));
  for (const auto& [member, files_here] : cluster.members) {
    context.output.line(fmt::format(
        "{:<26} {}, {}{}{}{}", "member " + member.name, member.role, member.state,
        member.lag_bytes.has_value() ? ", " + format_size(*member.lag_bytes) + " behind" : "",
        member.pending_restart ? ", to be restarted" : "",
        files_here ? "" : ", its files are not here"));
  }
}

Status run_status(const Context& context, const ContinuityOptions&) {
  OA_ASSIGN(const auto seen, look(context));
  const auto status = continuity::status_of(seen);
  context.output.document(continuity::to_json(status));
  const auto line = [&](const char* name, const std::string& value) {
    context.output.line(fmt::format("{:<26} {}", name, value));
  };
  line("state", std::string(continuity::to_text(status.state())));
  line("earliest moment", moment_text(status.earliest));
  line("latest moment", moment_text(status.latest));
  line("would be lost now", seconds_text(status.rpo_seconds));
  line("worst of the last day", seconds_text(status.worst_rpo_seconds));
  line("receiver", status.receiver_connected ? "connected" : "not connected");
  line("last full backup", moment_text(status.last_full_at));
  line("last backup", moment_text(status.last_backup_at));
  line("last verified restore",
       status.last_verified_restore_at.has_value()
           ? fmt::format("{}, took {}", moment_text(status.last_verified_restore_at),
                         seconds_text(status.last_verified_restore_seconds))
           : "-");
  line("a restore would take", seconds_text(status.expected_rto_seconds));
  if (status.space.has_value()) {
    line("repository", format_size(status.space->repository_bytes));
    line("received log", format_size(status.space->log_bytes));
    line("free", format_size(status.space->free_bytes));
  }
  if (status.cluster.has_value()) tell_cluster(context, *status.cluster);
  for (const auto& alarm : status.alarms)
    line(std::string(continuity::to_text(alarm.severity)).c_str(),
         fmt::format("{}: {}", continuity::to_text(alarm.code), alarm.message));
  // For scripts that watch: 0 when all is well.
  for (const auto& alarm : status.alarms)
    if (alarm.severity == continuity::Severity::kCritical) context.exit_status = 6;
  return {};
}

Status run_runs(const Context& context, const ContinuityOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto runs,
            catalog::CellRuns(instance->database()).list(std::nullopt, options.limit));
  json::array data;
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : runs) {
    data.push_back(continuity::to_json(run));
    rows.push_back({run.id.str(), std::string(catalog::to_text(run.kind)),
                    std::string(catalog::to_text(run.state)), moment_text(run.started_at),
                    moment_text(run.finished_at),
                    run.failure.has_value() ? run.failure->code : ""});
  }
  context.output.document(json::object{{"data", std::move(data)}});
  context.output.table({"id", "kind", "state", "started", "finished", "error"}, rows,
                       "no runs yet");
  return {};
}

Result<catalog::CellRun> follow(const Context& context, catalog::CellRuns& runs,
                                catalog::CellRun run) {
  std::string step;
  std::optional<Clock::time_point> silent_since;
  while (!catalog::over(run.state)) {
    if (context.progress.cancelled()) {
      const Status asked = runs.request_cancel(run.id);
      if (!asked.ok() && asked.error().code != ErrorCode::kConflict) return asked.error();
    }
    std::this_thread::sleep_for(kPoll);
    auto seen = runs.get(run.id);
    // In a failover the run goes on, or is told as interrupted.
    const bool away = !seen.ok() && seen.error().code == ErrorCode::kDatabaseUnavailable;
    if (!away) silent_since.reset();
    else if (!silent_since) silent_since = Clock::now();
    if (away && Clock::now() - *silent_since < kFailover) continue;
    if (!seen.ok()) return seen.error();
    run = *std::move(seen);
    if (run.progress.step != step) {
      step = run.progress.step;
      context.progress.begin(step, run.progress.total, run.progress.unit);
    }
    context.progress.update(run.progress.done);
  }
  return run;
}

Result<catalog::CellRun> carry_out(const Context& context, instance::Instance& instance,
                                   catalog::CellRuns& runs) {
  OA_TRY(instance.cell()->prepare_repository());
  OA_ASSIGN(auto run, runs.take());
  if (!run.has_value())
    return make_error(ErrorCode::kConflict, "continuity.run", "another process took the run");
  const auto done = continuity::run_now(run->kind,
                                        {*instance.cell(), instance.database(),
                                         instance.database().settings(), instance.objects().store()},
                                        context.progress);
  run->state = done.ok() ? catalog::CellRunState::kSucceeded : catalog::CellRunState::kFailed;
  if (done.ok()) {
    run->detail = *done;
  } else if (done.error().code == ErrorCode::kCancelled) {
    run->state = catalog::CellRunState::kCancelled;
  } else {
    run->failure = catalog::JobFailure{std::string(error_info(done.error().code).name),
                                       done.error().message, done.error().hint};
  }
  OA_TRY(runs.finish(*run));
  if (!done.ok()) return done.error();
  return runs.get(run->id);
}

// A run of that kind that is on its way already does as well.
Result<catalog::CellRun> ask_for(catalog::CellRuns& runs, catalog::CellRunKind kind) {
  auto added = runs.add(kind, catalog::CellRunOrigin::kOperator);
  if (added.ok() || added.error().code != ErrorCode::kConflict) return added;
  OA_ASSIGN(const auto newest, runs.list(std::nullopt, 50));
  for (const auto& run : newest)
    if (run.kind == kind && !catalog::over(run.state)) return run;
  return runs.add(kind, catalog::CellRunOrigin::kOperator);
}

Status run_run(const Context& context, const ContinuityOptions& options) {
  const auto kind = catalog::parse_text<catalog::CellRunKind>(options.kind);
  if (!kind.ok() || *kind == catalog::CellRunKind::kRecovery) {
    return make_error(ErrorCode::kInvalidArgument, "continuity.run", "there is no such kind of run")
        .with_hint("full, differential, incremental, expire, verify or restore-check");
  }
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  if (instance->cell() == nullptr) return not_on();
  catalog::CellRuns runs(instance->database());
  // Whoever keeps the cell carries it out; when nobody does, it is done here, and nobody begins.
  continuity::KeeperLock lock(*instance->cell(), instance->database());
  OA_ASSIGN(const bool ours, lock.take());
  if (!ours) lock.release();
  if (ours) OA_TRY(runs.interrupt_running());
  OA_ASSIGN(auto run, ask_for(runs, *kind));
  if (ours) {
    OA_ASSIGN(run, carry_out(context, *instance, runs));
  } else {
    OA_ASSIGN(run, follow(context, runs, run));
  }
  context.output.document(continuity::to_json(run));
  context.output.line(fmt::format("{} {}", catalog::to_text(run.kind), catalog::to_text(run.state)));
  if (run.detail.has_value()) context.output.line(run.detail->str());
  if (run.failure.has_value())
    context.output.line(fmt::format("{}: {}", run.failure->code, run.failure->message));
  if (run.state != catalog::CellRunState::kSucceeded) context.exit_status = 4;
  return {};
}

continuity::CellChecks checks_over(ObjectStore& store, continuity::CheckReport& report) {
  return [&store, &report](const catalog::ConnectionSettings& restored,
                           Progress& progress) -> Status {
    OA_ASSIGN(report, continuity::check_cluster(restored, store, progress));
    return {};
  };
}

Status confirm_recovery(const Context& context, const ContinuityOptions& options,
                        const std::string& what) {
  if (options.yes) return {};
  const auto unattended = make_error(ErrorCode::kInvalidArgument, "continuity.recover",
                                     "this sets every tenant of the cell back")
                              .with_hint("add --yes to do it");
  if (context.output.json() || isatty(STDIN_FILENO) != 1) return unattended;
  OA_TRY(Output::flush());
  fmt::print("{} Every tenant is set back; what is there now is kept beside. Type yes: ", what);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return {};
  return make_error(ErrorCode::kCancelled, "continuity.recover", "not confirmed; nothing was changed");
}

json::object recovery_document(const continuity::PitrResult& result, const std::string& target) {
  json::object document{{"target", target},
                        {"backup", result.path.backup.label},
                        {"reached_lsn", result.reached.lsn.str()},
                        {"last_commit", nullptr},
                        {"data_folder", result.data_folder},
                        {"kept_folder", nullptr},
                        {"restore_seconds", static_cast<double>(result.restore_time.count()) / 1000},
                        {"recovery_seconds", static_cast<double>(result.recovery_time.count()) / 1000},
                        {"check_seconds", static_cast<double>(result.check_time.count()) / 1000}};
  if (result.reached.last_commit.has_value())
    document["last_commit"] = result.reached.last_commit->rfc3339();
  if (!result.kept_folder.empty()) document["kept_folder"] = result.kept_folder;
  return document;
}

// In the history of the cluster that lives on, which does not know of it yet.
Status note_recovery(const Context& context, Timestamp began, const json::object& detail) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  catalog::CellRuns runs(instance->database());
  OA_TRY(runs.interrupt_running());
  catalog::CellRun run;
  run.id = CellRunId::random();
  run.kind = catalog::CellRunKind::kRecovery;
  run.state = catalog::CellRunState::kSucceeded;
  run.requested_by = catalog::CellRunOrigin::kOperator;
  run.started_at = began;
  run.finished_at = Timestamp::now();
  run.detail = JsonText::of(detail);
  return runs.record(run);
}

// What the checks found, which the recovered cluster has all the same.
void tell_findings(const Context& context, const continuity::CheckReport& report,
                   json::object& document) {
  json::array findings;
  for (const auto& finding : report.findings) {
    findings.push_back(json::object{{"tenant_id", finding.tenant.str()}, {"what", finding.what}});
    context.output.line(fmt::format("finding: tenant {}: {}", finding.tenant.str(), finding.what));
  }
  document["findings"] = std::move(findings);
  document["finding_count"] = report.finding_count;
  if (report.finding_count > 0) context.exit_status = 6;
}

void tell_recovery(const Context& context, const continuity::PitrResult& result,
                   const json::object& document, const std::string& next) {
  context.output.document(document);
  if (!result.path.backup.label.empty())
    context.output.line(fmt::format("recovered from {} to {}", result.path.backup.label,
                                    moment_text(result.reached.last_commit)));
  if (!result.kept_folder.empty())
    context.output.line(fmt::format("what was there is kept in {}", result.kept_folder));
  context.output.line(next);
}

// Patroni would take a folder that was swapped under it for a broken node.
Error of_cluster() {
  return make_error(ErrorCode::kUnsupported, "continuity.recover",
                    "in place a cluster of Patroni is recovered by Patroni")
      .with_hint("docs/operations.md, \"On an existing Patroni cluster\", has the steps: a bootstrap "
                 "of the node with our restore; --into FOLDER makes an instance beside it");
}

Status run_recover(const Context& context, const ContinuityOptions& options) {
  if (options.into.empty() != options.in_place) {
    return make_error(ErrorCode::kInvalidArgument, "continuity.recover",
                      "say where to: either --into FOLDER or --in-place");
  }
  continuity::PitrOptions pitr;
  OA_ASSIGN(pitr.target, continuity::Target::parse(options.to));
  if (!options.label.empty()) pitr.label = options.label;
  instance::Settings settings;
  OA_TRY(read_place(context.options, settings));
  OA_ASSIGN(const auto offline, instance::open_offline(settings));
  continuity::CheckReport report;
  pitr.checks = checks_over(*offline.store, report);
  OA_ASSIGN(const auto tail, offline.cell->open_tail());
  auto& repository = offline.cell->repository();
  const Timestamp began = Timestamp::now();
  if (options.in_place) {
    if (offline.cell->cluster() != nullptr) return of_cluster();
    OA_TRY(confirm_recovery(context, options,
                            "The cell is brought to " + pitr.target.text() + "."));
    OA_ASSIGN(const auto result,
              continuity::recover_in_place(repository, {tail.get()}, offline.postgres_folder, pitr,
                                           context.progress));
    auto document = recovery_document(result, pitr.target.text());
    tell_findings(context, report, document);
    OA_TRY(note_recovery(context, began, document));
    tell_recovery(context, result, document,
                  "start it with `oa-backup up`; `oa-backup continuity undo-recovery` goes back");
    return {};
  }
  std::error_code error;
  const std::string folder = fs::absolute(options.into, error).lexically_normal().string();
  fs::create_directories(folder, error);
  fs::permissions(folder, fs::perms(0711), error);
  if (error) return errno_error(error.value(), "continuity.recover", folder);
  OA_ASSIGN(const auto result,
            continuity::recover_into(repository, {tail.get()}, folder + "/postgres", pitr,
                                     context.progress));
  OA_TRY(instance::adopt_recovered(offline, folder));
  auto document = recovery_document(result, pitr.target.text());
  tell_findings(context, report, document);
  tell_recovery(context, result, document,
                fmt::format("start it with `oa-backup up --data {}`", shell_word(folder)));
  return {};
}

Status run_undo(const Context& context, const ContinuityOptions& options) {
  OA_TRY(confirm_recovery(context, options, "The cluster that the last recovery kept comes back."));
  instance::Settings settings;
  OA_TRY(read_place(context.options, settings));
  OA_ASSIGN(const auto offline, instance::open_offline(settings));
  if (offline.cell->cluster() != nullptr) return of_cluster();
  OA_ASSIGN(const auto tail, offline.cell->open_tail());
  const Timestamp began = Timestamp::now();
  OA_ASSIGN(const auto result,
            continuity::undo_recovery(offline.cell->repository(), {tail.get()},
                                      offline.postgres_folder, context.progress));
  json::object document = recovery_document(result, "undo");
  OA_TRY(note_recovery(context, began, document));
  tell_recovery(context, result, document, "start it with `oa-backup up`");
  return {};
}

Status run_moment(const Context& context, const ContinuityOptions& options) {
  OA_ASSIGN(const auto at, Timestamp::parse(options.at));
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  if (instance->cell() == nullptr) return not_on();
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  operations::ArchiveMoment operation;
  operation.at = at;
  operation.rows = !options.no_rows;
  const auto job = operations::job_of(operation, std::nullopt, "");
  const auto kinds = operations::kinds(*instance);
  OA_ASSIGN(const auto result, kinds.at(job.kind).run(tenant.id, job, context.progress));
  context.output.document(result.value());
  const json::value document = result.value();
  const std::string id(document.at("archive_id").as_string());
  context.output.line(fmt::format("archive {} holds {} as it was just before {}", id, tenant.name,
                                  at.rfc3339()));
  context.output.line(fmt::format("  oa-backup restore plan {} --tenant {} --all", id,
                                  shell_word(tenant)));
  return {};
}

}  // namespace

void add_continuity_commands(CLI::App& app, ContinuityOptions& options, const AddCommand& add) {
  auto* group = app.add_subcommand("continuity", "Continuous backup of the whole cell");
  group->require_subcommand(1);
  group->fallthrough();
  const auto command = [&](CLI::App* parent, const std::string& name, const std::string& what,
                           const std::string& example,
                           Status (*run)(const Context&, const ContinuityOptions&)) {
    return add(parent, name, what, "oa-backup " + example,
               [&options, run](const Context& context) { return run(context, options); });
  };
  command(group, "status", "What can be brought back, and what puts it at risk (status 6)",
          "continuity status --json", run_status);
  command(group, "runs", "Backups and checks that ran", "continuity runs --limit 5", run_runs)
      ->add_option("--limit", options.limit, "How many, the newest first")
      ->capture_default_str()
      ->check(CLI::Range(1, 500));
  command(group, "run", "Run one now and wait for it", "continuity run incremental", run_run)
      ->add_option("kind", options.kind,
                   "full, differential, incremental, expire, verify or restore-check")
      ->required();
  auto* recover =
      command(group, "recover", "Bring the whole cell to a moment, while nothing runs it",
              "continuity recover --to 2026-11-23T09:41:00Z --into /srv/oa-then", run_recover);
  recover
      ->add_option("--to", options.to,
                   "A moment with its offset, a place in the log (0/3000060), the name of a restore "
                   "point, or latest")
      ->required();
  recover->add_option("--into", options.into, "A new folder, which `up --data` then runs");
  recover->add_flag("--in-place", options.in_place, "Here; what is here now is kept beside");
  recover->add_option("--backup", options.label, "Label of the backup to begin with");
  auto* undo = command(group, "undo-recovery", "Swap back what the last recovery in place kept",
                       "continuity undo-recovery --yes", run_undo);
  for (auto* each : {recover, undo}) each->add_flag("--yes", options.yes, "Do not ask");
  auto* moment = command(group, "moment", "Archive one tenant as it was just before a moment",
                         "continuity moment --tenant Demo --at 2026-11-23T09:41:00Z", run_moment);
  moment->add_option("--tenant", options.tenant, "Id or name")->required();
  moment->add_option("--at", options.at, "The moment, with its offset")->required();
  moment->add_flag("--no-rows", options.no_rows, "Without imported rows");
}

}  // namespace oa::cli
