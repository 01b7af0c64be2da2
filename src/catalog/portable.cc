#include "oa/catalog/portable.h"

#include <algorithm>
#include <limits>

#include "portable_parts.h"
#include "record_limits.h"

namespace oa::catalog {
namespace {

constexpr std::uint64_t kFormatVersion = 1;

void append_format(ObjectWriter& out, std::string_view kind) {
  ObjectWriter format(out.raw("format"));
  format.text("kind", kind);
  format.number("version", kFormatVersion);
  format.close();
}

Status read_format(ObjectReader& reader, std::string_view kind) {
  ObjectReader format(reader.member("format"), reader.path() + ".format");
  if (format.text("kind") != kind) format.fail("kind", "is not " + std::string(kind));
  if (format.unsigned_integer("version") != kFormatVersion)
    format.fail("version", "is not known to this program");
  return format.finish();
}

template <class Record>
std::vector<const Record*> by_id(const std::vector<Record>& records) {
  std::vector<const Record*> sorted;
  for (const auto& record : records) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->id < b->id; });
  return sorted;
}

template <class Record>
Status check_ascending(const std::vector<Record>& records, const std::string& path) {
  const auto out_of_order = [](const Record& a, const Record& b) { return a.id >= b.id; };
  if (std::adjacent_find(records.begin(), records.end(), out_of_order) == records.end()) return {};
  return make_error(ErrorCode::kInvalidArgument, "json.decode",
                    path + " is not in ascending order of id");
}

void append_user(std::string& text, const User* user) {
  ObjectWriter out(text);
  out.boolean("active", user->active);
  out.json("attributes", user->attributes);
  out.moment("created_at", user->created_at);
  out.text("email", user->email);
  out.text("first_name", user->first_name);
  out.id("id", user->id);
  out.text("last_name", user->last_name);
  out.boolean("owner", user->owner);
  out.close();
}

Result<User> read_user(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  User user;
  user.active = reader.boolean("active");
  user.attributes = reader.raw("attributes");
  user.created_at = reader.timestamp("created_at");
  user.email = reader.text("email");
  user.first_name = reader.text("first_name");
  user.id = reader.id<UserId>("id");
  user.last_name = reader.text("last_name");
  user.owner = reader.boolean("owner");
  OA_TRY(reader.finish());
  OA_TRY(check_limits(user));
  return user;
}

void append_team(std::string& text, const Team* team) {
  ObjectWriter out(text);
  out.moment("created_at", team->created_at);
  out.id("id", team->id);
  out.array("members", team->members, [](std::string& item, const UserId& member) {
    append_json_string(item, member.str());
  });
  out.text("name", team->name);
  out.close();
}

Result<Team> read_team(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Team team;
  team.created_at = reader.timestamp("created_at");
  team.id = reader.id<TeamId>("id");
  for (const auto& item : reader.array("members")) {
    const auto* text = item.if_string();
    const auto member =
        UserId::parse(text == nullptr ? std::string_view() : std::string_view(*text));
    if (!member.ok()) reader.fail("members", "holds something that is not a UUID");
    team.members.push_back(member.ok() ? *member : UserId());
  }
  team.name = reader.text("name");
  OA_TRY(reader.finish());
  OA_TRY(check_limits(team));
  return team;
}

void append_dataset(std::string& text, const Dataset* dataset) {
  ObjectWriter out(text);
  out.moment("created_at", dataset->created_at);
  out.id("created_by", dataset->created_by);
  out.id("id", dataset->id);
  out.optional_moment("last_refresh_at", dataset->last_refresh_at);
  out.text("mode", to_text(dataset->mode));
  out.text("name", dataset->name);
  out.number("row_count", dataset->row_count);
  out.number("size_bytes", dataset->size_bytes);
  out.optional_text("source_ref", dataset->source_ref);
  out.text("state", to_text(dataset->state));
  out.moment("updated_at", dataset->updated_at);
  out.array("versions", dataset->versions, [](std::string& item, const DatasetVersion& version) {
    ObjectWriter object(item);
    object.raw("columns") += columns_to_json(version.columns);
    object.moment("created_at", version.created_at);
    object.number("version", version.version);
    object.close();
  });
  out.id("workspace_id", dataset->workspace_id);
  out.close();
}

