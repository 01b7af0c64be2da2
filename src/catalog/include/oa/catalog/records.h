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
#include "oa/base/record_checker.h"
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
/// What two addresses of one person have in common: ASCII letters in lower case, the rest as it is,
/// as in the database's index.
std::string email_key(std::string_view address);
inline bool same_email(std::string_view a, std::string_view b) {
  return email_key(a) == email_key(b);
}

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
  std::vector<RoleGrant> grants;  // beside the workspace's members; ascending, nobody Admin
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

/// A key that signs this tenant's archives. Retired keys stay trusted until they are revoked.
struct SigningKeyRecord {
  std::string public_key;  // minisign base64 line
  Bytes sealed_seed;       // oa/keys seal_value, purpose kSigning, name = public_key
  Timestamp created_at;
  std::optional<Timestamp> retired_at;
  std::optional<Timestamp> revoked_at = std::nullopt;  // only of a retired one
};

/// A signer of somebody else's archives, accepted by an Owner until revoked_at.
struct AcceptedSigner {
  std::string public_key;   // minisign base64 line
  std::string fingerprint;  // 64 lower-case hex digits
  std::string note;         // what the Owner wrote about it
  UserId accepted_by;
  Timestamp accepted_at;
  std::optional<Timestamp> revoked_at;
  bool operator==(const AcceptedSigner&) const = default;
};

enum class ArchiveOrigin { kCreated, kScheduled, kUploaded, kMoment };
std::string_view to_text(ArchiveOrigin);

/// What became of the last verification of a whole archive.
struct ArchiveVerification {
  Timestamp at;
  std::optional<std::string> refusal;  // ErrorInfo::name; none: every byte was as signed
  bool operator==(const ArchiveVerification&) const = default;
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
  ArchiveOrigin origin = ArchiveOrigin::kCreated;
  std::optional<std::vector<WorkspaceId>> workspaces;  // none: all of the tenant
  std::optional<ArchiveVerification> verification;
  std::optional<Timestamp> expires_at;  // when the schedule's retention removes it
};

/// When archives are made by themselves.
enum class ScheduleFrequency { kOff, kDaily, kWeekly };
std::string_view to_text(ScheduleFrequency);
struct BackupSchedule {
  ScheduleFrequency frequency = ScheduleFrequency::kOff;
  bool with_rows = false;
  bool with_audit = false;
  std::uint32_t keep_days = 30;          // 1 to 3650
  std::optional<Timestamp> next_run_at;  // none exactly when off
  std::optional<Timestamp> last_run_at;
  bool operator==(const BackupSchedule&) const = default;
};

/// planned → applying → applied → undone. A restore that was interrupted while applying changed
/// nothing; sweeping makes it planned again.
enum class RestoreState { kPlanned, kApplying, kApplied, kUndone };
std::string_view to_text(RestoreState);

/// A plan that is made to choose from shows what could be restored and is no history.
enum class RestorePurpose { kRestore, kCompare };
std::string_view to_text(RestorePurpose);

enum class RestoreKind { kRestore, kImport, kUndo };
std::string_view to_text(RestoreKind);

/// One restore from its plan on, kept for ever as history. What the texts of JSON hold is the
/// restore module's matter.
struct RestoreRecord {
  RestoreId id;
  RestoreKind kind = RestoreKind::kRestore;
  RestoreState state = RestoreState::kPlanned;
  ArchiveId archive_id;      // nil for an undo that reads none
  std::string content_hash;  // of that archive, hex
  JsonText source;           // where the archive is
  JsonText request;          // what was asked for
  JsonText plan;             // the plan without its items
  std::string plan_hash;     // what is approved, hex
  JsonText summary;          // counts by action
  std::uint64_t item_count = 0;
  std::optional<UserId> created_by, approved_by;  // none: the operator
  Timestamp created_at;
  std::optional<Timestamp> approved_at, applied_at;
  std::optional<RowsObject> undo_archive;  // an object of class `archives`
  std::optional<RestoreId> undoes;         // of an undo: the restore it takes back
  std::optional<RestoreId> undone_by;
  std::optional<std::string> last_failure;  // ErrorInfo::name of the last attempt to apply it
  RestorePurpose purpose = RestorePurpose::kRestore;
  bool operator==(const RestoreRecord&) const = default;
};

/// One line of a plan. `document` is the item as it was hashed; the other members find it.
struct RestoreItem {
  std::uint64_t ordinal = 0;
  std::string kind;  // workspace, dataset, report, alert
  Uuid source_id, target_id;
  std::string action;
  std::string name;
  JsonText document;
  bool operator==(const RestoreItem&) const = default;
};

/// How much a tenant may have: assets of all kinds, and bytes of imported rows (Parquet).
struct Quota {
  std::uint64_t assets = 0;
  std::uint64_t rows_bytes = 0;
  bool operator==(const Quota&) const = default;
};
Quota quota_of(Plan plan);
/// How far back a tenant may ask for a moment, in days.
int window_days_of(Plan plan);

}  // namespace oa::catalog
