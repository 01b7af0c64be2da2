#include "oa/doctor/finding.h"

#include <fmt/format.h>

#include <algorithm>

namespace oa::doctor {
namespace {

std::string group_of(const Finding& finding) { return finding.id.substr(0, finding.id.find('.')); }

}  // namespace

std::string_view to_text(Severity severity) {
  constexpr auto kTexts = std::to_array<std::string_view>({"ok", "note", "warning", "broken"});
  return kTexts[static_cast<std::size_t>(severity)];
}

std::string_view to_text(Promise promise) {
  constexpr auto kTexts = std::to_array<std::string_view>(
      {"Postgres is on a LUKS2 volume with AES-256", "nothing readable outside of memory",
       "objects are versioned, and sealed under the tenant's key",
       "keys are nobody else's, and at hand", "nothing readable on the network",
       "every moment of the window; less than 5 minutes lost, an hour to come back", "it runs"});
  return kTexts[static_cast<std::size_t>(promise)];
}

std::size_t count(const Findings& findings, Severity severity) {
  return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

json::object to_json(const Findings& findings) {
  json::object counts;
  for (const auto severity :
       {Severity::kOk, Severity::kNote, Severity::kWarning, Severity::kBroken})
    counts[to_text(severity)] = count(findings, severity);
  json::array all;
  for (const auto& each : findings) {
    json::object entry{{"id", each.id},
                       {"group", group_of(each)},
                       {"severity", to_text(each.severity)},
                       {"what", each.what},
                       {"promise", to_text(each.promise)}};
    entry["remedy"] = each.remedy.empty() ? json::value(nullptr) : json::value(each.remedy);
    all.push_back(std::move(entry));
  }
  return {{"ok", count(findings, Severity::kBroken) == 0},
          {"counts", std::move(counts)},
          {"findings", std::move(all)}};
}

std::vector<std::string> to_lines(const Findings& findings) {
  std::vector<std::string> groups, lines;
  for (const auto& each : findings)
    if (std::ranges::find(groups, group_of(each)) == groups.end()) groups.push_back(group_of(each));
  for (const auto& group : groups) {
    lines.push_back(group);
    std::vector<const Finding*> members;
    for (const auto& each : findings)
      if (group_of(each) == group) members.push_back(&each);
    std::ranges::stable_sort(members, std::greater(), &Finding::severity);
    for (const auto* each : members) {
      lines.push_back(fmt::format("  {:<8} {}", to_text(each->severity), each->what));
      if (!each->remedy.empty()) lines.push_back(fmt::format("           to do: {}", each->remedy));
    }
  }
  return lines;
}

Status check(const Findings& findings) {
  std::string broken;
  for (const auto& each : findings) {
    if (each.severity != Severity::kBroken) continue;
    broken += fmt::format("{}{}: {}", broken.empty() ? "" : "; ", each.id, each.what);
  }
  if (broken.empty()) return {};
  return make_error(ErrorCode::kPromiseBroken, "doctor", "a promise is broken: " + broken)
      .with_hint("`oa-backup doctor` says what to do about each");
}

}  // namespace oa::doctor
