#include "drill_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>

#include "oa/accounts/people.h"
#include "oa/api/served_api.h"
#include "oa/base/io.h"
#include "oa/drill/drill.h"
#include "oa/drill/sample.h"
#include "oa/drill/trust_report.h"

namespace oa::cli {
namespace {

constexpr unsigned kJobWorkers = 2;
constexpr std::size_t kMaxReportBytes = std::size_t{256} << 20;

Result<std::vector<TenantId>> chosen(instance::Instance& instance, const DrillOptions& options,
                                     const std::string& seed) {
  if (!options.all) {
    OA_ASSIGN(const auto tenant, instance.database().find_tenant(options.tenant));
    return std::vector<TenantId>{tenant.id};
  }
  OA_ASSIGN(auto candidates, drill::candidates_of(instance.database()));
  if (candidates.empty()) {
    return make_error(ErrorCode::kNotFound, "drill.run", "no tenant takes part in recovery drills")
        .with_hint("an Owner agrees in Settings → Backup, or `oa-backup drill consent on` in their name");
  }
  return drill::choose_sample(std::move(candidates), seed, options.sample, Timestamp::now());
}

// Where the drill signs in: at a service that runs, or at one that is there for it alone.
struct Served {
  std::unique_ptr<drill::ServedApi> own;
  std::string url;
};

Result<Served> serve_for(instance::Instance& instance, const DrillOptions& options) {
  if (!options.url.empty()) return Served{nullptr, options.url};
  Served served;
  OA_ASSIGN(served.own, api::serve_for_drill(instance, kJobWorkers));
  served.url = served.own->url();
  return served;
}

std::string seconds(const json::value& value) {
  return value.is_number() ? fmt::format("{:.1f} s", value.to_number<double>()) : "-";
}

std::string text(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : "-";
}

// "assets 25, people 12".
std::string words(const json::object& figures) {
  std::string said;
  for (const auto& figure : figures) {
    if (figure.value() == json::value(false)) continue;
    said += (said.empty() ? "" : ", ") + std::string(figure.key());
    if (figure.value().is_string())
      said += " " + std::string(figure.value().as_string());
    else if (figure.value().is_double())
      said += fmt::format(" {:.3f}", figure.value().as_double());
    else if (figure.value().is_number())
      said += fmt::format(" {}", figure.value().to_number<std::uint64_t>());
  }
  return said;
}

void show(const Context& context, const json::object& drill) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : drill.at("steps").as_array()) {
    const auto& step = value.as_object();
    std::string said = text(step.at("code")) == "-" ? words(step.at("figures").as_object())
                                                    : text(step.at("code")) + ": " +
                                                          text(step.at("message"));
    rows.push_back({text(step.at("name")), text(step.at("state")), seconds(step.at("seconds")),
                    std::move(said)});
  }
  context.output.line(fmt::format("drill {} is {}; people could work again after {}",
                                  text(drill.at("id")), text(drill.at("state")),
                                  seconds(drill.at("recovery_seconds"))));
  context.output.table({"STEP", "STATE", "TOOK", ""}, rows, "no step was taken");
  if (drill.at("keep_until").is_string())
    context.output.line(fmt::format("tenant {} is kept until {}, to be looked at; `oa-backup drill clean "
                                    "--all` removes it",
                                    text(drill.at("recovery_tenant_id")),
                                    text(drill.at("keep_until"))));
}

int status_of(const std::string& state) {
  return state == "successful" ? 0 : error_info(ErrorCode::kDrillFailed).exit_status;
}

Result<drill::Limits> limits_of(const DrillOptions& options) {
  drill::Limits limits;
  limits.seed = options.seed.empty() ? drill::quarter_of(Timestamp::now()) : options.seed;
  if (!is_utf8(limits.seed) || limits.seed.size() > 200)
    return make_error(ErrorCode::kInvalidArgument, "drill.run", "--seed takes at most 200 bytes");
  limits.recovery_time = std::chrono::minutes(options.recovery_minutes);
  limits.time_limit = std::chrono::minutes(options.limit_minutes);
  limits.keep_failed_days = options.keep_days;
  return limits;
}

// What came of one, to the terminal and as the exit status.
json::object tell(const Context& context, const drill::Drill& done) {
  auto document = drill::to_json(done);
  show(context, document);
  context.exit_status = std::max(context.exit_status, status_of(text(document.at("state"))));
  return document;
}

Status run_cell(const Context& context, const DrillOptions& options) {
  drill::CellSettings settings;
  OA_ASSIGN(static_cast<drill::Limits&>(settings), limits_of(options));
  if (!options.moment.empty()) {
    OA_ASSIGN(settings.moment, Timestamp::parse(options.moment));
  }
  settings.serve = [](instance::Instance& recovered) { return api::serve_for_drill(recovered, 0); };
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto done, drill::run_cell_drill(*instance, settings, context.progress));
  json::array drills{tell(context, done)};
  context.output.document(json::object{{"seed", settings.seed}, {"drills", std::move(drills)}});
  if (!context.progress.cancelled()) return {};
  return make_error(ErrorCode::kCancelled, "drill.run", "cancelled");
}