Result<DatasetVersion> read_dataset_version(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  DatasetVersion version;
  OA_ASSIGN(version.columns, columns_from_json(reader.member("columns"), path + ".columns"));
  version.created_at = reader.timestamp("created_at");
  const std::uint64_t number = reader.unsigned_integer("version");
  if (number > std::numeric_limits<std::uint32_t>::max()) reader.fail("version", "is out of range");
  version.version = static_cast<std::uint32_t>(number);
  OA_TRY(reader.finish());
  return version;
}

Result<Dataset> read_dataset(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Dataset dataset;
  dataset.created_at = reader.timestamp("created_at");
  dataset.created_by = reader.id<UserId>("created_by");
  dataset.id = reader.id<DatasetId>("id");
  dataset.last_refresh_at = reader.optional_timestamp("last_refresh_at");
  dataset.mode = read_enum<DatasetMode>(reader, "mode");
  dataset.name = reader.text("name");
  dataset.row_count = reader.unsigned_integer("row_count");
  dataset.size_bytes = reader.unsigned_integer("size_bytes");
  dataset.source_ref = reader.optional_text("source_ref");
  dataset.state = read_enum<DatasetState>(reader, "state");
  dataset.updated_at = reader.timestamp("updated_at");
  OA_ASSIGN(dataset.versions, read_array<DatasetVersion>(reader, "versions", read_dataset_version));
  dataset.workspace_id = reader.id<WorkspaceId>("workspace_id");
  OA_TRY(reader.finish());
  OA_TRY(check_limits(dataset));
  return dataset;
}

void append_workspace(std::string& text, const Workspace& workspace) {
  ObjectWriter out(text);
  out.moment("created_at", workspace.created_at);
  out.id("id", workspace.id);
  out.text("name", workspace.name);
  append_grants(out, "roles", workspace.roles);
  out.close();
}

Result<Workspace> read_workspace(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Workspace workspace;
  workspace.created_at = reader.timestamp("created_at");
  workspace.id = reader.id<WorkspaceId>("id");
  workspace.name = reader.text("name");
  OA_ASSIGN(workspace.roles, read_grants(reader, "roles"));
  OA_TRY(reader.finish());
  OA_TRY(check_limits(workspace));
  return workspace;
}

Result<std::vector<User>> read_users(ObjectReader& reader) {
  OA_ASSIGN(auto users, read_array<User>(reader, "users", read_user));
  OA_TRY(check_ascending(users, reader.path() + ".users"));
  return users;
}

Result<std::vector<Team>> read_teams(ObjectReader& reader) {
  OA_ASSIGN(auto teams, read_array<Team>(reader, "teams", read_team));
  OA_TRY(check_ascending(teams, reader.path() + ".teams"));
  return teams;
}

}  // namespace

std::string to_portable(const WorkspaceDocument& document) {
  std::string text;
  ObjectWriter out(text);
  out.array("datasets", by_id(document.datasets), append_dataset);
  append_format(out, "workspace");
  out.array("teams", by_id(document.teams), append_team);
  out.array("users", by_id(document.users), append_user);
  append_workspace(out.raw("workspace"), document.workspace);
  out.close();
  return text;
}

Result<WorkspaceDocument> workspace_from_portable(std::string_view text) {
  OA_ASSIGN(const json::value value, parse_json(text, kEntryLimits));
  ObjectReader reader(value, "workspace_document");
  OA_TRY(read_format(reader, "workspace"));
  WorkspaceDocument document;
  OA_ASSIGN(document.workspace,
            read_workspace(reader.member("workspace"), "workspace_document.workspace"));
  OA_ASSIGN(document.users, read_users(reader));
  OA_ASSIGN(document.teams, read_teams(reader));
  OA_ASSIGN(document.datasets, read_array<Dataset>(reader, "datasets", read_dataset));
  OA_TRY(check_ascending(document.datasets, "workspace_document.datasets"));
  for (const auto& dataset : document.datasets) {
    if (dataset.workspace_id != document.workspace.id)
      reader.fail("datasets", "has one of another workspace");
  }
  OA_TRY(reader.finish());
  return document;
}

