#include "oa/durability/scrub.h"

#include <algorithm>
#include <functional>

#include "oa/objects/damage_log.h"
#include "oa/objects/version_repair.h"
#include "version_reader.h"

namespace oa::durability {
namespace {

using catalog::ObjectCheck;
using catalog::ObjectChecks;
using catalog::ObjectName;
using catalog::ObjectState;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kHourUs = std::int64_t{3600} * 1'000'000;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr int kListedHours = 20;  // then the store is asked again what it has
constexpr int kLookedHours = 1;   // what could not be verified is let be for so long
constexpr std::size_t kPage = 500, kBatch = 100;
constexpr std::size_t kMaxTold = 1000;  // repairs and damages of one result
constexpr RetentionClass kClasses[] = {RetentionClass::kRows, RetentionClass::kOriginals,
                                       RetentionClass::kArchives, RetentionClass::kWal,
                                       RetentionClass::kLedger};

ObjectKey key_of(TenantId tenant, const ObjectName& object) {
  ObjectKey key{tenant, RetentionClass::kRows, object.name};
  for (const auto each : kClasses)
    if (to_text(each) == object.retention_class) key.retention_class = each;
  return key;
}

std::string code_of(const Error& error) { return std::string(error_info(error.code).name); }

// Nothing that is known of a version follows from these.
bool says_nothing(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancelled:
    case ErrorCode::kObjectStoreUnavailable:
    case ErrorCode::kKeyServiceUnavailable:
    case ErrorCode::kKeyServiceRefused:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kDiskFull:
    case ErrorCode::kTimeout:
    case ErrorCode::kBusy:
      return true;
    default:
      return false;
  }
}

// What another version would meet as well.
bool stops(ErrorCode code) {
  switch (code) {
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kDiskFull:
    case ErrorCode::kTimeout:
    case ErrorCode::kBusy:
      return false;
    default:
      return true;
  }
}

class TenantScrub {
 public:
  TenantScrub(const ScrubParts& parts, TenantId tenant, const ScrubSettings& settings, Pace& pace,
              Clock::time_point end, Progress& progress, ScrubResult& result)
      : parts_(parts),
        tenant_(tenant),
        settings_(settings),
        pace_(pace),
        end_(end),
        progress_(progress),
        result_(result) {}

  // False when the time is over and something is left.
  Result<bool> run() {
    OA_TRY(list());
    const Timestamp began = Timestamp::now();
    for (;;) {
      std::vector<ObjectCheck> due;
      {
        OA_ASSIGN(auto snapshot, parts_.database.begin(tenant_));
        OA_ASSIGN(due, ObjectChecks(snapshot).due(due_at(began), kBatch));
      }
      if (due.empty()) return true;
      for (const auto& check : due) {
        if (Clock::now() >= end_) return false;
        const Status looked = look_at(check);
        if (!looked.ok()) {
          if (stops(looked.error().code)) return looked.error();
          if (result_.troubles.size() < kMaxTold)
            result_.troubles.push_back({tenant_, looked.error()});
        }
        progress_.update(result_.verified_bytes);
      }
    }
  }

 private:
  ObjectChecks::Due due_at(Timestamp began) const {
    if (settings_.everything) return {began, listed_at_, began};
    // Twice in the time that is promised, so that one late scrub breaks no promise.
    return {{began.unix_us - settings_.days * kDayUs / 2},
            listed_at_,
            {began.unix_us - kLookedHours * kHourUs}};
  }

  Status list();
  Status list_class(RetentionClass retention_class);
  Status flush(std::vector<ObjectChecks::Listed>& listed);
  Status look_at(ObjectCheck check, bool may_repair = true);
  Status judge(ObjectCheck& check, const Error& error, bool may_repair);
  Result<bool> held(const ObjectName& object, const ObjectKey& key);
  Result<std::string> repair(const ObjectCheck& check, const ObjectKey& key);
  Result<ReadVersion> read(const ObjectCheck& check, const ObjectKey& key,
                           std::unique_ptr<RangedSource> stored);
  Status restore(const ObjectCheck& check, const ObjectKey& key,
                 const std::function<Result<std::unique_ptr<RangedSource>>()>& open);
  Status write(const ObjectCheck& check);

