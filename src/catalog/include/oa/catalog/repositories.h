// Typed access to one tenant's rows. Each repository borrows a TenantTransaction and must not
// outlive it. Lists come in ascending id order; `after` is exclusive, std::nullopt begins. Bulk
// writes take any number of records and use few round trips. "put" inserts or replaces the whole
// record by id (what is not in the new one is gone from the old one).
#pragma once

#include <functional>
#include <set>
#include <span>

#include "oa/audit/checkpoint.h"
#include "oa/catalog/database.h"

namespace oa::catalog {

class Users {
 public:
  explicit Users(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<User>> list();
  Result<User> get(UserId id);
  /// Those of `ids` that made nothing that is there and hold no role, grant or membership.
  Status remove_unused(std::span<const UserId> ids);
  Status put(std::span<const User> users);  // never touches a password hash of an existing user
  Status set_password_hash(UserId id, const std::string& phc_text);

 private:
  TenantTransaction& tx_;
};

class Teams {
 public:
  explicit Teams(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<Team>> list();
  Status put(std::span<const Team> teams);
  /// Those of `ids` that hold no role and no grant.
  Status remove_unused(std::span<const TeamId> ids);

 private:
  TenantTransaction& tx_;
};

class Workspaces {
 public:
  explicit Workspaces(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<Workspace>> list();
  Result<Workspace> get(WorkspaceId id);
  Status put(std::span<const Workspace> workspaces);
  /// With everything in it.
  Status remove(WorkspaceId id);
  /// kInvalidArgument when something is in one of them.
  Status remove_empty(std::span<const WorkspaceId> ids);

 private:
  TenantTransaction& tx_;
};

class Datasets {
 public:
  explicit Datasets(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<Dataset>> list(WorkspaceId workspace);
  Result<Dataset> get(DatasetId id);
  Status put(std::span<const Dataset> datasets);
  /// The record, which nobody else can change or remove until the transaction ends.
  Result<Dataset> lock(DatasetId id);
  /// Changes nothing else of it, updated_at included. kNotFound.
  Status set_state(DatasetId id, DatasetState state);
  /// Takes the right to refresh this dataset until the transaction ends or its connection is lost;
  /// false when another transaction has it.
  Result<bool> try_lock_refresh(DatasetId id);
  /// kConflict while a report or alert refers to it.
  Status remove(DatasetId id);
  /// The same for many.
  Status remove(std::span<const DatasetId> ids);
  /// Which reports and which alerts refer to which of `ids`.
  struct Use {
    DatasetId dataset;
    std::optional<ReportId> report;
    std::optional<AlertId> alert;
  };
  Result<std::vector<Use>> uses(std::span<const DatasetId> ids);

 private:
  TenantTransaction& tx_;
};

class DatasetSources {
 public:
  explicit DatasetSources(TenantTransaction& transaction) : tx_(transaction) {}
  /// An empty one when nothing was put for this dataset.
  Result<DatasetSource> get(DatasetId id);
  Status put(const DatasetSource& source);
  /// Those whose original was uploaded before `moment`, oldest first.
  Result<std::vector<DatasetSource>> uploaded_before(Timestamp moment, std::size_t limit);

 private:
  TenantTransaction& tx_;
};

struct Grantees {
  std::set<UserId> users;
  std::set<TeamId> teams;
};

class Reports {
 public:
  explicit Reports(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<Report>> list(WorkspaceId workspace, std::optional<ReportId> after,
                                   std::size_t limit);
  Result<Report> get(ReportId id);
  /// Those of `ids` that there are, or all of a workspace, by id; one at a time is in memory.
  /// `visit` must not use the transaction; its error ends the walk.
  using Visit = std::function<Status(const Report&)>;
  Status for_each(std::span<const ReportId> ids, const Visit& visit);
  Status for_each(WorkspaceId workspace, const Visit& visit);
  /// All of a workspace.
  Result<std::vector<std::pair<ReportId, std::string>>> names(WorkspaceId workspace);
  /// The record, which nobody else can change or remove until the transaction ends.
  Result<Report> lock(ReportId id);
  /// Whoever some report of the workspace is shared with.
  Result<Grantees> grantees(WorkspaceId workspace);
  Status put(std::span<const Report> reports);
  Status remove(ReportId id);
  Status remove(std::span<const ReportId> ids);

 private:
  TenantTransaction& tx_;
};

class Alerts {
 public:
  explicit Alerts(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<Alert>> list(WorkspaceId workspace, std::optional<AlertId> after,
                                  std::size_t limit);
  Result<Alert> get(AlertId id);
  /// Those of `ids` that there are, or all of a workspace, by id; one at a time is in memory.
  /// `visit` must not use the transaction; its error ends the walk.
  using Visit = std::function<Status(const Alert&)>;
  Status for_each(std::span<const AlertId> ids, const Visit& visit);
  Status for_each(WorkspaceId workspace, const Visit& visit);
  /// All of a workspace.
  Result<std::vector<std::pair<AlertId, std::string>>> names(WorkspaceId workspace);
  Status put(std::span<const Alert> alerts);
  Status remove(AlertId id);
  Status remove(std::span<const AlertId> ids);

 private:
  TenantTransaction& tx_;
};

/// How much of its plan's quota a tenant uses.
Result<Quota> usage_of(TenantTransaction& transaction);

/// What became of an alert each time it was evaluated. Kept as long as the alert; cannot be
/// changed.
class AlertHistory {
 public:
  explicit AlertHistory(TenantTransaction& transaction) : tx_(transaction) {}
  Status append(std::span<const AlertEvaluation> evaluations);
  Result<std::vector<AlertEvaluation>> list(AlertId alert, std::size_t limit);  // newest first

