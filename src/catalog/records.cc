#include "oa/catalog/records.h"

#include <algorithm>
#include <array>

#include "oa/catalog/cell.h"
#include "oa/catalog/jobs.h"
#include "oa/catalog/object_checks.h"

namespace oa::catalog {
namespace {

// The texts of an enum in the order of its enumerators.
template <class Enum>
constexpr std::array<std::string_view, 0> kTexts{};
template <>
constexpr std::array kTexts<Plan> = std::to_array<std::string_view>({"starter", "growth", "scale"});
template <>
constexpr std::array kTexts<Role> = std::to_array<std::string_view>({"viewer", "editor", "admin"});
template <>
constexpr std::array kTexts<PrincipalKind> = std::to_array<std::string_view>({"user", "team"});
template <>
constexpr std::array kTexts<DatasetMode> = std::to_array<std::string_view>({"import", "direct",
                                                                            "composite"});
template <>
constexpr std::array kTexts<DatasetState> = std::to_array<std::string_view>({"created", "syncing",
                                                                             "ready", "refreshing",
                                                                             "error", "paused"});
template <>
constexpr std::array kTexts<VisualKind> = std::to_array<std::string_view>({"bar", "line", "matrix",
                                                                           "kpi", "table"});
template <>
constexpr std::array kTexts<SecretKind> = std::to_array<std::string_view>({"postgres", "cloud_key",
                                                                           "saml_certificate"});
template <>
constexpr std::array kTexts<RestoreState> = std::to_array<std::string_view>({"planned", "applying",
                                                                             "applied", "undone"});
template <>
constexpr std::array kTexts<RestorePurpose> = std::to_array<std::string_view>({"restore",
                                                                               "compare"});
template <>
constexpr std::array kTexts<ArchiveOrigin> =
    std::to_array<std::string_view>({"created", "scheduled", "uploaded", "moment"});
template <>
constexpr std::array kTexts<ScheduleFrequency> =
    std::to_array<std::string_view>({"off", "daily", "weekly"});
template <>
constexpr std::array kTexts<RestoreKind> = std::to_array<std::string_view>({"restore", "import",
                                                                            "undo"});
template <>
constexpr std::array kTexts<AlertOutcome> = std::to_array<std::string_view>({"ok", "firing",
                                                                             "no_data", "error"});
template <>
constexpr std::array kTexts<JobState> =
    std::to_array<std::string_view>({"queued", "running", "succeeded", "failed", "cancelled"});
template <>
constexpr std::array kTexts<CellRunKind> = std::to_array<std::string_view>(
    {"full", "differential", "incremental", "expire", "verify", "restore-check", "recovery"});
template <>
constexpr std::array kTexts<CellRunState> = std::to_array<std::string_view>(
    {"queued", "running", "succeeded", "failed", "cancelled", "interrupted"});
template <>
constexpr std::array kTexts<CellRunOrigin> =
    std::to_array<std::string_view>({"schedule", "operator"});
template <>
constexpr std::array kTexts<ObjectState> = std::to_array<std::string_view>(
    {"unverified", "good", "suspect", "damaged", "locked", "shredded"});
template <>
constexpr std::array kTexts<DurabilityKind> = std::to_array<std::string_view>({"bucket",
                                                                               "coverage"});

template <class Enum>
std::string_view text_of(Enum value) {
  const auto index = static_cast<std::size_t>(value);
  OA_ASSERT(index < kTexts<Enum>.size());
  return kTexts<Enum>[index];
}

}  // namespace

std::string_view to_text(Plan value) { return text_of(value); }
std::string_view to_text(Role value) { return text_of(value); }
std::string_view to_text(PrincipalKind value) { return text_of(value); }
std::string_view to_text(DatasetMode value) { return text_of(value); }
std::string_view to_text(DatasetState value) { return text_of(value); }
std::string_view to_text(VisualKind value) { return text_of(value); }
std::string_view to_text(SecretKind value) { return text_of(value); }
std::string_view to_text(RestoreState value) { return text_of(value); }
std::string_view to_text(RestoreKind value) { return text_of(value); }
std::string_view to_text(RestorePurpose value) { return text_of(value); }
std::string_view to_text(ArchiveOrigin value) { return text_of(value); }
std::string_view to_text(ScheduleFrequency value) { return text_of(value); }
std::string_view to_text(AlertOutcome value) { return text_of(value); }
std::string_view to_text(JobState value) { return text_of(value); }
std::string_view to_text(CellRunKind value) { return text_of(value); }
std::string_view to_text(CellRunState value) { return text_of(value); }
std::string_view to_text(CellRunOrigin value) { return text_of(value); }
std::string_view to_text(ObjectState value) { return text_of(value); }
std::string_view to_text(DurabilityKind value) { return text_of(value); }

template <class Enum>
Result<Enum> parse_text(std::string_view text) {
  std::string known;
  for (std::size_t i = 0; i < kTexts<Enum>.size(); ++i) {
    if (text == kTexts<Enum>[i]) return static_cast<Enum>(i);
    known += (i == 0 ? "" : ", ") + std::string(kTexts<Enum>[i]);
  }
  return make_error(ErrorCode::kInvalidArgument, "record.parse", "must be one of " + known);
}

std::string email_key(std::string_view address) {
  std::string key(address);
  std::ranges::transform(key, key.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return key;
}

template Result<Plan> parse_text<Plan>(std::string_view);
template Result<Role> parse_text<Role>(std::string_view);
template Result<PrincipalKind> parse_text<PrincipalKind>(std::string_view);
template Result<DatasetMode> parse_text<DatasetMode>(std::string_view);
template Result<DatasetState> parse_text<DatasetState>(std::string_view);
template Result<VisualKind> parse_text<VisualKind>(std::string_view);
template Result<SecretKind> parse_text<SecretKind>(std::string_view);
template Result<RestoreState> parse_text<RestoreState>(std::string_view);
template Result<RestoreKind> parse_text<RestoreKind>(std::string_view);
template Result<RestorePurpose> parse_text<RestorePurpose>(std::string_view);
template Result<ArchiveOrigin> parse_text<ArchiveOrigin>(std::string_view);
template Result<ScheduleFrequency> parse_text<ScheduleFrequency>(std::string_view);
template Result<AlertOutcome> parse_text<AlertOutcome>(std::string_view);
template Result<JobState> parse_text<JobState>(std::string_view);
template Result<CellRunKind> parse_text<CellRunKind>(std::string_view);
template Result<CellRunState> parse_text<CellRunState>(std::string_view);
template Result<CellRunOrigin> parse_text<CellRunOrigin>(std::string_view);
template Result<ObjectState> parse_text<ObjectState>(std::string_view);
template Result<DurabilityKind> parse_text<DurabilityKind>(std::string_view);

// Far above what tenants of a plan have, low enough that a restore cannot fill an instance.
Quota quota_of(Plan plan) {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  switch (plan) {
    case Plan::kStarter:
      return {10'000, 50 * kGiB};
    case Plan::kGrowth:
      return {100'000, 500 * kGiB};
    case Plan::kScale:
      return {1'000'000, 10'000 * kGiB};
  }
  return {};
}

int window_days_of(Plan plan) {
  switch (plan) {
    case Plan::kStarter:
      return 7;
    case Plan::kGrowth:
      return 30;
    case Plan::kScale:
      return 90;
  }
  return 0;
}

}  // namespace oa::catalog
