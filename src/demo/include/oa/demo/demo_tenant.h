// A tenant with what a real one has, for trying the product out and for tests. All data is
// generated.
#pragma once

#include "oa/base/progress.h"
#include "oa/instance/instance.h"

namespace oa::demo {

/// Texts that a test plants in every place where a person's or a customer's data can be, to search
/// for them afterwards. Empty: the ordinary demo texts.
struct Canaries {
  std::string row;           // a cell of a dataset's rows
  std::string secret;        // a database password
  std::string email_domain;  // of every user
  std::string audit;         // a personal value of an audit event
  std::string password;      // a user's login password
};

struct Size {
  std::uint64_t order_rows = 200'000;
  std::uint64_t audit_events = 3'000;
};

/// The audit action that marks a tenant as the demo's own.
inline constexpr char kDemoAction[] = "demo.tenant.create";

/// Provisions a tenant of plan Growth: 2 workspaces, 12 users, 3 teams, 5 imported datasets with
/// semantic models, 12 reports with all five kinds of visual and bookmarks, two of them shared, 6
/// alerts, a secret, audit events. kAlreadyExists by name.
Result<catalog::Tenant> make_demo_tenant(instance::Instance& instance, const std::string& name,
                                         const Size& size, const Canaries& canaries,
                                         Progress& progress);

/// Three of its people: the Owner, an Admin of one workspace who is no Owner, a Viewer.
Result<std::vector<catalog::User>> people_to_try(instance::Instance& instance, TenantId tenant);

}  // namespace oa::demo
