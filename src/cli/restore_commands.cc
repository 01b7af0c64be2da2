#include "restore_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

namespace oa::cli {
namespace {

using restore::AssetRef;

Error not_an_asset(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, "restore", "an asset is written " + what)
      .with_hint(
          "for example report:01234567-89ab-4def-8123-456789abcdef; kinds are workspace, dataset, "
          "report, alert; modes overwrite, fork, skip");
}

Result<AssetRef> parse_asset(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return not_an_asset("KIND:ID");
  const auto kind = restore::parse_asset_kind(text.substr(0, colon));
  const auto id = Uuid::parse(text.substr(colon + 1));
  if (!kind.ok() || !id.ok()) return not_an_asset("KIND:ID");
  return AssetRef{*kind, *id};
}

Status add_choice(const std::string& text, restore::Request& request) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return not_an_asset("KIND:ID=MODE here");
  OA_ASSIGN(const auto asset, parse_asset(text.substr(0, equals)));
  OA_ASSIGN(request.choices[asset], restore::parse_mode(text.substr(equals + 1)));
  return {};
}

Result<restore::Request> request_of(const RestoreOptions& options) {
  restore::Request request;
  request.id = RestoreId::random();
  request.selection.everything = options.all;
  request.with_roles = options.with_roles;
  request.leave_out_blocked = options.leave_out_blocked;
  OA_ASSIGN(request.mode, restore::parse_mode(options.mode));
  for (const auto& text : options.assets) {
    OA_ASSIGN(const auto asset, parse_asset(text.substr(0, text.find('='))));
    request.selection.assets.insert(asset);
    if (text.find('=') != std::string::npos) OA_TRY(add_choice(text, request));
  }
  for (const auto& text : options.choices) OA_TRY(add_choice(text, request));
  if (options.all != request.selection.assets.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "restore",
                      "say what to restore: either --all or some --asset KIND:ID")
        .with_hint("`oa-backup archive ls ARCHIVE` shows what the archive holds");
  }
  return request;
}

// A tenant with what the restore engine needs of it.
struct Workplace {
  std::unique_ptr<instance::Instance> instance;
  catalog::Tenant tenant;
  SigningKey signer;
  std::vector<PublicKey> own_keys;
  std::unique_ptr<const restore::ErasedPeople> erased;

  restore::Engine engine() const {
    return {instance->database(), instance->objects(), tenant.id, signer, own_keys, erased.get()};
  }
};

Result<Workplace> open_workplace(const Context& context, const std::string& name) {
  OA_ASSIGN(auto instance, open_instance(context.options, false));
  OA_ASSIGN(auto tenant, instance->database().find_tenant(name));
  OA_ASSIGN(auto signer, instance->signing_key(tenant.id));
  OA_ASSIGN(auto keys, instance->own_keys(tenant.id));
  OA_ASSIGN(const auto* const ledger, instance->erasures().ledger());
  auto erased = std::make_unique<restore::ErasedByLedger>(instance->database(), *ledger);
  return Workplace{std::move(instance), std::move(tenant), std::move(signer), std::move(keys),
                   std::move(erased)};
}

Result<std::optional<UserId>> person(const Workplace& place, const std::string& as) {
  if (as.empty()) return std::optional<UserId>();
  OA_ASSIGN(auto snapshot,
            place.instance->database().begin(place.tenant.id, catalog::Isolation::kSnapshot));
  auto user = chosen_user(snapshot, as);
  if (user.ok()) return std::optional(*user);
  auto error = std::move(user).error();
  if (error.code == ErrorCode::kNotFound) error.hint = "name one with --as ID or --as EMAIL";
  return error;
}

Result<RestoreId> parse_restore(const std::string& text) {
  auto id = RestoreId::parse(text);
  if (id.ok()) return id;
  return make_error(ErrorCode::kInvalidArgument, "restore", "a restore is named by its id")
      .with_hint("`oa-backup restore list --tenant NAME` shows them");
}

Result<catalog::RestoreRecord> find_restore(const Workplace& place, const std::string& text) {
  OA_ASSIGN(const auto id, parse_restore(text));
  OA_ASSIGN(auto snapshot,
            place.instance->database().begin(place.tenant.id, catalog::Isolation::kSnapshot));
  return catalog::Restores(snapshot).get(id);
}

JsonText source_of(const std::string& archive) {
  if (is_archive_id(archive)) return JsonText::of(json::object{{"kind", "stored"}});
  std::error_code error;
  const auto path = std::filesystem::absolute(archive, error).string();
  return JsonText::of(json::object{{"kind", "file"}, {"path", is_utf8(path) ? path : ""}});
}

