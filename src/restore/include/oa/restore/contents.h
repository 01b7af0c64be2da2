// What an archive offers to a restore, decoded once into records.
#pragma once

#include <compare>
#include <map>
#include <set>

#include "oa/archive/reader.h"
#include "oa/catalog/portable.h"

namespace oa::restore {

enum class AssetKind { kWorkspace, kDataset, kReport, kAlert };
std::string_view to_text(AssetKind kind);

struct AssetRef {
  AssetKind kind = AssetKind::kWorkspace;
  Uuid id;
  auto operator<=>(const AssetRef&) const = default;
};

/// What somebody wants back. A workspace stands for everything in it.
struct Selection {
  bool everything = false;
  std::set<AssetRef> assets;
};

struct ArchivedRows {
  std::uint64_t size_bytes = 0;
  Blake2bDigest digest{};
};

struct ArchivedDataset {
  catalog::Dataset record;  // with its model text
  std::optional<ArchivedRows> rows;
};

/// The selected assets, the datasets they need, and everything about people that the archive knows.
struct Contents {
  ArchiveId archive_id;
  TenantId tenant_id;
  Timestamp snapshot_time;
  std::map<WorkspaceId, catalog::Workspace> workspaces;  // all of the archive
  std::map<DatasetId, ArchivedDataset> datasets;         // selected or needed by what is selected
  std::map<ReportId, catalog::Report> reports;           // selected
  std::map<AlertId, catalog::Alert> alerts;              // selected
  std::set<AssetRef> selected;  // the selection with workspaces spelled out
  std::map<UserId, catalog::User> users;
  std::map<TeamId, catalog::Team> teams;
};

/// Reads what `selection` needs, each entry verified. kNotFound names a selected asset that the
/// archive does not hold; kArchiveMalformed when a signed document does not decode or contradicts
/// its path.
Result<Contents> read_contents(const archive::ArchiveReader& reader, const Selection& selection);

}  // namespace oa::restore
