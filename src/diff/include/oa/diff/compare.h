// Compares two archives, or an archive and what a tenant has now, by asset.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oa/base/progress.h"
#include "oa/diff/fields.h"
#include "oa/diff/sides.h"

namespace oa::diff {

/// In the order in which a comparison lists them; those of a workspace stand together.
enum class AssetKind {
  kTenant,
  kTeam,
  kUser,
  kWorkspace,
  kDataset,
  kReport,
  kAlert,
  kAudit,
  kFile,  // an entry whose path is no asset's, as in an archive of any folder
};
std::string_view to_text(AssetKind kind);

enum class Change { kAdded, kRemoved, kChanged };
std::string_view to_text(Change change);

struct AssetChange {
  AssetKind kind = AssetKind::kFile;
  std::string id;                        // UUID; the path of a file, cut to kMaxValueBytes
  std::string name;                      // a user's is the address; empty where none is known; cut
  std::optional<WorkspaceId> workspace;  // of workspaces and what is in them
  Change change = Change::kChanged;
  std::vector<FieldChange> fields;  // of a changed asset: at least one
  std::size_t fields_left_out = 0;  // differ too, past Limits::max_fields
  bool operator==(const AssetChange&) const = default;
};

struct Comparison {
  std::vector<AssetChange> changes;  // by workspace, kind and id
  bool rows_compared = true;         // false: one side was made without them, or both
  bool audit_compared = true;
  /// The only workspaces compared, where a side is limited to some. People are then compared where
  /// both sides have them, and never count as added or removed.
  std::optional<std::set<WorkspaceId>> workspaces;
};

struct Limits {
  std::size_t max_document_bytes = std::size_t{64}
                                   << 20;  // past it only sizes and digests are told
  std::size_t max_fields = 1000;           // of one asset
  std::size_t max_changes = 1'000'000;     // past it: kLimitExceeded
};

/// Walks both sides once, side by side. Entries of equal digest are not read. Changed documents are
/// compared by field; the model text as `model` with the number of lines that only one side has,
/// rows as `rows` with size and digest, the audit chain by its number of events. A document that is
/// not JSON, not an object, nested too deeply or too large is compared as `content`. Documents of
/// an older version of the format are compared as today's. A workspace's document is spread over
/// the workspace, its datasets and the people in it; somebody who stands in several documents is
/// one change. Every difference counts, a mere `updated_at` too.
///
/// Memory: one document of each side, the people of changed documents, the result.
/// Errors: those of the sides, kLimitExceeded, kCancelled.
Result<Comparison> compare(const Listing& before, Passage& after, const Limits& limits,
                           Progress& progress);

}  // namespace oa::diff
