#include "oa/continuity/retention.h"

#include <algorithm>
#include <map>
#include <set>

#include "oa/base/assert.h"

namespace oa::continuity {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr std::size_t kPage = 1000;

using Version = std::pair<std::string, std::string>;  // object, version

struct Named {
  std::set<Version> now;
  std::map<Version, Timestamp> left;
};

Result<Named> read_named(catalog::TenantTransaction& transaction) {
  Named named;
  catalog::RowVersions versions(transaction);
  OA_ASSIGN(auto now, versions.named());
  named.now.insert(std::make_move_iterator(now.begin()), std::make_move_iterator(now.end()));
  OA_ASSIGN(const auto left, versions.left());
  for (const auto& version : left)
    named.left[{version.object_name, version.object_version}] = version.left_at;
  return named;
}

class Sweep {
 public:
  Sweep(catalog::Database& database, ObjectStore& store, TenantId tenant, Timestamp cutoff)
      : database_(database), store_(store), tenant_(tenant), cutoff_(cutoff) {}

  Status object(const ObjectKey& key, const Named& named) {
    OA_ASSIGN(const auto versions, store_.list_versions(key));
    for (const auto& version : versions) {
      const Version id{key.name, version.version.value};
      if (named.now.contains(id)) continue;
      const auto left = named.left.find(id);
      // What was never named: an import that did not come to its end, or of a timeline that a
      // recovery has cut off.
      const Timestamp needed_until = left == named.left.end() ? version.created_at : left->second;
      if (needed_until >= cutoff_) continue;
      OA_TRY(remove(key, version.version));
    }
    return {};
  }
  // Notes of versions that are gone.
  Status forget_gone(const Named& named) {
    OA_ASSIGN(auto transaction, database_.begin(tenant_));
    catalog::RowVersions versions(transaction);
    for (const auto& [id, left_at] : named.left)
      if (left_at < cutoff_ && !named.now.contains(id))
        OA_TRY(versions.forget({id.first, id.second, left_at}));
    return transaction.commit();
  }
  std::uint64_t removed() const { return removed_; }

 private:
  // Once more, with the tenant's datasets held still: a restore may have named it meanwhile.
  Status remove(const ObjectKey& key, const VersionId& version) {
    OA_ASSIGN(auto transaction, database_.begin(tenant_));
    OA_TRY(transaction.lock_tenant_for_restore());
    OA_ASSIGN(const Named named, read_named(transaction));
    const Version id{key.name, version.value};
    if (named.now.contains(id)) return {};
    const auto left = named.left.find(id);
    if (left != named.left.end()) {
      if (left->second >= cutoff_) return {};
      OA_TRY(catalog::RowVersions(transaction).forget({id.first, id.second, left->second}));
    }
    OA_TRY(store_.remove(key, version));
    ++removed_;
    return transaction.commit();
  }

  catalog::Database& database_;
  ObjectStore& store_;
  const TenantId tenant_;
  const Timestamp cutoff_;
  std::uint64_t removed_ = 0;
};

}  // namespace

Timestamp regret_begins(Timestamp now) { return {now.unix_us - kRegretDays * kDayUs}; }

int kept_days(std::span<const catalog::Plan> plans) {
  int days = catalog::window_days_of(catalog::Plan::kStarter);
  for (const auto plan : plans) days = std::max(days, catalog::window_days_of(plan));
  return days;
}

int kept_days(std::span<const std::pair<TenantId, catalog::Plan>> plans) {
  int days = catalog::window_days_of(catalog::Plan::kStarter);
  for (const auto& [tenant, plan] : plans) days = std::max(days, catalog::window_days_of(plan));
  return days;
}

Result<std::uint64_t> remove_row_versions(catalog::Database& database, ObjectStore& store,
                                          TenantId tenant, int keep_days, Timestamp now,
                                          Progress& progress) {
  OA_ASSERT(keep_days >= 1);
  Sweep sweep(database, store, tenant, {now.unix_us - (keep_days + kMarginDays) * kDayUs});
  Named named;
  {
    OA_ASSIGN(auto snapshot, database.begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(named, read_named(snapshot));
  }
  progress.begin("removing rows that no moment needs", 0, "versions");
  for (std::string after;;) {
    OA_ASSIGN(const auto page, store.list(tenant, RetentionClass::kRows, after, kPage));
    for (const auto& object : page) {
      if (progress.cancelled()) return make_error(ErrorCode::kCancelled, "retention", "cancelled");
      OA_TRY(sweep.object(object.key, named));
      progress.update(sweep.removed());
    }
    if (page.size() < kPage) break;
    after = page.back().key.name;
  }
  OA_TRY(sweep.forget_gone(named));
  return sweep.removed();
}

}  // namespace oa::continuity
