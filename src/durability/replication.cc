#include "oa/durability/replication.h"

#include <algorithm>
#include <thread>

#include "oa/crypto/secret.h"
#include "oa/objects/sealed_objects.h"

namespace oa::durability {
namespace {

constexpr std::size_t kCanaryBytes = 64 << 10;
constexpr std::size_t kWindow = 1 << 20;
constexpr std::uint64_t kWhole = 8 * kWindow;  // as long an object is compared as a whole
constexpr int kWindows = 6;                    // of a longer one
constexpr std::size_t kMaxFaults = 100;
constexpr auto kPoll = std::chrono::milliseconds(100);
constexpr RetentionClass kClasses[] = {RetentionClass::kRows, RetentionClass::kOriginals,
                                       RetentionClass::kArchives};

std::string code_of(const Error& error) { return std::string(error_info(error.code).name); }

std::uint64_t random_below(std::uint64_t limit) {
  const SecretBytes bytes = SecretBytes::random(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes.view()) number = number << 8 | byte;
  return number % limit;
}

Timestamp before(Timestamp now, std::chrono::milliseconds age) {
  return {now.unix_us - std::chrono::microseconds(age).count()};
}

}  // namespace

ReplicationRounds::Compared ReplicationRounds::compare(const ObjectKey& key,
                                                       const VersionId& version) {
  SealedObjects primary(parts_.store.primary(), parts_.keys);
  SealedObjects replica(parts_.store.replica(), parts_.keys);
  const auto here = primary.open(key, version);
  if (!here.ok()) {
    const Error& error = here.error();
    if (error.code == ErrorCode::kNotFound) return {Finding::kGone, code_of(error), ""};
    if (error.code == ErrorCode::kKeyDisabled || error.code == ErrorCode::kKeyDestroyed ||
        error.code == ErrorCode::kSealCorrupt)  // that is the scrub's
      return {Finding::kLocked, code_of(error), ""};
    return {Finding::kNoPrimary, code_of(error), error.message};
  }
  const auto there = replica.open(key, version);
  if (there.ok()) return compare_bytes(**here, **there);
  const Error& error = there.error();
  if (error.code == ErrorCode::kNotFound)
    return {Finding::kMissing, code_of(error), "the replica does not have it"};
  if (error.code == ErrorCode::kSealCorrupt)
    return {Finding::kFalse, code_of(error), "what the replica has does not open"};
  return {Finding::kNoReplica, code_of(error), error.message};
}

ReplicationRounds::Compared ReplicationRounds::compare_bytes(const RangedSource& here,
                                                             const RangedSource& there) {
  const std::string corrupt(error_info(ErrorCode::kSealCorrupt).name);
  const Compared other{Finding::kFalse, corrupt, "the replica has another content"};
  const std::uint64_t size = here.size();
  if (there.size() != size) return other;
  std::vector<std::uint64_t> windows;
  if (size <= kWhole) {
    for (std::uint64_t at = 0; at < size; at += kWindow) windows.push_back(at);
  } else {
    windows = {0, size - kWindow};
    for (int i = 2; i < kWindows; ++i) windows.push_back(random_below(size - kWindow));
  }
  Bytes ours(kWindow), theirs(kWindow);
  for (const std::uint64_t at : windows) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, size - at));
    const auto mine = std::span(ours).first(length), its = std::span(theirs).first(length);
    if (const Status read = here.read_at(at, mine); !read.ok()) {
      if (read.error().code == ErrorCode::kSealCorrupt)
        return {Finding::kLocked, code_of(read.error()), ""};
      return {Finding::kNoPrimary, code_of(read.error()), read.error().message};
    }
    if (const Status read = there.read_at(at, its); !read.ok()) {
      const ErrorCode code = read.error().code;
      if (code == ErrorCode::kSealCorrupt)
        return {Finding::kFalse, corrupt, "what the replica has does not open"};
      if (code == ErrorCode::kNotFound)
        return {Finding::kFalse, code_of(read.error()), "the replica lacks a part of it"};
      return {Finding::kNoReplica, code_of(read.error()), read.error().message};
    }
    if (!std::ranges::equal(mine, its)) return other;
  }
  return {};
}

