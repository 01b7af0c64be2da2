// How an archived record is written into the tenant: ids of a fork replaced, people mapped, rows
// placed.
#pragma once

#include "oa/restore/plan.h"

namespace oa::restore {

/// The substitutions of one plan. Built once from it.
class Rewriter {
 public:
  explicit Rewriter(const Plan& plan);
  /// Before there is a plan: the pieces by themselves.
  Rewriter(RestoreId restore, std::map<Uuid, Uuid> ids, std::map<UserId, UserId> users,
           std::map<TeamId, TeamId> teams);

  catalog::Workspace workspace(const catalog::Workspace& archived, const PlanItem& item,
                               bool with_roles, const catalog::Workspace* live) const;
  /// Without `rows`; see place_rows().
  catalog::Dataset dataset(const catalog::Dataset& archived, const PlanItem& item) const;
  catalog::Report report(const catalog::Report& archived, const PlanItem& item) const;
  catalog::Alert alert(const catalog::Alert& archived, const PlanItem& item) const;
  UserId user(UserId archived) const;

 private:
  Uuid id(const Uuid& archived) const;
  RestoreId restore_;
  std::map<Uuid, Uuid> ids_;
  std::map<UserId, UserId> users_;
  std::map<TeamId, TeamId> teams_;
};

/// Where an archived dataset brings no rows, the live rows and what describes them stay; without
/// those it needs a refresh.
void keep_rows(catalog::Dataset& written, const catalog::Dataset* live);

}  // namespace oa::restore