  const ScrubParts& parts_;
  const TenantId tenant_;
  const ScrubSettings& settings_;
  Pace& pace_;
  const Clock::time_point end_;
  Progress& progress_;
  ScrubResult& result_;
  Timestamp listed_at_;
};

// What the store has, and what it should have.
Status TenantScrub::list() {
  listed_at_ = Timestamp::now();
  {
    OA_ASSIGN(auto transaction, parts_.database.begin(tenant_));
    ObjectChecks checks(transaction);
    OA_ASSIGN(const auto last, checks.last_listed());
    if (!settings_.list && last.has_value() &&
        listed_at_.unix_us - last->unix_us < kListedHours * kHourUs) {
      listed_at_ = *last;
      return {};
    }
  }
  progress_.begin("listing what is stored", 0, "versions");
  for (const auto retention_class : kClasses) OA_TRY(list_class(retention_class));
  OA_ASSIGN(auto transaction, parts_.database.begin(tenant_));
  OA_ASSIGN(const auto added, ObjectChecks(transaction).note_named(listed_at_));
  (void)added;
  OA_TRY(transaction.commit());
  progress_.begin("verifying what is stored", 0, "bytes");
  return {};
}

Status TenantScrub::list_class(RetentionClass retention_class) {
  std::vector<ObjectChecks::Listed> listed;
  for (std::string after;;) {
    OA_ASSIGN(const auto page, parts_.store.list(tenant_, retention_class, after, kPage));
    for (const auto& object : page) {
      if (progress_.cancelled()) return make_error(ErrorCode::kCancelled, "scrub", "cancelled");
      OA_ASSIGN(const auto versions, parts_.store.list_versions(object.key));
      for (const auto& version : versions) {
        listed.push_back({{std::string(to_text(retention_class)), object.key.name,
                           version.version.value},
                          version.size_bytes});
      }
      if (listed.size() >= kPage) OA_TRY(flush(listed));
    }
    if (page.size() < kPage) return flush(listed);
    after = page.back().key.name;
  }
}

Status TenantScrub::flush(std::vector<ObjectChecks::Listed>& listed) {
  OA_ASSIGN(auto transaction, parts_.database.begin(tenant_));
  OA_TRY(ObjectChecks(transaction).note_listed(listed, listed_at_));
  listed.clear();
  return transaction.commit();
}

Result<ReadVersion> TenantScrub::read(const ObjectCheck& check, const ObjectKey& key,
                                      std::unique_ptr<RangedSource> stored) {
  OA_ASSIGN(auto found, read_version(parts_.keys, key, std::move(stored), pace_, progress_));
  if (!check.sealed_sha256.has_value() ||
      std::ranges::equal(*check.sealed_sha256, found.sealed_sha256))
    return found;
  // Whole and of this object, but not what was there: of another version.
  return make_error(ErrorCode::kSealCorrupt, "scrub", "a stored version is not what it was");
}

Status TenantScrub::look_at(ObjectCheck check, bool may_repair) {
  const ObjectKey key = key_of(tenant_, check.object);
  auto stored = parts_.store.get(key, {check.object.version});
  const auto found = stored.ok() ? read(check, key, *std::move(stored))
                                 : Result<ReadVersion>(stored.error());
  check.looked_at = Timestamp::now();
  if (!found.ok()) {
    if (!says_nothing(found.error().code)) return judge(check, found.error(), may_repair);
    if (!stops(found.error().code)) OA_TRY(write(check));
    return found.error();
  }
  check.verified_at = check.looked_at;
  check.size_bytes = found->sealed_bytes;
  check.sealed_sha256 = Bytes(found->sealed_sha256.begin(), found->sealed_sha256.end());
  check.state = ObjectState::kGood;
  check.damage.reset();
  check.found_at.reset();
  ++result_.verified_versions;
  result_.verified_bytes += found->sealed_bytes;
  return write(check);
}

// What an error in reading a version means for it.
Status TenantScrub::judge(ObjectCheck& check, const Error& error, bool may_repair) {
  const ObjectKey key = key_of(tenant_, check.object);
  const auto described = parts_.keys.describe(tenant_);
  if (!described.ok() && described.error().code != ErrorCode::kKeyDestroyed)
    return described.error();
  if (!described.ok() || described->state != KeyState::kEnabled) {
    // Not even which key a version is sealed under can be believed without the key.
    check.state = described.ok() ? ObjectState::kLocked : ObjectState::kShredded;
    check.damage.reset();
    check.found_at.reset();
    result_.locked += described.ok() ? 1 : 0;
    return write(check);
  }
  if (error.code == ErrorCode::kNotFound) {
    OA_ASSIGN(const bool wanted, held(check.object, key));
    if (!wanted) {
      ++result_.gone;
      OA_ASSIGN(auto transaction, parts_.database.begin(tenant_));
      OA_TRY(ObjectChecks(transaction).forget(check.object));
      return transaction.commit();
    }
  }
  const auto from = may_repair ? repair(check, key) : Result<std::string>(error);
  if (!from.ok() && from.error().code == ErrorCode::kCancelled) return from.error();
  if (from.ok()) {
    check.repaired_at = Timestamp::now();
    check.repaired_from = *from;
    if (result_.repaired.size() < kMaxTold)
      result_.repaired.push_back({tenant_, check.object, code_of(error), *from});
    OA_TRY(write(check));
    return look_at(std::move(check), false);
  }
  check.state = ObjectState::kDamaged;
  check.damage = code_of(error);
  check.found_at = check.found_at.value_or(*check.looked_at);
  OA_TRY(write(check));
  OA_ASSIGN(auto transaction, parts_.database.begin(tenant_));
  OA_ASSIGN(auto holder, ObjectChecks(transaction).holder(check.object));
  if (result_.damaged.size() < kMaxTold) {
    result_.damaged.push_back(
        {tenant_, check.object, *check.damage, *check.found_at, std::move(holder)});
  }
  return {};
}

// Whether a version that is not there, or not all of it, should be. While nobody removes rows: then
// the catalog names what is removed already.
Result<bool> TenantScrub::held(const ObjectName& object, const ObjectKey& key) {
  OA_ASSIGN(auto transaction, parts_.database.begin(tenant_));
  OA_TRY(transaction.lock_tenant_for_restore());
  OA_ASSIGN(const auto holder, ObjectChecks(transaction).holder(object));
  if (holder.has_value()) return true;
  OA_ASSIGN(const auto listed, parts_.store.list_versions(key));
  return std::ranges::any_of(
      listed, [&](const auto& version) { return version.version.value == object.version; });
}

// Out of which copy; kNotFound when none is whole.
Result<std::string> TenantScrub::repair(const ObjectCheck& check, const ObjectKey& key) {
  const VersionId version{check.object.version};
  if (parts_.replica != nullptr) {
    const Status done =
        restore(check, key, [&] { return parts_.replica->get(key, version); });
    if (done.ok()) return std::string("replica");
    if (done.error().code == ErrorCode::kCancelled) return done.error();
  }
  VersionRepair* const driver = repair_of(parts_.store);
  if (driver != nullptr) {
    OA_ASSIGN(const auto kept, driver->other_copies(key, version));
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const Status done =
          restore(check, key, [&]() -> Result<std::unique_ptr<RangedSource>> {
            OA_ASSIGN(auto again, driver->other_copies(key, version));
            if (i >= again.size())
              return make_error(ErrorCode::kNotFound, "scrub", "a copy is gone");
            return std::move(again[i]);
          });
      if (done.ok()) return std::string("kept-copy");
      if (done.error().code == ErrorCode::kCancelled) return done.error();
    }
  }
  return make_error(ErrorCode::kNotFound, "scrub", "no copy is whole");
}

