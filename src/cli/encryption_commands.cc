#include "encryption_commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>

#include "oa/catalog/jobs.h"
#include "oa/operations/operations.h"
#include "oa/operations/shredding.h"
#include "oa/operations/tenant_keys.h"

namespace oa::cli {
namespace {

constexpr int kNotProven = 6;  // exit status

std::string code_of(const Error& error) { return std::string(error_info(error.code).name); }

std::string shown(const json::value& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

Status tell_all(const Context& context, instance::Instance& instance) {
  OA_ASSIGN(const auto tenants, instance.database().list_tenants());
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& tenant : tenants) {
    auto item = describe_key(tenant, instance.keys().describe(tenant.id));
    rows.push_back(
        {tenant.name, shown(item["state"]), shown(item["version"]), shown(item["destroy_at"])});
    items.push_back(std::move(item));
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"tenant", "key", "version", "destroyed at"}, rows, "no tenants yet");
  return {};
}

Status run_status(const Context& context, const EncryptionOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  if (options.tenant.empty()) return tell_all(context, *instance);
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_ASSIGN(const auto use, operations::key_use(*instance, tenant.id, context.progress));
  auto document = describe_key(tenant, use.key);
  document["current"] = use.current.empty() ? json::value(nullptr) : json::value(use.current);
  json::array wraps;
  std::vector<std::vector<std::string>> rows;
  std::uint64_t older = 0;
  for (const auto& [id, counts] : use.by_key) {
    const bool current = id == use.current;
    if (!current) older += counts.objects + counts.secrets + counts.signing_keys;
    wraps.push_back(json::object{{"key_id", id},
                                 {"current", current},
                                 {"objects", counts.objects},
                                 {"secrets", counts.secrets},
                                 {"signing_keys", counts.signing_keys}});
    rows.push_back({id, current ? "seals now" : "older", std::to_string(counts.objects),
                    std::to_string(counts.secrets), std::to_string(counts.signing_keys)});
  }
  document["wraps"] = std::move(wraps);
  document["under_older_versions"] = older;
  document["damaged"] = use.damaged;
  context.output.line(fmt::format("key of {}: {}", tenant.name, shown(document["state"])));
  if (use.damaged > 0)
    context.output.line(fmt::format("{} objects are damaged, so that their keys cannot be read: `oa-backup "
                                    "storage scrub --all` names and repairs them",
                                    use.damaged));
  context.output.document(document);
  context.output.table({"key and version", "", "objects", "secrets", "signing keys"}, rows,
                       "nothing is sealed under it yet");
  return {};
}

Status change_state(const Context& context, const EncryptionOptions& options, bool enable) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_TRY(enable ? operations::enable_key(*instance, tenant)
                : operations::disable_key(*instance, tenant));
  context.output.document(describe_key(tenant, instance->keys().describe(tenant.id)));
  context.output.line(
      enable ? fmt::format("{} may use its key again", tenant.name)
             : fmt::format("{} is refused from now on; `oa-backup keys enable {}` ends that",
                           tenant.name, shell_word(tenant)));
  return {};
}

// Wraps anew what is there: here and now, or by a job.
Result<json::object> rewrap(const Context& context, const EncryptionOptions& options,
                            instance::Instance& instance, const catalog::Tenant& tenant,
                            const std::string& old_key) {
  if (options.here) {
    OA_ASSIGN(const auto done,
              operations::rewrap_keys(instance, tenant.id, old_key, context.progress));
    return json::object{{"key_id", done.key_id},
                        {"objects", done.objects},
                        {"secrets", done.secrets},
                        {"signing_keys", done.signing_keys},
                        {"already", done.already},
                        {"damaged", done.damaged}};
  }
  const auto job = operations::job_of(operations::RewrapKeys{old_key}, std::nullopt, "");
  OA_ASSIGN(auto transaction, instance.database().begin(tenant.id));
  OA_TRY(catalog::Jobs(transaction).add(job));
  OA_TRY(transaction.commit());
  return json::object{{"job_id", job.id.str()}};
}

Result<json::object> change_version(const Context& context, const EncryptionOptions& options,
                                    instance::Instance& instance, const catalog::Tenant& tenant,
                                    bool rotate) {
  std::string old_key;
  if (rotate) {
    OA_ASSIGN(old_key, operations::rotate_key(instance, tenant));
  }
  return rewrap(context, options, instance, tenant, old_key);
}

