#include "restore_world.h"

#include <boost/json.hpp>

#include "oa/analytics/importer.h"
#include "oa/crypto/hash_sink.h"

namespace oa::testkit {
namespace {

instance::Settings settings_for(const std::string& folder, bool create,
                                instance::Deployment deployment = {}) {
  instance::Settings settings;
  settings.deployment = std::move(deployment);
  settings.data_folder = folder;
  settings.create = create;
  return settings;
}

std::string label(RetentionClass retention_class, const std::string& name,
                  const std::string& version) {
  return std::string(to_text(retention_class)) + " " + name + " " + version;
}

}  // namespace

RestoreWorld::RestoreWorld(const std::string& parent, instance::Deployment deployment)
    : scratch_(std::make_unique<Scratch>(parent)),
      instance_(must(instance::Instance::open(
          settings_for(*scratch_ / "data", true, std::move(deployment))))) {}

RestoreWorld::RestoreWorld(std::unique_ptr<instance::Instance> instance)
    : instance_(std::move(instance)) {}

std::unique_ptr<RestoreWorld> RestoreWorld::join(const std::string& data_folder) {
  return std::unique_ptr<RestoreWorld>(
      new RestoreWorld(must(instance::Instance::open(settings_for(data_folder, false)))));
}

WorldTenant RestoreWorld::known(catalog::Tenant tenant) {
  auto signer = must(instance_->signing_key(tenant.id));
  auto keys = must(instance_->trusted_keys(tenant.id));
  return {std::move(tenant), std::move(signer), std::move(keys)};
}

WorldTenant RestoreWorld::make_tenant(catalog::Plan plan) {
  return known(must(instance_->provision_tenant("tenant " + Uuid::random().str(), plan)));
}

WorldTenant RestoreWorld::find_tenant(const std::string& id) {
  return known(must(database().find_tenant(id)));
}

catalog::ArchiveRecord RestoreWorld::archive(const WorldTenant& tenant, bool with_rows,
                                             const std::vector<WorkspaceId>& workspaces) {
  backup::ArchiveRequest request;
  request.with_rows = with_rows;
  request.workspaces = workspaces;
  return must(backup::create_archive(database(), objects(), tenant.signer, tenant.tenant.id,
                                     request, no_progress()));
}

restore::StoredArchive RestoreWorld::open(const WorldTenant& tenant,
                                          const catalog::ArchiveRecord& record) {
  return must(
      restore::open_stored_archive(objects(), tenant.tenant.id, record, {tenant.keys, false}));
}

TenantState RestoreWorld::state(const WorldTenant& tenant) {
  auto snapshot = must(database().begin(tenant.tenant.id, catalog::Isolation::kSnapshot));
  return read_state(snapshot, objects());
}

void RestoreWorld::set_state(const WorldTenant& tenant, const TenantState& after) {
  auto transaction = must(database().begin(tenant.tenant.id));
  const TenantState before = read_state(transaction, objects());
  write_state(transaction, before, after);
  must(transaction.commit());
}

catalog::RestoreRecord RestoreWorld::record(const WorldTenant& tenant, RestoreId id) {
  auto snapshot = must(database().begin(tenant.tenant.id, catalog::Isolation::kSnapshot));
  return must(catalog::Restores(snapshot).get(id));
}

restore::PreparedRestore RestoreWorld::plan(const WorldTenant& tenant,
                                            const restore::StoredArchive& archive,
                                            const restore::Request& request) {
  const auto engine = this->engine(tenant);
  auto prepared = must(restore::prepare_restore(engine, *archive.reader, request, no_progress()));
  must(restore::save_plan(engine, prepared, JsonText::of(json::object{{"kind", "stored"}})));
  return prepared;
}

restore::PreparedRestore RestoreWorld::plan_undo(const WorldTenant& tenant,
                                                 const restore::UndoRequest& request) {
  const auto engine = this->engine(tenant);
  auto prepared = must(restore::prepare_undo(engine, request, no_progress()));
  must(restore::save_plan(engine, prepared, JsonText::of(json::object{{"kind", "undo"}})));
  return prepared;
}

Result<catalog::RestoreRecord> RestoreWorld::apply(const WorldTenant& tenant,
                                                   const restore::PreparedRestore& prepared,
                                                   Progress& progress) {
  return restore::apply_plan(engine(tenant), prepared, {prepared.hash, prepared.plan.requested_by},
                             progress);
}

void RestoreWorld::undo(const WorldTenant& tenant, RestoreId restore) {
  restore::UndoRequest request;
  request.id = RestoreId::random();
  request.undoes = restore;
  must(apply(tenant, plan_undo(tenant, request)));
}

std::set<std::string> RestoreWorld::stored(TenantId tenant) {
  std::set<std::string> found;
  for (const auto retention_class : {RetentionClass::kRows, RetentionClass::kArchives}) {
    const auto newest = must(objects().store().list(tenant, retention_class, "", 1'000'000));
    for (const auto& object : newest) {
      for (const auto& version : must(objects().store().list_versions(object.key)))
        found.insert(label(retention_class, object.key.name, version.version.value));
    }
  }
  return found;
}

std::set<std::string> RestoreWorld::named(TenantId tenant) {
  std::set<std::string> names;
  auto snapshot = must(database().begin(tenant, catalog::Isolation::kSnapshot));
  for (const auto& workspace : must(catalog::Workspaces(snapshot).list())) {
    for (const auto& dataset : must(catalog::Datasets(snapshot).list(workspace.id))) {
      if (dataset.rows.has_value())
        names.insert(
            label(RetentionClass::kRows, dataset.rows->object_name, dataset.rows->object_version));
    }
  }
  for (const auto& archive : must(catalog::Archives(snapshot).list()))
    names.insert(label(RetentionClass::kArchives, archive.object_name, archive.object_version));
  for (const auto& restore : must(catalog::Restores(snapshot).list(1'000'000))) {
    if (restore.undo_archive.has_value())
      names.insert(label(RetentionClass::kArchives, restore.undo_archive->object_name,
                         restore.undo_archive->object_version));
  }
  return names;
}

std::set<std::string> RestoreWorld::unnamed_objects(const WorldTenant& tenant) {
  auto objects = stored(tenant.tenant.id);
  for (const auto& name : named(tenant.tenant.id)) objects.erase(name);
  return objects;
}

std::set<std::string> RestoreWorld::lost_objects(const WorldTenant& tenant) {
  auto names = named(tenant.tenant.id);
  for (const auto& object : stored(tenant.tenant.id)) names.erase(object);
  return names;
}

void give_rows(RestoreWorld& world, const WorldTenant& tenant, TenantState& state, DatasetId id,
               const std::string& csv) {
  const ObjectKey key{tenant.tenant.id, RetentionClass::kRows, id.str() + "/rows.parquet"};
  const auto imported = must(analytics::import_csv(
      world.objects(), MemorySource(Bytes(csv.begin(), csv.end())), key, {}, no_progress()));
  const auto source = must(world.objects().open(key, imported.version));
  HashSink hash;
  must(copy_all(*source, hash));
  auto& dataset = state.datasets.at(id);
  dataset.mode = catalog::DatasetMode::kImport;
  dataset.state = catalog::DatasetState::kReady;
  dataset.versions = {{1, imported.rows.columns, dataset.created_at}};
  dataset.row_count = imported.rows.row_count;
  dataset.size_bytes = imported.parquet_bytes;
  dataset.last_refresh_at = dataset.updated_at;
  state.rows[id] = {to_hex(hash.finish()), {key.name, imported.version.value}};
}

}  // namespace oa::testkit
