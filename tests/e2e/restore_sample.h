// A small tenant whose every asset has a name of its own, for tests that speak of one of them.
#pragma once

#include "restore_world.h"

namespace oa::testkit {

/// Two workspaces. The first holds dataset `orders` with rows, dataset `plain` without, report
/// `overview` over both and alert `watch`; the second report `elsewhere` over `plain`. Made by
/// `author`; `viewer` may see both workspaces.
struct Sample {
  TenantState state;
  UserId owner, author, viewer;
  TeamId team;
  WorkspaceId first, second;
  DatasetId orders, plain;
  ReportId overview, elsewhere;
  AlertId watch;
};

/// Lines that do not compress to nothing.
std::string orders_csv(std::size_t rows, std::uint64_t seed);

/// Writes it into the tenant. `rows` lines of orders.
Sample make_sample(RestoreWorld& world, const WorldTenant& tenant, std::size_t rows = 200);

/// A request to have everything back, overwriting, with roles.
restore::Request everything_back();
/// A request for one asset.
restore::Request one_back(restore::AssetKind kind, const Uuid& id);

}  // namespace oa::testkit
