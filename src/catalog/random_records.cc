#include "random_records.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace oa::catalog {
namespace {

// One draw from rapidcheck seeds a whole record: a thousand small draws would be printed and shrunk
// one by one.
std::mt19937_64 engine;
void seed() {
  engine.seed(*rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
}

std::size_t below(std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine);
}
bool coin() { return below(2) == 1; }

Uuid random_uuid() {
  Uuid::Raw raw{};
  for (auto& byte : raw) byte = static_cast<std::uint8_t>(below(256));
  return Uuid(raw);
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else {
    out.push_back(static_cast<char>(0xf0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 63)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  }
}

std::uint32_t random_character() {
  constexpr std::uint32_t kHard[] = {'"',  '\'', '\\', '$',  '{',  '}',    ',',    '\n',
                                     '\t', 1,    0x7f, 0x85, 0xa0, 0x2028, 0xfeff, 0xfffd};
  switch (below(6)) {
    case 0:
      return kHard[below(std::size(kHard))];
    case 1:
      return static_cast<std::uint32_t>(0x80 + below(0x700));
    case 2:
      return static_cast<std::uint32_t>(0x3000 + below(0x5000));
    case 3:
      return static_cast<std::uint32_t>(0x10000 + below(0x100000));
    default:
      return static_cast<std::uint32_t>(0x20 + below(0x5f));
  }
}

double random_double() {
  constexpr double kHard[] = {0.5,           1e2,
                              1e300,         -1e-300,
                              5e-324,        1.7976931348623157e308,
                              0.1,           -0.0,
                              123456789.125, 9007199254740993.0,
                              1e22,          3.141592653589793};
  if (coin()) return kHard[below(std::size(kHard))];
  return std::ldexp(static_cast<double>(engine()), static_cast<int>(below(600)) - 300);
}

json::value random_value(int depth) {
  switch (below(depth > 0 ? 9 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return coin();
    case 2:
      return static_cast<std::int64_t>(engine());
    case 3:
      return std::numeric_limits<std::uint64_t>::max() - below(10);
    case 4:
      return random_double();
    case 5:
      return json::string(random_text(20) + std::string(below(2), '\0'));
    case 6:
      return json::string(random_uuid().str());
    case 7: {
      json::array items;
      for (std::size_t i = below(4); i > 0; --i) items.push_back(random_value(depth - 1));
      return items;
    }
    default: {
      json::object members;
      for (std::size_t i = below(4); i > 0; --i) members[random_text(10)] = random_value(depth - 1);
      return members;
    }
  }
}

template <class Item, class Make>
std::vector<Item> some(std::size_t at_least, std::size_t at_most, Make make) {
  std::vector<Item> items;
  for (std::size_t i = at_least + below(at_most - at_least + 1); i > 0; --i)
    items.push_back(make());
  return items;
}

template <class Record>
void sort_by_id(std::vector<Record>& records) {
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
}

template <class Item>
void sort_unique(std::vector<Item>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

User random_user() {
  User user;
  user.id = UserId(random_uuid());
  user.email = random_text(8) + user.id.str() + "@example.com";
  user.first_name = random_text(20);
  user.last_name = random_text(20);
  user.attributes = random_json();
  user.active = coin();
  user.owner = coin();
  user.created_at = random_moment();
  return user;
}

Team random_team(const std::vector<User>& users) {
  Team team;
  team.id = TeamId(random_uuid());
  team.name = random_text(20);
  team.members = some<UserId>(0, 4, [&] { return users[below(users.size())].id; });
  sort_unique(team.members);
  team.created_at = random_moment();
  return team;
}

// Each of some principals once, in their order.
std::vector<RoleGrant> random_grants(const RandomContent& content, Role highest) {
  std::vector<RoleGrant> grants;
  const auto role = [&] { return static_cast<Role>(below(static_cast<std::size_t>(highest) + 1)); };
  for (const auto& user : content.users) {
    if (coin()) grants.push_back({PrincipalKind::kUser, user.id.uuid(), role()});
  }
  for (const auto& team : content.teams) {
    if (coin()) grants.push_back({PrincipalKind::kTeam, team.id.uuid(), role()});
  }
  return grants;
}

Workspace random_workspace(const RandomContent& content) {
  Workspace workspace;
  workspace.id = WorkspaceId(random_uuid());
  workspace.name = random_text(20);
  workspace.created_at = random_moment();
  workspace.roles = random_grants(content, Role::kAdmin);
  return workspace;
}

Dataset random_dataset(const RandomContent& content) {
  Dataset dataset;
  dataset.id = DatasetId(random_uuid());
  dataset.workspace_id = content.workspaces[below(content.workspaces.size())].id;
  dataset.name = random_text(20);
  dataset.mode = static_cast<DatasetMode>(below(3));
  dataset.state = static_cast<DatasetState>(below(6));
  dataset.model_yaml = random_text(200);
  if (coin()) dataset.source_ref = random_text(10);
  std::uint32_t number = 0;
  dataset.versions = some<DatasetVersion>(0, 3, [&] {
    number += static_cast<std::uint32_t>(1 + below(1u << 30));
    return DatasetVersion{number,
                          some<Column>(0, 3,
                                       [] {
                                         return Column{random_text(10), random_text(10)};
                                       }),
                          random_moment()};
  });
  dataset.row_count = below(std::numeric_limits<std::int64_t>::max());
  dataset.size_bytes = below(1000);
  if (coin()) dataset.last_refresh_at = random_moment();
  if (coin()) dataset.rows = RowsObject{random_text(30), random_text(30)};
  dataset.created_by = content.users[below(content.users.size())].id;
  dataset.created_at = random_moment();
  dataset.updated_at = random_moment();
  return dataset;
}

Report random_report(const RandomContent& content) {
  Report report;
  report.id = ReportId(random_uuid());
  report.workspace_id = content.workspaces[below(content.workspaces.size())].id;
  report.name = random_text(20);
  report.layout = random_json();
  report.filters = random_json();
  report.visuals = some<Visual>(0, 3, [&] {
    return Visual{VisualId(random_uuid()),
                  static_cast<VisualKind>(below(5)),
                  random_text(20),
                  content.datasets[below(content.datasets.size())].id,
                  static_cast<std::uint32_t>(below(std::size_t{1} << 32)),
                  random_json(),
                  random_json()};
  });
  report.bookmarks = some<Bookmark>(0, 3, [] {
    return Bookmark{BookmarkId(random_uuid()), random_text(20), random_json()};
  });
  if (coin()) report.grants = random_grants(content, Role::kEditor);
  report.created_by = content.users[below(content.users.size())].id;
  report.created_at = random_moment();
  report.updated_at = random_moment();
  return report;
}

Alert random_alert(const RandomContent& content) {
  Alert alert;
  alert.id = AlertId(random_uuid());
  alert.workspace_id = content.workspaces[below(content.workspaces.size())].id;
  alert.dataset_id = content.datasets[below(content.datasets.size())].id;
  alert.name = random_text(20);
  alert.measure = random_text(20);
  alert.condition = random_json();
  alert.grain = random_text(5);
  alert.channels = random_json();
  alert.enabled = coin();
  alert.created_by = content.users[below(content.users.size())].id;
  alert.created_at = random_moment();
  alert.updated_at = random_moment();
  return alert;
}

}  // namespace

std::string random_text(std::size_t max_characters) {
  std::string text;
  for (std::size_t i = below(max_characters + 1); i > 0; --i) append_utf8(text, random_character());
  return text;
}

JsonText random_json() { return JsonText::of(random_value(3)); }

Timestamp random_moment() {
  constexpr std::int64_t kFirst = -62'135'596'800'000'000, kLast = 253'402'300'799'999'999;
  switch (below(8)) {
    case 0:
      return {kFirst};
    case 1:
      return {kLast};
    default:
      return {kFirst + static_cast<std::int64_t>(below(static_cast<std::size_t>(kLast - kFirst)))};
  }
}

RandomContent random_content() {
  seed();
  RandomContent content;
  content.users = some<User>(1, 4, random_user);
  content.teams = some<Team>(0, 3, [&] { return random_team(content.users); });
  sort_by_id(content.users);
  sort_by_id(content.teams);
  content.workspaces = some<Workspace>(1, 2, [&] { return random_workspace(content); });
  content.datasets = some<Dataset>(1, 3, [&] { return random_dataset(content); });
  content.reports = some<Report>(0, 3, [&] { return random_report(content); });
  content.alerts = some<Alert>(0, 3, [&] { return random_alert(content); });
  sort_by_id(content.workspaces);
  sort_by_id(content.datasets);
  sort_by_id(content.reports);
  sort_by_id(content.alerts);
  return content;
}

NewAuditEvent random_event() {
  seed();
  NewAuditEvent event;
  event.ts = random_moment();
  event.actor_type = coin() ? "user" : "operator";
  if (coin()) event.actor_id = random_uuid();
  event.action = "report." + random_text(10);
  event.resource_type = random_text(10);
  event.resource_id = random_text(10);
  event.detail = random_json();
  event.trace_id = random_text(10);
  for (std::size_t i = below(3); i > 0; --i) event.personal[random_text(10)] = random_text(20);
  return event;
}

}  // namespace oa::catalog
