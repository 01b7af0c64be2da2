// Users and teams of both sides. They stand in several documents; each counts once.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "oa/diff/compare.h"
#include "spread.h"

namespace oa::diff {

class People {
 public:
  enum class Side { kBefore, kAfter };
  using Emit = std::function<Status(AssetKind, const std::string& id, const json::value* before,
                                    const json::value* after)>;

  void add(Side side, const Spread& document);
  /// Somebody who stands in `document`, which both sides have, is neither added nor removed.
  void settle(const Spread& document);
  /// True when somebody was seen on one side only, so far.
  bool unsettled() const;
  /// Passes on whoever was seen; those of one side only unless `both_only`.
  Status emit(bool both_only, const Emit& emit) const;

 private:
  using Key = std::pair<AssetKind, std::string>;
  struct Sides {
    std::optional<JsonText> before, after;
  };
  void add(Side side, AssetKind kind, const ById& records);
  std::map<Key, Sides> seen_;
};

}  // namespace oa::diff
