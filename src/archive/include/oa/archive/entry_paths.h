// Entry paths of an archive (docs/format.md, "Entries"). The one place that spells and reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oa/base/ids.h"

namespace oa::archive {

inline constexpr char kAuditPath[] = "audit/events.ndjson";

inline std::string workspace_folder(WorkspaceId workspace) {
  return "workspaces/" + workspace.str() + "/";
}
inline std::string workspace_path(WorkspaceId workspace) {
  return workspace_folder(workspace) + "metadata.json";
}
inline std::string model_path(WorkspaceId workspace, DatasetId dataset) {
  return workspace_folder(workspace) + "datasets/" + dataset.str() + "/model.yaml";
}
inline std::string rows_path(WorkspaceId workspace, DatasetId dataset) {
  return workspace_folder(workspace) + "datasets/" + dataset.str() + "/rows.parquet";
}
inline std::string report_path(WorkspaceId workspace, ReportId report) {
  return workspace_folder(workspace) + "reports/" + report.str() + ".json";
}
inline std::string alert_path(WorkspaceId workspace, AlertId alert) {
  return workspace_folder(workspace) + "alerts/" + alert.str() + ".json";
}

enum class EntryKind { kWorkspace, kModel, kRows, kReport, kAlert };

/// An entry of a workspace. `id` is the asset's; for kWorkspace the workspace's.
struct EntryRef {
  EntryKind kind = EntryKind::kWorkspace;
  WorkspaceId workspace;
  Uuid id;
};

/// std::nullopt for paths that are not of a workspace's assets.
inline std::optional<EntryRef> parse_entry_path(std::string_view path) {
  constexpr std::string_view kRoot = "workspaces/";
  constexpr std::size_t kIdLength = 36;
  if (!path.starts_with(kRoot)) return std::nullopt;
  path.remove_prefix(kRoot.size());
  const auto workspace = WorkspaceId::parse(path.substr(0, kIdLength));
  if (!workspace.ok() || path.size() <= kIdLength || path[kIdLength] != '/') return std::nullopt;
  path.remove_prefix(kIdLength + 1);
  if (path == "metadata.json")
    return EntryRef{EntryKind::kWorkspace, *workspace, workspace->uuid()};
  const struct {
    std::string_view folder, rest;
    EntryKind kind;
  } forms[] = {{"datasets/", "/model.yaml", EntryKind::kModel},
               {"datasets/", "/rows.parquet", EntryKind::kRows},
               {"reports/", ".json", EntryKind::kReport},
               {"alerts/", ".json", EntryKind::kAlert}};
  for (const auto& form : forms) {
    if (!path.starts_with(form.folder) || !path.ends_with(form.rest)) continue;
    if (path.size() != form.folder.size() + kIdLength + form.rest.size()) continue;
    const auto id = Uuid::parse(path.substr(form.folder.size(), kIdLength));
    if (id.ok()) return EntryRef{form.kind, *workspace, *id};
  }
  return std::nullopt;
}

}  // namespace oa::archive
