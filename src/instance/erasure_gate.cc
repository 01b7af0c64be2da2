#include "oa/instance/erasure_gate.h"

#include "oa/privacy/erasure.h"

namespace oa::instance {
namespace {

// "oneanalytics.ldg" in ASCII, as a UUID.
constexpr Uuid::Raw kLedgerOwner = {0x6f, 0x6e, 0x65, 0x61, 0x6e, 0x61, 0x6c, 0x79,
                                    0x74, 0x69, 0x63, 0x73, 0x2e, 0x6c, 0x64, 0x67};

// What says nothing of the ledger itself, nor of the database.
bool does_not_answer(ErrorCode code) {
  return code == ErrorCode::kObjectStoreUnavailable || code == ErrorCode::kKeyServiceUnavailable ||
         code == ErrorCode::kKeyServiceRefused || code == ErrorCode::kIo ||
         code == ErrorCode::kTimeout || code == ErrorCode::kCancelled;
}

Error pending() {
  return make_error(ErrorCode::kReplayPending, "privacy.replay",
                    "erasures that this database does not know are carried out first")
      .with_hint("try again in 5 seconds");
}

}  // namespace

TenantId ledger_owner() { return TenantId(Uuid(kLedgerOwner)); }

Result<privacy::Ledger*> ErasureGate::ledger() {
  const std::lock_guard lock(opening_);
  if (ledger_ == nullptr) {
    OA_ASSIGN(ledger_, privacy::Ledger::open(objects_, keys_, ledger_owner()));
  }
  return ledger_.get();
}

Status ErasureGate::check() const {
  const std::lock_guard lock(mutex_);
  return open_ ? Status() : Status(pending());
}

bool ErasureGate::same_server(const catalog::CarriedOutMark& now) const {
  return now.server_started_at == verified_.server_started_at && now.number >= verified_.number;
}

void ErasureGate::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  ++doubts_;
}

void ErasureGate::doubt() { close(); }

Status ErasureGate::look() {
  const auto now = catalog::quick_mark(database_);
  if (!now.ok()) {
    close();
    return now.error();
  }
  const std::lock_guard lock(mutex_);
  if (open_ && same_server(*now)) return {};
  if (open_) ++doubts_;
  open_ = false;
  return pending();
}

Result<std::uint64_t> ErasureGate::carry_out(Progress& progress) {
  OA_ASSIGN(privacy::Ledger* const opened, ledger());
  return privacy::Eraser(database_, *opened).replay(progress);
}

Result<std::uint64_t> ErasureGate::replay(Progress& progress) {
  const std::lock_guard turn(replaying_);
  std::uint64_t doubts = 0;
  {
    const std::lock_guard lock(mutex_);
    doubts = doubts_;
  }
  const auto before = catalog::quick_mark(database_);
  if (!before.ok()) {
    close();
    return before.error();
  }
  auto done = carry_out(progress);
  const auto after = catalog::quick_mark(database_);
  const std::lock_guard lock(mutex_);
  const bool one_server =
      after.ok() && after->server_started_at == before->server_started_at && doubts == doubts_;
  if (done.ok() && one_server) {
    verified_ = *after;
    open_ = true;
    return done;
  }
  if (!done.ok() && does_not_answer(done.error().code) && open_ && one_server &&
      same_server(*after))
    return done;
  open_ = false;
  if (!done.ok()) return done;
  return after.ok() ? pending() : after.error();
}

}  // namespace oa::instance
