// What a restore should do, worked out a second time: from the archived tenant, the live tenant and
// the request to the tenant afterwards. Small and slow; it shares no code with the engine but the
// types of records and requests.
#pragma once

#include <map>
#include <set>
#include <string>

#include "oa/restore/plan.h"
#include "tenant_state.h"

namespace oa::testkit {

/// What an archive of these workspaces holds of a tenant (of all of them when there are none).
/// Without `with_rows` no rows.
TenantState archived_part(const TenantState& state, const std::set<WorkspaceId>& workspaces,
                          bool with_rows);

struct ExpectedItem {
  restore::Action action = restore::Action::kCreate;
  Uuid target;
  std::string name;
};

struct Prediction {
  std::map<restore::AssetRef, ExpectedItem> items;  // selected ones and those brought along
  bool blocked = false;                             // some item is
  TenantState after;                                // when blocked ones are left out
};

/// For a request of the operator or of an Owner, in a tenant where nobody was erased.
Prediction predict(const TenantState& archived, const TenantState& live,
                   const restore::Request& request);

}  // namespace oa::testkit
