// verify → plan → approve → stage → apply → undo, each a step of one restore record.
#pragma once

#include <memory>

#include "oa/base/progress.h"
#include "oa/crypto/sign.h"
#include "oa/restore/plan.h"

namespace oa::restore {

/// What the steps work with; borrowed. Safe to use from several threads, with one Engine each.
struct Engine {
  catalog::Database& database;
  SealedObjects& objects;
  TenantId tenant;
  const SigningKey& signer;              // of the tenant; signs the undo archive
  std::vector<PublicKey> own_keys;       // of the tenant, past ones too
  const ErasedPeople* erased = nullptr;  // none: nobody was erased
};

/// An archive in the object store, opened. Both live as long as this does.
struct StoredArchive {
  std::unique_ptr<RangedSource> source;
  std::unique_ptr<archive::ArchiveReader> reader;
};
Result<StoredArchive> open_stored_archive(SealedObjects& objects, TenantId tenant,
                                          const catalog::ArchiveRecord& record,
                                          const archive::TrustPolicy& trust);

struct UndoRequest {
  RestoreId id;      // of the undo
  RestoreId undoes;  // an applied restore, or an undo: then it is done again
  /// Take back also what was edited since; otherwise that blocks.
  bool discard_edits = false;
  std::optional<UserId> requested_by;
  /// Take back the rest when something is blocked.
  bool leave_out_blocked = false;
};

/// A plan and what it was made from.
struct PreparedRestore {
  Request request;  // not of an undo
  Contents contents;
  LiveState live;
  Plan plan;
  std::string hash;                                // plan_hash(plan)
  const archive::ArchiveReader* reader = nullptr;  // none for an undo that reads no archive
  /// What an undo was made from, besides.
  struct Undo {
    UndoRequest request;
    Plan applied;  // with its items
    StoredArchive archive;
  };
  std::shared_ptr<const Undo> undo;
};

/// What of the archive is verified before there is a plan: all that is selected, rows too, and the
/// whole archive when everything is; or nothing more than what is read, when all was verified
/// just before.
enum class Verify { kSelected, kNothingMore };

/// Verifies, reads what is asked for out of the archive, looks at the tenant and plans. Changes
/// nothing. `reader` is borrowed for the result's life. Errors: those of read_contents(), of the
/// database; kPermissionDenied (who asks may not restore).
Result<PreparedRestore> prepare_restore(const Engine& engine, const archive::ArchiveReader& reader,
                                        const Request& request, Progress& progress,
                                        Verify verify = Verify::kSelected);

/// Plans how to take a restore back: what it overwrote comes back from its undo archive, what it
/// created goes, unless something made since needs it. Changes nothing. Errors: kNotFound,
/// kConflict (not applied, or undone already), kGone (its undo archive was removed).
Result<PreparedRestore> prepare_undo(const Engine& engine, const UndoRequest& request,
                                     Progress& progress);

/// Where the archive of a plan is, for the record: {"kind":"stored"} with "archive_id" where the
/// catalog has it under another id than its own, {"kind":"file","path":…}, {"kind":"undo"}.
using ArchiveSource = JsonText;

/// Writes the plan into the restore's record, in state `planned`, with an audit event; a plan that
/// the record had is replaced. kConflict when a restore of that id was applied or is just now.
Result<catalog::RestoreRecord> save_plan(const Engine& engine, const PreparedRestore& prepared,
                                         const ArchiveSource& source,
                                         catalog::RestorePurpose purpose =
                                             catalog::RestorePurpose::kRestore);

/// Plans a saved restore again, from the same archive. kPreconditionFailed when that gives another
/// plan than the saved one; the message names the first assets that changed. `reader`: none for an
/// undo, which finds its archive itself.
Result<PreparedRestore> reopen_plan(const Engine& engine, const catalog::RestoreRecord& record,
                                    const archive::ArchiveReader* reader, Progress& progress);

/// Why the plan cannot be applied: kConflict naming the first blocked item, unless the plan leaves
/// blocked ones out; kQuotaExceeded.
Status check_applicable(const Plan& plan);

/// Who says yes to which plan.
struct Approval {
  std::string plan_hash;
  std::optional<UserId> user;  // none: the operator
};

/// Applies a saved plan. Waits for other restores of the tenant, looks again whether the tenant is
/// as planned, puts what will be overwritten or removed into the undo archive, stages rows as new
/// objects, then writes everything in one transaction with the record and the audit event. A
/// failure or a crash leaves the tenant as it was; what was staged is removed, after a crash by the
/// next restore or sweep(). Applying a restore again changes nothing and returns its record. Every
/// step is a Progress::begin, in order "waiting", "checking", "keeping what is there", "staging
/// rows", "writing", "committing", "done". Errors: those of check_applicable(); kPreconditionFailed
/// (the tenant changed since the plan was made, or the approval is of another plan),
/// kPermissionDenied (who approves), those of the archive, the stores and the database, kCancelled
/// (only before "committing").
Result<catalog::RestoreRecord> apply_plan(const Engine& engine, const PreparedRestore& prepared,
                                          const Approval& approval, Progress& progress);

/// Of how many datasets the rows that this restore replaced or removed were lost or damaged, so that
/// they are not in the undo archive and its undo does not bring them back. Also the member
/// `rows_not_kept` of the record's summary and of the audit event, when there are any.
std::size_t rows_not_kept(const catalog::RestoreRecord& record);

struct SweepReport {
  std::size_t restores = 0;       // that were interrupted
  std::size_t objects = 0;        // of theirs, removed
  std::size_t undo_archives = 0;  // too old, removed
};
/// How long a restore can be undone.
inline constexpr int kUndoDays = 30;
/// Removes what interrupted restores left, and undo archives past kUndoDays at `now`. Waits for a
/// restore that is running.
Result<SweepReport> sweep(const Engine& engine, Timestamp now);

}  // namespace oa::restore