// Verifies a copy before it is put in the place of the version; look_at() reads that again.
Status TenantScrub::restore(const ObjectCheck& check, const ObjectKey& key,
                            const std::function<Result<std::unique_ptr<RangedSource>>()>& open) {
  VersionRepair* const driver = repair_of(parts_.store);
  if (driver == nullptr)
    return make_error(ErrorCode::kUnsupported, "scrub", "the store cannot be repaired");
  OA_ASSIGN(auto copy, open());
  OA_ASSIGN(const auto verified, read(check, key, std::move(copy)));
  (void)verified;
  OA_ASSIGN(const auto again, open());
  return driver->restore_version(key, {check.object.version}, *again, nullptr);
}

Status TenantScrub::write(const ObjectCheck& check) {
  OA_ASSIGN(auto transaction, parts_.database.begin(tenant_));
  OA_TRY(ObjectChecks(transaction).put(check));
  return transaction.commit();
}

// The ledger of erasures: few and small objects, all of them each time.
class LedgerScrub {
 public:
  LedgerScrub(const ScrubParts& parts, TenantId owner, Pace& pace, Progress& progress,
              ScrubResult& result)
      : parts_(parts), owner_(owner), pace_(pace), progress_(progress), result_(result) {}

  Status run() {
    for (std::string after;;) {
      OA_ASSIGN(const auto page, parts_.store.list(owner_, RetentionClass::kLedger, after, kPage));
      for (const auto& object : page) {
        OA_ASSIGN(const auto versions, parts_.store.list_versions(object.key));
        for (const auto& version : versions) OA_TRY(look_at(version));
      }
      if (page.size() < kPage) return {};
      after = page.back().key.name;
    }
  }

