// Random tenants go into an archive and out of it into a blank tenant, and everything is compared:
// every record, every byte of rows, and what every report shows.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <boost/json.hpp>

#include "oa/analytics/importer.h"
#include "oa/backup/archive_creator.h"
#include "oa/crypto/hash_sink.h"
#include "oa/instance/instance.h"
#include "oa/reports/alerts.h"
#include "oa/reports/open_report.h"
#include "oa/reports/probes.h"
#include "oa/reports/viewer.h"
#include "random_records.h"
#include "random_tables.h"
#include "testkit/restoring.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::RandomTables;

template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message + " " + result.error().cause);
  return std::move(result).value();
}
void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error().message + " " + status.error().cause);
}

// All that a tenant has, as texts that are equal when the things are.
struct Inventory {
  std::map<std::string, std::string> things;
  std::size_t shown_visuals = 0;  // that show rows
  bool operator==(const Inventory& other) const { return things == other.things; }
};

class RoundTrip {
 public:
  RoundTrip(instance::Instance& instance, std::uint64_t seed)
      : instance_(instance), tables_(seed) {}

  void make(const catalog::RandomContent& random) {
    tenant_ =
        must(instance_.provision_tenant("from " + Uuid::random().str(), catalog::Plan::kGrowth));
    auto content = random;
    // Some datasets get real rows under a real model; reports, bookmarks and alerts ask them.
    for (auto& dataset : content.datasets) {
      // Without rows it is what a restore makes of one whose rows are not in the archive.
      dataset.rows.reset();
      dataset.state = catalog::DatasetState::kCreated;
      dataset.row_count = dataset.size_bytes = 0;
      dataset.last_refresh_at.reset();
      if (tables_.below(4) != 0) give_rows(dataset);
    }
    if (made_.empty()) give_rows(content.datasets.front());
    for (std::uint64_t n = 1 + tables_.below(3); n-- > 0;)
      content.reports.push_back(report(content));
    content.alerts.push_back(alert(content));
    auto transaction = must(instance_.database().begin(tenant_.id));
    must(catalog::Users(transaction).put(content.users));
    must(catalog::Teams(transaction).put(content.teams));
    must(catalog::Workspaces(transaction).put(content.workspaces));
    must(catalog::Datasets(transaction).put(content.datasets));
    must(catalog::Reports(transaction).put(content.reports));
    must(catalog::Alerts(transaction).put(content.alerts));
    must(transaction.commit());
  }

  void archive_and_import() {
    const auto signer = must(instance_.signing_key(tenant_.id));
    backup::ArchiveRequest request;
    request.with_rows = true;
    const auto record = must(backup::create_archive(instance_.database(), instance_.objects(),
                                                    signer, tenant_.id, request, no_progress()));
    const archive::TrustPolicy trust{{signer.public_key()}, false};
    const auto stored =
        must(restore::open_stored_archive(instance_.objects(), tenant_.id, record, trust));
    must(stored.reader->verify({.every_signature = true, .threads = 0}, no_progress()));
    target_ =
        must(instance_.provision_tenant("to " + Uuid::random().str(), catalog::Plan::kGrowth));
    restore::Request restore;
    restore.id = RestoreId::random();
    restore.selection.everything = true;
    restore.with_roles = restore.all_people = true;
    const auto prepared =
        must(testkit::plan_restore(instance_, target_.id, *stored.reader, restore));
    must(testkit::apply_restore(instance_, prepared));
    probes_ = must(reports::probes_from_json(stored.reader->manifest().content.probes));
  }

  Inventory before() { return inventory(tenant_.id); }
  Inventory after() { return inventory(target_.id); }

  void check_probes() {
    auto snapshot = must(instance_.database().begin(target_.id, catalog::Isolation::kSnapshot));
    const auto results =
        must(reports::compare_probes(snapshot, instance_.objects(), probes_, {}, no_progress()));
    RC_ASSERT(!results.empty());
    for (const auto& result : results) RC_ASSERT(result.state == reports::ProbeState::kSame);
  }

