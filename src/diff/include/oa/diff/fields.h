// Which fields of two JSON documents differ.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/json.h"

namespace oa::diff {

/// Longest text of a value, a name or a part of a path, in bytes. A longer one is cut between two
/// characters and ends in "…", which no JSON text does.
inline constexpr std::size_t kMaxValueBytes = 200;

enum class FieldChangeKind {
  kAdded,
  kRemoved,
  kChanged,
  kMoved,    // elements of an array in another order; before and after list their keys
  kContent,  // not compared by field: before and after tell sizes and digests
};
std::string_view to_text(FieldChangeKind kind);

/// One field. `before` and `after` are canonical JSON, cut to kMaxValueBytes; absent where the side
/// has no such field. They can hold personal data: for the output that was asked for, never for
/// logs and errors.
struct FieldChange {
  /// `name`, `layout.columns`, `visuals[<id>].title`, `versions[version=2].columns[name=city]`,
  /// `values[3]`. Names that are not plain words stand in quotes: `attributes["a.b"]`.
  std::string path;
  FieldChangeKind kind = FieldChangeKind::kChanged;
  std::optional<std::string> before, after;
  bool operator==(const FieldChange&) const = default;
};

/// Fields that differ, in order of the documents: members by name, elements as `after` has them,
/// then those that only `before` has. Empty exactly when both have the same canonical form.
/// Elements of arrays are matched by what identifies them: their `id`, `principal`, `version` or
/// `name` where all have it and none has it twice, or themselves where all are different strings;
/// otherwise by position, after what is equal at both ends was set aside.
std::vector<FieldChange> compare_json(const json::value& before, const json::value& after);

/// `text` cut to kMaxValueBytes.
std::string cut(std::string_view text);
/// Canonical JSON, cut to kMaxValueBytes.
std::string short_json(const json::value& value);
/// `base`.`name`, with quotes where `name` needs them.
std::string member_path(std::string_view base, std::string_view name);

}  // namespace oa::diff