Status run_versions(const Context& context, const EncryptionOptions& options, bool rotate) {
  if (options.tenant.empty() == !options.all_tenants) {
    return make_error(ErrorCode::kInvalidArgument, "keys",
                      "say whose key: --tenant NAME or --all-tenants");
  }
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  std::vector<catalog::Tenant> tenants;
  if (options.all_tenants) {
    OA_ASSIGN(tenants, instance->database().list_tenants());
  } else {
    OA_ASSIGN(auto one, instance->database().find_tenant(options.tenant));
    tenants.push_back(std::move(one));
  }
  json::array items;
  for (const auto& tenant : tenants) {
    auto done = change_version(context, options, *instance, tenant, rotate);
    if (!done.ok() && (!options.all_tenants || done.error().code == ErrorCode::kCancelled))
      return done.error();
    json::object item{{"tenant_id", tenant.id.str()}, {"tenant", tenant.name}, {"error", nullptr}};
    if (done.ok()) {
      for (const auto& member : *done) item.insert(member);
      context.output.line(
          options.here
              ? fmt::format("{}: everything is under the key's newest version", tenant.name)
              : fmt::format("{}: a job wraps everything anew; `oa-backup keys status {}`",
                            tenant.name, shell_word(tenant)));
    } else {
      // One that is disabled or destroyed is no reason to leave the others out.
      item["error"] = code_of(done.error());
      const bool expected = done.error().code == ErrorCode::kKeyDisabled ||
                            done.error().code == ErrorCode::kKeyDestroyed;
      if (!expected) context.exit_status = error_info(done.error().code).exit_status;
      context.output.line(
          fmt::format("{}: {} [{}]", tenant.name, done.error().message, code_of(done.error())));
    }
    items.push_back(std::move(item));
  }
  context.output.document(json::object{{"data", std::move(items)}});
  return {};
}

Status run_shred(const Context& context, const EncryptionOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  if (options.cancel) {
    OA_TRY(operations::cancel_shredding(*instance, tenant));
    context.output.document(describe_key(tenant, instance->keys().describe(tenant.id)));
    context.output.line(fmt::format("{} is not destroyed", tenant.name));
    return {};
  }
  if (!options.yes) {
    OA_TRY(confirm(
        context.output, tenant,
        options.remove_remains
            ? "to remove all that is left of it"
            : fmt::format("to make all it has unreadable for good in {} days", options.wait_days),
        make_error(ErrorCode::kInvalidArgument, "tenant.shred", "nobody is there to confirm it")
            .with_hint("add --yes")));
  }
  if (options.remove_remains) {
    OA_ASSIGN(const auto removed, operations::remove_remains(*instance, tenant, context.progress));
    context.output.document(json::object{{"rows", removed.rows},
                                         {"objects", removed.objects},
                                         {"kept_objects", removed.kept_objects}});
    context.output.line(
        fmt::format("{} rows and {} objects removed; {} are write-once and stay, unreadable",
                    removed.rows, removed.objects, removed.kept_objects));
    return {};
  }
  OA_ASSIGN(const auto at, operations::schedule_shredding(*instance, tenant,
                                                          std::chrono::days(options.wait_days)));
  context.output.document(
      json::object{{"tenant_id", tenant.id.str()}, {"destroy_at", at.rfc3339()}});
  context.output.line(
      fmt::format("{} is refused from now on, and its key destroyed at {}; until then "
                  "`oa-backup tenant shred {} --cancel` brings it back",
                  tenant.name, at.rfc3339(), shell_word(tenant)));
  return {};
}

Status run_proof(const Context& context, const EncryptionOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_ASSIGN(const auto proof, operations::prove_shredding(*instance, tenant, context.progress));
  context.output.document(json::object{{"statement", proof.statement},
                                       {"proven", proof.proven},
                                       {"signature", proof.signature},
                                       {"public_key", proof.signer.base64()}});
  context.output.line(proof.proven
                          ? fmt::format("nothing of {} opens", tenant.name)
                          : fmt::format("it is not proven that nothing of {} opens", tenant.name));
  for (const char* name :
       {"key", "objects", "sealed_values", "rows_in_the_clear", "backups_hold_rows_until"})
    context.output.line(fmt::format("  {:<26} {}", name, shown(proof.statement.at(name))));
  if (!proof.proven) context.exit_status = kNotProven;
  return {};
}

