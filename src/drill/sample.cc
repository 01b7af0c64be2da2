#include "oa/drill/sample.h"

#include <algorithm>
#include <tuple>

#include "oa/crypto/hash.h"

namespace oa::drill {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr std::int64_t kYearDays = 365, kQuarterDays = 92;

}  // namespace

std::vector<TenantId> choose_sample(std::vector<Candidate> candidates, const std::string& seed,
                                    std::size_t size, Timestamp now) {
  const Timestamp due{now.unix_us - (kYearDays - kQuarterDays) * kDayUs};
  // Due ones by how long they have waited, the rest by the seed alone.
  using Place = std::tuple<bool, std::int64_t, std::string>;
  std::vector<std::pair<Place, TenantId>> order;
  for (const auto& candidate : candidates) {
    const bool is_due = !candidate.last.has_value() || *candidate.last < due;
    const std::int64_t waited = !is_due || !candidate.last.has_value() ? 0 : candidate.last->unix_us;
    const auto lot = to_hex(Sha256::of(as_bytes(seed + ":" + candidate.tenant.str())));
    order.emplace_back(Place{!is_due, waited, lot}, candidate.tenant);
  }
  std::sort(order.begin(), order.end());
  std::vector<TenantId> chosen;
  for (std::size_t i = 0; i < order.size() && i < size; ++i) chosen.push_back(order[i].second);
  return chosen;
}

std::string quarter_of(Timestamp moment) {
  const std::string text = moment.rfc3339();
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  return text.substr(0, 4) + "-Q" + std::to_string((month - 1) / 3 + 1);
}

}  // namespace oa::drill
