// For whom a report is opened.
#pragma once

#include <optional>

#include "oa/catalog/repositories.h"
#include "oa/semantics/query.h"

namespace oa::reports {

/// The highest role that the person holds in the workspace, by themselves or through teams; Admin
/// for an Owner. None for somebody without one, or who is not active. kNotFound for no such user or
/// workspace.
Result<std::optional<catalog::Role>> role_in(catalog::TenantTransaction& transaction, UserId user,
                                             WorkspaceId workspace);

/// The person as row-level security sees them in one workspace: the role that they hold there by
/// themselves or through teams (the highest of them; "admin" for an Owner), those that their
/// attribute `roles` (a text or an array of texts) or `role` names, and their teams. kNotFound for
/// no such user.
Result<semantics::Viewer> viewer_of(catalog::TenantTransaction& transaction, UserId user,
                                    WorkspaceId workspace);

/// The same, of a person who may read the workspace: kPermissionDenied for one who is not active or
/// has no role there.
Result<semantics::Viewer> reader_of(catalog::TenantTransaction& transaction, UserId user,
                                    WorkspaceId workspace);

/// The same, of a person who may open this report: because of a role in its workspace, or because it
/// is shared with them or with a team of theirs. To row-level security the role that a grant gives
/// counts only where they have none in the workspace.
Result<semantics::Viewer> reader_of(catalog::TenantTransaction& transaction, UserId user,
                                    const catalog::Report& report);

/// A dataset of this workspace. One of another is kNotFound: a role here says nothing about there.
Result<catalog::Dataset> dataset_in(catalog::TenantTransaction& transaction, DatasetId dataset,
                                    WorkspaceId workspace);

}  // namespace oa::reports
