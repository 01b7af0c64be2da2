#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <iostream>

#include "commands.h"
#include "oa/restore/apply.h"

namespace oa::cli {
namespace {

Result<restore::AssetRef> parse_asset(const std::string& text) {
  const auto colon = text.find(':');
  for (const auto kind : {restore::AssetKind::kWorkspace, restore::AssetKind::kDataset,
                          restore::AssetKind::kReport, restore::AssetKind::kAlert}) {
    if (colon == std::string::npos || text.substr(0, colon) != restore::to_text(kind)) continue;
    const auto id = Uuid::parse(text.substr(colon + 1));
    if (id.ok()) return restore::AssetRef{kind, *id};
  }
  return make_error(ErrorCode::kInvalidArgument, "restore", "an asset is written KIND:ID")
      .with_hint(
          "for example report:01234567-89ab-4def-8123-456789abcdef; kinds are workspace, dataset, "
          "report, alert");
}

void show_plan(const Context& context, const restore::Plan& plan, const catalog::Tenant& tenant) {
  context.output.line(fmt::format("Plan for tenant {} from the archive of {}:", tenant.name,
                                  plan.snapshot_time.rfc3339()));
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : plan.items) {
    std::string reason = item.reason;
    if (item.rows != restore::RowsAction::kNone)
      reason += fmt::format("; rows: {}", restore::to_text(item.rows));
    rows.push_back({"  " + std::string(restore::to_text(item.action)),
                    std::string(restore::to_text(item.source.kind)), item.name, reason});
  }
  context.output.table({"  action", "kind", "name", "why"}, rows, "  nothing to do");
  std::size_t placeholders = 0;
  for (const auto& user : plan.users)
    placeholders += user.match == restore::UserMatch::kPlaceholder ? 1 : 0;
  if (placeholders > 0)
    context.output.line(
        fmt::format("  {} users are not here any more and come back inactive", placeholders));
  for (const auto& name : plan.credentials)
    context.output.line(fmt::format("  the credentials \"{}\" must be entered again", name));
  context.output.line(fmt::format("  plan hash {}", restore::plan_hash(plan)));
}

// A restore writes over what is there, so a person says yes with the tenant's name in view.
Status confirm(const Context& context, const RestoreOptions& options,
               const catalog::Tenant& tenant) {
  if (options.yes) return {};
  if (context.output.json() || isatty(STDIN_FILENO) != 1) {
    return make_error(ErrorCode::kInvalidArgument, "restore", "nobody is there to confirm the plan")
        .with_hint("look at it with --dry-run, then add --yes");
  }
  fmt::print("Type the tenant's name ({}) to apply this plan: ", tenant.name);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == tenant.name) return {};
  return make_error(ErrorCode::kCancelled, "restore", "not confirmed; nothing was changed");
}

json::object outcome(const catalog::RestoreRecord& record, const restore::Plan& plan) {
  return {{"restore_id", record.id.str()},
          {"applied_at", record.applied_at->rfc3339()},
          {"plan", restore::to_json(plan)},
          {"plan_hash", restore::plan_hash(plan)}};
}

}  // namespace

Status run_restore(const Context& context, const RestoreOptions& options) {
  restore::Request request;
  request.id = RestoreId::random();
  request.selection.everything = options.all;
  request.with_roles = options.with_roles;
  request.leave_out_blocked = options.leave_out_blocked;
  OA_ASSIGN(request.mode, restore::parse_mode(options.mode));
  for (const auto& text : options.assets) {
    OA_ASSIGN(const auto asset, parse_asset(text));
    request.selection.assets.insert(asset);
  }
  if (options.all != request.selection.assets.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "restore",
                      "say what to restore: either --all or some --asset KIND:ID")
        .with_hint("`oa-backup archive ls ARCHIVE` shows what the archive holds");
  }
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_ASSIGN(const auto opened,
            open_archive(options.archive, instance.get(), &tenant, options.trust));
  OA_ASSIGN(const auto verified, opened.reader->verify({}, context.progress));
  OA_ASSIGN(const auto prepared, restore::prepare_restore(instance->database(), instance->objects(),
                                                          *opened.reader, tenant.id, request));
  show_plan(context, prepared.plan, tenant);
  if (options.dry_run) {
    context.output.document(json::object{{"plan", restore::to_json(prepared.plan)},
                                         {"plan_hash", restore::plan_hash(prepared.plan)}});
    return {};
  }
  OA_TRY(confirm(context, options, tenant));
  OA_ASSIGN(const auto record,
            restore::apply_plan(instance->database(), instance->objects(), *opened.reader,
                                prepared.contents, prepared.plan, context.progress));
  context.output.document(outcome(record, prepared.plan));
  context.output.line(
      fmt::format("restore {} applied; {} entries of the archive were verified first",
                  record.id.str(), verified.entries));
  return {};
}

Status run_tenant_import(const Context& context, const ImportOptions& options) {
  OA_ASSIGN(const auto plan, catalog::parse_text<catalog::Plan>(options.plan));
  OA_ASSIGN(const auto instance, open_instance(context.options, true));
  std::optional<catalog::Tenant> from;
  if (!options.from_tenant.empty()) {
    OA_ASSIGN(from, instance->database().find_tenant(options.from_tenant));
  }
  OA_ASSIGN(const auto opened, open_archive(options.archive, instance.get(),
                                            from.has_value() ? &*from : nullptr, options.trust));
  OA_ASSIGN(const auto verified, opened.reader->verify({}, context.progress));
  restore::Request request;
  request.id = RestoreId::random();
  request.selection.everything = true;
  request.with_roles = request.all_people = true;
  request.leave_out_blocked = options.leave_out_blocked;
  // Decoded and planned before the tenant is made: an archive that cannot be imported leaves
  // nothing behind.
  {
    OA_ASSIGN(const auto contents, restore::read_contents(*opened.reader, request.selection));
    OA_TRY(restore::check_applicable(restore::make_plan(contents, {}, request)));
  }
  OA_ASSIGN(const auto tenant, instance->provision_tenant(options.name, plan));
  OA_ASSIGN(const auto prepared, restore::prepare_restore(instance->database(), instance->objects(),
                                                          *opened.reader, tenant.id, request));
  auto record = restore::apply_plan(instance->database(), instance->objects(), *opened.reader,
                                    prepared.contents, prepared.plan, context.progress);
  if (!record.ok()) {
    auto error = std::move(record).error();
    error.hint += (error.hint.empty() ? "" : "; ") +
                  std::string("the tenant was made and is empty, so import under another name");
    return error;
  }
  auto document = outcome(*record, prepared.plan);
  document["tenant"] =
      json::object{{"id", tenant.id.str()}, {"name", tenant.name}, {"plan", options.plan}};
  context.output.document(document);
  context.output.line(fmt::format("tenant {} made ({}) with {} assets from {} verified entries",
                                  tenant.name, tenant.id.str(), prepared.plan.items.size(),
                                  verified.entries));
  context.output.line(
      fmt::format("  left to do: invite the owner; {} users are inactive until they are invited",
                  prepared.contents.users.size()));
  for (const auto& name : prepared.plan.credentials)
    context.output.line(fmt::format("  left to do: enter the credentials \"{}\"", name));
  return {};
}

}  // namespace oa::cli
