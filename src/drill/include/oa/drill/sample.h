// Which tenants are drilled: chosen so that anybody who knows the seed can choose again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/ids.h"

namespace oa::drill {

struct Candidate {
  TenantId tenant;
  std::optional<Timestamp> last;  // drill that succeeded
};

/// At most `size` of `candidates`. First those whose last drill would be more than a year ago at the
/// next quarter, the longest ago first and those without one before them; then the others, in the
/// order of SHA-256(seed ":" tenant id). Pure.
std::vector<TenantId> choose_sample(std::vector<Candidate> candidates, const std::string& seed,
                                    std::size_t size, Timestamp now);

/// "2026-Q4", in UTC; the seed unless another is given.
std::string quarter_of(Timestamp moment);

}  // namespace oa::drill
