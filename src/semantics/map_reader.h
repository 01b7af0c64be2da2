// Reads the members of one YAML map by name and type; whatever is wrong becomes a problem and the
// member an empty value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "problems.h"
#include "yaml_tree.h"

namespace oa::semantics {

class MapReader {
 public:
  /// `what` names the map in problems, e.g. "a join". Borrows the node and the problems.
  MapReader(const YamlNode& node, std::string_view what, Problems& problems);
  /// Reports the members that nobody asked for.
  ~MapReader();
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;

  /// nullptr when absent.
  const YamlNode* find(std::string_view key);
  /// As find(), absence is a problem.
  const YamlNode* need(std::string_view key);
  /// A text of 1 to max_bytes bytes; empty when it is absent or wrong.
  std::string text(std::string_view key, std::size_t max_bytes);
  std::string needed_text(std::string_view key, std::size_t max_bytes);
  /// A list of texts; a single text stands for a list of one.
  std::vector<const YamlNode*> texts(std::string_view key, std::size_t max_count);
  /// The items of a list, none when absent.
  const std::vector<YamlNode>& list(std::string_view key, std::size_t max_count);

  Position at() const { return node_.at; }
  /// Of the member's value, else of the map.
  Position at(std::string_view key);

 private:
  std::string checked(const YamlNode& node, std::string_view key, std::size_t max_bytes);

  const YamlNode& node_;
  std::string_view what_;
  Problems& problems_;
  std::vector<std::string_view> asked_;
};

}  // namespace oa::semantics
