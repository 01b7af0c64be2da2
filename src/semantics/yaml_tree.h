// The part of YAML that a model may use, as a tree with positions: one document of maps, lists and
// scalars. yaml-cpp stays behind this header.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oa/semantics/model.h"

namespace oa::semantics {

inline constexpr std::size_t kMaxYamlDepth = 16;
inline constexpr std::size_t kMaxYamlNodes = 50'000;

struct YamlMember;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;  // of a scalar
  std::vector<YamlNode> items;
  std::vector<YamlMember> members;  // keys are unique
  Position at;
  Position text_at;  // of the scalar's first character, behind its quote
};

struct YamlMember {
  std::string key;
  Position at;
  YamlNode value;
};

/// kModelInvalid with the position: not YAML or not UTF-8, anchors, aliases, tags, duplicate keys,
/// keys that are no scalars, several documents, NUL characters. kLimitExceeded past the limits.
Result<YamlNode> parse_yaml(std::string_view text);

}  // namespace oa::semantics
