#include "large_tenant.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "oa/catalog/portable.h"
#include "oa/catalog/repositories.h"

namespace oa::bench {
namespace {

using namespace catalog;  // NOLINT: every record

constexpr std::size_t kWorkspaces = 20;
constexpr std::size_t kUsers = 200;
constexpr std::size_t kTeams = 10;
constexpr std::size_t kBatch = 1000;
constexpr std::size_t kSmallest = 1024, kLargest = 8192;  // of a report's document

class Generator {
 public:
  Generator() : engine_(1) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
    for (auto& word : words_) {
      for (auto n = 3 + below(8); n > 0; --n) word.push_back(kLetters[below(kLetters.size())]);
    }
  }
  std::size_t below(std::size_t n) { return engine_() % n; }
  const std::string& word() { return words_[below(words_.size())]; }
  std::string text(std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += word() + ' ';
    out.resize(bytes);
    return out;
  }
  template <class Id>
  Id id() {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
    return Id(Uuid(bytes));
  }

 private:
  std::mt19937_64 engine_;
  std::array<std::string, 1000> words_;
};

struct People {
  std::vector<User> users;
  std::vector<Team> teams;
  std::vector<Workspace> workspaces;
};

People make_people(Generator& random, Timestamp now) {
  People people;
  for (std::size_t i = 0; i < kUsers; ++i) {
    User user;
    user.id = random.id<UserId>();
    user.email = fmt::format("user{:03}@bench.example", i);
    user.first_name = random.word();
    user.last_name = random.word();
    user.owner = i == 0;
    user.created_at = now;
    people.users.push_back(std::move(user));
  }
  for (std::size_t i = 0; i < kTeams; ++i) {
    Team team{random.id<TeamId>(), fmt::format("Team {}", i), {}, now};
    for (std::size_t n = i; n < kUsers; n += kTeams) team.members.push_back(people.users[n].id);
    std::ranges::sort(team.members);
    people.teams.push_back(std::move(team));
  }
  for (std::size_t i = 0; i < kWorkspaces; ++i) {
    Workspace workspace{random.id<WorkspaceId>(), fmt::format("Workspace {}", i), now, {}};
    workspace.roles = {{PrincipalKind::kUser, people.users[i].id.uuid(), Role::kAdmin},
                       {PrincipalKind::kTeam, people.teams[i % kTeams].id.uuid(), Role::kEditor}};
    std::ranges::sort(workspace.roles);
    people.workspaces.push_back(std::move(workspace));
  }
  return people;
}

Dataset make_dataset(Generator& random, const People& people, std::size_t i, Timestamp now) {
  Dataset dataset;
  dataset.id = random.id<DatasetId>();
  dataset.workspace_id = people.workspaces[i % kWorkspaces].id;
  dataset.name = fmt::format("{} {}", random.word(), i);
  dataset.model_yaml = fmt::format(
      "dataset: d{}\nsource: {{ type: postgres, ref: warehouse }}\ntables:\n  - {{ name: orders, "
      "primary_key: id }}\ndimensions:\n  - {{ id: region, column: orders.region }}\nmeasures:\n"
      "  - {{ id: revenue, type: sum, column: orders.amount }}\n# {}\n",
      i, random.text(600));
  dataset.source_ref = "warehouse";
  DatasetVersion version{1, {}, now};
  for (const char* name : {"id", "region", "amount", "sold_on"})
    version.columns.push_back({name, "VARCHAR"});
  dataset.versions = {version};
  dataset.created_by = people.users[i % kUsers].id;
  dataset.created_at = dataset.updated_at = now;
  return dataset;
}

Visual make_visual(Generator& random, DatasetId dataset) {
  constexpr VisualKind kKinds[] = {VisualKind::kBar, VisualKind::kLine, VisualKind::kMatrix,
                                   VisualKind::kKpi, VisualKind::kTable};
  Visual visual;
  visual.id = random.id<VisualId>();
  visual.kind = kKinds[random.below(std::size(kKinds))];
  visual.title = random.text(20);
  visual.dataset_id = dataset;
  visual.query = JsonText::of(json::object{
      {"dimensions", json::array{json::object{{"id", "region"}}}},
      {"measures", json::array{"revenue"}},
      {"filters",
       json::array{json::object{{"field", "region"}, {"op", "eq"}, {"value", random.word()}}}},
      {"limit", 1000}});
  visual.options = JsonText::of(json::object{{"colour", random.word()}, {"decimals", 2}});
  return visual;
}

Report make_report(Generator& random, const People& people, const std::vector<Dataset>& datasets,
                   std::size_t i, Timestamp now) {
  const std::size_t first = i % kWorkspaces;  // of the datasets of its workspace
  const std::size_t of_workspace = (datasets.size() - first + kWorkspaces - 1) / kWorkspaces;
  Report report;
  report.id = random.id<ReportId>();
  report.workspace_id = people.workspaces[first].id;
  report.name = fmt::format("{} {} {}", random.word(), random.word(), i);
  json::array cells;
  for (auto n = 1 + random.below(6); n > 0; --n) {
    const auto& dataset = datasets[first + kWorkspaces * random.below(of_workspace)];
    report.visuals.push_back(make_visual(random, dataset.id));
    cells.push_back(json::object{{"visual", report.visuals.back().id.str()}, {"w", 6}, {"h", 4}});
  }
  report.filters = JsonText::of(json::object{{"items", json::array{}}});
  report.bookmarks = {{random.id<BookmarkId>(), random.word(), JsonText::of(json::object{})}};
  report.created_by = people.users[i % kUsers].id;
  report.created_at = report.updated_at = now;
  json::object layout{{"cells", std::move(cells)}, {"notes", ""}};
  report.layout = JsonText::of(layout);
  const std::size_t wanted = kSmallest + random.below(kLargest - kSmallest);
  const std::size_t have = to_portable(report).size();
  if (have < wanted) {
    layout["notes"] = random.text(wanted - have);
    report.layout = JsonText::of(layout);
  }
  return report;
}

}  // namespace

