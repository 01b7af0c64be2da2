// Everything that is known of a person, as one JSON document (docs/privacy.md, "The bundle").
#pragma once

#include "oa/base/io.h"
#include "oa/base/progress.h"
#include "oa/catalog/database.h"
#include "oa/privacy/erasure.h"

namespace oa::privacy {

inline constexpr std::string_view kBundleFormat = "oa-personal-data";
inline constexpr std::string_view kBundleVersion = "1.0";

struct BundleOptions {
  UserId user;
  std::optional<UserId> requested_by;  // none: the operator
  std::string base_url;                // links begin with it; empty: paths alone
};
/// Writes the bundle of one snapshot, rows as they come (bounded memory). Sections in the order of the
/// registry; `counts` at the end says how many of each. They are counted in another way in the same
/// snapshot: what differs is kInternal, so that a bundle is complete or there is none. kNotFound;
/// kCancelled.
Result<Counts> write_bundle(catalog::TenantTransaction& snapshot, const BundleOptions& options,
                            ByteSink& out, Progress& progress);

}  // namespace oa::privacy