// A restore writes over what is there, so a person says yes with the tenant's name in view.
Status confirm_plan(const Context& context, bool kept, const catalog::Tenant& tenant,
                    std::size_t unseen) {
  if (unseen > 0) {
    context.output.line(fmt::format("{} lines that change something were not shown.", unseen));
  }
  return confirm(
      context.output, tenant, "to apply this plan",
      make_error(ErrorCode::kInvalidArgument, "restore", "nobody is there to confirm the plan")
          .with_hint(
              kept ? "look at the plan with `restore show`, then add --yes or --plan-hash HASH"
                   : "look at the plan with --dry-run, then add --yes"));
}

json::value id_or_null(const auto& id) {
  if (!id.has_value()) return nullptr;
  return json::value(id->str());
}

json::value moment_or_null(const std::optional<Timestamp>& moment) {
  if (!moment.has_value()) return nullptr;
  return json::value(moment->rfc3339());
}

json::object record_json(const catalog::RestoreRecord& record) {
  json::object object{{"id", record.id.str()},
                      {"kind", to_text(record.kind)},
                      {"state", to_text(record.state)},
                      {"archive_id", record.archive_id.str()},
                      {"content_hash", record.content_hash},
                      {"source", record.source.value()},
                      {"plan_hash", record.plan_hash},
                      {"counts", record.summary.value()},
                      {"item_count", record.item_count},
                      {"created_by", id_or_null(record.created_by)},
                      {"created_at", record.created_at.rfc3339()},
                      {"approved_by", id_or_null(record.approved_by)},
                      {"approved_at", moment_or_null(record.approved_at)},
                      {"applied_at", moment_or_null(record.applied_at)},
                      {"undo_archive_kept", record.undo_archive.has_value()},
                      {"undoes", id_or_null(record.undoes)},
                      {"undone_by", id_or_null(record.undone_by)}};
  object["last_failure"] =
      record.last_failure.has_value() ? json::value(*record.last_failure) : json::value(nullptr);
  return object;
}

std::string counts_text(const catalog::RestoreRecord& record) {
  std::string text;
  const json::value counts = record.summary.value();
  for (const auto& [action, count] : counts.as_object()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", canonical_json(count),
                        std::string_view(action));
  }
  std::ranges::replace(text, '_', ' ');
  return text;
}

// Where a plan of more lines than are shown can be read whole.
std::string kept_lines(const restore::PreparedRestore& prepared, const catalog::Tenant& tenant) {
  return fmt::format("oa-backup restore show {} --tenant {} --limit {}", prepared.plan.id.str(),
                     shell_word(tenant), prepared.plan.items.size());
}

std::string more_lines(const restore::PreparedRestore& prepared) {
  return fmt::format("--limit {} shows all, before you confirm", prepared.plan.items.size());
}

std::string trust_words(const TrustOptions& trust) {
  std::string words;
  for (const auto& file : trust.key_files) words += " --trust " + shell_word(file);
  for (const auto& key : trust.keys) words += " --trust-key " + shell_word(key);
  for (const auto& print : trust.fingerprints) words += " --accept-signer " + shell_word(print);
  return words;
}

std::string apply_command(const catalog::RestoreRecord& record, const catalog::Tenant& tenant,
                          const TrustOptions& trust) {
  return fmt::format("oa-backup restore apply {} --tenant {}{} --plan-hash {}", record.id.str(),
                     shell_word(tenant), trust_words(trust), record.plan_hash);
}

// Asks, applies and tells. The plan was shown. `source`: of a plan that is not kept yet.
Status approve_and_apply(const Context& context, const Workplace& place,
                         const RestoreOptions& options, const restore::PreparedRestore& prepared,
                         PlanPrinter& printer, const JsonText* source) {
  OA_TRY(restore::check_applicable(prepared.plan));
  const auto engine = place.engine();
  const std::string& hash = prepared.hash;
  if (!options.plan_hash.empty() && options.plan_hash != hash) {
    return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                      "what was approved is another plan")
        .with_hint("look at this plan and approve its hash");
  }
  if (!options.yes && options.plan_hash.empty())
    OA_TRY(confirm_plan(context, source == nullptr, place.tenant, printer.unseen()));
  OA_ASSIGN(const auto user, person(place, options.as));
  OA_TRY(printer.keep_differences(prepared));
  if (source != nullptr) OA_TRY(restore::save_plan(engine, prepared, *source));
  OA_ASSIGN(const auto record,
            restore::apply_plan(engine, prepared, {hash, user}, context.progress));
  const std::size_t not_kept = restore::rows_not_kept(record);
  return tell_applied(record.id, place.tenant, [&]() -> Status {
    OA_TRY(printer.document(prepared, {{"restore_id", record.id.str()},
                                       {"applied_at", moment_or_null(record.applied_at)},
                                       {"rows_not_kept", not_kept}}));
    context.output.line(fmt::format("restore {} applied", record.id.str()));
    if (not_kept > 0) {
      context.output.line(
          fmt::format("  datasets whose rows were lost or damaged before: {}; an undo does not "
                      "bring those back",
                      not_kept));
    }
    context.output.line(fmt::format("  take it back with: oa-backup restore undo {} --tenant {}",
                                    record.id.str(), shell_word(place.tenant)));
    return {};
  });
}