std::string to_portable(const Report& report) {
  std::string text;
  ObjectWriter out(text);
  append_bookmarks(out, report);
  out.moment("created_at", report.created_at);
  out.id("created_by", report.created_by);
  out.json("filters", report.filters);
  append_format(out, "report");
  append_grants(out, "grants", report.grants);
  out.id("id", report.id);
  out.json("layout", report.layout);
  out.text("name", report.name);
  out.moment("updated_at", report.updated_at);
  append_visuals(out, report);
  out.id("workspace_id", report.workspace_id);
  out.close();
  return text;
}

Result<Report> report_from_portable(std::string_view text) {
  OA_ASSIGN(const json::value value, parse_json(text, kEntryLimits));
  ObjectReader reader(value, "report");
  OA_TRY(read_format(reader, "report"));
  Report report;
  report.created_at = reader.timestamp("created_at");
  report.created_by = reader.id<UserId>("created_by");
  OA_ASSIGN(report.grants, read_grants(reader, "grants"));
  report.id = reader.id<ReportId>("id");
  report.name = reader.text("name");
  report.updated_at = reader.timestamp("updated_at");
  report.workspace_id = reader.id<WorkspaceId>("workspace_id");
  OA_TRY(read_report_content(reader, report));
  OA_TRY(reader.finish());
  OA_TRY(check_limits(report));
  return report;
}

std::string to_portable(const Alert& alert) {
  std::string text;
  ObjectWriter out(text);
  out.json("channels", alert.channels);
  out.json("condition", alert.condition);
  out.moment("created_at", alert.created_at);
  out.id("created_by", alert.created_by);
  out.id("dataset_id", alert.dataset_id);
  out.boolean("enabled", alert.enabled);
  append_format(out, "alert");
  out.text("grain", alert.grain);
  out.id("id", alert.id);
  out.text("measure", alert.measure);
  out.text("name", alert.name);
  out.moment("updated_at", alert.updated_at);
  out.id("workspace_id", alert.workspace_id);
  out.close();
  return text;
}

Result<Alert> alert_from_portable(std::string_view text) {
  OA_ASSIGN(const json::value value, parse_json(text, kEntryLimits));
  ObjectReader reader(value, "alert");
  OA_TRY(read_format(reader, "alert"));
  Alert alert;
  alert.channels = reader.raw("channels");
  alert.condition = reader.raw("condition");
  alert.created_at = reader.timestamp("created_at");
  alert.created_by = reader.id<UserId>("created_by");
  alert.dataset_id = reader.id<DatasetId>("dataset_id");
  alert.enabled = reader.boolean("enabled");
  alert.grain = reader.text("grain");
  alert.id = reader.id<AlertId>("id");
  alert.measure = reader.text("measure");
  alert.name = reader.text("name");
  alert.updated_at = reader.timestamp("updated_at");
  alert.workspace_id = reader.id<WorkspaceId>("workspace_id");
  OA_TRY(reader.finish());
  OA_TRY(check_limits(alert));
  return alert;
}

JsonText to_portable(const TenantDocument& document) {
  std::string text;
  ObjectWriter out(text);
  out.text("name", document.name);
  out.text("plan", to_text(document.plan));
  out.array("teams", by_id(document.teams), append_team);
  out.array("users", by_id(document.users), append_user);
  out.close();
  auto parsed = JsonText::parse(text, kEntryLimits);
  OA_ASSERT(parsed.ok());
  return std::move(parsed).value();
}

Result<TenantDocument> tenant_from_portable(const JsonText& document) {
  const json::value value = document.value();
  ObjectReader reader(value, "tenant");
  TenantDocument out;
  out.name = reader.text("name");
  out.plan = read_enum<Plan>(reader, "plan");
  OA_ASSIGN(out.teams, read_teams(reader));
  OA_ASSIGN(out.users, read_users(reader));
  OA_TRY(reader.finish());
  OA_TRY(check_name("name", out.name));
  return out;
}

Blake2bDigest content_digest(const Report& report) {
  return Blake2b::of(as_bytes(to_portable(report)));
}

Blake2bDigest content_digest(const Alert& alert) {
  return Blake2b::of(as_bytes(to_portable(alert)));
}

Blake2bDigest content_digest(const Dataset& dataset) {
  std::string record;
  append_dataset(record, &dataset);
  Blake2b hash;
  hash.update(as_bytes(record));
  hash.update(
      as_bytes(std::string_view("\0", 1)));  // in no JSON text, so the two parts cannot blur
  hash.update(as_bytes(dataset.model_yaml));
  return hash.finish();
}

}  // namespace oa::catalog
