#include "tenant_state.h"

#include <fmt/format.h>

#include "oa/catalog/portable.h"
#include "oa/crypto/hash_sink.h"

namespace oa::testkit {
namespace {

std::string rows_digest(SealedObjects& objects, TenantId tenant,
                        const catalog::RowsObject& object) {
  const auto rows = must(objects.open({tenant, RetentionClass::kRows, object.object_name},
                                      VersionId{object.object_version}));
  HashSink hash;
  must(copy_all(*rows, hash));
  return to_hex(hash.finish());
}

// Everything of a record as text, so that a failing test shows what differs.
std::string text_of(const catalog::User& user) {
  catalog::WorkspaceDocument document;
  document.users = {user};
  return catalog::to_portable(document);
}
std::string text_of(const catalog::Team& team) {
  catalog::WorkspaceDocument document;
  document.teams = {team};
  return catalog::to_portable(document);
}
std::string text_of(const catalog::Workspace& workspace) {
  catalog::WorkspaceDocument document;
  document.workspace = workspace;
  return catalog::to_portable(document);
}
std::string text_of(const catalog::Dataset& dataset) {
  catalog::WorkspaceDocument document;
  document.datasets = {dataset};
  return catalog::to_portable(document) + " model " + dataset.model_yaml;
}
std::string text_of(const catalog::Report& report) { return catalog::to_portable(report); }
std::string text_of(const catalog::Alert& alert) { return catalog::to_portable(alert); }
std::string text_of(const StoredRows& rows) { return rows.digest; }

template <class Key, class Record>
void compare(const char* kind, const std::map<Key, Record>& expected,
             const std::map<Key, Record>& found, std::string& out) {
  for (const auto& [id, record] : expected) {
    const auto other = found.find(id);
    if (other == found.end()) {
      out += fmt::format("{} {} is missing: {}\n", kind, id.str(), text_of(record));
    } else if (!(other->second == record)) {
      out += fmt::format("{} {} differs:\n  expected {}\n  found    {}\n", kind, id.str(),
                         text_of(record), text_of(other->second));
    }
  }
  for (const auto& [id, record] : found) {
    if (!expected.contains(id))
      out += fmt::format("{} {} is too much: {}\n", kind, id.str(), text_of(record));
  }
}

template <class Key, class Record>
std::vector<Record> changed(const std::map<Key, Record>& before,
                            const std::map<Key, Record>& after) {
  std::vector<Record> records;
  for (const auto& [id, record] : after) {
    const auto old = before.find(id);
    if (old == before.end() || !(old->second == record)) records.push_back(record);
  }
  return records;
}

template <class Key, class Record, class Remove>
void remove_missing(const std::map<Key, Record>& before, const std::map<Key, Record>& after,
                    Remove remove) {
  for (const auto& [id, record] : before) {
    if (!after.contains(id)) must(remove(id));
  }
}

template <class Repository, class Record>
void put(Repository repository, const std::vector<Record>& records) {
  if (!records.empty()) must(repository.put(records));
}

std::vector<catalog::Dataset> changed_datasets(const TenantState& before,
                                               const TenantState& after) {
  std::vector<catalog::Dataset> datasets;
  for (auto [id, dataset] : after.datasets) {
    const auto rows = after.rows.find(id), old_rows = before.rows.find(id);
    const bool same_rows = (rows == after.rows.end()) == (old_rows == before.rows.end()) &&
                           (rows == after.rows.end() || rows->second == old_rows->second);
    const auto old = before.datasets.find(id);
    if (same_rows && old != before.datasets.end() && old->second == dataset) continue;
    if (rows != after.rows.end()) dataset.rows = rows->second.object;
    datasets.push_back(dataset);
  }
  return datasets;
}

}  // namespace

TenantState read_state(catalog::TenantTransaction& transaction, SealedObjects& objects) {
  TenantState state;
  for (auto& user : must(catalog::Users(transaction).list())) state.users[user.id] = user;
  for (auto& team : must(catalog::Teams(transaction).list())) state.teams[team.id] = team;
  for (auto& workspace : must(catalog::Workspaces(transaction).list())) {
    for (auto& dataset : must(catalog::Datasets(transaction).list(workspace.id))) {
      if (dataset.rows.has_value()) {
        state.rows[dataset.id] = {rows_digest(objects, transaction.tenant(), *dataset.rows),
                                  *dataset.rows};
        dataset.rows.reset();
      }
      state.datasets[dataset.id] = dataset;
    }
    for (auto& report :
         must(catalog::Reports(transaction).list(workspace.id, std::nullopt, 1'000'000)))
      state.reports[report.id] = report;
    for (auto& alert :
         must(catalog::Alerts(transaction).list(workspace.id, std::nullopt, 1'000'000)))
      state.alerts[alert.id] = alert;
    state.workspaces[workspace.id] = workspace;
  }
  return state;
}

void write_state(catalog::TenantTransaction& transaction, const TenantState& before,
                 const TenantState& after) {
  put(catalog::Users(transaction), changed(before.users, after.users));
  put(catalog::Teams(transaction), changed(before.teams, after.teams));
  put(catalog::Workspaces(transaction), changed(before.workspaces, after.workspaces));
  put(catalog::Datasets(transaction), changed_datasets(before, after));
  put(catalog::Reports(transaction), changed(before.reports, after.reports));
  put(catalog::Alerts(transaction), changed(before.alerts, after.alerts));
  remove_missing(before.alerts, after.alerts,
                 [&](AlertId id) { return catalog::Alerts(transaction).remove(id); });
  remove_missing(before.reports, after.reports,
                 [&](ReportId id) { return catalog::Reports(transaction).remove(id); });
  remove_missing(before.datasets, after.datasets,
                 [&](DatasetId id) { return catalog::Datasets(transaction).remove(id); });
  remove_missing(before.workspaces, after.workspaces,
                 [&](WorkspaceId id) { return catalog::Workspaces(transaction).remove(id); });
  remove_missing(before.teams, after.teams, [&](TeamId id) {
    return catalog::Teams(transaction).remove_unused({&id, 1});
  });
  remove_missing(before.users, after.users, [&](UserId id) {
    return catalog::Users(transaction).remove_unused({&id, 1});
  });
}

std::string differences(const TenantState& expected, const TenantState& found) {
  std::string out;
  compare("user", expected.users, found.users, out);
  compare("team", expected.teams, found.teams, out);
  compare("workspace", expected.workspaces, found.workspaces, out);
  compare("dataset", expected.datasets, found.datasets, out);
  compare("rows of", expected.rows, found.rows, out);
  compare("report", expected.reports, found.reports, out);
  compare("alert", expected.alerts, found.alerts, out);
  return out;
}

}  // namespace oa::testkit