Status run_run(const Context& context, const DrillOptions& options) {
  if (int{options.all} + int{options.cell} + int{!options.tenant.empty()} != 1) {
    return make_error(ErrorCode::kInvalidArgument, "drill.run", "a drill of what?")
        .with_hint("give --tenant NAME, --all for a sample of those that take part, or --cell");
  }
  if (!options.moment.empty() && !options.cell)
    return make_error(ErrorCode::kInvalidArgument, "drill.run", "--moment goes with --cell");
  if (options.cell) return run_cell(context, options);
  drill::Settings settings;
  OA_ASSIGN(static_cast<drill::Limits&>(settings), limits_of(options));
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenants, chosen(*instance, options, settings.seed));
  OA_TRY(drill::take_down_kept(*instance, Timestamp::now(), false, context.progress));
  OA_ASSIGN(const auto served, serve_for(*instance, options));
  settings.url = served.url;
  settings.ca_file = options.ca_file;
  settings.max_archive_age_days = options.max_age_days;
  settings.may_make_archive = !options.no_new_archive;
  json::array drills;
  for (const auto& tenant : tenants) {
    OA_ASSIGN(const auto done,
              drill::run_tenant_drill(*instance, tenant, settings, context.progress));
    drills.push_back(tell(context, done));
    if (context.progress.cancelled())
      return make_error(ErrorCode::kCancelled, "drill.run", "cancelled");
  }
  context.output.document(json::object{{"seed", settings.seed}, {"drills", std::move(drills)}});
  return {};
}

Status run_list(const Context& context, const DrillOptions& options) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto drills,
            catalog::Drills(instance->database()).list(std::nullopt, options.limit));
  json::array documents;
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : drills) {
    const auto document = drill::to_json(one);
    rows.push_back({text(document.at("id")), text(document.at("started_at")), one.state,
                    seconds(document.at("recovery_seconds")),
                    document.at("tenant_id").is_null() ? "the whole cell"
                                                       : text(document.at("tenant_id"))});
    documents.push_back(document);
  }
  context.output.document(json::object{{"drills", std::move(documents)}});
  context.output.table({"ID", "STARTED", "STATE", "RECOVERED IN", "TENANT"}, rows,
                       "no drill yet: `oa-backup drill run --all`");
  return {};
}

Status run_show(const Context& context, const DrillOptions& options) {
  OA_ASSIGN(const auto id, Uuid::parse(options.id));
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto row, catalog::Drills(instance->database()).get(id));
  const auto document = drill::to_json(row);
  context.output.document(document);
  show(context, document);
  return {};
}

Status run_report(const Context& context, const DrillOptions& options) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto report, drill::trust_report(*instance));
  if (!options.output.empty()) {
    OA_ASSIGN(const auto file, AtomicFileSink::create(options.output, false, 0644));
    OA_TRY(file->write(as_bytes(canonical_json(report))));
    OA_TRY(file->commit());
  }
  context.output.document(report);
  const auto& measured = report.at("measured").as_object();
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : measured.at("quarters").as_array()) {
    const auto& quarter = value.as_object();
    const auto count = [&](const char* outcome) {
      return std::to_string(quarter.at("outcomes").at(outcome).to_number<std::uint64_t>());
    };
    const auto& recovery = quarter.at("recovery_seconds");
    rows.push_back({text(quarter.at("quarter")), count("successful"), count("failed"),
                    count("timed_out"),
                    recovery.is_object() ? seconds(recovery.at("median")) : "-",
                    recovery.is_object() ? seconds(recovery.at("max")) : "-"});
  }
  context.output.line(fmt::format("{} drills; {} of {} tenants take part",
                                  report.at("records").as_array().size(),
                                  report.at("tenants").at("taking_part").to_number<std::uint64_t>(),
                                  report.at("tenants").at("all").to_number<std::uint64_t>()));
  context.output.table({"QUARTER", "SUCCESSFUL", "FAILED", "TIMED OUT", "RECOVERED IN (MEDIAN)", "(MAX)"},
                       rows, "no drill yet: `oa-backup drill run --all`");
  if (const auto* cells = measured.if_contains("cells"); cells != nullptr) {
    const auto most = [&](const char* name) {
      const auto& values = cells->at(name);
      return values.is_object() ? seconds(values.at("max")) : "-";
    };
    context.output.line(fmt::format("a whole cell at a random moment: recovered within {}, {} lost at most",
                                    most("recovery_seconds"), most("data_loss_seconds")));
  }
  context.output.line("public key: " + text(report.at("public_key")));
  if (!options.output.empty()) context.output.line("saved as " + options.output);
  return {};
}

Status run_verify(const Context& context, const DrillOptions& options) {
  OA_ASSIGN(const auto bytes, read_file(options.file, kMaxReportBytes));
  OA_ASSIGN(const auto report, parse_json(as_text(bytes), {kMaxReportBytes, 32}));
  OA_ASSIGN(const auto key, PublicKey::parse(options.public_key));
  OA_TRY(drill::verify_report(report, key));
  const auto records = report.at("records").as_array().size();
  context.output.document(json::object{{"verified", true}, {"records", records}});
  context.output.line(fmt::format("{} records: every number, link, hash and signature fits, and the "
                                  "figures are theirs",
                                  records));
  return {};
}

