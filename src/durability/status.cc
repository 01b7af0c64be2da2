#include "oa/durability/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace oa::durability {
namespace {

using catalog::DurabilityKind;
using catalog::DurabilityRecords;
constexpr std::int64_t kHourUs = std::int64_t{3600} * 1'000'000;
constexpr int kUncheckedHours = 26;
constexpr std::size_t kTold = 100;

bool is_level(const json::value& finding, FindingLevel level) {
  const auto* object = finding.if_object();
  const auto* text = object == nullptr ? nullptr : object->if_contains("level");
  return text != nullptr && text->is_string() && text->as_string() == to_text(level);
}

std::string text_of(const json::value& finding, const char* name) {
  const auto* text = finding.as_object().if_contains(name);
  return text != nullptr && text->is_string() ? std::string(text->as_string()) : "";
}

Status read_check(catalog::Database& database, StorageStatus& status) {
  OA_ASSIGN(const auto record, DurabilityRecords(database).last(DurabilityKind::kBucket));
  if (!record.has_value()) return {};
  OA_ASSIGN(const json::value body, parse_json(record->body));
  const auto& object = body.as_object();
  if (const auto* failed = object.if_contains("failed"); failed != nullptr && failed->is_string())
    status.check_failed = std::string(failed->as_string());
  if (const auto* findings = object.if_contains("findings");
      findings != nullptr && findings->is_array())
    status.findings = findings->as_array();
  if (const auto* at = object.if_contains("checked_at"); at != nullptr && at->is_string()) {
    const auto moment = Timestamp::parse(at->as_string());
    if (moment.ok()) status.checked_at = *moment;
  }
  return {};
}

void find_alarms(StorageStatus& status) {
  const auto add = [&](StorageAlarmCode code, bool critical, std::string message) {
    status.alarms.push_back({code, critical, std::move(message)});
  };
  for (const auto& finding : status.findings) {
    const bool critical = is_level(finding, FindingLevel::kCritical);
    if (!critical && !is_level(finding, FindingLevel::kWarning)) continue;
    add(StorageAlarmCode::kBucketDrift, critical,
        fmt::format("{} bucket: {}", text_of(finding, "bucket"), text_of(finding, "message")));
  }
  const bool old = !status.checked_at.has_value() ||
                   status.now.unix_us - status.checked_at->unix_us > kUncheckedHours * kHourUs;
  if (status.in_bucket && (old || status.check_failed.has_value())) {
    add(StorageAlarmCode::kBucketUnchecked, false,
        fmt::format("the bucket was last checked {}{}",
                    status.checked_at.has_value() ? status.checked_at->rfc3339() : "never",
                    status.check_failed.has_value() ? ": " + *status.check_failed : ""));
  }
  for (const auto& damage : status.damage)
    add(StorageAlarmCode::kObjectDamaged, damage.holder.has_value(), describe(damage));
  if (status.coverage.behind()) {
    add(StorageAlarmCode::kScrubBehind, false,
        fmt::format("some of what is stored was last verified {}, and {} days are promised",
                    status.coverage.totals.oldest->rfc3339(), status.coverage.days));
  }
  std::ranges::stable_sort(status.alarms, std::greater(), &StorageAlarm::critical);
}

}  // namespace

std::string_view to_text(StorageAlarmCode code) {
  constexpr std::string_view kTexts[] = {"bucket-drift", "bucket-unchecked", "object-damaged",
                                         "scrub-behind"};
  return kTexts[static_cast<std::size_t>(code)];
}

Result<StorageStatus> storage_status(catalog::Database& database, bool in_bucket, int days,
                                     Timestamp now) {
  StorageStatus status;
  status.now = now;
  status.in_bucket = in_bucket;
  if (in_bucket) OA_TRY(read_check(database, status));
  OA_ASSIGN(status.coverage, coverage(database, std::nullopt, days, now));
  OA_ASSIGN(status.damage, known_damage(database, std::nullopt, kTold));
  find_alarms(status);
  return status;
}

json::object to_json(const StorageStatus& status) {
  json::array damage, alarms;
  for (const auto& each : status.damage) damage.push_back(to_json(each));
  for (const auto& each : status.alarms) {
    alarms.push_back(json::object{{"code", to_text(each.code)},
                                  {"severity", each.critical ? "critical" : "warning"},
                                  {"message", each.message}});
  }
  json::object bucket{{"checked_at", nullptr}, {"findings", status.findings}, {"failed", nullptr}};
  if (status.checked_at.has_value()) bucket["checked_at"] = status.checked_at->rfc3339();
  if (status.check_failed.has_value()) bucket["failed"] = *status.check_failed;
  json::object document{{"at", status.now.rfc3339()},
                        {"bucket", nullptr},
                        {"coverage", to_json(status.coverage)},
                        {"damage", std::move(damage)},
                        {"alarms", std::move(alarms)}};
  if (status.in_bucket) document["bucket"] = std::move(bucket);
  return document;
}

Status record_check(catalog::Database& database,
                    const Result<std::vector<BucketFinding>>& found, Timestamp now) {
  json::object body;
  if (found.ok()) {
    json::array findings;
    for (const auto& finding : *found) findings.push_back(to_json(finding));
    body = {{"checked_at", now.rfc3339()}, {"findings", std::move(findings)}};
  } else {
    // What was found before stays known.
    StorageStatus before;
    OA_TRY(read_check(database, before));
    body = {{"failed", error_info(found.error().code).name}, {"findings", before.findings}};
    if (before.checked_at.has_value()) body["checked_at"] = before.checked_at->rfc3339();
  }
  const auto added = DurabilityRecords(database).append(DurabilityKind::kBucket, now, body);
  return added.ok() ? Status() : added.error();
}

Result<Coverage> record_coverage(catalog::Database& database, int days, Timestamp now) {
  OA_ASSIGN(auto covered, coverage(database, std::nullopt, days, now));
  const auto added =
      DurabilityRecords(database).append(DurabilityKind::kCoverage, now, to_json(covered));
  if (!added.ok()) return added.error();
  return covered;
}

}  // namespace oa::durability
