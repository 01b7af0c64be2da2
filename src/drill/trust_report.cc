#include "oa/drill/trust_report.h"

#include <algorithm>
#include <map>

#include "oa/catalog/drills.h"
#include "oa/continuity/status.h"
#include "oa/durability/status.h"
#include "oa/drill/sample.h"
#include "steps.h"

namespace oa::drill {
namespace {

constexpr std::string_view kFormat = "oa-trust-report:v1";
constexpr double kRpoSeconds = 300, kRtoSeconds = 3600;  // promised

// By the nearest rank.
double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[rank];
}

json::value distribution(std::vector<double> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  return json::object{{"count", values.size()},
                      {"min", values.front()},
                      {"median", percentile(values, 0.5)},
                      {"p90", percentile(values, 0.9)},
                      {"max", values.back()}};
}

json::value number(const std::optional<double>& value) {
  return value.has_value() ? json::value(*value) : json::value(nullptr);
}

std::optional<double> real(const json::object& record, std::string_view name) {
  const auto* found = record.if_contains(name);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::string text(const json::object& record, std::string_view name) {
  const auto* found = record.if_contains(name);
  return found == nullptr || !found->is_string() ? "" : std::string(found->as_string());
}

std::string quarter_in(const json::object& record) {
  const auto at = Timestamp::parse(text(record, "started_at"));
  return at.ok() ? quarter_of(*at) : "unknown";
}

using Outcomes = std::map<std::string, std::uint64_t>;

struct Quarter {
  Outcomes outcomes;
  std::vector<double> recovery, age;
  std::map<std::string, std::vector<double>> steps;
};

void add(Quarter& quarter, const json::object& record) {
  ++quarter.outcomes[text(record, "outcome")];
  if (const auto seconds = real(record, "recovery_seconds")) quarter.recovery.push_back(*seconds);
  if (const auto seconds = real(record, "data_age_seconds")) quarter.age.push_back(*seconds);
  const auto* steps = record.if_contains("steps");
  if (steps == nullptr || !steps->is_array()) return;
  for (const auto& step : steps->as_array()) {
    if (!step.is_object()) continue;
    if (const auto seconds = real(step.as_object(), "seconds"))
      quarter.steps[text(step.as_object(), "name")].push_back(*seconds);
  }
}

json::object outcomes_json(const Outcomes& outcomes) {
  json::object document;
  for (const char* outcome : {"successful", "failed", "timed_out"}) {
    const auto found = outcomes.find(outcome);
    document[outcome] = found == outcomes.end() ? 0 : found->second;
  }
  return document;
}

json::object steps_json(const Quarter& quarter) {
  json::object steps;
  for (const auto& [name, seconds] : quarter.steps) steps[name] = distribution(seconds);
  return steps;
}

json::array quarters_json(const std::map<std::string, Quarter>& quarters) {
  json::array all;
  for (auto it = quarters.rbegin(); it != quarters.rend(); ++it) {
    all.push_back(json::object{{"quarter", it->first},
                               {"outcomes", outcomes_json(it->second.outcomes)},
                               {"recovery_seconds", distribution(it->second.recovery)},
                               {"step_seconds", steps_json(it->second)}});
  }
  return all;
}

json::object figures_of(const std::vector<Entry>& records) {
  std::map<std::string, Quarter> quarters;
  Quarter tenants, cells;
  for (const auto& entry : records) {
    if (text(entry.record, "kind") == to_text(Kind::kCell)) {
      add(cells, entry.record);
      continue;
    }
    add(quarters[quarter_in(entry.record)], entry.record);
    add(tenants, entry.record);
  }
  json::object figures{{"recovery_seconds", distribution(tenants.recovery)},
                       {"archive_age_seconds", distribution(tenants.age)},
                       {"quarters", quarters_json(quarters)}};
  // Reports of before there were any have no such member.
  if (!cells.outcomes.empty())
    figures["cells"] = json::object{{"outcomes", outcomes_json(cells.outcomes)},
                                    {"recovery_seconds", distribution(cells.recovery)},
                                    {"data_loss_seconds", distribution(cells.age)},
                                    {"step_seconds", steps_json(cells)}};
  return figures;
}

}  // namespace

json::object trust_report(const std::vector<Entry>& records, const PublicKey& key,
                          const Facts& facts) {
  json::array chain;
  for (const auto& entry : records) chain.push_back(to_json(entry));
  json::object report{
      {"format", kFormat},
      {"made_at", facts.made_at.rfc3339()},
      {"promised",
       json::object{{"rpo_seconds", kRpoSeconds},
                    {"rto_seconds", kRtoSeconds},
                    {"window_days", json::object{{"starter", 7}, {"growth", 30}, {"scale", 90}}},
                    {"originals_days", 365}}},
      {"tenants", json::object{{"all", facts.tenants}, {"taking_part", facts.taking_part}}},
      {"now", json::object{{"rpo_seconds", number(facts.rpo_seconds)},
                           {"worst_rpo_seconds", number(facts.worst_rpo_seconds)},
                           {"verified_share", number(facts.verified_share)},
                           {"verified_days", facts.verified_days},
                           {"damaged_objects", facts.damaged},
                           {"objects_encryption", "AES-256-GCM under each tenant's own key"},
                           {"database_volume", facts.volume}}},
      {"measured", figures_of(records)},
      {"public_key", key.base64()},
      {"records", std::move(chain)}};
  return report;
}

Result<json::object> trust_report(instance::Instance& instance) {
  OA_ASSIGN(const auto chronicle, Chronicle::open(instance));
  OA_ASSIGN(const auto records, chronicle.entries());
  OA_ASSIGN(const auto tenants, instance.database().list_tenants());
  OA_ASSIGN(const auto taking_part, catalog::tenants_in_drills(instance.database()));
  Facts facts;
  facts.made_at = Timestamp::now();
  OA_ASSIGN(const auto kept, catalog::Drills(instance.database()).with_recovery());
  facts.tenants = tenants.size() - std::min(tenants.size(), kept.size());  // without recovery tenants
  facts.taking_part = taking_part.size();
  facts.volume = instance::describe(instance.volume());
  OA_ASSIGN(const auto stored,
            durability::storage_status(instance.database(), instance.bucket() != nullptr,
                                       facts.verified_days, facts.made_at));
  if (stored.coverage.totals.bytes > 0) facts.verified_share = stored.coverage.share();
  facts.damaged = stored.damage.size();
  if (instance.cell() != nullptr) {
    OA_ASSIGN(const auto seen, continuity::observe(instance.cell(), instance.database()));
    const auto status = continuity::status_of(seen);
    facts.rpo_seconds = status.rpo_seconds;
    facts.worst_rpo_seconds = status.worst_rpo_seconds;
  }
  return trust_report(records, chronicle.public_key(), facts);
}

Status verify_report(const json::value& report, const PublicKey& key) {
  ObjectReader reader(report, "report");
  if (reader.text("format") != kFormat) reader.fail("format", "is unknown");
  const auto* records = reader.find("records");
  const auto* measured = reader.find("measured");
  if (records == nullptr || !records->is_array()) reader.fail("records", "is an array");
  if (measured == nullptr) reader.fail("measured", "is missing");
  OA_TRY(reader.finish(true));
  std::vector<Entry> entries;
  for (const auto& value : records->as_array()) {
    OA_ASSIGN(auto entry, parse_entry(value));
    entries.push_back(std::move(entry));
  }
  OA_TRY(verify(entries, key));
  if (canonical_json(*measured) == canonical_json(figures_of(entries))) return {};
  return failed("the report's figures are not those of its records");
}

}  // namespace oa::drill
