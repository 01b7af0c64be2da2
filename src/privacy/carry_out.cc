// The part of Eraser that the ledger is in: an erasure is in the ledger before the database has it,
// and what the ledger has the database gets.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "certificate.h"
#include "oa/catalog/erasure_ledger.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/uuid5.h"
#include "oa/privacy/erasure.h"

namespace oa::privacy {
namespace {

constexpr const char* kOp = "privacy.erase";
constexpr std::size_t kPage = 500, kDueAtOnce = 100;
constexpr int kAttempts = 3;

Error disagree(std::string message) {
  return make_error(ErrorCode::kLedgerBroken, "privacy.replay", std::move(message))
      .with_hint("look whether object store and database belong together; nobody is served until "
                 "they do");
}

// Where the database stands, as the ledger counts.
Result<LedgerMark> mark_of(catalog::Database& database, const Ledger& ledger) {
  OA_ASSIGN(const auto mark, catalog::carried_out_mark(database));
  if (mark.entries != mark.number)
    return disagree("the database lacks erasures before its newest one");
  return mark.number == 0 ? ledger.begin() : LedgerMark{mark.number, *mark.hash};
}

// What one erasure knows when it is written down.
struct Written {
  Uuid id;
  std::optional<UserId> requested_by;
  bool by_replay = false;
  std::string trace_id;
};

NewAuditEvent event_of(const LedgerEntry& entry, const Counts& effects, const Written& written) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = written.requested_by.has_value() ? "user" : "operator";
  // Who asked for their own is the resource; no event is appended in the name of who was erased.
  if (written.requested_by.has_value() && written.requested_by != entry.erased.user)
    event.actor_id = written.requested_by->uuid();
  event.action = "privacy.erase";
  event.resource_type = "user";
  event.resource_id = entry.erased.user.str();
  event.detail = JsonText::of(json::object{{"erasure", written.id.str()},
                                           {"ledger_number", entry.number},
                                           {"replayed", written.by_replay},
                                           {"effects", to_json(effects)}});
  event.trace_id = written.trace_id;
  return event;
}

// All but the commit, behind the ledger's entry.
Status write(catalog::TenantTransaction& transaction, const Ledger& ledger,
             const LedgerEntry& entry, const std::vector<HoldingArchive>& archives,
             const Written& written) {
  const Erased& erased = entry.erased;
  OA_ASSIGN(const Counts effects, erase_rows(transaction, ledger, erased.user));
  OA_TRY(catalog::add_carried_out(transaction, {entry.number, erased.tenant, erased.user, erased.at,
                                                erased.address, entry.hash}));
  OA_TRY(catalog::finish_erasure(
      transaction, {written.id, erased.user, erased.at, entry.number, JsonText::of(to_json(effects)),
                    make_certificate(ledger, entry, effects, archives)}));
  const NewAuditEvent event = event_of(entry, effects, written);
  return catalog::Audit(transaction).append({&event, 1});
}

// Of a person who is not there any more, none.
Result<std::vector<HoldingArchive>> holding(catalog::TenantTransaction& transaction, UserId id) {
  const auto user = catalog::Users(transaction).get(id);
  if (!user.ok() && user.error().code == ErrorCode::kNotFound)
    return std::vector<HoldingArchive>();
  if (!user.ok()) return user.error();
  OA_ASSIGN(const auto archives, archives_with(transaction, *user));
  return look_at_downloads(transaction, archives);
}

// The record that waits for it, or one whose id is the same wherever it is replayed.
Result<Written> record_for(catalog::TenantTransaction& transaction, const LedgerEntry& entry) {
  OA_ASSIGN(const auto scheduled,
            catalog::lock_scheduled_erasure(transaction, entry.erased.user));
  if (scheduled.has_value()) return Written{scheduled->id, scheduled->requested_by, true, ""};
  return Written{uuid5(entry.erased.tenant.uuid(), "oa-erasure:v1:" + to_hex(entry.hash)), {}, true,
                 ""};
}

// `locked`: the caller has the ledger's lock, in another transaction.
Status replay_entry(catalog::Database& database, const Ledger& ledger, const LedgerEntry& entry,
                    bool locked) {
  OA_ASSIGN(auto transaction, database.begin(entry.erased.tenant));
  if (!locked) {
    OA_TRY(catalog::lock_ledger(transaction));
    // Whoever held the lock may have carried it out.
    OA_ASSIGN(const auto mark, catalog::quick_mark(database));
    if (mark.number >= entry.number) return {};
  }
  const auto tenant = transaction.own_tenant();
  if (!tenant.ok() && tenant.error().code != ErrorCode::kNotFound) return tenant.error();
  const Erased& erased = entry.erased;
  if (!tenant.ok()) {
    OA_TRY(catalog::add_carried_out(transaction, {entry.number, erased.tenant, erased.user,
                                                  erased.at, erased.address, entry.hash}));
    return transaction.commit();
  }
  OA_TRY(catalog::lock_out_restores(transaction));
  OA_ASSIGN(const Written written, record_for(transaction, entry));
  OA_ASSIGN(const auto archives, holding(transaction, erased.user));
  OA_TRY(write(transaction, ledger, entry, archives, written));
  return transaction.commit();
}

Result<std::uint64_t> replay_all(catalog::Database& database, Ledger& ledger, bool locked,
                                 Progress& progress) {
  std::uint64_t done = 0;
  progress.begin("carrying out erasures of the ledger", 0, "erasures");
  for (;;) {
    OA_ASSIGN(const LedgerMark mark, mark_of(database, ledger));
    OA_ASSIGN(const auto entries, ledger.after(mark, kPage));
    if (entries.empty()) return done;
    for (const auto& entry : entries) {
      if (progress.cancelled())
        return make_error(ErrorCode::kCancelled, "privacy.replay", "stopped before its end");
      OA_TRY(replay_entry(database, ledger, entry, locked));
      progress.update(++done);
    }
  }
}

Error not_waiting(const std::string& state) {
  return make_error(ErrorCode::kConflict, kOp, "this erasure is " + state)
      .with_hint("ask for a new one");
}

// kConflict of the ledger: somebody else has appended meanwhile.
Status carry_out_once(catalog::Database& database, Ledger& ledger, TenantId tenant, Written written,
                      Progress& progress) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_TRY(catalog::lock_ledger(transaction));
  // Its own crashed attempt, too; in transactions of their own, while this one holds no row.
  const auto replayed = replay_all(database, ledger, true, progress);
  if (!replayed.ok()) return replayed.error();
  OA_TRY(catalog::lock_out_restores(transaction));
  OA_ASSIGN(const auto locked, catalog::lock_erasure(transaction, written.id));
  if (locked.state == to_text(ErasureState::kDone)) return {};
  if (locked.state != to_text(ErasureState::kScheduled)) return not_waiting(locked.state);
  OA_TRY(check_may_be_erased(transaction, locked.user));
  OA_ASSIGN(const auto user, catalog::Users(transaction).get(locked.user));
  OA_ASSIGN(const auto archives, holding(transaction, locked.user));
  if (progress.cancelled())
    return make_error(ErrorCode::kCancelled, kOp, "cancelled; nothing was changed");
  progress.begin("erasing", 0, "");
  OA_ASSIGN(const LedgerMark mark, mark_of(database, ledger));
  OA_ASSIGN(const auto entry,
            ledger.append(mark, {tenant, locked.user, Timestamp::now(),
                                 ledger.address_of(tenant, user.email)}));
  OA_TRY(write(transaction, ledger, entry, archives, written));
  return transaction.commit();
}

}  // namespace

