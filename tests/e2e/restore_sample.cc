#include "restore_sample.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <random>

namespace oa::testkit {
namespace {

using catalog::PrincipalKind;
using catalog::Role;

const Timestamp kMade = *Timestamp::parse("2026-01-05T08:00:00Z");

catalog::User person(const std::string& name, bool owner) {
  catalog::User user;
  user.id = UserId::random();
  user.email = name + "@demo.example";
  user.first_name = name;
  user.last_name = "Example";
  user.owner = owner;
  user.created_at = kMade;
  return user;
}

constexpr char kModel[] =
    "dataset: orders\ntables:\n  - { name: orders, primary_key: id }\n"
    "dimensions:\n  - { id: region, column: orders.region }\n"
    "measures:\n  - { id: revenue, type: sum, column: orders.amount }\n";

catalog::Dataset dataset(WorkspaceId home, const std::string& name, UserId author) {
  catalog::Dataset dataset;
  dataset.id = DatasetId::random();
  dataset.workspace_id = home;
  dataset.name = name;
  dataset.model_yaml = kModel;
  dataset.source_ref = "warehouse";
  dataset.created_by = author;
  dataset.created_at = dataset.updated_at = kMade;
  return dataset;
}

catalog::Visual visual(DatasetId dataset) {
  catalog::Visual visual;
  visual.id = VisualId::random();
  visual.title = "Revenue";
  visual.dataset_id = dataset;
  visual.query =
      JsonText::of(json::object{{"dimensions", json::array{json::object{{"id", "region"}}}},
                                {"measures", json::array{"revenue"}}});
  return visual;
}

catalog::Report report(WorkspaceId home, const std::string& name, UserId author,
                       const std::vector<DatasetId>& datasets) {
  catalog::Report report;
  report.id = ReportId::random();
  report.workspace_id = home;
  report.name = name;
  json::object layout;
  for (const auto id : datasets) {
    report.visuals.push_back(visual(id));
    layout[report.visuals.back().id.str()] = 1;
  }
  report.bookmarks = {{BookmarkId::random(), "North", JsonText::of(layout)}};
  report.layout = JsonText::of(layout);
  report.filters = JsonText::of(json::object{{"items", json::array{}}});
  report.created_by = author;
  report.created_at = report.updated_at = kMade;
  return report;
}

}  // namespace

std::string orders_csv(std::size_t rows, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::string csv = "id,region,amount\n";
  for (std::size_t i = 0; i < rows; ++i)
    csv +=
        fmt::format("{},region {},{}.{:02}\n", i, engine() % 7, engine() % 100'000, engine() % 100);
  return csv;
}

Sample make_sample(RestoreWorld& world, const WorldTenant& tenant, std::size_t rows) {
  Sample sample;
  TenantState& state = sample.state;
  const auto add_person = [&](const char* name, bool owner) {
    const auto user = person(name, owner);
    state.users[user.id] = user;
    return user.id;
  };
  sample.owner = add_person("owner", true);
  sample.author = add_person("author", false);
  sample.viewer = add_person("viewer", false);
  sample.team = TeamId::random();
  state.teams[sample.team] = {sample.team, "Analysts", {sample.viewer}, kMade};
  for (auto* id : {&sample.first, &sample.second}) {
    *id = WorkspaceId::random();
    state.workspaces[*id] = {*id,
                             id == &sample.first ? "First" : "Second",
                             kMade,
                             {{PrincipalKind::kUser, sample.viewer.uuid(), Role::kViewer},
                              {PrincipalKind::kTeam, sample.team.uuid(), Role::kEditor}}};
  }
  const auto orders = dataset(sample.first, "orders", sample.author);
  const auto plain = dataset(sample.first, "plain", sample.author);
  sample.orders = orders.id;
  sample.plain = plain.id;
  state.datasets = {{orders.id, orders}, {plain.id, plain}};
  give_rows(world, tenant, state, sample.orders, orders_csv(rows, 1));
  const auto overview =
      report(sample.first, "overview", sample.author, {sample.orders, sample.plain});
  const auto elsewhere = report(sample.second, "elsewhere", sample.author, {sample.plain});
  sample.overview = overview.id;
  sample.elsewhere = elsewhere.id;
  state.reports = {{overview.id, overview}, {elsewhere.id, elsewhere}};
  catalog::Alert watch;
  watch.id = sample.watch = AlertId::random();
  watch.workspace_id = sample.first;
  watch.dataset_id = sample.orders;
  watch.name = "watch";
  watch.measure = "revenue";
  watch.grain = "day";
  watch.condition = JsonText::of(json::object{{"type", "threshold"}, {"op", "gt"}, {"value", 3}});
  watch.channels = JsonText::of(json::object{{"items", json::array{}}});
  watch.created_by = sample.author;
  watch.created_at = watch.updated_at = kMade;
  state.alerts[watch.id] = watch;
  world.set_state(tenant, state);
  return sample;
}

restore::Request everything_back() {
  restore::Request request;
  request.id = RestoreId::random();
  request.selection.everything = true;
  request.with_roles = true;
  return request;
}

restore::Request one_back(restore::AssetKind kind, const Uuid& id) {
  restore::Request request;
  request.id = RestoreId::random();
  request.selection.assets = {{kind, id}};
  return request;
}

}  // namespace oa::testkit
