// A tenant with keys, a store that is scrubbed and one that may be its replica.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>

#include "oa/catalog/repositories.h"
#include "oa/durability/scrub.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/sealed_objects.h"
#include "oa/objects/version_repair.h"
#include "testkit/scratch.h"
#include "testkit/shared_database.h"

namespace oa::durability {

class ScrubTest : public testing::Test {
 protected:
  ScrubTest() {
    keys_ = LocalKeyService::create(scratch_.path() + "/keys", {scratch_.path() + "/root.key", {}})
                .value();
    keys_->create_tenant_key(tenant_).value();
  }
  static catalog::Database& database() { return testkit::shared_database(); }
  static Bytes noise(std::size_t size) {
    Bytes bytes(size);
    std::uint32_t state = 7;
    for (auto& byte : bytes)
      byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
  }
  ObjectKey key(const std::string& name) const { return {tenant_, RetentionClass::kRows, name}; }
  VersionId put(const std::string& name, const Bytes& content) {
    SealedObjects sealed(*store_, *keys_);
    const auto writer = sealed.create(key(name)).value();
    writer->write(content).value();
    return writer->commit().value();
  }
  static Bytes stored(ObjectStore& store, const ObjectKey& key, const VersionId& version) {
    const auto source = store.get(key, version).value();
    return read_all(*source, 1 << 26).value();
  }
  /// As the servers' own replication would have copied it.
  void replicate(const std::string& name, const VersionId& version) {
    const auto source = store_->get(key(name), version).value();
    repair_of(*replica_)->restore_version(key(name), version, *source, nullptr).value();
  }
  /// A dataset of the tenant whose rows are that version.
  DatasetId name_by_dataset(const std::string& name, const VersionId& version) {
    auto transaction = database().begin(tenant_).value();
    catalog::Dataset dataset;
    dataset.id = DatasetId::random();
    dataset.created_by = testkit::make_user(tenant_, name + "@acme.example", true);
    catalog::Workspace workspace;
    workspace.id = dataset.workspace_id = WorkspaceId::random();
    dataset.versions.resize(1);
    dataset.rows = catalog::RowsObject{name, version.value};
    catalog::Workspaces(transaction).put({&workspace, 1}).value();
    catalog::Datasets(transaction).put({&dataset, 1}).value();
    transaction.commit().value();
    return dataset.id;
  }
  ScrubResult scrub(bool everything = true, bool with_replica = true) {
    ScrubSettings settings;
    settings.everything = settings.list = everything;
    settings.bytes_per_second = 0;
    const ScrubParts parts{database(), *keys_, *store_, with_replica ? replica_.get() : nullptr};
    return durability::scrub(parts, {&tenant_, 1}, settings, no_progress()).value();
  }
  Coverage covered() {
    return coverage(database(), tenant_, kScrubDays, Timestamp::now()).value();
  }
  std::vector<Damage> damage() { return known_damage(database(), tenant_, 100).value(); }

  const testkit::Scratch scratch_;
  const TenantId tenant_ = testkit::make_tenant().id;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<ObjectStore> store_, replica_;
};

}  // namespace oa::durability