 private:
  struct Made {
    DatasetId id;
    WorkspaceId workspace;
    RandomTables::Table table;
  };

  void give_rows(catalog::Dataset& dataset) {
    Made made{dataset.id, dataset.workspace_id, tables_.table()};
    const std::string& csv = made.table.csv;
    const ObjectKey key{tenant_.id, RetentionClass::kRows, dataset.id.str()};
    const auto imported = must(analytics::import_csv(
        instance_.objects(), MemorySource(Bytes(csv.begin(), csv.end())), key, {}, no_progress()));
    dataset.mode = catalog::DatasetMode::kImport;
    dataset.state = catalog::DatasetState::kReady;
    dataset.model_yaml = made.table.model_yaml;
    dataset.versions = {{1, imported.rows.columns, catalog::random_moment()}};
    dataset.row_count = imported.rows.row_count;
    dataset.size_bytes = imported.parquet_bytes;
    dataset.rows = catalog::RowsObject{key.name, imported.version.value};
    made_.push_back(std::move(made));
  }

  catalog::Report report(const catalog::RandomContent& content) {
    catalog::Report report;
    report.id = ReportId::random();
    const Made& first = made_[tables_.below(made_.size())];
    report.workspace_id = first.workspace;
    report.name = catalog::random_text(20);
    report.layout = catalog::random_json();
    report.visuals.push_back(tables_.visual(first.table, first.id));
    for (std::uint64_t n = tables_.below(4); n-- > 0;) {
      const Made& made = made_[tables_.below(made_.size())];
      if (made.workspace == first.workspace)
        report.visuals.push_back(tables_.visual(made.table, made.id));
    }
    report.filters = JsonText::of(json::object{{"items", tables_.filters(first.table)}});
    catalog::Bookmark bookmark;
    bookmark.id = BookmarkId::random();
    bookmark.name = catalog::random_text(20);
    bookmark.state = JsonText::of(json::object{{"filters", tables_.filters(first.table)},
                                               {"focus", report.visuals[0].id.str()}});
    report.bookmarks = {bookmark};
    report.created_by = content.users.front().id;
    report.created_at = catalog::random_moment();
    report.updated_at = catalog::random_moment();
    return report;
  }

  catalog::Alert alert(const catalog::RandomContent& content) {
    catalog::Alert alert;
    alert.id = AlertId::random();
    alert.workspace_id = made_.front().workspace;
    alert.dataset_id = made_.front().id;
    alert.name = catalog::random_text(20);
    alert.measure = "rows";
    alert.grain = "month";
    alert.condition = JsonText::of(json::object{{"type", "threshold"}, {"op", "gt"}, {"value", 3}});
    alert.created_by = content.users.front().id;
    alert.created_at = alert.updated_at = catalog::random_moment();
    return alert;
  }

  static void add(Inventory& inventory, const char* kind, const Uuid& id, std::string text) {
    inventory.things[fmt::format("{} {}", kind, id.str())] = std::move(text);
  }

  void show(catalog::TenantTransaction& snapshot, const catalog::Report& report,
            Inventory& inventory) {
    std::vector<std::optional<BookmarkId>> bookmarks = {std::nullopt};
    for (const auto& bookmark : report.bookmarks) bookmarks.emplace_back(bookmark.id);
    for (const auto& bookmark : bookmarks) {
      reports::OpenOptions options;
      options.bookmark = bookmark;
      options.now = now_;
      const auto viewer =
          must(reports::viewer_of(snapshot, report.created_by, report.workspace_id));
      const auto opened = reports::show_report(snapshot, instance_.objects(), report, viewer,
                                               options, no_progress());
      // Random documents hold filters that are none; they fail alike on both sides.
      const std::string shown =
          opened.ok() ? to_hex(opened->digest) : std::string(error_info(opened.error().code).name);
      add(inventory, bookmark ? "shown with bookmark" : "shown",
          bookmark ? bookmark->uuid() : report.id.uuid(), shown);
      if (!opened.ok()) continue;
      for (const auto& visual : opened->visuals)
        inventory.shown_visuals += !visual.error.has_value() && visual.answer.row_count > 0;
    }
  }

