// All that a tenant has, read and written as plain records, for tests that compare whole tenants.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "oa/catalog/repositories.h"
#include "oa/objects/sealed_objects.h"

namespace oa::testkit {

/// The value, or an exception with the error's words.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    const Error& error = result.error();
    throw std::runtime_error(error.op + ": " + error.message + " " + error.cause);
  }
  return std::move(result).value();
}
inline void must(const Status& status) {
  if (!status.ok())
    throw std::runtime_error(status.error().op + ": " + status.error().message + " " +
                             status.error().cause);
}

struct StoredRows {
  std::string digest;          // of the Parquet, hex
  catalog::RowsObject object;  // where they are; equal rows may be in different places
  bool operator==(const StoredRows& other) const { return digest == other.digest; }
};

struct TenantState {
  std::map<UserId, catalog::User> users;
  std::map<TeamId, catalog::Team> teams;
  std::map<WorkspaceId, catalog::Workspace> workspaces;
  std::map<DatasetId, catalog::Dataset> datasets;  // `rows` unset
  std::map<DatasetId, StoredRows> rows;            // of those that have some
  std::map<ReportId, catalog::Report> reports;
  std::map<AlertId, catalog::Alert> alerts;
  bool operator==(const TenantState&) const = default;
};

/// Throws when the tenant cannot be read, lost rows included.
TenantState read_state(catalog::TenantTransaction& transaction, SealedObjects& objects);

/// Changes the tenant from `before`, which it is in, to `after`.
void write_state(catalog::TenantTransaction& transaction, const TenantState& before,
                 const TenantState& after);

/// What differs, a line for each thing; empty when nothing does.
std::string differences(const TenantState& expected, const TenantState& found);

}  // namespace oa::testkit
