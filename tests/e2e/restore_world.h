// A data folder with tenants in it, and the steps of a restore as one call each, for tests of the
// restore engine. What must not fail throws.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "oa/backup/archive_creator.h"
#include "oa/instance/instance.h"
#include "oa/restore/engine.h"
#include "tenant_state.h"
#include "testkit/scratch.h"

namespace oa::testkit {

struct WorldTenant {
  catalog::Tenant tenant;
  SigningKey signer;
  std::vector<PublicKey> keys;
};

class RestoreWorld {
 public:
  /// A new data folder below `parent`.
  explicit RestoreWorld(const std::string& parent = "/tmp", instance::Deployment deployment = {});
  /// One that another process has made and runs.
  static std::unique_ptr<RestoreWorld> join(const std::string& data_folder);

  WorldTenant make_tenant(catalog::Plan plan = catalog::Plan::kGrowth);
  WorldTenant find_tenant(const std::string& id);
  restore::Engine engine(const WorldTenant& tenant) {
    return {database(), objects(), tenant.tenant.id, tenant.signer, tenant.keys};
  }

  catalog::ArchiveRecord archive(const WorldTenant& tenant, bool with_rows,
                                 const std::vector<WorkspaceId>& workspaces = {});
  /// Trusts the tenant's own keys.
  restore::StoredArchive open(const WorldTenant& tenant, const catalog::ArchiveRecord& record);

  TenantState state(const WorldTenant& tenant);
  /// Changes the tenant into `after`.
  void set_state(const WorldTenant& tenant, const TenantState& after);
  catalog::RestoreRecord record(const WorldTenant& tenant, RestoreId id);

  /// Prepares and saves.
  restore::PreparedRestore plan(const WorldTenant& tenant, const restore::StoredArchive& archive,
                                const restore::Request& request);
  restore::PreparedRestore plan_undo(const WorldTenant& tenant,
                                     const restore::UndoRequest& request);
  Result<catalog::RestoreRecord> apply(const WorldTenant& tenant,
                                       const restore::PreparedRestore& prepared,
                                       Progress& progress = no_progress());
  void undo(const WorldTenant& tenant, RestoreId restore);

  /// Versions of rows and archives in the store; those of them that no record of the tenant names;
  /// those that a record names and the store has not.
  std::set<std::string> stored_objects(const WorldTenant& tenant) {
    return stored(tenant.tenant.id);
  }
  std::set<std::string> unnamed_objects(const WorldTenant& tenant);
  std::set<std::string> lost_objects(const WorldTenant& tenant);

  const std::string& data_folder() const { return instance_->data_folder(); }
  instance::Instance& instance() { return *instance_; }
  catalog::Database& database() { return instance_->database(); }
  SealedObjects& objects() { return instance_->objects(); }

 private:
  explicit RestoreWorld(std::unique_ptr<instance::Instance> instance);
  WorldTenant known(catalog::Tenant tenant);
  std::set<std::string> stored(TenantId tenant);
  std::set<std::string> named(TenantId tenant);

  std::unique_ptr<Scratch> scratch_;
  std::unique_ptr<instance::Instance> instance_;
};

/// Imports `csv` as the rows of a dataset of `state`, which is not written yet.
void give_rows(RestoreWorld& world, const WorldTenant& tenant, TenantState& state,
               DatasetId dataset, const std::string& csv);

}  // namespace oa::testkit
