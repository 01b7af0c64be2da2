// What everybody may know of how well backups can be restored (docs/drills.md, "The trust report").
#pragma once

#include <vector>

#include "oa/drill/chronicle.h"

namespace oa::drill {

/// What of it is not in the records.
struct Facts {
  Timestamp made_at;
  std::uint64_t tenants = 0, taking_part = 0;
  std::optional<double> rpo_seconds, worst_rpo_seconds;  // of continuous backup; none when it is off
  std::optional<double> verified_share;  // of the bytes that are stored, within verified_days; none
                                         // before they were looked at
  int verified_days = 30;
  std::uint64_t damaged = 0;   // objects
  std::string volume;          // what is known of the encryption under the database
};

/// {"format":"oa-trust-report:v1",…}. Pure: the same records and facts, the same report. No tenant is
/// named in it.
json::object trust_report(const std::vector<Entry>& records, const PublicKey& key,
                          const Facts& facts);
Result<json::object> trust_report(instance::Instance& instance);

/// Verifies the records in a report, and that its figures are those of the records. kDrillFailed,
/// kInvalidArgument.
Status verify_report(const json::value& report, const PublicKey& key);

}  // namespace oa::drill
