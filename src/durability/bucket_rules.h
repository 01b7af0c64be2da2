// Rules of a lifecycle and statements of a policy: which of them do harm, and what they are without it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/durability/bucket_check.h"

namespace oa::durability {

inline constexpr std::string_view kOurRule = "oa-backup-housekeeping";
inline constexpr int kUnfinishedDays = 7;  // of an upload in parts; ours are none

/// What a rule that is not ours does to objects below the prefix, to complete "the rule …"; none when
/// it does them no harm.
std::optional<std::string> danger_of(const LifecycleRule& rule, const RequiredBucket& required);
/// Whether it is the rule that the service wants.
bool same_rule(const LifecycleRule& rule, const RequiredBucket& required);
/// All rules as they should be: others' with harm disabled, ours as it must be.
Result<std::vector<std::string>> mended_rules(const std::vector<LifecycleRule>& rules,
                                              const RequiredBucket& required);

struct PublicStatement {
  std::string name;  // its Sid, or its place: "#2"
  bool conditional = false;
};
/// Those that allow something to everybody.
std::vector<PublicStatement> public_statements(const json::value& policy);
/// Without those that do so under no condition; none when nothing is left.
std::optional<json::value> mended_policy(const json::value& policy);

}  // namespace oa::durability
