// Restores: compared, planned, looked at, applied, taken back.
#include <algorithm>

#include "access.h"
#include "documents.h"
#include "operation.h"
#include "paging.h"

namespace oa::api {
namespace {

constexpr std::size_t kMaxAssets = 20'000;

// What everything is to an Admin; none of them for an Owner, to whom it is all.
std::vector<WorkspaceId> managed_workspaces(const accounts::Identity& who) {
  if (who.owner) return {};
  return {who.admin_of.begin(), who.admin_of.end()};
}

Result<http::Response> compare_archive(TenantCall& call) {
  OA_ASSIGN(const auto record, archive_of(call));
  const operations::CompareArchive operation{record.id, managed_workspaces(call.who)};
  OA_ASSIGN(const auto job, call.start(operation));
  return job_response(call, job);
}

Result<http::Response> list_restores(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<catalog::Archives::After> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_position(*page.after));
  }
  const auto only = call.who.owner ? std::optional<UserId>() : std::optional(call.who.user);
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(auto records, catalog::Restores(snapshot).page(only, after, page.limit + 1));
  std::optional<std::string> next;
  if (records.size() > page.limit) {
    records.pop_back();
    next = position_of(records.back().created_at, records.back().id.uuid());
  }
  People people(snapshot);
  json::array data;
  for (const auto& record : records) data.push_back(restore_document(record, people));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> get_restore(TenantCall& call) {
  OA_ASSIGN(const auto record, restore_of(call));
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  return json_response(200, restore_document(record, people));
}

restore::AssetRef read_asset(ObjectReader& reader) {
  restore::AssetRef asset;
  const auto kind = restore::parse_asset_kind(reader.text("kind"));
  if (kind.ok())
    asset.kind = *kind;
  else
    reader.fail("kind", "is workspace, dataset, report or alert");
  asset.id = reader.id<ReportId>("id").uuid();
  return asset;
}

restore::Mode read_mode(ObjectReader& reader) {
  const auto mode = restore::parse_mode(reader.text("mode"));
  if (mode.ok()) return *mode;
  reader.fail("mode", "is overwrite, fork or skip");
  return restore::Mode::kSkip;
}

Status read_selection(ObjectReader& reader, restore::Request& request) {
  if (reader.find("everything") != nullptr)
    request.selection.everything = reader.boolean("everything");
  if (reader.find("assets") != nullptr) {
    const auto& assets = reader.array("assets");
    if (assets.size() > kMaxAssets) reader.fail("assets", "names more than 20000");
    for (const auto& element : assets) {
      ObjectReader asset(element, "body.assets");
      request.selection.assets.insert(read_asset(asset));
      OA_TRY(asset.finish());
    }
  }
  if (reader.find("choices") != nullptr) {
    const auto& choices = reader.array("choices");
    if (choices.size() > kMaxAssets) reader.fail("choices", "names more than 20000");
    for (const auto& element : choices) {
      ObjectReader choice(element, "body.choices");
      const auto asset = read_asset(choice);
      request.choices[asset] = read_mode(choice);
      OA_TRY(choice.finish());
    }
  }
  return {};
}

Result<http::Response> plan_restore(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  operations::PlanRestore operation;
  operation.archive = reader.id<ArchiveId>("archive_id");
  auto& request = operation.request;
  OA_TRY(read_selection(reader, request));
  if (reader.find("mode") != nullptr) request.mode = read_mode(reader);
  if (reader.find("with_roles") != nullptr) request.with_roles = reader.boolean("with_roles");
  if (reader.find("leave_out_blocked") != nullptr)
    request.leave_out_blocked = reader.boolean("leave_out_blocked");
  OA_TRY(reader.finish());
  if (request.selection.everything != request.selection.assets.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "request",
                      "say what to restore: everything, or some assets")
        .with_hint("send either `everything` or `assets`");
  }
  OA_TRY(visible_archive(call, operation.archive));
  operation.workspaces = managed_workspaces(call.who);
  OA_ASSIGN(const auto job, call.start(operation));
  return job_response(call, job);
}

bool is_action(std::string_view text) {
  using enum restore::Action;
  const auto all = {kCreate, kOverwrite, kFork, kSkip, kIdentical, kBlocked, kRemove};
  return std::any_of(all.begin(), all.end(),
                     [&](restore::Action action) { return restore::to_text(action) == text; });
}

// What of the query narrows the items down. Borrows the request.
Result<catalog::Restores::ItemFilter> item_filter(const http::Request& request) {
  const auto text = [&](const char* name) -> std::string_view {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string_view() : found->second;
  };
  const auto refused = [](const char* what) {
    return make_error(ErrorCode::kInvalidArgument, "request", what);
  };
  catalog::Restores::ItemFilter filter;
  filter.kind = text("kind");
  filter.action = text("action");
  filter.name_part = text("q");
  if (request.query.contains("kind") && !restore::parse_asset_kind(filter.kind).ok())
    return refused("kind is workspace, dataset, report or alert");
  if (request.query.contains("action") && !is_action(filter.action))
    return refused("action is create, overwrite, fork, skip, identical, blocked or remove");
  if (filter.name_part.size() > 200) return refused("q has at most 200 bytes");
  if (request.query.contains("workspace_id")) {
    OA_ASSIGN(filter.workspace, Uuid::parse(text("workspace_id")));
  }
  return filter;
}

Result<http::Response> list_items(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  OA_ASSIGN(const auto record, restore_of(call));
  std::optional<std::uint64_t> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_ordinal(*page.after));
  }
  OA_ASSIGN(const auto filter, item_filter(*call.arrived.request));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(auto items,
            catalog::Restores(snapshot).items(record.id, after, page.limit + 1, filter));
  std::optional<std::string> next;
  if (items.size() > page.limit) {
    items.pop_back();
    next = std::to_string(items.back().ordinal);
  }
  json::array data;
  for (const auto& item : items) {
    json::value document = item.document.value();
    for (const char* hashed : {"before", "after", "rows_version"})
      document.as_object().erase(hashed);
    data.push_back(std::move(document));
  }
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