// Applying again changes nothing, and another plan was not applied.
Status tell_applied_before(const Context& context, const Workplace& place,
                           const RestoreOptions& options, const catalog::RestoreRecord& record) {
  if (!options.plan_hash.empty() && options.plan_hash != record.plan_hash) {
    return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                      "the restore was applied with another plan than the approved one")
        .with_hint(fmt::format("`oa-backup restore show {} --tenant {}` shows what was applied",
                               record.id.str(), shell_word(place.tenant)));
  }
  return tell_applied(record.id, place.tenant, [&]() -> Status {
    json::object document = record_json(record);
    document["restore_id"] = record.id.str();
    context.output.document(document);
    context.output.line(fmt::format("restore {} was applied at {}; nothing to do", record.id.str(),
                                    record.applied_at->rfc3339()));
    return {};
  });
}

// The archive of a kept plan: where `options` say, else where it was.
Result<NamedArchive> open_again(const Workplace& place, const catalog::RestoreRecord& record,
                                const RestoreOptions& options) {
  const json::value source = record.source.value();
  std::string archive = options.archive;
  if (archive.empty() && source.at("kind").as_string() == "file")
    archive = std::string(source.at("path").as_string());
  if (archive.empty()) archive = record.archive_id.str();
  auto opened = open_archive(archive, place.instance.get(), &place.tenant, options.trust);
  if (opened.ok() || !options.archive.empty() || opened.error().code != ErrorCode::kNotFound)
    return opened;
  return std::move(opened).error().with_hint(
      "when the archive was moved, name it with --archive FILE");
}

}  // namespace

Status run_restore_plan(const Context& context, const RestoreOptions& options) {
  OA_ASSIGN(auto request, request_of(options));
  OA_ASSIGN(const auto place, open_workplace(context, options.tenant));
  OA_ASSIGN(request.requested_by, person(place, options.as));
  OA_ASSIGN(const auto opened,
            open_archive(options.archive, place.instance.get(), &place.tenant, options.trust));
  const auto engine = place.engine();
  OA_ASSIGN(const auto prepared,
            restore::prepare_restore(engine, *opened.reader, request, context.progress));
  OA_ASSIGN(const auto record, restore::save_plan(engine, prepared, source_of(options.archive)));
  PlanPrinter printer(context, engine, options);
  OA_TRY(printer.show(prepared, place.tenant.name, kept_lines(prepared, place.tenant)));
  OA_TRY(printer.document(prepared, {{"restore_id", record.id.str()}}));
  context.output.line("  apply it with: " + apply_command(record, place.tenant, options.trust));
  return {};
}

Status run_restore_run(const Context& context, const RestoreOptions& options) {
  OA_ASSIGN(auto request, request_of(options));
  OA_ASSIGN(const auto place, open_workplace(context, options.tenant));
  OA_ASSIGN(request.requested_by, person(place, options.as));
  OA_ASSIGN(const auto opened,
            open_archive(options.archive, place.instance.get(), &place.tenant, options.trust));
  const auto engine = place.engine();
  OA_ASSIGN(const auto prepared,
            restore::prepare_restore(engine, *opened.reader, request, context.progress));
  PlanPrinter printer(context, engine, options);
  OA_TRY(printer.show(prepared, place.tenant.name, more_lines(prepared)));
  if (options.dry_run) return printer.document(prepared, {});
  const JsonText source = source_of(options.archive);
  return approve_and_apply(context, place, options, prepared, printer, &source);
}

Status run_restore_apply(const Context& context, const RestoreOptions& options) {
  OA_ASSIGN(const auto place, open_workplace(context, options.tenant));
  OA_ASSIGN(const auto record, find_restore(place, options.restore));
  if (record.state == catalog::RestoreState::kApplied)
    return tell_applied_before(context, place, options, record);
  const auto engine = place.engine();
  NamedArchive opened;
  if (record.kind != catalog::RestoreKind::kUndo) {
    OA_ASSIGN(opened, open_again(place, record, options));
  }
  OA_ASSIGN(const auto prepared,
            restore::reopen_plan(engine, record, opened.reader.get(), context.progress));
  PlanPrinter printer(context, engine, options);
  if (!options.yes && options.plan_hash.empty())
    OA_TRY(printer.show(prepared, place.tenant.name, kept_lines(prepared, place.tenant)));
  return approve_and_apply(context, place, options, prepared, printer, nullptr);
}