bool ReplicationRounds::note(ReplicationState& state, const ObjectKey& key,
                             const VersionId& version, const Compared& compared) {
  if (compared.finding == Finding::kNoPrimary) {
    state.primary_error = compared.code;
    return false;
  }
  if (compared.finding == Finding::kNoReplica) {
    state.replica_error = compared.code;
    return false;
  }
  const auto known = std::ranges::find_if(state.faults, [&](const ReplicaFault& fault) {
    return fault.key == key && fault.version == version;
  });
  if (compared.finding == Finding::kSame || compared.finding == Finding::kGone) {
    if (known != state.faults.end()) state.faults.erase(known);
    return true;
  }
  const Timestamp now = Timestamp::now();
  if (known != state.faults.end()) {
    known->looked_at = now;
    if (compared.finding == Finding::kLocked) return true;
    known->code = compared.code;
    known->message = compared.message;
  } else if (compared.finding != Finding::kLocked && state.faults.size() < kMaxFaults) {
    state.faults.push_back({key, version, compared.code, compared.message, now, now});
  }
  return true;
}

bool ReplicationRounds::send_canary(ReplicationState& state) {
  if (state.pending.has_value()) return true;
  ReplicationState::Canary canary;
  canary.key = {parts_.cell, RetentionClass::kRows, "canary/" + Uuid::random().str()};
  SealedObjects primary(parts_.store.primary(), parts_.keys);
  const auto written = [&]() -> Result<VersionId> {
    OA_ASSIGN(const auto writer, primary.create(canary.key));
    OA_TRY(writer->write(SecretBytes::random(kCanaryBytes).view()));
    return writer->commit();
  }();
  if (!written.ok()) {
    state.primary_error = code_of(written.error());
    return false;
  }
  canary.version = *written;
  canary.written_at = Timestamp::now();
  state.pending = std::move(canary);
  return true;
}

// One that is late stays pending, so that the lag grows until it is there. What has arrived is
// removed, on both sides; a false one stays, as a fault.
bool ReplicationRounds::await_canary(ReplicationState& state) {
  const auto canary = *state.pending;
  const auto deadline = std::chrono::steady_clock::now() + settings_.canary_patience;
  Compared compared;
  for (;;) {
    compared = compare(canary.key, canary.version);
    if (compared.finding != Finding::kMissing || cancelled_ ||
        std::chrono::steady_clock::now() >= deadline)
      break;
    std::this_thread::sleep_for(kPoll);
  }
  if (compared.finding == Finding::kMissing) return true;
  if (!note(state, canary.key, canary.version, compared)) return false;
  state.pending.reset();
  if (compared.finding != Finding::kSame) return true;
  state.canary_at = Timestamp::now();
  state.lag_us = state.canary_at->unix_us - canary.written_at.unix_us;
  // One that cannot be removed now is 64 KiB that nobody asks for.
  (void)parts_.store.remove(canary.key, canary.version);
  return true;
}

bool ReplicationRounds::look_at_faults(ReplicationState& state) {
  const auto known = state.faults;
  return std::ranges::all_of(known, [&](const ReplicaFault& fault) {
    return !cancelled_ && note(state, fault.key, fault.version, compare(fault.key, fault.version));
  });
}

// The next name of a tenant's class; from the first again behind the last.
std::optional<ObjectVersion> ReplicationRounds::next_of(ReplicationState& state, TenantId tenant,
                                                        RetentionClass retention_class) {
  std::string& behind = behind_[{tenant, retention_class}];
  const auto listed = parts_.store.primary().list(tenant, retention_class, behind, 1);
  if (!listed.ok()) {
    state.primary_error = code_of(listed.error());
    return std::nullopt;
  }
  behind = listed->empty() ? "" : listed->front().key.name;
  if (listed->empty()) return std::nullopt;
  return listed->front();
}

// Some requests at most in a round, however many tenants have nothing; the next one goes on there.
Status ReplicationRounds::look_at_tenants(ReplicationState& state) {
  OA_ASSIGN(const auto tenants, parts_.database.list_tenants());
  const std::size_t places = tenants.size() * std::size(kClasses);
  int left = settings_.objects_a_round;
  std::size_t idle = 0;  // turns since one was found
  for (int tries = 8 * left; left > 0 && tries > 0 && idle < 2 * places && !cancelled_; --tries) {
    const std::size_t turn = turn_++ % places;
    const auto found = next_of(state, tenants[turn / std::size(kClasses)].id,
                               kClasses[turn % std::size(kClasses)]);
    if (state.primary_error.has_value()) return {};
    ++idle;
    if (!found.has_value() || found->created_at > before(Timestamp::now(), settings_.may_lag))
      continue;
    --left;
    idle = 0;
    if (!note(state, found->key, found->version, compare(found->key, found->version))) return {};
    ++state.compared;
  }
  return {};
}

Status ReplicationRounds::look(ReplicationState& state) {
  state.primary_error.reset();
  state.replica_error.reset();
  if (send_canary(state) && await_canary(state) && look_at_faults(state))
    OA_TRY(look_at_tenants(state));
  if (!cancelled_) state.looked_at = Timestamp::now();
  return {};
}

}  // namespace oa::durability
