#include "bucket_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace oa::durability {
namespace {

constexpr const char* kClassTag = "oa-class";

bool overlap(const std::string& a, const std::string& b) {
  return a.starts_with(b) || b.starts_with(a);
}

// Whether an object of ours can have a key that begins so, and these tags.
bool concerns(const LifecycleRule& rule, const RequiredBucket& required) {
  const bool keys = overlap(rule.prefix, required.prefix + "objects/") ||
                    overlap(rule.prefix, required.prefix + "segments/");
  return keys && std::ranges::all_of(rule.tags, [](const auto& tag) {
           return tag.first == kClassTag;  // the only one that ours have
         });
}

// Readers cannot wait for hours.
bool is_far_away(const std::string& storage_class) {
  return storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE";
}

bool lets_everybody_in(const json::object& statement) {
  const auto* effect = statement.if_contains("Effect");
  if (effect == nullptr || !effect->is_string() || effect->as_string() != "Allow") return false;
  if (statement.contains("NotPrincipal")) return true;
  const auto is_everybody = [](const json::value& value) {
    return value.is_string() && value.as_string() == "*";
  };
  const auto* principal = statement.if_contains("Principal");
  if (principal == nullptr) return false;
  if (is_everybody(*principal)) return true;
  if (!principal->is_object()) return false;
  const auto* accounts = principal->as_object().if_contains("AWS");
  if (accounts == nullptr) return false;
  if (is_everybody(*accounts)) return true;
  return accounts->is_array() && std::ranges::any_of(accounts->as_array(), is_everybody);
}

bool is_conditional(const json::object& statement) {
  const auto* condition = statement.if_contains("Condition");
  return condition != nullptr && condition->is_object() && !condition->as_object().empty();
}

// A policy may have one statement without an array around it.
json::array statements_of(const json::value& policy) {
  const auto* statements = policy.as_object().if_contains("Statement");
  if (statements == nullptr) return {};
  if (statements->is_array()) return statements->as_array();
  return {*statements};
}

}  // namespace

std::optional<std::string> danger_of(const LifecycleRule& rule, const RequiredBucket& required) {
  if (!rule.enabled || !concerns(rule, required)) return std::nullopt;
  if (rule.expires_days.has_value())
    return "hides objects of the service, whose end only the service knows";
  if (rule.noncurrent_days.has_value() && *rule.noncurrent_days < required.noncurrent_days) {
    return fmt::format("removes what a repair needs when an object was written over or deleted by "
                       "mistake: after {} days, and {} are the least",
                       *rule.noncurrent_days, required.noncurrent_days);
  }
  if (std::ranges::any_of(rule.transitions, is_far_away))
    return "moves objects of the service to where they cannot be read at once";
  return std::nullopt;
}

bool same_rule(const LifecycleRule& rule, const RequiredBucket& required) {
  return rule.enabled && rule.prefix == required.prefix && rule.tags.empty() &&
         !rule.expires_days.has_value() && !rule.noncurrent_days.has_value() &&
         rule.transitions.empty() &&
         rule.xml.find("<ExpiredObjectDeleteMarker>true<") != std::string::npos &&
         rule.xml.find(fmt::format("<DaysAfterInitiation>{}<", kUnfinishedDays)) !=
             std::string::npos;
}

Result<std::vector<std::string>> mended_rules(const std::vector<LifecycleRule>& rules,
                                              const RequiredBucket& required) {
  std::vector<std::string> mended;
  for (const auto& rule : rules) {
    if (rule.id == kOurRule) continue;
    if (danger_of(rule, required).has_value()) {
      OA_ASSIGN(std::string disabled, disabled_rule(rule.xml));
      mended.push_back(std::move(disabled));
    } else {
      mended.push_back(rule.xml);
    }
  }
  mended.push_back(housekeeping_rule(std::string(kOurRule), required.prefix, kUnfinishedDays));
  return mended;
}

std::vector<PublicStatement> public_statements(const json::value& policy) {
  std::vector<PublicStatement> found;
  std::size_t place = 0;
  for (const auto& statement : statements_of(policy)) {
    ++place;
    if (!statement.is_object() || !lets_everybody_in(statement.as_object())) continue;
    const auto* sid = statement.as_object().if_contains("Sid");
    const bool named = sid != nullptr && sid->is_string() && !sid->as_string().empty();
    found.push_back({named ? "\"" + std::string(sid->as_string()) + "\"" : fmt::format("#{}", place),
                     is_conditional(statement.as_object())});
  }
  return found;
}

std::optional<json::value> mended_policy(const json::value& policy) {
  json::array kept;
  for (const auto& statement : statements_of(policy)) {
    const auto* object = statement.if_object();
    if (object != nullptr && lets_everybody_in(*object) && !is_conditional(*object)) continue;
    kept.push_back(statement);
  }
  if (kept.empty()) return std::nullopt;
  json::object mended = policy.as_object();
  mended["Statement"] = std::move(kept);
  return mended;
}

}  // namespace oa::durability