Status run_restore_undo(const Context& context, const RestoreOptions& options) {
  OA_ASSIGN(const auto undoes, parse_restore(options.restore));
  OA_ASSIGN(const auto place, open_workplace(context, options.tenant));
  OA_ASSIGN(const auto user, person(place, options.as));
  const auto engine = place.engine();
  OA_ASSIGN(const auto prepared,
            restore::prepare_undo(engine,
                                  {RestoreId::random(), undoes, options.discard_edits, user,
                                   options.leave_out_blocked},
                                  context.progress));
  PlanPrinter printer(context, engine, options);
  OA_TRY(printer.show(prepared, place.tenant.name, more_lines(prepared)));
  if (options.dry_run) return printer.document(prepared, {});
  const JsonText source = JsonText::of(json::object{{"kind", "undo"}});
  return approve_and_apply(context, place, options, prepared, printer, &source);
}

Status run_restore_list(const Context& context, const RestoreOptions& options) {
  OA_ASSIGN(const auto place, open_workplace(context, options.tenant));
  OA_ASSIGN(auto snapshot,
            place.instance->database().begin(place.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto records, catalog::Restores(snapshot).list(options.limit));
  json::array data;
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : records) {
    data.push_back(record_json(record));
    rows.push_back({record.id.str(), std::string(to_text(record.kind)),
                    std::string(to_text(record.state)), record.created_at.rfc3339(),
                    counts_text(record)});
  }
  context.output.document(json::object{{"data", std::move(data)}});
  context.output.table(
      {"id", "kind", "state", "planned at", "assets"}, rows,
      "no restores yet; `oa-backup restore plan ARCHIVE --tenant NAME --all` plans one");
  return {};
}

Status run_restore_show(const Context& context, const RestoreOptions& options) {
  OA_ASSIGN(const auto place, open_workplace(context, options.tenant));
  OA_ASSIGN(const auto record, find_restore(place, options.restore));
  catalog::Restores::ItemFilter filter;
  filter.action = options.action;
  filter.kind = options.kind;
  if (!options.assets.empty()) {
    OA_ASSIGN(const auto asset, parse_asset(options.assets.back()));
    filter.kind = restore::to_text(asset.kind);
    filter.asset = asset.id;
  }
  OA_ASSIGN(auto snapshot,
            place.instance->database().begin(place.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto items,
            catalog::Restores(snapshot).items(record.id, {}, options.limit, filter));
  json::object document = record_json(record);
  json::value plan = record.plan.value();
  json::array lines;
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : items) {
    const json::value line = item.document.value();
    rows.push_back({item.action, item.kind, item.target_id.str(), item.name,
                    std::string(line.at("reason").as_string())});
    lines.push_back(line);
  }
  plan.as_object()["items"] = std::move(lines);
  document["plan"] = std::move(plan);
  context.output.document(document);
  context.output.line(fmt::format("{} {}: {}, planned at {}", to_text(record.kind), record.id.str(),
                                  to_text(record.state), record.created_at.rfc3339()));
  if (record.applied_at.has_value())
    context.output.line("applied at " + record.applied_at->rfc3339());
  if (record.last_failure.has_value())
    context.output.line("the last attempt to apply it failed: " + *record.last_failure);
  context.output.line(counts_text(record));
  context.output.table({"action", "kind", "id", "name", "why"}, rows,
                       record.item_count == 0 ? "nothing to do" : "no such line");
  if (record.item_count > items.size() && items.size() == options.limit) {
    context.output.line(fmt::format("{} lines shown, the plan has {}: --limit {} shows all",
                                    items.size(), record.item_count, record.item_count));
  }
  return {};
}

Status run_restore_sweep(const Context& context, const RestoreOptions& options) {
  OA_ASSIGN(const auto place, open_workplace(context, options.tenant));
  OA_ASSIGN(const auto report, restore::sweep(place.engine(), Timestamp::now()));
  context.output.document(json::object{{"interrupted_restores", report.restores},
                                       {"objects_removed", report.objects},
                                       {"undo_archives_removed", report.undo_archives}});
  context.output.line(fmt::format(
      "{} interrupted restores, {} objects of theirs removed, {} undo archives older than {} days "
      "removed",
      report.restores, report.objects, report.undo_archives, restore::kUndoDays));
  return {};
}

}  // namespace oa::cli