void stop(const Error& error) {
  fmt::print(stderr, "{}: {} {} {}\n", error.op, error.message, error.hint, error.cause);
  std::exit(1);
}

Tenant make_large_tenant(instance::Instance& instance, const std::string& name,
                         const TenantSize& size) {
  Generator random;
  const auto tenant = must(instance.provision_tenant(name, Plan::kScale));
  const Timestamp now = Timestamp::now();
  const People people = make_people(random, now);
  std::vector<Dataset> datasets;
  for (std::size_t i = 0; i < size.datasets; ++i)
    datasets.push_back(make_dataset(random, people, i, now));
  auto transaction = must(instance.database().begin(tenant.id));
  must(Users(transaction).put(people.users));
  must(Teams(transaction).put(people.teams));
  must(Workspaces(transaction).put(people.workspaces));
  must(Datasets(transaction).put(datasets));
  std::vector<Report> reports;
  for (std::size_t i = 0; i < size.reports; ++i) {
    reports.push_back(make_report(random, people, datasets, i, now));
    if (reports.size() < kBatch && i + 1 < size.reports) continue;
    must(Reports(transaction).put(reports));
    reports.clear();
  }
  must(transaction.commit());
  return tenant;
}

void edit_every_report(instance::Instance& instance, TenantId tenant) {
  auto transaction = must(instance.database().begin(tenant));
  const Timestamp now = Timestamp::now();
  const auto workspaces = must(Workspaces(transaction).list());
  for (const auto& workspace : workspaces) {
    std::optional<ReportId> after;
    for (;;) {
      auto reports = must(Reports(transaction).list(workspace.id, after, kBatch));
      for (auto& report : reports) {
        report.name += " edited";
        report.updated_at = now;
      }
      must(Reports(transaction).put(reports));
      if (reports.size() < kBatch) break;
      after = reports.back().id;
    }
  }
  must(transaction.commit());
}

}  // namespace oa::bench