Status run_consent(const Context& context, const DrillOptions& options) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  if (!options.answer.empty()) {
    std::optional<UserId> by;
    if (!options.in_name_of.empty()) {
      OA_ASSIGN(const auto person,
                accounts::find_person(instance->database(), tenant.id, options.in_name_of));
      if (!person.owner || !person.active)
        return make_error(ErrorCode::kPermissionDenied, "drill.consent", "that is no active Owner");
      by = person.id;
    }
    OA_TRY(drill::set_consent(*instance, tenant.id, options.answer == "on", by, ""));
  }
  OA_ASSIGN(auto snapshot,
            instance->database().begin(tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto consent, catalog::DrillConsents(snapshot).get());
  context.output.document(json::object{
      {"takes_part", consent.takes_part},
      {"changed_at", consent.changed_at.has_value() ? json::value(consent.changed_at->rfc3339())
                                                    : json::value(nullptr)},
      {"changed_by", consent.changed_by.has_value() ? json::value(consent.changed_by->str())
                                                    : json::value(nullptr)}});
  context.output.line(fmt::format("{} {} part in recovery drills", tenant.name,
                                  consent.takes_part ? "takes" : "does not take"));
  return {};
}

Status run_clean(const Context& context, const DrillOptions& options) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto removed, drill::take_down_kept(*instance, Timestamp::now(), options.all,
                                                      context.progress));
  context.output.document(json::object{{"removed", removed}});
  context.output.line(fmt::format("{} recovery tenants removed", removed));
  return {};
}

}  // namespace

void add_drill_commands(CLI::App& app, DrillOptions& options, const AddDrillCommand& add) {
  auto* group = app.add_subcommand("drill", "Prove that archives can be restored, and say so publicly");
  group->require_subcommand(1);
  group->fallthrough();
  const auto command = [&](const std::string& name, const std::string& what,
                           const std::string& example,
                           Status (*run)(const Context&, const DrillOptions&)) {
    return add(group, name, what, "oa-backup drill " + example,
               [&options, run](const Context& context) { return run(context, options); });
  };
  auto* consent = command("consent", "Show or change whether a tenant takes part",
                          "consent on --tenant Demo --by owner@example.com", run_consent);
  consent->add_option("answer", options.answer, "on or off; left out: shows it")
      ->check(CLI::IsMember({"on", "off"}).description(""));
  consent->add_option("--tenant", options.tenant, "Id or name")->required();
  consent->add_option("--by", options.in_name_of, "The Owner who said so: e-mail address, or id");
  auto* run = command("run", "Restore archives into recovery tenants, use them, compare, take them down",
                      "run --tenant Demo", run_run);
  run->add_option("--tenant", options.tenant, "Id or name");
  run->add_flag("--all", options.all, "A sample of those that take part");
  run->add_flag("--cell", options.cell,
                "The whole database, at a random moment of its window, beside the live one");
  run->add_option("--moment", options.moment, "Of --cell: RFC 3339, instead of a random one");
  run->add_option("--sample", options.sample, "Of so many")->check(CLI::Range(1, 10'000));
  run->add_option("--seed", options.seed, "Chooses the sample; published. The quarter when left out");
  run->add_option("--url", options.url,
                  "The API of a service of this installation; one of its own when left out");
  run->add_option("--ca-cert", options.ca_file, "PEM of those that sign its certificate");
  run->add_option("--max-age-days", options.max_age_days, "An older archive is not drilled")
      ->check(CLI::Range(1, 3650));
  run->add_flag("--no-new-archive", options.no_new_archive,
                "Fail when there is none so new, rather than make one");
  run->add_option("--recovery-minutes", options.recovery_minutes,
                  "Until people can work again; longer is timed_out")
      ->check(CLI::Range(0, 100'000));
  run->add_option("--limit-minutes", options.limit_minutes, "Of the whole drill")
      ->check(CLI::Range(0, 100'000));
  run->add_option("--keep-days", options.keep_days, "The recovery tenant of one that failed")
      ->check(CLI::Range(0, 90));
  command("list", "List drills", "list", run_list)
      ->add_option("--limit", options.limit, "At most so many")
      ->check(CLI::Range(1, 10'000));
  command("show", "Show the steps of a drill", "show ID", run_show)
      ->add_option("id", options.id, "Id of the drill")
      ->required();
  command("report", "Show the trust report", "report --output report.json", run_report)
      ->add_option("--output", options.output, "File to save it in, which must not be there");
  auto* verify = command("verify", "Verify a trust report",
                         "verify report.json --public-key KEY", run_verify);
  verify->add_option("file", options.file, "The report")->required();
  verify->add_option("--public-key", options.public_key, "The installation's, as it was told elsewhere")
      ->required();
  command("clean", "Remove recovery tenants of failed drills whose time is over", "clean --all",
          run_clean)
      ->add_flag("--all", options.all, "Those that are still kept, too");
}

}  // namespace oa::cli
