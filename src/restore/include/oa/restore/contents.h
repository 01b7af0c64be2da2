// What an archive offers to a restore. Reports and alerts can be many, so of them only what a plan
// needs is kept; their documents are read again when they are written.
#pragma once

#include <array>
#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "oa/archive/reader.h"
#include "oa/catalog/portable.h"

namespace oa::restore {

enum class AssetKind { kWorkspace, kDataset, kReport, kAlert };
std::string_view to_text(AssetKind kind);
Result<AssetKind> parse_asset_kind(std::string_view text);

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

/// Tells one state of an asset from another: the first half of its catalog::content_digest.
using AssetDigest = std::array<std::uint8_t, 32>;
AssetDigest asset_digest(const catalog::Workspace& workspace);
AssetDigest asset_digest(const catalog::Dataset& dataset);
AssetDigest asset_digest(const catalog::Report& report);
AssetDigest asset_digest(const catalog::Alert& alert);

/// A report or an alert as a plan sees it.
struct AssetBrief {
  WorkspaceId workspace;
  std::string name;
  UserId created_by;
  Timestamp updated_at;
  std::vector<DatasetId> datasets;         // that it reads, ascending
  std::vector<catalog::RoleGrant> grants;  // of a report
  std::vector<Uuid> parts;                 // visuals and bookmarks of a report
  AssetDigest digest{};
  bool operator==(const AssetBrief&) const = default;
};
AssetBrief brief_of(const catalog::Report& report);
AssetBrief brief_of(const catalog::Alert& alert);

struct ArchivedRows {
  std::uint64_t size_bytes = 0;
  Blake2bDigest digest{};
};

struct ArchivedDataset {
  catalog::Dataset record;  // with its model text
  std::optional<ArchivedRows> rows;
};

/// The documents behind the briefs. Errors: those of the archive; kArchiveMalformed when a signed
/// document does not decode or contradicts its path; kCancelled.
class Documents {
 public:
  template <class Record>
  using Visit = std::function<Status(Record record)>;
  virtual ~Documents() = default;
  /// Each of `ids` once, in no particular order; `visit` is called by one thread at a time.
  virtual Status reports(const std::set<ReportId>& ids, Progress& progress,
                         const Visit<catalog::Report>& visit) const = 0;
  virtual Status alerts(const std::set<AlertId>& ids, Progress& progress,
                        const Visit<catalog::Alert>& visit) const = 0;
};

/// The selected assets, the datasets they need, and everything about people that the archive knows.
class ErasedPeople;

struct Contents {
  ArchiveId archive_id;
  std::string content_hash;  // of the archive, hex
  std::string signer;        // its fingerprint
  TenantId tenant_id;        // whose it was
  Timestamp snapshot_time;
  bool knows_grants = true;             // false for a format from before there were any
  std::vector<std::string> migrations;  // what reading an older format version changed, for people
  std::map<WorkspaceId, catalog::Workspace> workspaces;  // all of the archive
  std::map<DatasetId, ArchivedDataset> datasets;         // selected or needed by what is selected
  std::map<ReportId, AssetBrief> reports;                // selected
  std::map<AlertId, AssetBrief> alerts;                  // selected
  std::set<AssetRef> selected;  // the selection with workspaces spelled out
  std::map<UserId, catalog::User> users;
  std::map<TeamId, catalog::Team> teams;
  std::shared_ptr<const Documents> documents;
};

/// More selected assets than this are refused with kLimitExceeded.
inline constexpr std::size_t kMaxSelectedAssets = 200'000;

/// Reads what `selection` needs, each entry verified. `reader` is borrowed for the result's life.
/// kNotFound names a selected asset that the archive does not hold; kArchiveMalformed when a signed
/// document does not decode or contradicts its path; kArchiveVersionUnsupported for documents of a
/// newer version; kLimitExceeded; kCancelled.
/// `erased`: of whom no text that comes out of it, documents included, holds anything but a tombstone;
/// from the view of `tenant`. None: nobody was erased.
Result<Contents> read_contents(const archive::ArchiveReader& reader, const Selection& selection,
                               Progress& progress, const ErasedPeople* erased = nullptr,
                               TenantId tenant = {});

}  // namespace oa::restore
