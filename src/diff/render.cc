#include "oa/diff/render.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace oa::diff {
namespace {

constexpr std::array kChanges{Change::kAdded, Change::kRemoved, Change::kChanged};

std::size_t count(const Comparison& comparison, Change change) {
  std::size_t n = 0;
  for (const auto& asset : comparison.changes) n += asset.change == change ? 1 : 0;
  return n;
}

json::object to_json(const AssetChange& asset) {
  json::object out{
      {"kind", to_text(asset.kind)}, {"id", asset.id}, {"change", to_text(asset.change)}};
  if (!asset.name.empty()) out["name"] = asset.name;
  if (asset.workspace.has_value()) out["workspace_id"] = asset.workspace->str();
  if (asset.change != Change::kChanged) return out;
  json::array fields;
  for (const auto& field : asset.fields) fields.push_back(to_json(field));
  out["fields"] = std::move(fields);
  if (asset.fields_left_out > 0) out["fields_left_out"] = asset.fields_left_out;
  return out;
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(out.size(), width), ' ');
  return out;
}

std::string plural(std::size_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string sum_of(const Comparison& comparison) {
  if (comparison.changes.empty()) return "no differences";
  std::string text = plural(comparison.changes.size(), "asset differs", "assets differ");
  const char* separator = ": ";
  for (const Change change : kChanges) {
    text +=
        separator + std::to_string(count(comparison, change)) + " " + std::string(to_text(change));
    separator = ", ";
  }
  return text;
}

}  // namespace

json::object to_json(const FieldChange& field) {
  json::object out{{"path", field.path}, {"change", to_text(field.kind)}};
  if (field.before.has_value()) out["before"] = *field.before;
  if (field.after.has_value()) out["after"] = *field.after;
  return out;
}

std::string to_line(const FieldChange& field) {
  std::string line = field.path;
  switch (field.kind) {
    case FieldChangeKind::kAdded:
      return line + " added: " + field.after.value_or("");
    case FieldChangeKind::kRemoved:
      return line + " removed: " + field.before.value_or("");
    case FieldChangeKind::kMoved:
      line += " in another order";
      break;
    case FieldChangeKind::kChanged:
    case FieldChangeKind::kContent:
      break;
  }
  return line + ": " + field.before.value_or("") + " -> " + field.after.value_or("");
}

json::object to_json(const Comparison& comparison) {
  json::array changes;
  for (const auto& asset : comparison.changes) changes.push_back(to_json(asset));
  json::object counts;
  for (const Change change : kChanges) counts[to_text(change)] = count(comparison, change);
  json::object compared{{"rows", comparison.rows_compared}, {"audit", comparison.audit_compared}};
  if (comparison.workspaces.has_value()) {
    json::array ids;
    for (const auto& id : *comparison.workspaces) ids.emplace_back(id.str());
    compared["workspaces"] = std::move(ids);
  }
  return {{"changes", std::move(changes)},
          {"counts", std::move(counts)},
          {"compared", std::move(compared)}};
}

std::vector<std::string> to_lines(const Comparison& comparison) {
  constexpr std::size_t kChangeWidth = 9, kKindWidth = 11;
  std::vector<std::string> lines;
  for (const auto& asset : comparison.changes) {
    lines.push_back(padded(to_text(asset.change), kChangeWidth) +
                    padded(to_text(asset.kind), kKindWidth) + asset.id +
                    (asset.name.empty() ? "" : "  " + asset.name));
    for (const auto& field : asset.fields) lines.push_back("    " + to_line(field));
    if (asset.fields_left_out > 0)
      lines.push_back("    and " + plural(asset.fields_left_out, "more field", "more fields"));
  }
  lines.push_back(sum_of(comparison));
  if (!comparison.rows_compared)
    lines.push_back("rows were not compared: a side was made without them");
  if (!comparison.audit_compared) lines.push_back("audit events were not compared");
  if (comparison.workspaces.has_value()) {
    lines.push_back("only " +
                    plural(comparison.workspaces->size(), "workspace was", "workspaces were") +
                    " compared, and the people that both sides have");
  }
  return lines;
}

}  // namespace oa::diff
