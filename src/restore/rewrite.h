// How an archived record is written into the tenant: ids of a fork replaced, people mapped, rows
// placed.
#pragma once

#include "oa/restore/plan.h"

namespace oa::restore {

/// Which id becomes which: of what is forked, with the visuals and bookmarks of its reports.
std::map<Uuid, Uuid> new_ids(RestoreId restore, const std::vector<PlanItem>& items,
                             const Contents& contents);

/// The substitutions of one plan. Built once from it.
class Rewriter {
 public:
  Rewriter(const Plan& plan, const Contents& contents);
  /// Before there is a plan: the pieces by themselves.
  Rewriter(std::map<Uuid, Uuid> ids, std::map<UserId, UserId> users, std::set<UserId> erased,
           std::map<TeamId, TeamId> teams, std::set<WorkspaceId> roles_restored,
           bool grants_restored);

  /// Roles are the archived ones where they are restored, else `live`'s; none for a new one.
  catalog::Workspace workspace(const catalog::Workspace& archived, const PlanItem& item,
                               const catalog::Workspace* live) const;
  /// With the live rows where those stay; where rows are restored, without: they have their place
  /// only when they are staged.
  catalog::Dataset dataset(const ArchivedDataset& archived, const PlanItem& item,
                           const catalog::Dataset* live) const;
  /// Grants as the roles of its archived workspace; `live` are those that it has now.
  catalog::Report report(const catalog::Report& archived, const PlanItem& item,
                         const std::vector<catalog::RoleGrant>& live) const;
  catalog::Alert alert(const catalog::Alert& archived, const PlanItem& item) const;
  UserId user(UserId archived) const;
  /// False for who was erased since, to whom no role, grant or membership comes back.
  bool may_belong(UserId archived) const;
  /// False when nothing that the archived asset refers to gets another id.
  bool changes(const AssetBrief& archived, const PlanItem& item,
               const std::vector<catalog::RoleGrant>& live) const;

 private:
  Uuid id(const Uuid& archived) const;
  std::vector<catalog::RoleGrant> grants(const std::vector<catalog::RoleGrant>& archived) const;
  bool restores_grants_in(WorkspaceId archived) const {
    return grants_restored_ && roles_restored_.contains(archived);
  }
  std::map<Uuid, Uuid> others(const catalog::Report& report) const;
  std::map<Uuid, Uuid> ids_;
  std::map<UserId, UserId> users_;
  std::set<UserId> erased_;
  std::map<TeamId, TeamId> teams_;
  std::set<WorkspaceId> roles_restored_;
  bool grants_restored_;
};

}  // namespace oa::restore
