#include "map_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace oa::semantics {
namespace {

const std::vector<YamlNode> kNoItems;

}  // namespace

MapReader::MapReader(const YamlNode& node, std::string_view what, Problems& problems)
    : node_(node), what_(what), problems_(problems) {
  if (node.kind != YamlNode::Kind::kMap)
    problems_.add(node.at, fmt::format("{} is a map of keys and values", what));
}

MapReader::~MapReader() {
  for (const YamlMember& member : node_.members) {
    if (std::ranges::find(asked_, member.key) == asked_.end())
      problems_.add(member.at, fmt::format("{} has no key {}{}", what_, quoted_name(member.key),
                                           suggestion(member.key, asked_)));
  }
}

const YamlNode* MapReader::find(std::string_view key) {
  asked_.push_back(key);
  const auto found =
      std::ranges::find_if(node_.members, [&](const YamlMember& m) { return m.key == key; });
  return found == node_.members.end() ? nullptr : &found->value;
}

const YamlNode* MapReader::need(std::string_view key) {
  const YamlNode* value = find(key);
  if (value == nullptr && node_.kind == YamlNode::Kind::kMap)
    problems_.add(node_.at, fmt::format("{} needs the key \"{}\"", what_, key));
  return value;
}

std::string MapReader::checked(const YamlNode& node, std::string_view key, std::size_t max_bytes) {
  if (node.kind != YamlNode::Kind::kScalar || node.text.empty()) {
    problems_.add(node.at, fmt::format("\"{}\" is a text", key));
    return {};
  }
  if (node.text.size() > max_bytes) {
    problems_.add(node.at, fmt::format("\"{}\" is longer than {} bytes", key, max_bytes));
    return {};
  }
  return node.text;
}

std::string MapReader::text(std::string_view key, std::size_t max_bytes) {
  const YamlNode* value = find(key);
  return value == nullptr ? "" : checked(*value, key, max_bytes);
}

std::string MapReader::needed_text(std::string_view key, std::size_t max_bytes) {
  const YamlNode* value = need(key);
  return value == nullptr ? "" : checked(*value, key, max_bytes);
}

std::vector<const YamlNode*> MapReader::texts(std::string_view key, std::size_t max_count) {
  const YamlNode* value = find(key);
  std::vector<const YamlNode*> texts;
  if (value == nullptr) return texts;
  if (value->kind == YamlNode::Kind::kScalar && !value->text.empty()) return {value};
  if (value->kind != YamlNode::Kind::kList || value->items.size() > max_count) {
    problems_.add(value->at, fmt::format("\"{}\" is a list of at most {} names", key, max_count));
    return texts;
  }
  for (const YamlNode& item : value->items) {
    if (!checked(item, key, 256).empty()) texts.push_back(&item);
  }
  return texts;
}

const std::vector<YamlNode>& MapReader::list(std::string_view key, std::size_t max_count) {
  const YamlNode* value = find(key);
  if (value == nullptr) return kNoItems;
  if (value->kind == YamlNode::Kind::kList && value->items.size() <= max_count) return value->items;
  problems_.add(value->at, fmt::format("\"{}\" is a list of at most {} items", key, max_count));
  return kNoItems;
}

Position MapReader::at(std::string_view key) {
  const auto found =
      std::ranges::find_if(node_.members, [&](const YamlMember& m) { return m.key == key; });
  return found == node_.members.end() ? node_.at : found->value.text_at;
}

}  // namespace oa::semantics
