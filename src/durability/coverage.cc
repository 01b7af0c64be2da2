#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/durability/scrub.h"

namespace oa::durability {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;

Result<std::vector<TenantId>> tenants_of(catalog::Database& database,
                                         std::optional<TenantId> tenant) {
  if (tenant.has_value()) return std::vector{*tenant};
  OA_ASSIGN(const auto all, database.list_tenants());
  std::vector<TenantId> ids;
  for (const auto& each : all) ids.push_back(each.id);
  return ids;
}

json::object named(TenantId tenant, const catalog::ObjectName& object) {
  return {{"tenant_id", tenant.str()},
          {"class", object.retention_class},
          {"object", object.name},
          {"version", object.version}};
}

}  // namespace

double Coverage::share() const {
  if (totals.bytes != 0)
    return static_cast<double>(totals.verified_bytes) / static_cast<double>(totals.bytes);
  return totals.versions == totals.verified_versions ? 1 : 0;
}

bool Coverage::behind() const {
  return totals.oldest.has_value() && now.unix_us - totals.oldest->unix_us > days * kDayUs;
}

Result<Coverage> coverage(catalog::Database& database, std::optional<TenantId> tenant, int days,
                          Timestamp now) {
  Coverage all{days, now, {}, 0};
  OA_ASSIGN(const auto tenants, tenants_of(database, tenant));
  for (const auto each : tenants) {
    OA_ASSIGN(auto transaction, database.begin(each, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto one,
              catalog::ObjectChecks(transaction).totals({now.unix_us - days * kDayUs}));
    auto& sum = all.totals;
    sum.versions += one.versions;
    sum.bytes += one.bytes;
    sum.verified_versions += one.verified_versions;
    sum.verified_bytes += one.verified_bytes;
    sum.damaged += one.damaged;
    sum.locked += one.locked;
    sum.shredded += one.shredded;
    sum.repaired += one.repaired;
    if (one.oldest.has_value())
      sum.oldest = std::min(sum.oldest.value_or(*one.oldest), *one.oldest);
    ++all.tenants;
  }
  return all;
}

Result<std::vector<Damage>> known_damage(catalog::Database& database,
                                         std::optional<TenantId> tenant, std::size_t limit) {
  std::vector<Damage> known;
  OA_ASSIGN(const auto tenants, tenants_of(database, tenant));
  for (const auto each : tenants) {
    OA_ASSIGN(auto transaction, database.begin(each, catalog::Isolation::kSnapshot));
    catalog::ObjectChecks checks(transaction);
    OA_ASSIGN(const auto damaged, checks.in_state(catalog::ObjectState::kDamaged, limit));
    for (const auto& check : damaged) {
      OA_ASSIGN(auto holder, checks.holder(check.object));
      known.push_back({each, check.object, check.damage.value_or(""), *check.found_at,
                       std::move(holder)});
    }
  }
  return known;
}

json::object to_json(const Coverage& coverage) {
  const auto& totals = coverage.totals;
  json::object document{{"days", coverage.days},
                        {"at", coverage.now.rfc3339()},
                        {"tenants", coverage.tenants},
                        {"versions", totals.versions},
                        {"bytes", totals.bytes},
                        {"verified_versions", totals.verified_versions},
                        {"verified_bytes", totals.verified_bytes},
                        {"verified_share", coverage.share()},
                        {"behind", coverage.behind()},
                        {"damaged", totals.damaged},
                        {"locked", totals.locked},
                        {"shredded", totals.shredded},
                        {"repaired", totals.repaired},
                        {"oldest", nullptr}};
  if (totals.oldest.has_value()) document["oldest"] = totals.oldest->rfc3339();
  return document;
}

json::object to_json(const Damage& damage) {
  json::object document = named(damage.tenant, damage.object);
  document["code"] = damage.code;
  document["found_at"] = damage.found_at.rfc3339();
  document["holder"] = nullptr;
  if (damage.holder.has_value()) {
    json::object holder{{"kind", damage.holder->kind}, {"id", nullptr}};
    if (damage.holder->id.has_value()) holder["id"] = damage.holder->id->str();
    document["holder"] = std::move(holder);
  }
  return document;
}

json::object to_json(const ScrubResult& result) {
  json::array repaired, damaged, troubles;
  for (const auto& each : result.repaired) {
    json::object one = named(each.tenant, each.object);
    one["code"] = each.code;
    one["from"] = each.from;
    repaired.push_back(std::move(one));
  }
  for (const auto& each : result.damaged) damaged.push_back(to_json(each));
  for (const auto& [tenant, error] : result.troubles) {
    troubles.push_back(json::object{{"tenant_id", tenant.str()},
                                    {"code", error_info(error.code).name},
                                    {"message", error.message}});
  }
  return {{"verified_versions", result.verified_versions},
          {"verified_bytes", result.verified_bytes},
          {"gone", result.gone},
          {"locked", result.locked},
          {"repaired", std::move(repaired)},
          {"damaged", std::move(damaged)},
          {"troubles", std::move(troubles)},
          {"complete", result.complete}};
}

std::string describe(const Damage& damage) {
  std::string held = "nothing needs it";
  if (damage.holder.has_value()) {
    held = damage.holder->kind == "moment"
               ? "moments of continuous backup need it"
               : fmt::format("{} {} needs it", damage.holder->kind,
                             damage.holder->id.has_value() ? damage.holder->id->str() : "");
  }
  return fmt::format("version {} of the object {} (class {}) of tenant {} is damaged ({}), and no whole "
                     "copy was found: {}",
                     damage.object.version, damage.object.name, damage.object.retention_class,
                     damage.tenant.str(), damage.code, held);
}

}  // namespace oa::durability
