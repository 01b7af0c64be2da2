// A tenant made out of an archive.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "commands.h"
#include "oa/restore/engine.h"

namespace oa::cli {
namespace {

constexpr std::size_t kMaxEmailBytes = 254;  // RFC 5321
constexpr std::size_t kMaxNamedDatasets = 10;

Status check_email(const std::string& text) {
  const auto at = text.find('@');
  const bool plain =
      std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (plain && at != 0 && at != std::string::npos && at + 1 < text.size() &&
      text.size() <= kMaxEmailBytes) {
    return {};
  }
  return make_error(ErrorCode::kInvalidArgument, "tenant.import", "--owner takes an e-mail address")
      .with_hint("for example --owner ada@example.com");
}

// The archive's person of that address, or somebody new.
catalog::User owner_of(const restore::Contents& contents, const std::string& email) {
  for (const auto& [id, user] : contents.users) {
    if (catalog::same_email(user.email, email)) return user;
  }
  catalog::User owner;
  owner.id = UserId::random();
  owner.email = email;
  owner.created_at = Timestamp::now();
  return owner;
}

// Read and planned before the tenant is made: an archive that cannot be imported leaves nothing
// behind. Returns who the owner will be.
Result<catalog::User> check_importable(const Context& context, const archive::ArchiveReader& reader,
                                       const restore::Request& request, catalog::Plan plan,
                                       const std::string& email) {
  OA_ASSIGN(const auto contents,
            restore::read_contents(reader, request.selection, context.progress));
  restore::LiveState blank;
  blank.plan = plan;
  OA_ASSIGN(const auto planned, restore::make_plan(contents, blank, request));
  OA_TRY(restore::check_applicable(planned));
  return owner_of(contents, email);
}

// What an archive cannot bring, so that somebody has to.
struct LeftToDo {
  std::size_t invitations = 0;           // beside the owner's
  std::vector<std::string> credentials;  // names of secrets
  std::vector<std::string> originals;    // names of datasets whose file has to be uploaded again
  std::size_t refreshes = 0;             // datasets without rows
};

LeftToDo left_to_do(const restore::PreparedRestore& prepared, const std::string& owner) {
  LeftToDo left;
  left.credentials = prepared.plan.credentials;
  for (const auto& [id, user] : prepared.contents.users)
    left.invitations += catalog::same_email(user.email, owner) ? 0 : 1;
  for (const auto& item : prepared.plan.items) {
    if (item.source.kind != restore::AssetKind::kDataset || !restore::writes(item)) continue;
    const auto& dataset = prepared.contents.datasets.at(DatasetId(item.source.id)).record;
    left.refreshes += item.rows == restore::RowsAction::kNeedsRefresh ? 1 : 0;
    if (dataset.mode == catalog::DatasetMode::kImport && !dataset.source_ref.has_value())
      left.originals.push_back(item.name);
  }
  return left;
}

json::object to_json(const LeftToDo& left) {
  return {{"invite_owner", true},
          {"invite_users", left.invitations},
          {"enter_credentials", json::value_from(left.credentials)},
          {"upload_originals", json::value_from(left.originals)},
          {"refresh_datasets", left.refreshes}};
}

void show(const Context& context, const LeftToDo& left, const std::string& owner) {
  context.output.line("Left to do:");
  context.output.line(fmt::format("  invite the owner, {}", owner));
  if (left.invitations > 0)
    context.output.line(
        fmt::format("  invite {} users, who are inactive until then", left.invitations));
  for (const auto& name : left.credentials)
    context.output.line(fmt::format("  enter the credentials \"{}\"", name));
  for (std::size_t i = 0; i < std::min(left.originals.size(), kMaxNamedDatasets); ++i)
    context.output.line(fmt::format(
        "  upload the original of dataset {} again, before it is refreshed", left.originals[i]));
  if (left.originals.size() > kMaxNamedDatasets)
    context.output.line(
        fmt::format("  and of {} datasets more", left.originals.size() - kMaxNamedDatasets));
  if (left.refreshes > 0)
    context.output.line(fmt::format("  refresh {} datasets, which have no rows", left.refreshes));
}

restore::ArchiveSource source_of(const ImportOptions& options,
                                 const std::optional<catalog::Tenant>& from) {
  if (is_archive_id(options.archive)) {
    return JsonText::of(json::object{{"kind", "stored"}, {"tenant_id", from->id.str()}});
  }
  std::error_code error;
  const auto path = std::filesystem::absolute(options.archive, error).string();
  return JsonText::of(json::object{{"kind", "file"}, {"path", is_utf8(path) ? path : ""}});
}

// Refused when another import of the name was first.
Result<catalog::RestoreRecord> fill(const restore::Engine& engine,
                                    const archive::ArchiveReader& reader,
                                    const restore::Request& request,
                                    const restore::ArchiveSource& source, Progress& progress,
                                    std::optional<restore::PreparedRestore>& prepared) {
  OA_ASSIGN(prepared, restore::prepare_restore(engine, reader, request, progress,
                                               restore::Verify::kNothingMore));
  if (!prepared->live.workspaces.empty()) {
    return make_error(ErrorCode::kAlreadyExists, "tenant.import",
                      "something else was put into the tenant meanwhile");
  }
  OA_TRY(restore::save_plan(engine, *prepared, source));
  return restore::apply_plan(engine, *prepared, {prepared->hash, std::nullopt}, progress);
}

}  // namespace

Status run_tenant_import(const Context& context, const ImportOptions& options) {
  OA_ASSIGN(const auto plan, catalog::parse_text<catalog::Plan>(options.plan));
  OA_TRY(check_email(options.owner));
  OA_ASSIGN(const auto instance, open_instance(context.options, true));
  std::optional<catalog::Tenant> from;
  if (!options.from_tenant.empty()) {
    OA_ASSIGN(from, instance->database().find_tenant(options.from_tenant));
  }
  OA_ASSIGN(const auto opened,
            open_archive(options.archive, instance.get(), from.has_value() ? &*from : nullptr,
                         options.trust, "--from-tenant"));
  const auto source = source_of(options, from);
  OA_TRY(instance->check_blank_tenant(options.name, plan, options.owner));
  OA_ASSIGN(const auto verified, opened.reader->verify({}, context.progress));
  restore::Request request;
  request.id = RestoreId::random();
  request.kind = catalog::RestoreKind::kImport;
  request.selection.everything = true;
  request.with_roles = request.all_people = true;
  request.leave_out_blocked = options.leave_out_blocked;
  OA_ASSIGN(const auto owner,
            check_importable(context, *opened.reader, request, plan, options.owner));
  OA_ASSIGN(const auto blank, instance->blank_tenant(options.name, plan, owner));
  OA_ASSIGN(const auto signer, instance->signing_key(blank.tenant.id));
  OA_ASSIGN(auto own_keys, instance->own_keys(blank.tenant.id));
  OA_ASSIGN(const auto* const ledger, instance->erasures().ledger());
  const restore::ErasedByLedger erased(instance->database(), *ledger);
  const restore::Engine engine{instance->database(), instance->objects(),
                               blank.tenant.id,      signer,
                               std::move(own_keys),  &erased};
  std::optional<restore::PreparedRestore> prepared;
  auto record = fill(engine, *opened.reader, request, source, context.progress, prepared);
  if (!record.ok()) {
    auto error = std::move(record).error();
    const auto still_blank = instance->check_blank_tenant(options.name, plan, options.owner);
    if (still_blank.ok()) {
      error.hint += (error.hint.empty() ? "" : "; ") +
                    std::string("the tenant is there and blank: the same command goes on with it");
    } else {
      error.hint = fmt::format(
          "the tenant was filled meanwhile: look at it with `oa-backup tenant show {}`, or choose "
          "another name",
          shell_word(blank.tenant));
    }
    return error;
  }
  const LeftToDo left = left_to_do(*prepared, options.owner);
  return tell_applied(record->id, blank.tenant, [&]() -> Status {
    context.output.document(json::object{
        {"restore_id", record->id.str()},
        {"applied_at", record->applied_at->rfc3339()},
        {"plan_hash", record->plan_hash},
        {"counts", record->summary.value()},
        {"tenant",
         json::object{
             {"id", blank.tenant.id.str()}, {"name", blank.tenant.name}, {"plan", options.plan}}},
        {"owner", json::object{{"id", blank.owner.str()}, {"email", options.owner}}},
        {"resumed", !blank.made},
        {"left_to_do", to_json(left)}});
    context.output.line(fmt::format("tenant {} {} ({}) with {} assets from {} verified entries",
                                    blank.tenant.name, blank.made ? "made" : "filled",
                                    blank.tenant.id.str(), prepared->plan.items.size(),
                                    verified.entries));
    show(context, left, options.owner);
    return {};
  });
}

}  // namespace oa::cli
