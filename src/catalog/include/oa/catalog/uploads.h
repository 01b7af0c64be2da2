// Uploads as rows: what was declared, how far it has come, and which objects hold it.
#pragma once

#include <chrono>
#include <span>

#include "oa/catalog/database.h"

namespace oa::catalog {

struct UploadRecord {
  UploadId id;
  std::optional<UserId> created_by;  // none: the operator
  std::string file_name;             // for people; UTF-8, at most 255 bytes
  std::uint64_t length_bytes = 0;    // declared
  std::uint64_t offset_bytes = 0;    // has arrived
  Timestamp created_at;
  Timestamp expires_at;
  bool whole() const { return offset_bytes == length_bytes; }
  bool operator==(const UploadRecord&) const = default;
};

/// One stretch of an upload, in an object of its own.
struct UploadPart {
  std::uint64_t start_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::string object_version;
  bool operator==(const UploadPart&) const = default;
};

class Uploads {
 public:
  explicit Uploads(TenantTransaction& transaction) : tx_(transaction) {}
  struct Usage {
    std::uint64_t uploads = 0;
    std::uint64_t length_bytes = 0;  // declared, of all together
  };
  struct Usages {
    Usage tenant, person;
  };
  /// Of all that there are, and of those of one person (none: the operator). Others who ask wait
  /// until the transaction ends, so that what was looked at holds until then.
  Result<Usages> lock_usage(std::optional<UserId> person);
  Status add(const UploadRecord& record);
  Result<UploadRecord> get(UploadId id);
  /// Newest first; those of one person when named.
  Result<std::vector<UploadRecord>> list(std::optional<UserId> created_by = std::nullopt);
  Result<std::vector<UploadRecord>> expired(Timestamp moment);  // expires_at at or before it
  /// Takes the right to change this upload for so long; nullopt while somebody else has it. What is
  /// returned shows the right: it is a larger one each time, and whoever had the upload before can
  /// add nothing any more, even without knowing that it was taken. kNotFound.
  Result<std::optional<std::uint64_t>> take(UploadId id, std::chrono::milliseconds lease);
  /// For so long from now on. kConflict when somebody else has taken it.
  Status hold(UploadId id, std::uint64_t fence, std::chrono::milliseconds lease);
  /// Gives it up. kConflict when somebody else has taken it.
  Status release(UploadId id, std::uint64_t fence);
  Result<std::vector<UploadPart>> parts(UploadId id);  // in their order
  Result<std::uint64_t> part_count(UploadId id);
  /// Adds `parts`, which follow each other from `offset` on, and moves the upload's offset behind
  /// them. kConflict when somebody has taken it since, or it does not stand at `offset`.
  Status append(UploadId id, std::uint64_t fence, std::uint64_t offset,
                std::span<const UploadPart> parts, Timestamp expires_at);
  /// With its parts; their objects are the caller's matter. kNotFound.
  Status remove(UploadId id);

 private:
  TenantTransaction& tx_;
};

}  // namespace oa::catalog
