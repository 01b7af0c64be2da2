#include "storage_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "oa/operations/storage_care.h"
#include "storage_status.h"

namespace oa::cli {
namespace {

using durability::BucketFinding;
constexpr std::size_t kShown = 100;

int status_of(ErrorCode code) { return error_info(code).exit_status; }

Result<instance::BucketSettings> settings_of(const Context& context) {
  instance::Settings settings;
  OA_TRY(read_place(context.options, settings));
  return instance::BucketSettings{std::move(settings.deployment.objects),
                                  std::move(settings.deployment.replica)};
}

void tell(const Context& context, const std::vector<BucketFinding>& findings) {
  for (const auto& finding : findings) {
    context.output.line(fmt::format("{:<8} {:<13} {}: {}", durability::to_text(finding.level),
                                    durability::to_text(finding.aspect), finding.place,
                                    finding.message));
    if (!finding.remedy.empty())
      context.output.line(fmt::format("{:<22} {}", "", finding.remedy));
  }
}

json::object document_of(const std::vector<BucketFinding>& findings) {
  json::array all;
  for (const auto& finding : findings) all.push_back(durability::to_json(finding));
  const Status status = durability::drift_status(findings);
  json::object document{{"drifted", !status.ok()}, {"findings", std::move(all)}, {"code", nullptr}};
  if (!status.ok()) document["code"] = error_info(status.error().code).name;
  return document;
}

// Of an instance whose objects are in its folder there is nothing to be set.
Status tell_folder(const Context& context) {
  context.output.line("objects are in the data folder: there is no bucket to be looked at");
  context.output.document(document_of({}));
  return {};
}

Status run_check(const Context& context, const StorageOptions&) {
  OA_ASSIGN(const auto settings, settings_of(context));
  if (!settings.primary.has_value()) return tell_folder(context);
  OA_ASSIGN(const auto findings, operations::check_buckets(settings));
  tell(context, findings);
  if (!durability::drifted(findings)) context.output.line("the bucket is as it must be");
  context.output.document(document_of(findings));
  if (durability::drifted(findings)) context.exit_status = status_of(ErrorCode::kObjectStoreDrift);
  return {};
}

Status confirm_changes(const Context& context, const StorageOptions& options) {
  if (options.yes) return {};
  if (context.output.json() || isatty(STDIN_FILENO) != 1) {
    return make_error(ErrorCode::kInvalidArgument, "storage.apply", "this changes the bucket")
        .with_hint("look at the changes with `oa-backup storage check`, then add --yes");
  }
  OA_TRY(Output::flush());
  fmt::print("Type yes to make these changes: ");
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return {};
  return make_error(ErrorCode::kCancelled, "storage.apply", "not confirmed; nothing was changed");
}

Status run_apply(const Context& context, const StorageOptions& options) {
  OA_ASSIGN(const auto settings, settings_of(context));
  if (!settings.primary.has_value()) return tell_folder(context);
  OA_ASSIGN(const auto buckets, operations::buckets_of(settings));
  std::vector<BucketConfiguration> seen;
  bool something = false;
  for (const auto& [required, admin] : buckets) {
    OA_ASSIGN(auto now, admin->read());
    for (const auto& finding : durability::bucket_findings(required, now, {}, Timestamp::now())) {
      if (finding.change.empty()) continue;
      something = true;
      context.output.line(fmt::format("{} bucket {}: {}", required.place, required.name,
                                      finding.change));
    }
    seen.push_back(std::move(now));
  }
  json::array done;
  if (something) {
    OA_TRY(confirm_changes(context, options));
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      OA_ASSIGN(const auto changes,
                durability::apply_bucket(*buckets[i].admin, buckets[i].required, seen[i]));
      for (const auto& change : changes)
        done.push_back(json::object{{"bucket", buckets[i].required.place}, {"change", change}});
    }
  } else {
    context.output.line("nothing to change");
  }
  // Read back: what was not taken, and what only a person can mend, is still there.
  OA_ASSIGN(const auto left, operations::check_buckets(settings));
  tell(context, left);
  auto document = document_of(left);
  document["changes"] = std::move(done);
  context.output.document(document);
  if (durability::drifted(left)) context.exit_status = status_of(ErrorCode::kObjectStoreDrift);
  return {};
}

void tell(const Context& context, const durability::Coverage& covered) {
  const auto& totals = covered.totals;
  context.output.line(fmt::format("stored      {} in {} versions", format_size(totals.bytes),
                                  totals.versions));
  context.output.line(fmt::format("verified    {:.2f} % of the bytes within {} days",
                                  100 * covered.share(), covered.days));
  if (totals.oldest.has_value())
    context.output.line(fmt::format("oldest      {}", totals.oldest->rfc3339()));
  context.output.line(fmt::format("repaired    {}", totals.repaired));
  context.output.line(fmt::format("damaged     {}", totals.damaged));
  if (totals.locked + totals.shredded > 0)
    context.output.line(fmt::format("locked      {}, shredded {}", totals.locked, totals.shredded));
}

Result<std::optional<TenantId>> tenant_of(const StorageOptions& options,
                                          instance::Instance& instance) {
  if (options.tenant.empty()) return std::optional<TenantId>();
  OA_ASSIGN(const auto tenant, instance.database().find_tenant(options.tenant));
  return std::optional(tenant.id);
}

Status run_scrub(const Context& context, const StorageOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto one, tenant_of(options, *instance));
  std::vector<TenantId> tenants;
  if (one.has_value()) {
    tenants.push_back(*one);
  } else {
    OA_ASSIGN(const auto all, instance->database().list_tenants());
    for (const auto& tenant : all) tenants.push_back(tenant.id);
  }
  durability::ScrubSettings settings;
  settings.days = options.days;
  settings.everything = options.all;
  settings.list = true;
  settings.bytes_per_second = static_cast<std::uint64_t>(options.rate_mib) << 20;
  auto parts = operations::scrub_parts(*instance);
  if (!options.tenant.empty()) parts.ledger_owner.reset();
  OA_ASSIGN(const auto result, durability::scrub(parts, tenants,
                                                 settings, context.progress));
  OA_ASSIGN(const auto covered,
            durability::record_coverage(instance->database(), options.days, Timestamp::now()));
  context.output.line(fmt::format("verified {} versions, {}", result.verified_versions,
                                  format_size(result.verified_bytes)));
  for (const auto& each : result.repaired) {
    context.output.line(fmt::format("repaired {} {} of tenant {} from the {} ({})",
                                    each.object.retention_class, each.object.name,
                                    each.tenant.str(), each.from, each.code));
  }
  for (const auto& damage : result.damaged) context.output.line(durability::describe(damage));
  for (const auto& trouble : result.troubles) {
    context.output.line(fmt::format("tenant {}: {} ({})", trouble.tenant.str(),
                                    trouble.error.message, error_info(trouble.error.code).name));
  }
  tell(context, covered);
  auto document = durability::to_json(result);
  document["coverage"] = durability::to_json(covered);
  context.output.document(document);
  if (!result.damaged.empty())
    context.exit_status = status_of(ErrorCode::kSealCorrupt);
  else if (!result.troubles.empty())
    context.exit_status = status_of(result.troubles[0].error.code);
  return {};
}

