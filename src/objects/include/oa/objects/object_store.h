// Versioned objects: the driver interface. The domain uses SealedObjects, never a driver.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/ids.h"
#include "oa/base/io.h"

namespace oa {

/// How long an object's versions are kept; a prefix of its stored name.
enum class RetentionClass { kRows, kOriginals, kArchives, kWal, kLedger };
std::string_view to_text(RetentionClass retention_class);

/// Names an object. `name`: 1–512 bytes of [A-Za-z0-9._/-], no empty segment, none that begins with
/// '.', none of more than 200 bytes. Ids only: names are not sealed.
struct ObjectKey {
  TenantId tenant;
  RetentionClass retention_class = RetentionClass::kRows;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};

/// Opaque; sorts by creation within one object.
struct VersionId {
  std::string value;
  auto operator<=>(const VersionId&) const = default;
};

struct ObjectVersion {
  ObjectKey key;
  VersionId version;
  std::uint64_t size_bytes = 0;  // stored (sealed) size
  Timestamp created_at;
};

/// Writes one new version. Nothing is visible until commit(); dropped without it, nothing remains.
class ObjectWriter : public ByteSink {
 public:
  /// Makes the version durable and visible.
  virtual Result<VersionId> commit() = 0;
};

struct StoreCapabilities {
  bool write_once = false;  // enforces the ledger class itself
  bool server_side_kms = false;
};

/// Errors: kNotFound, kInvalidArgument (bad name), kDiskFull, kIo. Thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual Result<std::unique_ptr<ObjectWriter>> put(const ObjectKey& key) = 0;
  /// The exact version.
  virtual Result<std::unique_ptr<RangedSource>> get(const ObjectKey& key,
                                                    const VersionId& version) = 0;
  /// For whoever finds later that what get() gave is damaged: the version as place `place` has it,
  /// from 0. kNotFound past the last place, and always where a version is kept in one alone.
  virtual Result<std::unique_ptr<RangedSource>> get_copy(const ObjectKey& key,
                                                         const VersionId& version,
                                                         std::size_t place);
  /// The newest version.
  virtual Result<ObjectVersion> head(const ObjectKey& key) = 0;
  /// Newest versions of all objects of one tenant and class, by name, at most `limit`, names after
  /// `after`.
  virtual Result<std::vector<ObjectVersion>> list(TenantId tenant, RetentionClass retention_class,
                                                  std::string_view after, std::size_t limit) = 0;
  /// All versions of one object, oldest first; none when there is no such object.
  virtual Result<std::vector<ObjectVersion>> list_versions(const ObjectKey& key) = 0;
  /// Removes one version for good. kPermissionDenied in the write-once class.
  virtual Status remove(const ObjectKey& key, const VersionId& version) = 0;
  virtual StoreCapabilities capabilities() const = 0;
};

/// The `local` driver: versions as files below `root`, fsync and atomic rename, folder mode 0700.
/// Sweeps what interrupted writers of dead processes left. kBusy never: several processes may share
/// one root.
Result<std::unique_ptr<ObjectStore>> open_local_store(const std::string& root);

}  // namespace oa
