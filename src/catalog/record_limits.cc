#include "record_limits.h"

#include <algorithm>
#include <limits>

namespace oa::catalog {
namespace {

constexpr std::size_t kMaxObjectNameBytes = 1024;
constexpr std::size_t kMaxMessageBytes = 4096;
constexpr std::size_t kMaxModelBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxMembers = 100'000;  // of a team; role grants of a workspace
constexpr std::size_t kMaxParts = 1000;       // visuals, bookmarks, grants of a report
constexpr std::size_t kMaxReportJsonBytes = std::size_t{32} << 20;  // all of one report's together
constexpr std::size_t kMaxVersions = 10'000;
constexpr std::size_t kMaxColumns = 10'000;

template <class Items, class Less>
bool strictly_ascending(const Items& items, Less less) {
  return std::adjacent_find(items.begin(), items.end(), [&](const auto& a, const auto& b) {
           return !less(a, b);
         }) == items.end();
}

template <class Items>
bool distinct_ids(const Items& items) {
  std::vector<Uuid> ids;
  for (const auto& item : items) ids.push_back(item.id.uuid());
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) == ids.end();
}

// As RoleGrant orders them, each principal once.
bool by_principal(const RoleGrant& a, const RoleGrant& b) {
  return std::pair(a.kind, a.principal) < std::pair(b.kind, b.principal);
}

}  // namespace

Status check_name(std::string_view field, std::string_view text) {
  RecordChecker check("record");
  check.name(field, text);
  return check.result();
}

Status check_limits(const User& user) {
  RecordChecker check("user");
  check.name("email", user.email);
  check.name("first_name", user.first_name);
  check.name("last_name", user.last_name);
  check.json("attributes", user.attributes);
  check.moment("created_at", user.created_at);
  return check.result();
}

Status check_limits(const Team& team) {
  RecordChecker check("team");
  check.name("name", team.name);
  check.count("members", team.members.size(), kMaxMembers);
  check.that(strictly_ascending(team.members, std::less<>()), "members",
             "is not in ascending order");
  check.moment("created_at", team.created_at);
  return check.result();
}

Status check_limits(const Workspace& workspace) {
  RecordChecker check("workspace");
  check.name("name", workspace.name);
  check.moment("created_at", workspace.created_at);
  check.count("roles", workspace.roles.size(), kMaxMembers);
  check.that(strictly_ascending(workspace.roles, by_principal), "roles",
             "is not in ascending order");
  return check.result();
}

Status check_limits(const Dataset& dataset) {
  RecordChecker check("dataset");
  check.name("name", dataset.name);
  check.text("model_yaml", dataset.model_yaml, kMaxModelBytes);
  if (dataset.source_ref.has_value()) check.name("source_ref", *dataset.source_ref);
  check.count("versions", dataset.versions.size(), kMaxVersions);
  const auto by_version = [](const auto& a, const auto& b) { return a.version < b.version; };
  check.that(strictly_ascending(dataset.versions, by_version), "versions",
             "is not in ascending order");
  for (const auto& version : dataset.versions) {
    check.count("columns", version.columns.size(), kMaxColumns);
    for (const auto& column : version.columns) {
      check.name("columns.name", column.name);
      check.name("columns.type", column.type);
    }
    check.moment("versions.created_at", version.created_at);
  }
  check.amount("row_count", dataset.row_count);
  check.amount("size_bytes", dataset.size_bytes);
  check.moment("last_refresh_at", dataset.last_refresh_at);
  if (dataset.rows.has_value()) {
    check.text("rows.object_name", dataset.rows->object_name, kMaxObjectNameBytes);
    check.text("rows.object_version", dataset.rows->object_version, kMaxObjectNameBytes);
  }
  check.moment("created_at", dataset.created_at);
  check.moment("updated_at", dataset.updated_at);
  return check.result();
}

Status check_limits(const DatasetSource& source) {
  RecordChecker check("dataset_source");
  if (source.original.has_value()) {
    check.text("original.object_name", source.original->object_name, kMaxObjectNameBytes);
    check.text("original.object_version", source.original->object_version, kMaxObjectNameBytes);
    check.json("original.options", source.original->options);
    check.amount("original.size_bytes", source.original->size_bytes);
    check.moment("original.uploaded_at", source.original->uploaded_at);
  }
  if (source.last_failure.has_value()) {
    check.name("last_failure.code", source.last_failure->code);
    check.text("last_failure.message", source.last_failure->message, kMaxMessageBytes);
  }
  check.moment("last_attempt_at", source.last_attempt_at);
  return check.result();
}

Status check_limits(const Report& report) {
  RecordChecker check("report");
  check.name("name", report.name);
  check.json("layout", report.layout);
  check.json("filters", report.filters);
  check.count("visuals", report.visuals.size(), kMaxParts);
  check.count("bookmarks", report.bookmarks.size(), kMaxParts);
  for (const auto& visual : report.visuals) {
    check.name("visuals.title", visual.title);
    check.json("visuals.query", visual.query);
    check.json("visuals.options", visual.options);
  }
  for (const auto& bookmark : report.bookmarks) {
    check.name("bookmarks.name", bookmark.name);
    check.json("bookmarks.state", bookmark.state);
  }
  check.that(check.json_bytes() <= kMaxReportJsonBytes, "visuals",
             "are larger than 32 MiB together");
  check.that(distinct_ids(report.visuals), "visuals", "has one id twice");
  check.that(distinct_ids(report.bookmarks), "bookmarks", "has one id twice");
  check.count("grants", report.grants.size(), kMaxParts);
  check.that(strictly_ascending(report.grants, by_principal), "grants",
             "is not in ascending order");
  check.that(std::ranges::none_of(report.grants,
                                  [](const RoleGrant& g) { return g.role == Role::kAdmin; }),
             "grants", "has a role that no report is shared with");
  check.moment("created_at", report.created_at);
  check.moment("updated_at", report.updated_at);
  return check.result();
}

Status check_limits(const Alert& alert) {
  RecordChecker check("alert");
  check.name("name", alert.name);
  check.name("measure", alert.measure);
  check.json("condition", alert.condition);
  check.name("grain", alert.grain);
  check.json("channels", alert.channels);
  check.moment("created_at", alert.created_at);
  check.moment("updated_at", alert.updated_at);
  return check.result();
}

Status check_limits(const AlertEvaluation& evaluation) {
  RecordChecker check("alert_evaluation");
  check.moment("evaluated_at", evaluation.evaluated_at);
  check.json("detail", evaluation.detail);
  return check.result();
}

Status check_limits(const Job& job) {
  RecordChecker check("job");
  check.name("kind", job.kind);
  check.json("request", job.request);
  check.name("trace_id", job.trace_id);
  return check.result();
}

Status check_limits(const JobProgress& progress) {
  RecordChecker check("job_progress");
  check.name("step", progress.step);
  check.name("unit", progress.unit);
  check.amount("done", progress.done);
  check.amount("total", progress.total);
  return check.result();
}

Status check_limits(const JobEnd& end) {
  OA_TRY(check_limits(end.progress));
  RecordChecker check("job_end");
  check.that(over(end.state), "state", "is not one that is over");
  if (end.result.has_value()) check.json("result", *end.result);
  if (end.failure.has_value()) {
    check.name("failure.code", end.failure->code);
    check.text("failure.message", end.failure->message, kMaxMessageBytes);
    check.text("failure.hint", end.failure->hint, kMaxMessageBytes);
  }
  return check.result();
}

}  // namespace oa::catalog