Status run_coverage(const Context& context, const StorageOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto one, tenant_of(options, *instance));
  auto& database = instance->database();
  OA_ASSIGN(const auto covered,
            durability::coverage(database, one, options.days, Timestamp::now()));
  OA_ASSIGN(const auto damage, durability::known_damage(database, one, kShown));
  OA_ASSIGN(const auto records, catalog::DurabilityRecords(database).verify());
  tell(context, covered);
  context.output.line(fmt::format("records     {}, an unbroken chain", records));
  json::array damaged;
  for (const auto& each : damage) {
    context.output.line(durability::describe(each));
    damaged.push_back(durability::to_json(each));
  }
  auto document = durability::to_json(covered);
  document["damage"] = std::move(damaged);
  document["records"] = records;
  context.output.document(document);
  if (covered.totals.damaged > 0) context.exit_status = status_of(ErrorCode::kSealCorrupt);
  return {};
}

}  // namespace

void add_storage_commands(CLI::App& app, StorageOptions& options, const AddStorageCommand& add) {
  auto* group = app.add_subcommand("storage", "The bucket, and whether what is stored is whole");
  group->require_subcommand(1);
  group->fallthrough();
  const auto command = [&](const std::string& name, const std::string& what,
                           const std::string& example,
                           Status (*run)(const Context&, const StorageOptions&)) {
    return add(group, name, what, "oa-backup " + example,
               [&options, run](const Context& context) { return run(context, options); });
  };
  add_storage_status(*group, add);
  command("check", "How far the bucket is from what it must be (status 8 when it drifted)",
          "storage check --config /etc/oa/oa.json --json", run_check);
  command("apply", "Show what would be changed, and change it",
          "storage apply --config /etc/oa/oa.json", run_apply)
      ->add_flag("--yes", options.yes, "Do not ask");
  auto* scrub = command("scrub", "Read back and authenticate what is stored, repair what is damaged",
                        "storage scrub --all --data /srv/oa", run_scrub);
  scrub->add_flag("--all", options.all, "Also what is not due");
  scrub->add_option("--rate", options.rate_mib, "MiB a second; 0: as fast as it goes")
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000));
  auto* coverage = command("coverage", "How much was verified lately, and what is damaged",
                           "storage coverage --data /srv/oa --json", run_coverage);
  for (auto* each : {scrub, coverage}) {
    each->add_option("--tenant", options.tenant, "This one alone: id or name");
    each->add_option("--days", options.days, "Within so many days each byte is to be verified")
        ->capture_default_str()
        ->check(CLI::Range(1, 3650));
  }
}

}  // namespace oa::cli
