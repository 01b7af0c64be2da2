// What a tenant owns, as plain values. One struct per table or document; secrets and password
// hashes are not here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/column.h"
#include "oa/base/ids.h"
#include "oa/base/json.h"
#include "oa/crypto/hash.h"

namespace oa::catalog {

enum class Plan { kStarter, kGrowth, kScale };
enum class Role { kViewer, kEditor, kAdmin };  // ascending rights
enum class PrincipalKind { kUser, kTeam };
enum class DatasetMode { kImport, kDirect, kComposite };
enum class DatasetState { kCreated, kSyncing, kReady, kRefreshing, kError, kPaused };
enum class VisualKind { kBar, kLine, kMatrix, kKpi, kTable };
enum class SecretKind { kPostgres, kCloudKey, kSamlCertificate };

// Stable lower-case texts ("growth", "viewer", "import", "kpi" …) used in the database, archives
// and the API.
std::string_view to_text(Plan);
std::string_view to_text(Role);
std::string_view to_text(PrincipalKind);
std::string_view to_text(DatasetMode);
std::string_view to_text(DatasetState);
std::string_view to_text(VisualKind);
std::string_view to_text(SecretKind);
/// The reverse for any of the enums above; kInvalidArgument for another text.
template <class Enum>
Result<Enum> parse_text(std::string_view text);

struct Tenant {
  TenantId id;
  std::string name;
  Plan plan = Plan::kStarter;
  Timestamp created_at;
  bool operator==(const Tenant&) const = default;
};

struct User {
  UserId id;
  std::string email;  // unique in the tenant, compared without case
  std::string first_name;
  std::string last_name;
  JsonText attributes;
  bool active = true;
  bool owner = false;
  Timestamp created_at;
  bool operator==(const User&) const = default;
};

struct Team {
  TeamId id;
  std::string name;
  std::vector<UserId> members;  // ascending
  Timestamp created_at;
  bool operator==(const Team&) const = default;
};

struct RoleGrant {
  PrincipalKind kind = PrincipalKind::kUser;
  Uuid principal;  // a UserId or TeamId by `kind`
  Role role = Role::kViewer;
  auto operator<=>(const RoleGrant&) const = default;
};

struct Workspace {
  WorkspaceId id;
  std::string name;
  Timestamp created_at;
  std::vector<RoleGrant> roles;  // ascending
  bool operator==(const Workspace&) const = default;
};

struct DatasetVersion {
  std::uint32_t version = 1;
  std::vector<Column> columns;
  Timestamp created_at;
  bool operator==(const DatasetVersion&) const = default;
};

/// Where imported rows are: an object of class `rows` of the same tenant, by name and version.
struct RowsObject {
  std::string object_name;
  std::string object_version;
  bool operator==(const RowsObject&) const = default;
};

struct Dataset {
  DatasetId id;
  WorkspaceId workspace_id;
  std::string name;
  DatasetMode mode = DatasetMode::kImport;
  DatasetState state = DatasetState::kCreated;
  std::string model_yaml;                 // exact text
  std::optional<std::string> source_ref;  // names a secret
  std::vector<DatasetVersion> versions;   // ascending, at least one once there was a refresh
  std::uint64_t row_count = 0;
  std::uint64_t size_bytes = 0;  // of the Parquet, unsealed
  std::optional<Timestamp> last_refresh_at;
  std::optional<RowsObject> rows;  // not part of the portable form
  UserId created_by;
  Timestamp created_at;
  Timestamp updated_at;
  bool operator==(const Dataset&) const = default;
};

/// What was uploaded, an object of class `originals`; kept so that a dataset can be refreshed from
/// it.
struct KeptOriginal {
  std::string object_name;
  std::string object_version;
  JsonText options;  // how the file is read
  std::uint64_t size_bytes = 0;
  Blake2bDigest digest{};
  Timestamp uploaded_at;
  bool operator==(const KeptOriginal&) const = default;
};

/// Why the last refresh failed; never holds a value of a cell or a secret.
struct RefreshFailure {
  std::string code;  // ErrorInfo::name
  std::string message;
  bool operator==(const RefreshFailure&) const = default;
};

/// How a dataset's rows come about and how the last refresh went. Not part of the dataset's
/// portable form, and left alone when a restore overwrites the dataset.
struct DatasetSource {
  DatasetId dataset_id;
  std::optional<KeptOriginal> original;
  std::optional<RefreshFailure> last_failure;  // none after a success
  std::optional<Timestamp> last_attempt_at;
  bool operator==(const DatasetSource&) const = default;
};

struct Visual {
  VisualId id;
  VisualKind kind = VisualKind::kTable;
  std::string title;
  DatasetId dataset_id;
  std::uint32_t dataset_version = 1;  // pinned
  JsonText query;                     // a QueryRequest
  JsonText options;
  bool operator==(const Visual&) const = default;
};

struct Bookmark {
  BookmarkId id;
  std::string name;
  JsonText state;  // filters and display parameters; names visuals by id
  bool operator==(const Bookmark&) const = default;
};

struct Report {
  ReportId id;
  WorkspaceId workspace_id;
  std::string name;
  JsonText layout;
  JsonText filters;  // report-level, array form {"items":[…]}
  std::vector<Visual> visuals;
  std::vector<Bookmark> bookmarks;
  UserId created_by;
  Timestamp created_at;
  Timestamp updated_at;
  bool operator==(const Report&) const = default;
};

struct Alert {
  AlertId id;
  WorkspaceId workspace_id;
  DatasetId dataset_id;
  std::string name;
  std::string measure;
  JsonText condition;
  std::string grain;
  JsonText channels;  // {"items":[…]}
  bool enabled = true;
  UserId created_by;
  Timestamp created_at;
  Timestamp updated_at;
  bool operator==(const Alert&) const = default;
};

enum class AlertOutcome { kOk, kFiring, kNoData, kError };
std::string_view to_text(AlertOutcome);

/// One evaluation of an alert's condition.
struct AlertEvaluation {
  AlertId alert_id;
  Timestamp evaluated_at;
  AlertOutcome outcome = AlertOutcome::kOk;
  std::optional<double> value;      // of the measure
  std::optional<double> reference;  // what it was compared with
  JsonText detail;
  bool operator==(const AlertEvaluation&) const = default;
};

/// A secret as the database holds it: only its sealed form (oa/keys seal_value, purpose kSecrets,
/// name = id).
struct SealedSecret {
  SecretId id;
  std::string name;  // what a semantic model's `ref` names; unique in the tenant
  SecretKind kind = SecretKind::kPostgres;
  Bytes sealed;
  Timestamp created_at;
  std::optional<Timestamp> rotated_at;
  std::optional<Timestamp> expires_at;  // of a certificate
};

/// A key that signs this tenant's archives. Retired keys stay trusted.
struct SigningKeyRecord {
  std::string public_key;  // minisign base64 line
  Bytes sealed_seed;       // oa/keys seal_value, purpose kSigning, name = public_key
  Timestamp created_at;
  std::optional<Timestamp> retired_at;
};

/// An archive kept in the object store.
struct ArchiveRecord {
  ArchiveId id;
  Timestamp snapshot_time;
  std::string object_name;
  std::string object_version;
  std::uint64_t size_bytes = 0;
  bool with_rows = false;
  bool with_audit = false;
  JsonText counts;
  std::string content_hash;  // hex
  std::string signer;        // fingerprint
  std::optional<UserId> created_by;
  Timestamp created_at;
};

enum class RestoreState { kPlanned, kApplied };
std::string_view to_text(RestoreState);

/// One applied or planned restore, kept for ever as history.
struct RestoreRecord {
  RestoreId id;
  ArchiveId archive_id;
  RestoreState state = RestoreState::kPlanned;
  JsonText summary;  // counts by action
  Timestamp created_at;
  std::optional<Timestamp> applied_at;
};

}  // namespace oa::catalog