 private:
  TenantTransaction& tx_;
};

class Secrets {
 public:
  explicit Secrets(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<SealedSecret>> list();
  Result<SealedSecret> get(std::string_view name);
  /// The record, which nobody else can change or remove until the transaction ends.
  Result<SealedSecret> lock(std::string_view name);
  /// kConflict when another secret has the name.
  Status put(const SealedSecret& secret);
  Status remove(SecretId id);
  /// How many datasets refer to the name.
  Result<std::uint64_t> uses(std::string_view name);

 private:
  TenantTransaction& tx_;
};

class SigningKeys {
 public:
  explicit SigningKeys(TenantTransaction& transaction) : tx_(transaction) {}
  /// All of them, oldest first; the one without retired_at signs.
  Result<std::vector<SigningKeyRecord>> list();
  /// Retires the current one and adds `record`.
  Status rotate_to(const SigningKeyRecord& record);
  /// Of a retired key: it is not trusted any more. kNotFound when no retired one that is trusted
  /// has this public key.
  Status revoke(const std::string& public_key, Timestamp at);

 private:
  TenantTransaction& tx_;
};

class AcceptedSigners {
 public:
  explicit AcceptedSigners(TenantTransaction& transaction) : tx_(transaction) {}
  /// All of them, oldest first, those that were revoked too.
  Result<std::vector<AcceptedSigner>> list();
  /// kConflict while the key is accepted already.
  Status accept(const AcceptedSigner& signer);
  /// Ends the acceptance in force; kNotFound when there is none.
  Status revoke(const std::string& public_key, Timestamp at);

 private:
  TenantTransaction& tx_;
};

class Archives {
 public:
  explicit Archives(TenantTransaction& transaction) : tx_(transaction) {}
  /// Where a page of a list begins: behind the record made then.
  struct After {
    Timestamp created_at;
    Uuid id;
  };
  /// Which archives: all, or those of only these workspaces and what this person uploaded.
  struct Visible {
    std::optional<std::vector<WorkspaceId>> of_only;
    UserId uploaded_by;
  };

  Result<std::vector<ArchiveRecord>> list();  // newest first
  Result<std::vector<ArchiveRecord>> page(const Visible& visible, const std::optional<After>& after,
                                          std::size_t limit);
  Result<ArchiveRecord> get(ArchiveId id);
  Status add(const ArchiveRecord& record);
  Status set_verification(ArchiveId id, const ArchiveVerification& verification);
  /// Those whose time was over at `moment`, but for the newest verified one of the schedule: when
  /// nothing newer could be made, there is still one.
  Result<std::vector<ArchiveRecord>> expired(Timestamp moment);
  /// From now on, those that are there too.
  Status keep_scheduled_for_days(std::uint32_t days);
  /// The record; its object is the caller's matter. kNotFound.
  Status remove(ArchiveId id);

 private:
  TenantTransaction& tx_;
};

class BackupSchedules {
 public:
  explicit BackupSchedules(TenantTransaction& transaction) : tx_(transaction) {}
  /// One that is off when none was set.
  Result<BackupSchedule> get();
  /// The same; nobody else can change it until the transaction ends.
  Result<BackupSchedule> lock();
  Status put(const BackupSchedule& schedule);