 private:
  using Open = std::function<Result<std::unique_ptr<RangedSource>>()>;

  Result<ReadVersion> read(const ObjectKey& key, const Open& open) {
    OA_ASSIGN(auto stored, open());
    return read_version(parts_.keys, key, std::move(stored), pace_, progress_);
  }

  Status look_at(const ObjectVersion& object) {
    const auto found = read(object.key, [&] { return parts_.store.get(object.key, object.version); });
    if (found.ok()) {
      ++result_.verified_versions;
      result_.verified_bytes += found->sealed_bytes;
      return {};
    }
    if (says_nothing(found.error().code)) return found.error();
    const ObjectName name{std::string(to_text(RetentionClass::kLedger)), object.key.name,
                          object.version.value};
    const auto from = repair(object);
    if (!from.ok() && says_nothing(from.error().code)) return from.error();
    if (from.ok())
      result_.repaired.push_back({owner_, name, code_of(found.error()), *from});
    else
      result_.damaged.push_back({owner_, name, code_of(found.error()), Timestamp::now(), {}});
    return {};
  }

  Result<std::string> repair(const ObjectVersion& object) {
    VersionRepair* const driver = repair_of(parts_.store);
    if (driver == nullptr)
      return make_error(ErrorCode::kUnsupported, "scrub", "the store cannot be repaired");
    const auto restore = [&](const Open& open) -> Status {
      OA_ASSIGN(const auto verified, read(object.key, open));
      (void)verified;
      OA_ASSIGN(const auto again, open());
      return driver->restore_version(object.key, object.version, *again, nullptr);
    };
    if (parts_.replica != nullptr) {
      const Status done = restore([&] { return parts_.replica->get(object.key, object.version); });
      if (done.ok()) return std::string("replica");
    }
    OA_ASSIGN(const auto kept, driver->other_copies(object.key, object.version));
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const Status done = restore([&]() -> Result<std::unique_ptr<RangedSource>> {
        OA_ASSIGN(auto again, driver->other_copies(object.key, object.version));
        if (i >= again.size()) return make_error(ErrorCode::kNotFound, "scrub", "a copy is gone");
        return std::move(again[i]);
      });
      if (done.ok()) return std::string("kept-copy");
    }
    return make_error(ErrorCode::kNotFound, "scrub", "no copy is whole");
  }

  const ScrubParts& parts_;
  const TenantId owner_;
  Pace& pace_;
  Progress& progress_;
  ScrubResult& result_;
};

}  // namespace

Result<ScrubResult> scrub(const ScrubParts& parts, std::span<const TenantId> tenants,
                          const ScrubSettings& settings, Progress& progress) {
  ScrubResult result;
  Pace pace(settings.bytes_per_second);
  const auto end = settings.at_most.has_value() ? Clock::now() + *settings.at_most
                                                : Clock::time_point::max();
  result.complete = true;
  progress.begin("verifying what is stored", 0, "bytes");
  if (parts.ledger_owner.has_value()) {
    const Status done = LedgerScrub(parts, *parts.ledger_owner, pace, progress, result).run();
    if (!done.ok() && done.error().code == ErrorCode::kCancelled) return done.error();
    if (!done.ok()) result.troubles.push_back({*parts.ledger_owner, done.error()});
  }
  for (const auto tenant : tenants) {
    TenantScrub one(parts, tenant, settings, pace, end, progress, result);
    const auto done = one.run();
    result.complete = result.complete && done.ok() && *done;
    if (done.ok()) continue;
    const ErrorCode code = done.error().code;
    if (code == ErrorCode::kCancelled || code == ErrorCode::kDatabase ||
        code == ErrorCode::kDatabaseUnavailable)
      return done.error();
    if (result.troubles.size() < kMaxTold) result.troubles.push_back({tenant, done.error()});
  }
  return result;
}

Status suspect_damage(catalog::Database& database) {
  Status first;
  const auto noted = damage_log().take();
  for (const auto& [key, version] : noted) {
    const auto write = [&]() -> Status {
      OA_ASSIGN(auto transaction, database.begin(key.tenant));
      OA_TRY(ObjectChecks(transaction)
                 .suspect({std::string(to_text(key.retention_class)), key.name, version.value},
                          Timestamp::now()));
      return transaction.commit();
    };
    const Status written = write();
    if (written.ok()) continue;
    // Of no tenant: a canary of the cell, which its monitor looks after.
    if (written.error().code == ErrorCode::kInvalidArgument) continue;
    damage_log().note(key, version);
    if (first.ok()) first = written;
  }
  return first;
}

}  // namespace oa::durability
