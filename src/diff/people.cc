#include "people.h"

#include <algorithm>

namespace oa::diff {

void People::add(Side side, const Spread& document) {
  add(side, AssetKind::kTeam, document.teams);
  add(side, AssetKind::kUser, document.users);
}

void People::add(Side side, AssetKind kind, const ById& records) {
  for (const auto& [id, record] : records) {
    auto& sides = seen_[{kind, id}];
    (side == Side::kBefore ? sides.before : sides.after) = JsonText::of(record);
  }
}

void People::settle(const Spread& document) {
  const auto drop = [&](AssetKind kind, const ById& records) {
    for (const auto& [id, record] : records) {
      const auto found = seen_.find({kind, id});
      if (found == seen_.end()) continue;
      if (!found->second.before.has_value() || !found->second.after.has_value()) seen_.erase(found);
    }
  };
  drop(AssetKind::kTeam, document.teams);
  drop(AssetKind::kUser, document.users);
}

bool People::unsettled() const {
  return std::any_of(seen_.begin(), seen_.end(), [](const auto& person) {
    return !person.second.before.has_value() || !person.second.after.has_value();
  });
}

Status People::emit(bool both_only, const Emit& emit) const {
  for (const auto& [key, sides] : seen_) {
    const bool both = sides.before.has_value() && sides.after.has_value();
    if ((both_only && !both) || (both && *sides.before == *sides.after)) continue;
    json::value before, after;
    if (sides.before.has_value()) before = sides.before->value();
    if (sides.after.has_value()) after = sides.after->value();
    OA_TRY(emit(key.first, key.second, sides.before.has_value() ? &before : nullptr,
                sides.after.has_value() ? &after : nullptr));
  }
  return {};
}

}  // namespace oa::diff
