// The stable JSON form of plans and requests: for --json, for the record and for the hash.
#include <boost/json.hpp>

#include "oa/crypto/hash.h"
#include "oa/restore/plan.h"

namespace oa::restore {
namespace {

json::object asset_json(const AssetRef& asset) {
  return {{"kind", to_text(asset.kind)}, {"id", asset.id.str()}};
}

AssetRef read_asset(ObjectReader& reader) {
  AssetRef asset;
  const auto kind = parse_asset_kind(reader.text("kind"));
  if (kind.ok()) {
    asset.kind = *kind;
  } else {
    reader.fail("kind", "is not one of an asset");
  }
  asset.id = reader.id<ReportId>("id").uuid();
  return asset;
}

template <class Enum>
Enum read_enum(ObjectReader& reader, std::string_view name, std::initializer_list<Enum> values) {
  const std::string text = reader.text(name);
  for (const Enum value : values) {
    if (text == to_text(value)) return value;
  }
  reader.fail(name, "is not one of the known values");
  return *values.begin();
}

constexpr std::initializer_list<Mode> kModes = {Mode::kOverwrite, Mode::kFork, Mode::kSkip};

json::value digest_json(const std::optional<AssetDigest>& digest) {
  if (!digest.has_value()) return nullptr;
  return json::value(to_hex(*digest));
}

std::optional<AssetDigest> read_digest(ObjectReader& reader, std::string_view name) {
  const auto text = reader.optional_text(name);
  if (!text.has_value()) return std::nullopt;
  const auto bytes = from_hex(*text);
  AssetDigest digest{};
  if (!bytes.ok() || bytes->size() != digest.size()) {
    reader.fail(name, "is not a digest");
    return std::nullopt;
  }
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

template <class IdType>
json::value id_or_null(const std::optional<IdType>& id) {
  if (!id.has_value()) return nullptr;
  return json::value(id->str());
}

json::value number_or_null(const std::optional<std::uint64_t>& number) {
  if (!number.has_value()) return nullptr;
  return *number;
}

json::array texts_json(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

std::vector<std::string> read_texts(ObjectReader& reader, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& value : reader.array(name)) {
    if (value.is_string()) {
      texts.emplace_back(value.as_string());
    } else {
      reader.fail(name, "has an element that is no text");
    }
  }
  return texts;
}

template <class Ids>
json::array ids_json(const Ids& ids) {
  json::array array;
  for (const auto& id : ids) array.emplace_back(id.str());
  return array;
}

template <class IdType>
std::vector<IdType> read_ids(ObjectReader& reader, std::string_view name) {
  std::vector<IdType> ids;
  for (const auto& text : read_texts(reader, name)) {
    const auto id = IdType::parse(text);
    if (id.ok()) {
      ids.push_back(*id);
    } else {
      reader.fail(name, "has an element that is no UUID");
    }
  }
  return ids;
}

json::object users_json(const UserMapping& user) {
  return {{"id", user.archived.str()},
          {"target_id", user.target.str()},
          {"match", to_text(user.match)},
          {"create", user.create},
          {"digest", digest_json(user.digest)}};
}

json::object teams_json(const TeamMapping& team) {
  return {{"id", team.archived.str()},
          {"target_id", team.target.str()},
          {"create", team.create},
          {"digest", digest_json(team.digest)}};
}

Status read_people(ObjectReader& reader, Plan& plan) {
  for (const auto& value : reader.array("users")) {
    ObjectReader user(value, "plan.users");
    const auto match = read_enum<UserMatch>(
        user, "match",
        {UserMatch::kSameId, UserMatch::kSameEmail, UserMatch::kPlaceholder, UserMatch::kErased});
    plan.users.push_back({user.id<UserId>("id"), user.id<UserId>("target_id"), match,
                          user.boolean("create"), read_digest(user, "digest")});
    OA_TRY(user.finish());
  }
  for (const auto& value : reader.array("teams")) {
    ObjectReader team(value, "plan.teams");
    plan.teams.push_back({team.id<TeamId>("id"), team.id<TeamId>("target_id"),
                          team.boolean("create"), read_digest(team, "digest")});
    OA_TRY(team.finish());
  }
  return {};
}

}  // namespace

std::string_view to_text(Mode mode) {
  switch (mode) {
    case Mode::kOverwrite:
      return "overwrite";
    case Mode::kFork:
      return "fork";
    case Mode::kSkip:
      return "skip";
  }
  return {};
}

Result<Mode> parse_mode(std::string_view text) {
  for (const Mode mode : kModes) {
    if (text == to_text(mode)) return mode;
  }
  return make_error(ErrorCode::kInvalidArgument, "restore.mode",
                    "the mode is overwrite, fork or skip");
}

std::string_view to_text(Action action) {
  switch (action) {
    case Action::kCreate:
      return "create";
    case Action::kOverwrite:
      return "overwrite";
    case Action::kFork:
      return "fork";
    case Action::kSkip:
      return "skip";
    case Action::kIdentical:
      return "identical";
    case Action::kBlocked:
      return "blocked";
    case Action::kRemove:
      return "remove";
  }
  return {};
}

std::string_view to_text(RowsAction action) {
  switch (action) {
    case RowsAction::kNone:
      return "none";
    case RowsAction::kRestore:
      return "restore";
    case RowsAction::kKeepLive:
      return "keep-live";
    case RowsAction::kNeedsRefresh:
      return "needs-refresh";
  }
  return {};
}

std::string_view to_text(UserMatch match) {
  switch (match) {
    case UserMatch::kSameId:
      return "same-id";
    case UserMatch::kSameEmail:
      return "same-email";
    case UserMatch::kPlaceholder:
      return "placeholder";
    case UserMatch::kErased:
      return "erased";
  }
  return {};
}

json::value to_json(const PlanItem& item) {
  json::array needed_by;
  for (const auto& asset : item.needed_by) needed_by.push_back(asset_json(asset));
  return json::object{{"kind", to_text(item.source.kind)},
                      {"id", item.source.id.str()},
                      {"target_id", item.target_id.str()},
                      {"workspace_id", item.target_workspace.str()},
                      {"name", item.name},
                      {"renamed_from", item.renamed_from},
                      {"action", to_text(item.action)},
                      {"rows", to_text(item.rows)},
                      {"reason", item.reason},
                      {"brought", item.brought},
                      {"needed_by", std::move(needed_by)},
                      {"newer_here", item.newer_here},
                      {"before", digest_json(item.before)},
                      {"after", digest_json(item.after)},
                      {"rows_version", item.rows_version},
                      {"rows_before", number_or_null(item.rows_before)},
                      {"rows_after", number_or_null(item.rows_after)}};
}

Result<PlanItem> item_from_json(const json::value& value) {
  ObjectReader reader(value, "plan.item");
  PlanItem item;
  item.source = read_asset(reader);
  item.target_id = reader.id<ReportId>("target_id").uuid();
  item.target_workspace = reader.id<WorkspaceId>("workspace_id");
  item.name = reader.text("name");
  item.renamed_from = reader.text("renamed_from");
  item.action =
      read_enum<Action>(reader, "action",
                        {Action::kCreate, Action::kOverwrite, Action::kFork, Action::kSkip,
                         Action::kIdentical, Action::kBlocked, Action::kRemove});
  item.rows = read_enum<RowsAction>(
      reader, "rows",
      {RowsAction::kNone, RowsAction::kRestore, RowsAction::kKeepLive, RowsAction::kNeedsRefresh});
  item.reason = reader.text("reason");
  item.brought = reader.boolean("brought");
  for (const auto& element : reader.array("needed_by")) {
    ObjectReader asset(element, "plan.item.needed_by");
    item.needed_by.push_back(read_asset(asset));
    OA_TRY(asset.finish());
  }
  item.newer_here = reader.boolean("newer_here");
  item.before = read_digest(reader, "before");
  item.after = read_digest(reader, "after");
  item.rows_version = reader.text("rows_version");
  item.rows_before = reader.optional_unsigned("rows_before");
  item.rows_after = reader.optional_unsigned("rows_after");
  OA_TRY(reader.finish());
  return item;
}

json::value header_json(const Plan& plan) {
  json::array users, teams;
  for (const auto& user : plan.users) users.push_back(users_json(user));
  for (const auto& team : plan.teams) teams.push_back(teams_json(team));
  return json::object{
      {"restore_id", plan.id.str()},
      {"kind", catalog::to_text(plan.kind)},
      {"tenant_id", plan.tenant_id.str()},
      {"archive_id", plan.archive_id.str()},
      {"content_hash", plan.content_hash},
      {"signer", plan.signer},
      {"snapshot_time", plan.snapshot_time.rfc3339()},
      {"mode", to_text(plan.mode)},
      {"with_roles", plan.with_roles},
      {"leave_out_blocked", plan.leave_out_blocked},
      {"requested_by", id_or_null(plan.requested_by)},
      {"undoes", id_or_null(plan.undoes)},
      {"users", std::move(users)},
      {"teams", std::move(teams)},
      {"remove_users", ids_json(plan.remove_users)},
      {"remove_teams", ids_json(plan.remove_teams)},
      {"roles_restored_in", ids_json(plan.roles_restored)},
      {"grants_restored", plan.grants_restored},
      {"credentials_to_enter", texts_json(plan.credentials)},
      {"notes", texts_json(plan.notes)},
      {"quota", {{"assets", plan.quota.assets}, {"rows_bytes", plan.quota.rows_bytes}}}};
}

Result<Plan> plan_from_header(const json::value& header) {
  ObjectReader reader(header, "plan");
  Plan plan;
  plan.id = reader.id<RestoreId>("restore_id");
  plan.kind = read_enum<catalog::RestoreKind>(
      reader, "kind",
      {catalog::RestoreKind::kRestore, catalog::RestoreKind::kImport, catalog::RestoreKind::kUndo});
  plan.tenant_id = reader.id<TenantId>("tenant_id");
  plan.archive_id = reader.id<ArchiveId>("archive_id");
  plan.content_hash = reader.text("content_hash");
  plan.signer = reader.text("signer");
  plan.snapshot_time = reader.timestamp("snapshot_time");
  plan.mode = read_enum<Mode>(reader, "mode", kModes);
  plan.with_roles = reader.boolean("with_roles");
  plan.leave_out_blocked = reader.boolean("leave_out_blocked");
  plan.requested_by = reader.optional_id<UserId>("requested_by");
  plan.undoes = reader.optional_id<RestoreId>("undoes");
  OA_TRY(read_people(reader, plan));
  plan.remove_users = read_ids<UserId>(reader, "remove_users");
  plan.remove_teams = read_ids<TeamId>(reader, "remove_teams");
  for (const auto id : read_ids<WorkspaceId>(reader, "roles_restored_in"))
    plan.roles_restored.insert(id);
  plan.grants_restored = reader.boolean("grants_restored");
  plan.credentials = read_texts(reader, "credentials_to_enter");
  plan.notes = read_texts(reader, "notes");
  ObjectReader quota(reader.member("quota"), "plan.quota");
  plan.quota = {quota.unsigned_integer("assets"), quota.unsigned_integer("rows_bytes")};
  OA_TRY(quota.finish());
  OA_TRY(reader.finish());
  return plan;
}

std::string plan_hash(const Plan& plan) {
  Sha256 hash;
  const auto add_line = [&](const json::value& value) {
    hash.update(as_bytes(canonical_json(value)));
    hash.update(as_bytes("\n"));
  };
  add_line(header_json(plan));
  for (const auto& item : plan.items) add_line(to_json(item));
  return to_hex(hash.finish());
}

json::value to_json(const Request& request) {
  json::array assets, choices;
  for (const auto& asset : request.selection.assets) assets.push_back(asset_json(asset));
  for (const auto& [asset, mode] : request.choices) {
    json::object choice = asset_json(asset);
    choice["mode"] = to_text(mode);
    choices.push_back(std::move(choice));
  }
  return json::object{{"restore_id", request.id.str()},
                      {"kind", catalog::to_text(request.kind)},
                      {"everything", request.selection.everything},
                      {"assets", std::move(assets)},
                      {"mode", to_text(request.mode)},
                      {"choices", std::move(choices)},
                      {"with_roles", request.with_roles},
                      {"leave_out_blocked", request.leave_out_blocked},
                      {"all_people", request.all_people},
                      {"requested_by", id_or_null(request.requested_by)}};
}

Result<Request> request_from_json(const json::value& value) {
  ObjectReader reader(value, "request");
  Request request;
  request.id = reader.id<RestoreId>("restore_id");
  request.kind = read_enum<catalog::RestoreKind>(
      reader, "kind", {catalog::RestoreKind::kRestore, catalog::RestoreKind::kImport});
  request.selection.everything = reader.boolean("everything");
  for (const auto& element : reader.array("assets")) {
    ObjectReader asset(element, "request.assets");
    request.selection.assets.insert(read_asset(asset));
    OA_TRY(asset.finish());
  }
  request.mode = read_enum<Mode>(reader, "mode", kModes);
  for (const auto& element : reader.array("choices")) {
    ObjectReader choice(element, "request.choices");
    const AssetRef asset = read_asset(choice);
    request.choices[asset] = read_enum<Mode>(choice, "mode", kModes);
    OA_TRY(choice.finish());
  }
  request.with_roles = reader.boolean("with_roles");
  request.leave_out_blocked = reader.boolean("leave_out_blocked");
  request.all_people = reader.boolean("all_people");
  request.requested_by = reader.optional_id<UserId>("requested_by");
  OA_TRY(reader.finish());
  return request;
}

}  // namespace oa::restore
