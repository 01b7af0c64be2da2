// Exports of personal data that were asked for: whose, by whom, where the bundle is and until when.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/catalog/database.h"
#include "oa/crypto/hash.h"

namespace oa::privacy {

inline constexpr int kExportDays = 7;  // a bundle is offered for so long

enum class ExportState {
  kPreparing,  // its job is not over
  kReady,      // alone can be downloaded
  kFailed,
  kExpired  // its time is over, or the person was erased
};
std::string_view to_text(ExportState);

/// A bundle in the object store, class kArchives.
struct ExportObject {
  std::string name, version;
  std::uint64_t size_bytes = 0;
  Sha256Digest digest{};  // of the bundle
  bool operator==(const ExportObject&) const = default;
};

struct PersonalExport {
  Uuid id;  // that of its job, when it has one
  UserId user;
  std::optional<UserId> requested_by;  // none: the operator
  Timestamp requested_at;
  ExportState state = ExportState::kPreparing;
  std::optional<ExportObject> object;  // until it is removed; size and digest stay in the row
  std::optional<std::uint64_t> size_bytes;
  std::optional<std::string> digest;  // hex
  JsonText counts;                    // by section
  std::optional<Timestamp> made_at, expires_at;
  std::uint64_t downloads = 0;
  std::optional<Timestamp> last_download_at;
};

/// One tenant's. Borrows the transaction.
class PersonalExports {
 public:
  explicit PersonalExports(catalog::TenantTransaction& transaction) : tx_(transaction) {}
  /// Asked for now. Of an id that is there already nothing changes.
  Status add(Uuid id, UserId user, const std::optional<UserId>& requested_by);
  /// kNotFound.
  Result<PersonalExport> get(Uuid id);
  struct After {
    Timestamp requested_at;
    Uuid id;
  };
  /// Newest first, behind `after`; of one person when named.
  Result<std::vector<PersonalExport>> page(const std::optional<UserId>& user,
                                           const std::optional<After>& after, std::size_t limit);
  /// The bundle is there, for kExportDays. kConflict when it was made already or is not wanted any
  /// more.
  Status set_made(Uuid id, const ExportObject& object, const JsonText& counts);
  /// Counts a download. kGone when it is not offered any more.
  Status add_download(Uuid id);
  /// Those of this person are offered no more: they were erased. How many.
  Result<std::uint64_t> expire_of(UserId user);
  /// Whose time is over and whose bundle is not removed yet.
  Result<std::vector<PersonalExport>> to_remove();
  /// The bundle is gone.
  Status set_removed(Uuid id);
  /// Name and version of every bundle that is to stay.
  Result<std::vector<ExportObject>> kept();

 private:
  catalog::TenantTransaction& tx_;
};

}  // namespace oa::privacy