using Run = Status (*)(const Context&, const EncryptionOptions&);

}  // namespace

json::object describe_key(const catalog::Tenant& tenant, const Result<TenantKeyInfo>& key) {
  json::object object{{"tenant_id", tenant.id.str()},
                      {"tenant", tenant.name},
                      {"state", nullptr},
                      {"version", nullptr},
                      {"destroy_at", nullptr}};
  if (!key.ok()) {
    object["state"] =
        key.error().code == ErrorCode::kKeyDestroyed ? "destroyed" : code_of(key.error());
    return object;
  }
  object["version"] = key->current_version;
  object["state"] = key->state == KeyState::kEnabled    ? "enabled"
                    : key->state == KeyState::kDisabled ? "disabled"
                                                        : "pending-destruction";
  if (key->state == KeyState::kPendingDestruction) object["destroy_at"] = key->destroy_at.rfc3339();
  return object;
}

void add_encryption_commands(CLI::App& keys, CLI::App& tenant, EncryptionOptions& options,
                             const AddCommand& add) {
  const auto command = [&](CLI::App& group, const char* name, const char* what, const char* example,
                           Run run) {
    return add(&group, name, what, example,
               [&options, run](const Context& c) { return run(c, options); });
  };
  command(keys, "status",
          "State of the tenants' encryption keys; of one, what hangs on which version",
          "oa-backup keys status Demo --json", run_status)
      ->add_option("tenant", options.tenant, "Id or name; without it all are listed");
  command(keys, "disable", "Refuse a tenant: nothing of it opens until its key is enabled",
          "oa-backup keys disable Demo",
          [](const Context& c, const EncryptionOptions& o) { return change_state(c, o, false); })
      ->add_option("tenant", options.tenant, "Id or name")
      ->required();
  command(keys, "enable", "Let a tenant use its key again", "oa-backup keys enable Demo",
          [](const Context& c, const EncryptionOptions& o) { return change_state(c, o, true); })
      ->add_option("tenant", options.tenant, "Id or name")
      ->required();
  auto* rotate = command(
      keys, "rotate-encryption", "Seal under a new version of the key, and wrap what is there anew",
      "oa-backup keys rotate-encryption --all-tenants",
      [](const Context& c, const EncryptionOptions& o) { return run_versions(c, o, true); });
  auto* again = command(
      keys, "rewrap", "Wrap what is under older versions anew, as far as it was not done",
      "oa-backup keys rewrap --tenant Demo --here",
      [](const Context& c, const EncryptionOptions& o) { return run_versions(c, o, false); });
  for (auto* sub : {rotate, again}) {
    sub->add_option("--tenant", options.tenant, "Id or name");
    sub->add_flag("--all-tenants", options.all_tenants, "Of every tenant whose key is enabled");
    sub->add_flag("--here", options.here,
                  "Wrap anew in this process rather than by a job of the service");
  }
  auto* shred = command(tenant, "shred", "Make a tenant unreadable for good, after a waiting time",
                        "oa-backup tenant shred Demo --wait-days 14", run_shred);
  shred->add_option("tenant", options.tenant, "Id or name")->required();
  auto* wait = shred->add_option("--wait-days", options.wait_days, "Until the key is destroyed")
                   ->capture_default_str()
                   ->check(CLI::Range(0, 365));
  auto* cancel =
      shred->add_flag("--cancel", options.cancel, "End the waiting; the tenant is as it was");
  auto* remains =
      shred->add_flag("--remove-remains", options.remove_remains,
                      "Once the key is destroyed: remove the tenant's rows and objects");
  cancel->excludes(wait)->excludes(remains);
  remains->excludes(wait);
  shred->add_flag("--yes", options.yes, "Without asking");
  command(tenant, "shred-proof", "Try to open all a tenant has, and sign what came of it",
          "oa-backup tenant shred-proof Demo --json\n"
          "Exit status 6 when the key is not destroyed, or something opens",
          run_proof)
      ->add_option("tenant", options.tenant, "Id or name")
      ->required();
}

}  // namespace oa::cli
