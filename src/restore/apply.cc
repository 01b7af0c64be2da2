#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "oa/restore/engine.h"
#include "read_live.h"
#include "rights.h"
#include "saved_plan.h"
#include "staging.h"
#include "write_plan.h"

namespace oa::restore {
namespace {

using catalog::RestoreState;

constexpr auto kQueuePoll = std::chrono::milliseconds(20);

Error cancelled() {
  return make_error(ErrorCode::kCancelled, "restore.apply", "cancelled; nothing was changed");
}

// One restore of a tenant at a time. The place is the returned transaction's; if its connection is
// lost, the locks of the writing transaction still keep restores apart.
Result<catalog::TenantTransaction> wait_in_queue(const Engine& engine, Progress& progress) {
  progress.begin("waiting", 0, "");
  OA_ASSIGN(auto place, engine.database.begin(engine.tenant));
  for (;;) {
    OA_ASSIGN(const bool first, place.try_queue_for_restore());
    if (first) return place;
    if (progress.cancelled()) return cancelled();
    std::this_thread::sleep_for(kQueuePoll);
  }
}

// Under the lock of its record, so that whoever believes to be applying it finds out before its
// commit. How many objects were removed; nullopt when it is not applying, or another attempt is.
Result<std::optional<std::size_t>> clear_attempt(const Engine& engine,
                                                 const catalog::RestoreRecord& attempt,
                                                 const std::string& failure) {
  OA_ASSIGN(auto transaction, engine.database.begin(engine.tenant));
  catalog::Restores restores(transaction);
  OA_ASSIGN(auto record, restores.lock(attempt.id));
  const bool applies =
      record.state == RestoreState::kApplying && record.approved_at == attempt.approved_at;
  // One that was swept meanwhile may have staged more since.
  if (!applies && record.state != RestoreState::kPlanned) return std::optional<std::size_t>();
  OA_ASSIGN(const auto removed, remove_objects_of(engine.objects, engine.tenant, attempt.id));
  if (!applies) return std::optional<std::size_t>();
  record.state = RestoreState::kPlanned;
  record.last_failure = failure;
  OA_TRY(restores.put(record));
  OA_TRY(transaction.commit());
  return std::optional(removed);
}

// Called by whoever has the tenant's place in the queue: what is applying then was interrupted.
Status sweep_interrupted(const Engine& engine, SweepReport& report) {
  std::vector<catalog::RestoreRecord> interrupted;
  {
    OA_ASSIGN(auto snapshot, engine.database.begin(engine.tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(interrupted, catalog::Restores(snapshot).in_state(RestoreState::kApplying));
  }
  for (const auto& record : interrupted) {
    OA_ASSIGN(const auto removed, clear_attempt(engine, record, "interrupted"));
    if (!removed.has_value()) continue;
    report.objects += *removed;
    ++report.restores;
  }
  return {};
}

Status check_approver(const PreparedRestore& prepared, const Approval& approval) {
  if (!approval.user.has_value() || approval.user == prepared.plan.requested_by)
    return check_person(prepared.live, approval.user);
  const auto person = prepared.live.users.find(*approval.user);
  if (person != prepared.live.users.end() && person->second.active && person->second.owner)
    return {};
  return make_error(ErrorCode::kPermissionDenied, "restore.apply",
                    "only an Owner can approve what somebody else planned")
      .with_hint("ask an Owner to approve it, or plan it yourself");
}

class Applier {
 public:
  Applier(const Engine& engine, const PreparedRestore& prepared, const Approval& approval,
          Progress& progress)
      : engine_(engine), prepared_(prepared), approval_(approval), progress_(progress) {}

  Result<catalog::RestoreRecord> apply() {
    OA_ASSIGN(auto place, wait_in_queue(engine_, progress_));
    progress_.begin("checking", 0, "");
    OA_ASSIGN(const bool done, applied_already());
    if (done) return record_;
    SweepReport swept;
    OA_TRY(sweep_interrupted(engine_, swept));
    OA_TRY(approve());
    const catalog::RestoreRecord attempt = record_;
    auto outcome = stage_and_write(place);
    if (!outcome.ok() && !decided_) {
      // What cannot be removed now, the next restore removes.
      (void)clear_attempt(engine_, attempt, std::string(error_info(outcome.error().code).name));
    }
    OA_TRY(outcome);
    progress_.begin("done", 0, "");
    return record_;
  }

 private:
  Result<bool> applied_already() {
    OA_ASSIGN(auto snapshot, engine_.database.begin(engine_.tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(record_, catalog::Restores(snapshot).get(prepared_.plan.id));
    if (record_.plan_hash != approval_.plan_hash) {
      return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                        "another plan of this restore was made since")
          .with_hint("look at that one and approve it");
    }
    if (record_.state != RestoreState::kUndone) return record_.state == RestoreState::kApplied;
    return make_error(ErrorCode::kConflict, "restore.apply", "this restore was applied and undone")
        .with_hint("make a new plan, or undo the undo");
  }

  Status approve() {
    OA_ASSIGN(auto transaction, engine_.database.begin(engine_.tenant));
    catalog::Restores restores(transaction);
    OA_ASSIGN(record_, restores.lock(prepared_.plan.id));
    if (record_.plan_hash != approval_.plan_hash || record_.state != RestoreState::kPlanned) {
      return make_error(ErrorCode::kConflict, "restore.apply",
                        "the restore was changed by somebody else")
          .with_hint("look at it again");
    }
    record_.state = RestoreState::kApplying;
    record_.approved_by = approval_.user;
    record_.approved_at = Timestamp::now();
    record_.last_failure.reset();
    OA_TRY(restores.put(record_));
    return transaction.commit();
  }

  Status stage_and_write(catalog::TenantTransaction& place) {
    {
      OA_ASSIGN(auto snapshot,
                engine_.database.begin(engine_.tenant, catalog::Isolation::kSnapshot));
      OA_TRY(read_unchanged(engine_, snapshot, prepared_));
      progress_.begin("keeping what is there", 0, "");
      OA_ASSIGN(const auto kept, keep_for_undo(engine_, snapshot, prepared_, progress_));
      record_.undo_archive = kept.archive;
      note_rows_not_kept(record_, kept.rows_not_kept);
    }
    OA_ASSIGN(const auto rows, stage_rows(engine_, prepared_, progress_));
    if (progress_.cancelled()) return cancelled();
    OA_ASSIGN(auto transaction, engine_.database.begin(engine_.tenant));
    OA_TRY(lock(transaction));
    OA_TRY(place.check());
    OA_ASSIGN(const LiveState live, read_unchanged(engine_, transaction, prepared_));
    Plan now = prepared_.plan;
    now.usage_before = live.usage;
    now.usage_after = grown(live.usage);
    OA_TRY(check_applicable(now));
    progress_.begin("writing", prepared_.plan.items.size(), "assets");
    OA_TRY(write_plan(transaction, prepared_, live, rows, progress_));
    OA_TRY(record(transaction));
    progress_.begin("committing", 0, "");
    // From here the outcome is the database's: even when its answer is lost, what was staged must
    // stay for the case that it holds.
    decided_ = true;
    return transaction.commit();
  }

  Status lock(catalog::TenantTransaction& transaction) const {
    std::vector<ReportId> reports;
    std::vector<AlertId> alerts;
    for (const auto& [id, brief] : prepared_.live.reports) reports.push_back(id);
    for (const auto& [id, brief] : prepared_.live.alerts) alerts.push_back(id);
    return transaction.lock_tenant_for_restore(reports, alerts);
  }

  // What the plan adds, on top of what the tenant uses by now.
  catalog::Quota grown(const catalog::Quota& usage) const {
    const auto& planned = prepared_.plan.usage_after;
    const auto& then = prepared_.live.usage;
    const auto add = [](std::uint64_t now, std::uint64_t before, std::uint64_t after) {
      return after >= before ? now + (after - before) : now - std::min(now, before - after);
    };
    return {add(usage.assets, then.assets, planned.assets),
            add(usage.rows_bytes, then.rows_bytes, planned.rows_bytes)};
  }

  Status record(catalog::TenantTransaction& transaction) {
    catalog::Restores restores(transaction);
    OA_ASSIGN(const auto now, restores.lock(record_.id));
    if (now.state != RestoreState::kApplying || now.approved_at != record_.approved_at) {
      return make_error(ErrorCode::kConflict, "restore.apply",
                        "this restore lost its place and was swept; nothing was changed")
          .with_hint("apply it again");
    }
    record_.state = RestoreState::kApplied;
    record_.applied_at = Timestamp::now();
    OA_TRY(restores.put(record_));
    if (record_.undoes.has_value()) OA_TRY(mark_undone(restores, *record_.undoes));
    return append_event(transaction,
                        record_.kind == catalog::RestoreKind::kUndo ? "backup.restore.undo"
                                                                    : "backup.restore.apply",
                        record_, record_.approved_by, *record_.applied_at);
  }

  // What an undo takes back is undone; when that was an undo, what it had taken back is applied
  // again, and so on.
  Status mark_undone(catalog::Restores& restores, RestoreId first) const {
    std::optional<RestoreId> id = first;
    RestoreId by = record_.id;
    for (bool undone = true; id.has_value(); undone = !undone) {
      OA_ASSIGN(auto record, restores.lock(*id));
      if (record.state != (undone ? RestoreState::kApplied : RestoreState::kUndone)) {
        return make_error(ErrorCode::kConflict, "restore.undo",
                          "the restore was undone by somebody else")
            .with_hint("look at it again: there may be nothing left to take back");
      }
      record.state = undone ? RestoreState::kUndone : RestoreState::kApplied;
      record.undone_by = undone ? std::optional(by) : std::nullopt;
      OA_TRY(restores.put(record));
      by = record.id;
      id = record.undoes;
    }
    return {};
  }

  const Engine& engine_;
  const PreparedRestore& prepared_;
  const Approval& approval_;
  Progress& progress_;
  catalog::RestoreRecord record_;
  bool decided_ = false;
};

}  // namespace

Status check_applicable(const Plan& plan) {
  if (!plan.leave_out_blocked) {
    for (const auto& item : plan.items) {
      if (item.action != Action::kBlocked) continue;
      const bool undo = plan.kind == catalog::RestoreKind::kUndo;
      return make_error(
                 ErrorCode::kConflict, undo ? "restore.undo" : "restore.apply",
                 fmt::format("the {} {} cannot be {}: {}", to_text(item.source.kind),
                             item.source.id.str(), undo ? "taken back" : "restored", item.reason))
          .with_hint(item.reason.starts_with("needs ") ? "ask an Owner to do it"
                     : undo ? "add --discard-edits to lose what was edited since, or "
                              "--leave-out-blocked to take back the rest"
                            : "add --leave-out-blocked, leave it out of the selection, or restore "
                              "what it needs first");
    }
  }
  if (plan.kind == catalog::RestoreKind::kUndo) return {};
  // Who has more than that already can still restore what adds nothing.
  const auto fits = [](std::uint64_t before, std::uint64_t after, std::uint64_t quota) {
    return after <= quota || after <= before;
  };
  if (fits(plan.usage_before.assets, plan.usage_after.assets, plan.quota.assets) &&
      fits(plan.usage_before.rows_bytes, plan.usage_after.rows_bytes, plan.quota.rows_bytes))
    return {};
  return make_error(ErrorCode::kQuotaExceeded, "restore.apply",
                    fmt::format("the tenant would have {} assets and {} bytes of rows; its plan "
                                "allows {} and {}",
                                plan.usage_after.assets, plan.usage_after.rows_bytes,
                                plan.quota.assets, plan.quota.rows_bytes))
      .with_hint("select less, or change the tenant's plan");
}

Result<catalog::RestoreRecord> apply_plan(const Engine& engine, const PreparedRestore& prepared,
                                          const Approval& approval, Progress& progress) {
  OA_TRY(check_applicable(prepared.plan));
  if (approval.plan_hash != prepared.hash) {
    return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                      "what was approved is another plan")
        .with_hint("look at this plan and approve its hash");
  }
  OA_TRY(check_approver(prepared, approval));
  return Applier(engine, prepared, approval, progress).apply();
}

Result<SweepReport> sweep(const Engine& engine, Timestamp now) {
  constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
  OA_ASSIGN(const auto place, wait_in_queue(engine, no_progress()));
  SweepReport report;
  OA_TRY(sweep_interrupted(engine, report));
  const Timestamp oldest{now.unix_us - kUndoDays * kDayUs};
  OA_ASSIGN(auto transaction, engine.database.begin(engine.tenant));
  catalog::Restores restores(transaction);
  OA_ASSIGN(auto old, restores.undoable_before(oldest));
  for (auto& record : old) {
    const auto undo = *record.undo_archive;
    record.undo_archive.reset();
    OA_TRY(restores.put(record));
    const auto removed =
        engine.objects.remove({engine.tenant, RetentionClass::kArchives, undo.object_name},
                              VersionId{undo.object_version});
    if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed.error();
    ++report.undo_archives;
  }
  OA_TRY(transaction.commit());
  return report;
}

}  // namespace oa::restore