  std::string rows_digest(TenantId tenant, const catalog::Dataset& dataset) {
    if (!dataset.rows) return "none";
    const auto rows =
        must(instance_.objects().open({tenant, RetentionClass::kRows, dataset.rows->object_name},
                                      VersionId{dataset.rows->object_version}));
    HashSink hash;
    must(copy_all(*rows, hash));
    return to_hex(hash.finish());
  }

  Inventory inventory(TenantId tenant) {
    Inventory found;
    auto snapshot = must(instance_.database().begin(tenant, catalog::Isolation::kSnapshot));
    for (auto& user : must(catalog::Users(snapshot).list())) {
      user.active = user.owner = false;  // people come back inactive and without rights
      catalog::WorkspaceDocument document;
      document.users = {user};
      add(found, "user", user.id.uuid(), catalog::to_portable(document));
    }
    for (const auto& team : must(catalog::Teams(snapshot).list())) {
      catalog::WorkspaceDocument document;
      document.teams = {team};
      add(found, "team", team.id.uuid(), catalog::to_portable(document));
    }
    for (const auto& workspace : must(catalog::Workspaces(snapshot).list())) {
      catalog::WorkspaceDocument document;
      document.workspace = workspace;
      add(found, "workspace", workspace.id.uuid(), catalog::to_portable(document));
      for (const auto& dataset : must(catalog::Datasets(snapshot).list(workspace.id))) {
        add(found, "dataset", dataset.id.uuid(), to_hex(catalog::content_digest(dataset)));
        add(found, "rows", dataset.id.uuid(), rows_digest(tenant, dataset));
      }
      for (const auto& report :
           must(catalog::Reports(snapshot).list(workspace.id, std::nullopt, 500))) {
        add(found, "report", report.id.uuid(), catalog::to_portable(report));
        show(snapshot, report, found);
      }
      for (const auto& alert :
           must(catalog::Alerts(snapshot).list(workspace.id, std::nullopt, 500)))
        add(found, "alert", alert.id.uuid(), catalog::to_portable(alert));
    }
    return found;
  }

  instance::Instance& instance_;
  RandomTables tables_;
  const Timestamp now_ = *Timestamp::parse("2024-07-01T00:00:00Z");
  std::vector<Made> made_;
  catalog::Tenant tenant_, target_;
  reports::Probes probes_;
};

// How often: OA_PROPERTY_CASES, so that a long run is one environment variable away.
int cases() {
  const char* text = std::getenv("OA_PROPERTY_CASES");
  return text == nullptr ? 20 : std::atoi(text);
}

TEST(RoundTripProperty, ABlankTenantGetsEverythingAndItsReportsShowTheSame) {
  const testkit::Scratch scratch;
  instance::Settings settings;
  settings.data_folder = scratch / "data";
  settings.create = true;
  const auto instance = must(instance::Instance::open(settings));
  setenv("RC_PARAMS", fmt::format("max_success={}", cases()).c_str(), 0);
  std::size_t shown = 0;
  EXPECT_TRUE(rc::check("archived and imported is what was", [&] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    RoundTrip trip(*instance, seed);
    trip.make(catalog::random_content());
    trip.archive_and_import();
    const Inventory before = trip.before(), after = trip.after();
    for (const auto& [name, text] : before.things) {
      const auto found = after.things.find(name);
      if (found == after.things.end() || found->second != text) RC_LOG() << name << " differs\n";
    }
    RC_ASSERT((before == after));
    trip.check_probes();
    shown += before.shown_visuals;
  }));
  // The property would hold as well for reports that show nothing.
  EXPECT_GT(shown, static_cast<std::size_t>(cases()));
}

}  // namespace
}  // namespace oa