template <class Record>
Result<std::optional<WorkspaceId>> workspace_in(const Result<Record>& record) {
  if (record.ok()) return std::optional(record->workspace_id);
  if (record.error().code == ErrorCode::kNotFound) return std::optional<WorkspaceId>();
  return record.error();
}

// Where the asset is in the tenant now; none: nowhere.
Result<std::optional<WorkspaceId>> live_workspace(catalog::TenantTransaction& tx,
                                                  const restore::AssetRef& asset) {
  switch (asset.kind) {
    case restore::AssetKind::kWorkspace:
      return std::optional(WorkspaceId(asset.id));
    case restore::AssetKind::kDataset:
      return workspace_in(catalog::Datasets(tx).get(DatasetId(asset.id)));
    case restore::AssetKind::kReport:
      return workspace_in(catalog::Reports(tx).get(ReportId(asset.id)));
    case restore::AssetKind::kAlert:
      return workspace_in(catalog::Alerts(tx).get(AlertId(asset.id)));
  }
  return std::optional<WorkspaceId>();
}

// An asset of the plan, and of a workspace that the caller manages: a plan also lists what it blocks.
Status may_be_compared(TenantCall& call, RestoreId restore, const restore::AssetRef& asset) {
  catalog::Restores::ItemFilter filter;
  filter.kind = restore::to_text(asset.kind);
  filter.asset = asset.id;
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto items, catalog::Restores(snapshot).items(restore, std::nullopt, 2, filter));
  const bool planned = std::any_of(items.begin(), items.end(), [&](const auto& item) {
    return item.source_id == asset.id;
  });
  OA_ASSIGN(const auto workspace, live_workspace(snapshot, asset));
  if (planned && (!workspace.has_value() || call.who.admin_in(*workspace))) return {};
  return make_error(ErrorCode::kNotFound, "restore.differences", "the plan has no such asset")
      .with_hint("look at the list of what the plan does");
}

Result<http::Response> item_differences(TenantCall& call) {
  OA_ASSIGN(const auto record, restore_of(call));
  const auto kind = restore::parse_asset_kind(call.arrived.path.find("kind")->second);
  if (!kind.ok()) return make_error(ErrorCode::kNotFound, "request", "there is no such kind");
  OA_ASSIGN(const auto id, call.id<ReportId>("asset_id"));
  const restore::AssetRef asset{*kind, id.uuid()};
  OA_TRY(may_be_compared(call, record.id, asset));
  OA_ASSIGN(const auto differences,
            call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
              return operations::item_differences(instance, tenant, record, asset);
            }));
  return json_response(200, restore::to_json(differences));
}

Result<http::Response> apply_restore(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const auto hash = reader.text("plan_hash");
  if (hash.size() != 2 * sizeof(Sha256Digest) || !from_hex(hash).ok())
    reader.fail("plan_hash", "has 64 hex digits");
  OA_TRY(reader.finish());
  OA_ASSIGN(const auto record, restore_of(call));
  if (hash != record.plan_hash) {
    return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                      "what was approved is another plan")
        .with_hint("look at this plan and approve its hash");
  }
  OA_ASSIGN(const auto job, call.start(operations::ApplyRestore{record.id, hash}));
  return job_response(call, job);
}

Result<http::Response> plan_undo(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  operations::PlanUndo operation;
  if (reader.find("discard_edits") != nullptr)
    operation.discard_edits = reader.boolean("discard_edits");
  if (reader.find("leave_out_blocked") != nullptr)
    operation.leave_out_blocked = reader.boolean("leave_out_blocked");
  OA_TRY(reader.finish());
  OA_ASSIGN(const auto record, restore_of(call));
  operation.restore = record.id;
  OA_ASSIGN(const auto job, call.start(operation));
  return job_response(call, job);
}

constexpr std::size_t kSmall = 4 << 10;
constexpr std::size_t kSelection = 8 << 20;
using enum accounts::Scope;
using enum Repeats;
constexpr Operation kOperations[] = {
    {"compareArchive", "POST", "/v1/archives/{archive_id}/compare",
     TenantHandler(compare_archive), Right::kBackup, kRestore, 0,
     kRememberedInside},
    {"listRestores", "GET", "/v1/restores", TenantHandler(list_restores), Right::kBackup,
     kRestore},
    {"planRestore", "POST", "/v1/restores", TenantHandler(plan_restore), Right::kBackup, kRestore,
     kSelection,
     kRememberedInside},
    {"getRestore", "GET", "/v1/restores/{restore_id}", TenantHandler(get_restore), Right::kBackup,
     kRestore},
    {"listRestoreItems", "GET", "/v1/restores/{restore_id}/items", TenantHandler(list_items),
     Right::kBackup, kRestore},
    {"restoreItemDifferences", "GET",
     "/v1/restores/{restore_id}/items/{kind}/{asset_id}/differences",
     TenantHandler(item_differences), Right::kBackup, kRestore, 0, {}, true},
    {"applyRestore", "POST", "/v1/restores/{restore_id}/apply", TenantHandler(apply_restore),
     Right::kBackup, kRestore, kSmall,
     kRememberedInside},
    {"planUndo", "POST", "/v1/restores/{restore_id}/undo", TenantHandler(plan_undo),
     Right::kBackup, kRestore, kSmall,
     kRememberedInside},
};

}  // namespace

std::span<const Operation> restore_operations() { return kOperations; }

}  // namespace oa::api