Result<ErasureRecord> Eraser::carry_out(TenantId tenant, Uuid id, const std::string& trace_id,
                                        Progress& progress) {
  OA_ASSIGN(const auto record, get(tenant, id));
  if (record.state == ErasureState::kDone) return record;
  const Written written{id, record.requested_by, false, trace_id};
  Status done;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    done = carry_out_once(database_, ledger_, tenant, written, progress);
    if (done.ok() || done.error().code != ErrorCode::kConflict) break;
  }
  if (!done.ok()) return done.error();
  return get(tenant, id);
}

Result<std::uint64_t> Eraser::carry_out_due(Timestamp now, Progress& progress) {
  std::uint64_t done = 0;
  OA_ASSIGN(const auto due, catalog::due_erasures(database_, now, kDueAtOnce));
  std::optional<Error> first;
  // One that cannot be must not keep the others waiting.
  for (const auto& [tenant, id] : due) {
    auto erased = carry_out(tenant, id, "", progress);
    if (erased.ok())
      ++done;
    else if (!first.has_value())
      first = std::move(erased).error();
  }
  if (first.has_value()) return *std::move(first);
  return done;
}

Result<std::uint64_t> Eraser::replay(Progress& progress) {
  return replay_all(database_, ledger_, false, progress);
}

Result<std::uint64_t> Eraser::behind() {
  OA_ASSIGN(LedgerMark mark, mark_of(database_, ledger_));
  std::uint64_t count = 0;
  for (;;) {
    OA_ASSIGN(const auto entries, ledger_.after(mark, kPage));
    count += entries.size();
    if (entries.size() < kPage) return count;
    mark = {entries.back().number, entries.back().hash};
  }
}

}  // namespace oa::privacy