 private:
  TenantTransaction& tx_;
};

/// The answer to a request that carried an Idempotency-Key.
struct RememberedAnswer {
  Sha256Digest request{};  // of what was asked
  int status = 0;          // 0: the key is claimed, and how the request ended is not known
  JsonText headers;
  std::string body;
  bool known() const { return status != 0; }
};

class IdempotentAnswers {
 public:
  explicit IdempotentAnswers(TenantTransaction& transaction) : tx_(transaction) {}
  /// What there is of the key; none: it is claimed now, for this request. Waits for another
  /// transaction that claims the same key.
  Result<std::optional<RememberedAnswer>> claim(UserId user, const std::string& key,
                                                const Sha256Digest& request);
  /// Of a key that is claimed.
  Status complete(UserId user, const std::string& key, const RememberedAnswer& answer);
  Status remove(UserId user, const std::string& key);
  Result<std::uint64_t> remove_before(Timestamp moment);

 private:
  TenantTransaction& tx_;
};

/// The same for requests of the operator. Each call is a transaction of its own.
class OperatorAnswers {
 public:
  explicit OperatorAnswers(OperatorAccess& access) : access_(access) {}
  Result<std::optional<RememberedAnswer>> claim(const std::string& key,
                                                const Sha256Digest& request);
  Status complete(const std::string& key, const RememberedAnswer& answer);
  Status remove(const std::string& key);
  Result<std::uint64_t> remove_before(Timestamp moment);

 private:
  OperatorAccess& access_;
};

class Restores {
 public:
  using AddItem = std::function<Status(const RestoreItem&)>;
  using ItemProducer = std::function<Status(const AddItem& add)>;
  /// Empty members match any.
  struct ItemFilter {
    std::string_view action, kind;
    std::optional<Uuid> asset;      // archived or written id
    std::optional<Uuid> workspace;  // where the asset will be
    std::string_view name_part;     // in any case
  };

  explicit Restores(TenantTransaction& transaction) : tx_(transaction) {}
  Result<std::vector<RestoreRecord>> list(std::size_t limit);  // newest first
  /// The same in pages, without those that were made to compare; of one person when named.
  Result<std::vector<RestoreRecord>> page(const std::optional<UserId>& created_by,
                                          const std::optional<Archives::After>& after,
                                          std::size_t limit);
  /// Removes plans that were made before `moment` and not applied; how many.
  Result<std::uint64_t> remove_planned_before(Timestamp moment);
  Result<RestoreRecord> get(RestoreId id);
  /// The record, which nobody else can change until the transaction ends.
  Result<RestoreRecord> lock(RestoreId id);
  Result<std::vector<RestoreRecord>> in_state(RestoreState state);  // oldest first
  /// Those applied before `moment` that still have an undo archive.
  Result<std::vector<RestoreRecord>> undoable_before(Timestamp moment);
  /// kConflict when another applied restore undoes the same one.
  Status put(const RestoreRecord& record);
  /// All items of a plan, once; ordinals ascend. Nothing else may use the transaction meanwhile.
  Status add_items(RestoreId id, const ItemProducer& produce);
  /// By ordinal, those behind `after`.
  Result<std::vector<RestoreItem>> items(RestoreId id, std::optional<std::uint64_t> after,
                                         std::size_t limit, const ItemFilter& filter = {});
  Status remove_items(RestoreId id);

 private:
  TenantTransaction& tx_;
};

class Audit {
 public:
  /// Empty members match any.
  struct Filter {
    std::string action;  // or the beginning of some, when it ends in a dot
    std::optional<Uuid> actor;
    std::string resource;
    std::optional<Timestamp> from, to;  // `to` is exclusive
    bool changes = false;  // only what changed what is archived: no views, sign-ins, archives
  };
  explicit Audit(TenantTransaction& transaction) : tx_(transaction) {}
  /// Newest first, those before the event of sequence number `before`.
  Result<std::vector<AuditEvent>> page(const Filter& filter, std::optional<std::uint64_t> before,
                                       std::size_t limit);
  /// Appends in order at the head of the chain (other appenders wait until this transaction ends).
  Status append(std::span<const NewAuditEvent> events);
  /// All events in order, in bounded memory.
  Status for_each(const std::function<Status(const AuditEvent&)>& visit);
  Result<std::uint64_t> count();
  /// The newest; none while the chain is there from its first event on.
  Result<std::optional<AuditCheckpoint>> checkpoint();
  /// What the first event that is there follows.
  Result<AuditMark> begin();
  /// The last event before `moment`, with all before it older too; none when there is none behind
  /// the checkpoint.
  struct Last {
    AuditMark mark;
    Timestamp ts;
  };
  Result<std::optional<Last>> last_before(Timestamp moment);

 private:
  TenantTransaction& tx_;
};

}  // namespace oa::catalog
