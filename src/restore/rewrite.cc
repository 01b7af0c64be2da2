#include "rewrite.h"

#include <algorithm>

#include "oa/crypto/uuid5.h"

namespace oa::restore {

std::map<Uuid, Uuid> new_ids(RestoreId restore, const std::vector<PlanItem>& items,
                             const Contents& contents) {
  std::map<Uuid, Uuid> ids;
  for (const auto& item : items) {
    if (item.action != Action::kFork) continue;
    ids[item.source.id] = item.target_id;
    if (item.source.kind != AssetKind::kReport) continue;
    for (const auto& part : contents.reports.at(ReportId(item.source.id)).parts)
      ids[part] = uuid5(restore.uuid(), part.str());
  }
  return ids;
}

namespace {

template <class Mapping>
auto mapped(const std::vector<Mapping>& mappings) {
  std::map<decltype(Mapping::archived), decltype(Mapping::target)> map;
  for (const auto& mapping : mappings) map[mapping.archived] = mapping.target;
  return map;
}

std::set<UserId> erased(const std::vector<UserMapping>& users) {
  std::set<UserId> erased;
  for (const auto& mapping : users) {
    if (mapping.match == UserMatch::kErased) erased.insert(mapping.archived);
  }
  return erased;
}

template <class Id>
Id lookup(const std::map<Id, Id>& map, const Id& id) {
  const auto found = map.find(id);
  return found == map.end() ? id : found->second;
}

// Where an archived dataset brings no rows, the live rows and what describes them stay; without
// those it needs a refresh.
void keep_rows(catalog::Dataset& written, const catalog::Dataset* live) {
  if (live != nullptr && live->rows.has_value()) {
    written.rows = live->rows;
    written.row_count = live->row_count;
    written.size_bytes = live->size_bytes;
    written.last_refresh_at = live->last_refresh_at;
    written.state = live->state;
    written.versions = live->versions;
    return;
  }
  written.row_count = 0;
  written.size_bytes = 0;
  written.last_refresh_at.reset();
  written.state = catalog::DatasetState::kCreated;
}

}  // namespace

Rewriter::Rewriter(const Plan& plan, const Contents& contents)
    : Rewriter(new_ids(plan.id, plan.items, contents), mapped(plan.users), erased(plan.users),
               mapped(plan.teams), plan.roles_restored, plan.grants_restored) {}

Rewriter::Rewriter(std::map<Uuid, Uuid> ids, std::map<UserId, UserId> users,
                   std::set<UserId> erased, std::map<TeamId, TeamId> teams,
                   std::set<WorkspaceId> roles_restored, bool grants_restored)
    : ids_(std::move(ids)),
      users_(std::move(users)),
      erased_(std::move(erased)),
      teams_(std::move(teams)),
      roles_restored_(std::move(roles_restored)),
      grants_restored_(grants_restored) {}

Uuid Rewriter::id(const Uuid& archived) const { return lookup(ids_, archived); }
UserId Rewriter::user(UserId archived) const { return lookup(users_, archived); }

// A plan maps only those whom it needs: an erased person whom nothing needs as an author is not
// among them.
bool Rewriter::may_belong(UserId archived) const {
  return users_.contains(archived) && !erased_.contains(archived);
}

// Two archived people may map to one, who gets the higher role.
std::vector<catalog::RoleGrant> Rewriter::grants(
    const std::vector<catalog::RoleGrant>& archived) const {
  std::set<catalog::RoleGrant> all;
  for (auto grant : archived) {
    if (grant.kind == catalog::PrincipalKind::kUser && !may_belong(UserId(grant.principal)))
      continue;
    grant.principal = grant.kind == catalog::PrincipalKind::kUser
                          ? user(UserId(grant.principal)).uuid()
                          : lookup(teams_, TeamId(grant.principal)).uuid();
    all.insert(grant);
  }
  std::vector<catalog::RoleGrant> grants;
  for (const auto& grant : all) {
    const bool same = !grants.empty() && grants.back().kind == grant.kind &&
                      grants.back().principal == grant.principal;
    if (same) {
      grants.back() = grant;  // ascending: the higher role comes later
    } else {
      grants.push_back(grant);
    }
  }
  return grants;
}

bool Rewriter::changes(const AssetBrief& archived, const PlanItem& item,
                       const std::vector<catalog::RoleGrant>& live) const {
  if (!ids_.empty()) return true;  // a layout or a filter may name what gets another id
  if (item.target_workspace != archived.workspace || item.name != archived.name) return true;
  if (user(archived.created_by) != archived.created_by) return true;
  const auto written = restores_grants_in(archived.workspace) ? grants(archived.grants) : live;
  return written != archived.grants;
}

catalog::Workspace Rewriter::workspace(const catalog::Workspace& archived, const PlanItem& item,
                                       const catalog::Workspace* live) const {
  catalog::Workspace written = archived;
  written.id = item.target_workspace;
  written.name = item.name;
  if (roles_restored_.contains(archived.id)) {
    written.roles = grants(archived.roles);
  } else if (live != nullptr) {
    written.roles = live->roles;
  } else {
    written.roles.clear();
  }
  return written;
}

catalog::Dataset Rewriter::dataset(const ArchivedDataset& archived, const PlanItem& item,
                                   const catalog::Dataset* live) const {
  catalog::Dataset written = archived.record;
  written.id = DatasetId(item.target_id);
  written.workspace_id = item.target_workspace;
  written.name = item.name;
  written.created_by = user(archived.record.created_by);
  written.rows.reset();
  if (item.rows == RowsAction::kKeepLive && archived.rows.has_value()) {
    OA_ASSERT(live != nullptr);
    written.rows = live->rows;  // the same rows; what the archive says of them stands
  } else if (item.rows == RowsAction::kKeepLive || item.rows == RowsAction::kNeedsRefresh) {
    keep_rows(written, item.rows == RowsAction::kKeepLive ? live : nullptr);
  }
  return written;
}

catalog::Report Rewriter::report(const catalog::Report& archived, const PlanItem& item,
                                 const std::vector<catalog::RoleGrant>& live) const {
  catalog::Report written = archived;
  written.id = ReportId(item.target_id);
  written.workspace_id = item.target_workspace;
  written.name = item.name;
  written.created_by = user(archived.created_by);
  written.grants = restores_grants_in(archived.workspace_id) ? grants(archived.grants) : live;
  const bool forks = item.action == Action::kFork;
  const std::map<Uuid, Uuid> without_own = forks ? std::map<Uuid, Uuid>() : others(archived);
  const auto rewrite = [&](JsonText& text) {
    if (!ids_.empty()) text = catalog::rewrite_ids(text, without_own.empty() ? ids_ : without_own);
  };
  for (auto& visual : written.visuals) {
    if (forks) visual.id = VisualId(id(visual.id.uuid()));
    visual.dataset_id = DatasetId(id(visual.dataset_id.uuid()));
    rewrite(visual.query);
    rewrite(visual.options);
  }
  for (auto& bookmark : written.bookmarks) {
    if (forks) bookmark.id = BookmarkId(id(bookmark.id.uuid()));
    rewrite(bookmark.state);
  }
  rewrite(written.layout);
  rewrite(written.filters);
  return written;
}

// A copy of a report can have visuals of the same ids: where it stays itself, so do they. Empty
// when there is nothing to take out.
std::map<Uuid, Uuid> Rewriter::others(const catalog::Report& report) const {
  std::vector<Uuid> own;
  for (const auto& visual : report.visuals) own.push_back(visual.id.uuid());
  for (const auto& bookmark : report.bookmarks) own.push_back(bookmark.id.uuid());
  if (std::ranges::none_of(own, [&](const Uuid& part) { return ids_.contains(part); })) return {};
  std::map<Uuid, Uuid> others = ids_;
  for (const auto& part : own) others.erase(part);
  return others;
}

catalog::Alert Rewriter::alert(const catalog::Alert& archived, const PlanItem& item) const {
  catalog::Alert written = archived;
  written.id = AlertId(item.target_id);
  written.workspace_id = item.target_workspace;
  written.name = item.name;
  written.dataset_id = DatasetId(id(archived.dataset_id.uuid()));
  if (!ids_.empty()) {
    written.condition = catalog::rewrite_ids(written.condition, ids_);
    written.channels = catalog::rewrite_ids(written.channels, ids_);
  }
  written.created_by = user(archived.created_by);
  return written;
}

}  // namespace oa::restore
