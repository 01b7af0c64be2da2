// Names in the bucket (docs/format.md, "A bucket"):
//   <prefix>objects/<tenant>/<class>/<name>!<time>-<upload>-<size>-<form>   a version
//   <prefix>segments/<tenant>/<class>/<name>!<upload>/<number>             a part of one
// '!' sorts before every character of a name, so that keys sort as names do. <time> counts down, so
// that the newest version comes first.
#pragma once

#include <optional>

#include "oa/objects/object_store.h"

namespace oa {

/// What the name of a version says about it.
struct S3Version {
  Timestamp created_at;
  std::string upload;  // 16 hex digits, random: names the writer
  std::uint64_t size_bytes = 0;
  bool segmented = false;  // the stored object lists segments; else it is the object itself
  auto operator<=>(const S3Version&) const = default;
};

std::string random_upload();

/// "<20 digits of microseconds>-<upload>-<size in hex>-<w|s>"
VersionId to_version_id(const S3Version& version);
/// nullopt when `id` is none that to_version_id() made.
std::optional<S3Version> parse_version_id(std::string_view id);

class S3Names {
 public:
  explicit S3Names(std::string prefix) : prefix_(std::move(prefix)) {}

  /// What all keys of a tenant's class begin with.
  std::string class_prefix(TenantId tenant, RetentionClass retention_class) const;
  /// What the keys of all versions of an object begin with, those of no other object.
  std::string versions_prefix(const ObjectKey& key) const;
  std::string version_key(const ObjectKey& key, const S3Version& version) const;
  /// A key that comes after all versions of `name` and before every later name.
  std::string after_name(TenantId tenant, RetentionClass retention_class,
                         std::string_view name) const;
  std::string all_segments_prefix() const { return prefix_ + "segments/"; }
  /// With a '/' at its end.
  std::string upload_prefix(const ObjectKey& key, const std::string& upload) const;
  std::string segment_key(const ObjectKey& key, const std::string& upload,
                          std::size_t number) const;

  struct Named {
    ObjectKey key;
    S3Version version;
  };
  /// nullopt for a key that is none of ours.
  std::optional<Named> parse_version_key(std::string_view key) const;
  struct NamedUpload {
    ObjectKey key;
    std::string upload;
  };
  std::optional<NamedUpload> parse_upload_prefix(std::string_view upload_prefix) const;

 private:
  std::optional<ObjectKey> parse_object(std::string_view folder, std::string_view rest) const;
  const std::string prefix_;
};

}  // namespace oa
