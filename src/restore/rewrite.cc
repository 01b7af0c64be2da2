#include "rewrite.h"

#include "oa/crypto/uuid5.h"

namespace oa::restore {
namespace {

std::map<Uuid, Uuid> fork_ids(const Plan& plan) {
  std::map<Uuid, Uuid> ids;
  for (const auto& item : plan.items) {
    if (item.action == Action::kFork) ids[item.source.id] = item.target_id;
  }
  return ids;
}

template <class Mapping>
auto mapped(const std::vector<Mapping>& mappings) {
  std::map<decltype(Mapping::archived), decltype(Mapping::target)> map;
  for (const auto& mapping : mappings) map[mapping.archived] = mapping.target;
  return map;
}

template <class Id>
Id lookup(const std::map<Id, Id>& map, const Id& id) {
  const auto found = map.find(id);
  return found == map.end() ? id : found->second;
}

}  // namespace

Rewriter::Rewriter(const Plan& plan)
    : Rewriter(plan.id, fork_ids(plan), mapped(plan.users), mapped(plan.teams)) {}

Rewriter::Rewriter(RestoreId restore, std::map<Uuid, Uuid> ids, std::map<UserId, UserId> users,
                   std::map<TeamId, TeamId> teams)
    : restore_(restore), ids_(std::move(ids)), users_(std::move(users)), teams_(std::move(teams)) {}

Uuid Rewriter::id(const Uuid& archived) const { return lookup(ids_, archived); }
UserId Rewriter::user(UserId archived) const { return lookup(users_, archived); }

catalog::Workspace Rewriter::workspace(const catalog::Workspace& archived, const PlanItem& item,
                                       bool with_roles, const catalog::Workspace* live) const {
  catalog::Workspace written = archived;
  written.id = item.target_workspace;
  written.name = item.name;
  written.roles.clear();
  if (!with_roles) {
    if (live != nullptr) written.roles = live->roles;
    return written;
  }
  std::set<catalog::RoleGrant> roles;  // two archived people may map to one
  for (auto grant : archived.roles) {
    grant.principal = grant.kind == catalog::PrincipalKind::kUser
                          ? user(UserId(grant.principal)).uuid()
                          : lookup(teams_, TeamId(grant.principal)).uuid();
    roles.insert(grant);
  }
  for (const auto& grant : roles) {
    const bool same = !written.roles.empty() && written.roles.back().kind == grant.kind &&
                      written.roles.back().principal == grant.principal;
    if (same) {
      written.roles.back() = grant;  // ascending: the higher role comes later
    } else {
      written.roles.push_back(grant);
    }
  }
  return written;
}

catalog::Dataset Rewriter::dataset(const catalog::Dataset& archived, const PlanItem& item) const {
  catalog::Dataset written = archived;
  written.id = DatasetId(item.target_id);
  written.workspace_id = item.target_workspace;
  written.name = item.name;
  written.created_by = user(archived.created_by);
  written.rows.reset();
  return written;
}

catalog::Report Rewriter::report(const catalog::Report& archived, const PlanItem& item) const {
  catalog::Report written = archived;
  written.id = ReportId(item.target_id);
  written.workspace_id = item.target_workspace;
  written.name = item.name;
  written.created_by = user(archived.created_by);
  std::map<Uuid, Uuid> ids = ids_;
  if (item.action == Action::kFork) {
    for (auto& visual : written.visuals) {
      ids[visual.id.uuid()] = uuid5(restore_.uuid(), visual.id.str());
      visual.id = VisualId(ids[visual.id.uuid()]);
    }
    for (auto& bookmark : written.bookmarks) {
      ids[bookmark.id.uuid()] = uuid5(restore_.uuid(), bookmark.id.str());
      bookmark.id = BookmarkId(ids[bookmark.id.uuid()]);
    }
  }
  for (auto& visual : written.visuals) {
    visual.dataset_id = DatasetId(id(visual.dataset_id.uuid()));
    visual.query = catalog::rewrite_ids(visual.query, ids);
    visual.options = catalog::rewrite_ids(visual.options, ids);
  }
  for (auto& bookmark : written.bookmarks)
    bookmark.state = catalog::rewrite_ids(bookmark.state, ids);
  written.layout = catalog::rewrite_ids(written.layout, ids);
  written.filters = catalog::rewrite_ids(written.filters, ids);
  return written;
}

catalog::Alert Rewriter::alert(const catalog::Alert& archived, const PlanItem& item) const {
  catalog::Alert written = archived;
  written.id = AlertId(item.target_id);
  written.workspace_id = item.target_workspace;
  written.name = item.name;
  written.dataset_id = DatasetId(id(archived.dataset_id.uuid()));
  written.condition = catalog::rewrite_ids(written.condition, ids_);
  written.channels = catalog::rewrite_ids(written.channels, ids_);
  written.created_by = user(archived.created_by);
  return written;
}

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

}  // namespace oa::restore
