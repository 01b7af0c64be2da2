#include "random_tenant.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

namespace oa::testkit {
namespace {

using catalog::PrincipalKind;
using restore::AssetKind;
using restore::AssetRef;
using restore::Mode;

constexpr std::size_t kFewestAssets = 6, kMostAssets = 14;
constexpr const char* kNames[] = {
    "Sales", "Sales (restored)", "Sales (restored 2)", "Ops", "Ops", "a \"b\"", "Zürich", ""};
constexpr const char* kAddresses[] = {
    "ada@demo.example", "ADA@Demo.example", "grace@demo.example", "grace@DEMO.example",
    "ä@demo.example",   "Ä@demo.example",   "alan@demo.example",  "barbara@demo.example"};
constexpr const char* kTeams[] = {"Analysts", "Finance", "analysts", "Night shift"};
constexpr catalog::DatasetState kSettled[] = {
    catalog::DatasetState::kCreated, catalog::DatasetState::kReady, catalog::DatasetState::kError,
    catalog::DatasetState::kPaused};

// As the database compares addresses.
std::string folded(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

std::size_t asset_count(const TenantState& state) {
  return state.datasets.size() + state.reports.size() + state.alerts.size();
}

bool reads(const TenantState& state, DatasetId dataset, std::optional<WorkspaceId> not_in) {
  const auto counts = [&](WorkspaceId home) { return !not_in || home != *not_in; };
  for (const auto& [id, alert] : state.alerts) {
    if (counts(alert.workspace_id) && alert.dataset_id == dataset) return true;
  }
  for (const auto& [id, report] : state.reports) {
    for (const auto& visual : report.visuals) {
      if (counts(report.workspace_id) && visual.dataset_id == dataset) return true;
    }
  }
  return false;
}

}  // namespace

RandomTenant::RandomTenant(std::uint64_t seed, GiveRows give_rows)
    : engine_(seed), tables_(seed), give_rows_(std::move(give_rows)), owner_(uuid()) {}

Uuid RandomTenant::uuid() {
  Uuid::Raw raw{};
  for (auto& byte : raw) byte = static_cast<std::uint8_t>(below(256));
  return Uuid(raw);
}

std::string RandomTenant::name() { return kNames[below(std::size(kNames))]; }

Timestamp RandomTenant::moment() {
  return {1'700'000'000'000'000 + static_cast<std::int64_t>(below(100'000'000'000'000))};
}

catalog::User RandomTenant::user() {
  catalog::User user;
  user.id = UserId(uuid());
  user.email = kAddresses[below(std::size(kAddresses))];
  user.first_name = name();
  user.last_name = name();
  user.attributes = JsonText::of(json::object{{"region", name()}});
  user.active = !one_in(4);
  user.created_at = moment();
  return user;
}

catalog::Team RandomTenant::team(const TenantState& state) {
  catalog::Team team;
  team.id = TeamId(uuid());
  team.name = kTeams[below(std::size(kTeams))];
  for (const auto& [id, user] : state.users) {
    if (one_in(3)) team.members.push_back(id);
  }
  team.created_at = moment();
  return team;
}

std::vector<catalog::RoleGrant> RandomTenant::grants(const TenantState& state,
                                                     catalog::Role highest) {
  const auto role = [&] {
    return static_cast<catalog::Role>(below(static_cast<std::uint64_t>(highest) + 1));
  };
  std::vector<catalog::RoleGrant> grants;
  for (const auto& [id, user] : state.users) {
    if (one_in(3)) grants.push_back({PrincipalKind::kUser, id.uuid(), role()});
  }
  for (const auto& [id, team] : state.teams) {
    if (one_in(3)) grants.push_back({PrincipalKind::kTeam, id.uuid(), role()});
  }
  return grants;
}

// Names things by id, as values and as members' names, and once inside a longer text.
JsonText RandomTenant::document(const TenantState& state, const catalog::Report* report) {
  json::array items;
  json::object places;
  if (report != nullptr) {
    for (const auto& visual : report->visuals) places[visual.id.str()] = below(12);
    for (const auto& bookmark : report->bookmarks) items.emplace_back(bookmark.id.str());
  }
  if (!state.datasets.empty()) items.emplace_back(any(state.datasets).str());
  if (!state.reports.empty()) items.emplace_back(any(state.reports).str());
  if (!state.workspaces.empty()) items.emplace_back("see " + any(state.workspaces).str());
  items.emplace_back(below(1000));
  return JsonText::of(json::object{{"items", std::move(items)}, {"places", std::move(places)}});
}

void RandomTenant::add_user(TenantState& state) {
  const auto added = user();
  for (const auto& [id, other] : state.users) {
    if (folded(other.email) == folded(added.email)) return;
  }
  state.users[added.id] = added;
}

void RandomTenant::add_team(TenantState& state) {
  const auto added = team(state);
  for (const auto& [id, other] : state.teams) {
    if (other.name == added.name) return;
  }
  state.teams[added.id] = added;
}

void RandomTenant::add_workspace(TenantState& state) {
  catalog::Workspace workspace;
  workspace.id = WorkspaceId(uuid());
  workspace.name = name();
  workspace.created_at = moment();
  workspace.roles = grants(state, catalog::Role::kAdmin);
  state.workspaces[workspace.id] = workspace;
}

void RandomTenant::add_dataset(TenantState& state, WorkspaceId home) {
  catalog::Dataset dataset;
  dataset.id = DatasetId(uuid());
  dataset.workspace_id = home;
  dataset.name = name();
  dataset.mode = static_cast<catalog::DatasetMode>(below(3));
  dataset.state = kSettled[below(std::size(kSettled))];
  dataset.model_yaml = fmt::format("dataset: d{}\n", below(1000));
  if (one_in(2)) dataset.source_ref = "warehouse";
  if (one_in(2)) dataset.versions = {{1, {{"n", "BIGINT"}}, moment()}};
  if (one_in(4)) dataset.row_count = below(100);
  dataset.created_by = any(state.users);
  dataset.created_at = moment();
  dataset.updated_at = moment();
  state.datasets[dataset.id] = dataset;
  if (give_rows_ && !one_in(4)) give_table(state, dataset.id);
}

void RandomTenant::give_table(TenantState& state, DatasetId dataset) {
  made_[dataset] = tables_.table();
  state.datasets.at(dataset).model_yaml = made_[dataset].model_yaml;
  give_rows_(state, dataset, made_[dataset].csv);
}

void RandomTenant::add_report(TenantState& state, WorkspaceId home) {
  catalog::Report report;
  report.id = ReportId(uuid());
  report.workspace_id = home;
  report.name = name();
  for (std::uint64_t n = state.datasets.empty() ? 0 : below(3); n-- > 0;) {
    const DatasetId dataset = state.rows.empty() ? any(state.datasets) : any(state.rows);
    catalog::Visual visual;
    if (const auto table = made_.find(dataset); table != made_.end()) {
      visual = tables_.visual(table->second, dataset);
    } else {
      visual.dataset_id = dataset;
      visual.query = document(state, nullptr);
      visual.options = document(state, nullptr);
    }
    visual.id = VisualId(uuid());
    report.visuals.push_back(std::move(visual));
  }
  if (one_in(2)) report.bookmarks.push_back({BookmarkId(uuid()), name(), {}});
  for (auto& bookmark : report.bookmarks) bookmark.state = document(state, &report);
  report.layout = document(state, &report);
  report.filters = JsonText::of(json::object{{"items", json::array{}}});
  report.grants = grants(state, catalog::Role::kEditor);
  report.created_by = any(state.users);
  report.created_at = moment();
  report.updated_at = moment();
  state.reports[report.id] = report;
}

void RandomTenant::add_alert(TenantState& state, WorkspaceId home) {
  if (state.datasets.empty()) return;
  catalog::Alert alert;
  alert.id = AlertId(uuid());
  alert.workspace_id = home;
  alert.dataset_id = any(state.datasets);
  alert.name = name();
  alert.measure = "revenue";
  alert.grain = "day";
  alert.condition = document(state, nullptr);
  alert.channels = document(state, nullptr);
  alert.enabled = one_in(2);
  alert.created_by = any(state.users);
  alert.created_at = moment();
  alert.updated_at = moment();
  state.alerts[alert.id] = alert;
}

TenantState RandomTenant::make() {
  TenantState state;
  catalog::User owner = user();
  owner.id = owner_;
  owner.email = "owner@demo.example";
  owner.active = owner.owner = true;
  state.users[owner.id] = owner;
  for (int n = 0; n < 3; ++n) add_user(state);
  for (int n = 0; n < 2; ++n) add_team(state);
  for (std::uint64_t n = 2 + below(2); n-- > 0;) add_workspace(state);
  for (std::uint64_t n = 2 + below(3); n-- > 0;) add_dataset(state, any(state.workspaces));
  for (std::uint64_t n = 2 + below(3); n-- > 0;) add_report(state, any(state.workspaces));
  for (std::uint64_t n = below(3); n-- > 0;) add_alert(state, any(state.workspaces));
  return state;
}

void RandomTenant::remove_user(TenantState& state) {
  const UserId gone = any(state.users);
  if (gone == owner_) return;
  const UserId heir = owner_;
  for (auto& [id, dataset] : state.datasets)
    if (dataset.created_by == gone) dataset.created_by = heir;
  for (auto& [id, report] : state.reports)
    if (report.created_by == gone) report.created_by = heir;
  for (auto& [id, alert] : state.alerts)
    if (alert.created_by == gone) alert.created_by = heir;
  const auto forget = [&](std::vector<catalog::RoleGrant>& grants) {
    std::erase_if(grants, [&](const auto& grant) { return grant.principal == gone.uuid(); });
  };
  for (auto& [id, workspace] : state.workspaces) forget(workspace.roles);
  for (auto& [id, report] : state.reports) forget(report.grants);
  for (auto& [id, team] : state.teams) std::erase(team.members, gone);
  state.users.erase(gone);
}

void RandomTenant::edit_people(TenantState& state) {
  switch (below(5)) {
    case 0:
      add_user(state);
      return add_user(state);
    case 1:
      return remove_user(state);
    case 2:
      add_team(state);
      return add_team(state);
    case 3: {
      if (state.teams.empty()) return;
      const TeamId gone = any(state.teams);
      const auto forget = [&](std::vector<catalog::RoleGrant>& grants) {
        std::erase_if(grants, [&](const auto& grant) { return grant.principal == gone.uuid(); });
      };
      for (auto& [id, workspace] : state.workspaces) forget(workspace.roles);
      for (auto& [id, report] : state.reports) forget(report.grants);
      state.teams.erase(gone);
      return;
    }
    default: {
      const UserId id = any(state.users);
      if (id != owner_) state.users.at(id).active = one_in(2);
    }
  }
}

// With everything in it, where nothing elsewhere reads its datasets.
void RandomTenant::remove_workspace(TenantState& state) {
  const WorkspaceId gone = any(state.workspaces);
  if (state.workspaces.size() < 2) return;
  for (const auto& [id, dataset] : state.datasets) {
    if (dataset.workspace_id == gone && reads(state, id, gone)) return;
  }
  const auto inside = [&](const auto& entry) { return entry.second.workspace_id == gone; };
  std::erase_if(state.rows, [&](const auto& entry) {
    return state.datasets.at(entry.first).workspace_id == gone;
  });
  std::erase_if(state.alerts, inside);
  std::erase_if(state.reports, inside);
  std::erase_if(state.datasets, inside);
  state.workspaces.erase(gone);
}

void RandomTenant::edit_workspace(TenantState& state) {
  auto& workspace = state.workspaces.at(any(state.workspaces));
  switch (below(4)) {
    case 0:
      workspace.name = name();
      return;
    case 1:
      workspace.roles = grants(state, catalog::Role::kAdmin);
      return;
    case 2:
      return remove_workspace(state);
    default:
      if (state.workspaces.size() < 4) add_workspace(state);
  }
}

// With what reads it.
void RandomTenant::remove_dataset(TenantState& state, DatasetId gone) {
  std::erase_if(state.alerts, [&](const auto& entry) { return entry.second.dataset_id == gone; });
  std::erase_if(state.reports, [&](const auto& entry) {
    return std::ranges::any_of(entry.second.visuals,
                               [&](const auto& visual) { return visual.dataset_id == gone; });
  });
  state.rows.erase(gone);
  state.datasets.erase(gone);
}

void RandomTenant::edit_dataset(TenantState& state) {
  if (state.datasets.empty()) return add_dataset(state, any(state.workspaces));
  auto& dataset = state.datasets.at(any(state.datasets));
  switch (below(give_rows_ ? 8 : 6)) {
    case 0:
      dataset.name = name();
      return;
    case 1:
      dataset.model_yaml += "# edited\n";
      return;
    case 2:
      dataset.workspace_id = any(state.workspaces);
      return;
    case 3:
      dataset.created_by = any(state.users);
      return;
    case 4:
      return remove_dataset(state, any(state.datasets));
    case 5:
      return add_dataset(state, any(state.workspaces));
    case 6:
      return give_table(state, dataset.id);
    default:
      state.rows.erase(dataset.id);
      dataset.row_count = dataset.size_bytes = 0;
      dataset.state = catalog::DatasetState::kCreated;
  }
}

void RandomTenant::edit_report(TenantState& state) {
  if (state.reports.empty()) return add_report(state, any(state.workspaces));
  auto& report = state.reports.at(any(state.reports));
  switch (below(7)) {
    case 0:
      report.name = name();
      return;
    case 1:
      report.layout = document(state, &report);
      return;
    case 2:
      report.workspace_id = any(state.workspaces);
      return;
    case 3:
      if (!report.visuals.empty()) report.visuals.pop_back();
      return;
    case 4:
      report.grants = grants(state, catalog::Role::kEditor);
      return;
    case 5:
      state.reports.erase(ReportId(report.id));
      return;
    default:
      return add_report(state, any(state.workspaces));
  }
}

void RandomTenant::edit_alert(TenantState& state) {
  if (state.alerts.empty()) return add_alert(state, any(state.workspaces));
  auto& alert = state.alerts.at(any(state.alerts));
  switch (below(5)) {
    case 0:
      alert.name = name();
      return;
    case 1:
      alert.enabled = !alert.enabled;
      return;
    case 2:
      alert.dataset_id = any(state.datasets);
      return;
    case 3:
      state.alerts.erase(AlertId(alert.id));
      return;
    default:
      return add_alert(state, any(state.workspaces));
  }
}

TenantState RandomTenant::edited(TenantState state) {
  if (asset_count(state) > kMostAssets && !state.datasets.empty()) {
    remove_dataset(state, any(state.datasets));
  } else if (asset_count(state) > kMostAssets) {
    state.reports.erase(any(state.reports));
  } else if (asset_count(state) < kFewestAssets) {
    if (state.workspaces.size() < 2) add_workspace(state);
    if (state.datasets.size() < 2) add_dataset(state, any(state.workspaces));
    add_report(state, any(state.workspaces));
    add_alert(state, any(state.workspaces));
  } else {
    switch (below(7)) {
      case 0:
        edit_people(state);
        break;
      case 1:
        edit_workspace(state);
        break;
      case 2:
      case 3:
        edit_dataset(state);
        break;
      case 4:
      case 5:
        edit_report(state);
        break;
      default:
        edit_alert(state);
    }
  }
  return state;
}

TenantState RandomTenant::without_a_need_of(const TenantState& archived, TenantState state) {
  std::map<DatasetId, bool> needed;
  for (const auto& [id, dataset] : state.datasets) {
    if (!archived.datasets.contains(id) && reads(archived, id, std::nullopt)) needed[id] = true;
  }
  if (!needed.empty()) remove_dataset(state, any(needed));
  return state;
}

TenantState RandomTenant::with_edit_of(TenantState state, const AssetRef& asset) {
  const std::string edited = "edited " + std::to_string(below(1'000'000));
  switch (asset.kind) {
    case AssetKind::kWorkspace:
      state.workspaces.at(WorkspaceId(asset.id)).name = edited;
      break;
    case AssetKind::kDataset:
      state.datasets.at(DatasetId(asset.id)).model_yaml += "# " + edited + "\n";
      break;
    case AssetKind::kReport:
      state.reports.at(ReportId(asset.id)).name = edited;
      break;
    case AssetKind::kAlert:
      state.alerts.at(AlertId(asset.id)).measure = edited;
  }
  return state;
}

restore::Request RandomTenant::request(const TenantState& archived, const TenantState& live) {
  restore::Request request;
  request.id = RestoreId(uuid());
  request.mode = static_cast<Mode>(below(3));
  request.with_roles = one_in(2);
  request.leave_out_blocked = !one_in(3);
  if (one_in(2)) request.requested_by = owner_;
  std::map<AssetRef, WorkspaceId> all;  // and where it is
  for (const auto& [id, workspace] : archived.workspaces)
    all[{AssetKind::kWorkspace, id.uuid()}] = id;
  for (const auto& [id, dataset] : archived.datasets)
    all[{AssetKind::kDataset, id.uuid()}] = dataset.workspace_id;
  for (const auto& [id, report] : archived.reports)
    all[{AssetKind::kReport, id.uuid()}] = report.workspace_id;
  for (const auto& [id, alert] : archived.alerts)
    all[{AssetKind::kAlert, id.uuid()}] = alert.workspace_id;
  auto& selection = request.selection;
  selection.everything = one_in(give_rows_ ? 2 : 3);
  for (const auto& [asset, home] : all) {
    // What was deleted is what people want back.
    const bool gone =
        (asset.kind == AssetKind::kReport && !live.reports.contains(ReportId(asset.id))) ||
        (asset.kind == AssetKind::kAlert && !live.alerts.contains(AlertId(asset.id)));
    if (!selection.everything && one_in(gone ? 2 : 4)) selection.assets.insert(asset);
  }
  if (!selection.everything && selection.assets.empty()) selection.assets.insert(any(all));
  for (const auto& [asset, home] : all) {
    const bool selected = selection.everything || selection.assets.contains(asset) ||
                          selection.assets.contains({AssetKind::kWorkspace, home.uuid()});
    if (selected && one_in(5)) request.choices[asset] = static_cast<Mode>(below(3));
  }
  return request;
}

}  // namespace oa::testkit
