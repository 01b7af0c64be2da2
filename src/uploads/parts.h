// Where the parts of an upload lie.
#pragma once

#include "oa/uploads/uploads.h"

namespace oa::uploads {

/// Of all uploads of a tenant.
inline constexpr std::string_view kFolder = "uploads/";
std::string folder_of(UploadId id);
/// The upload that an object of kFolder belongs to; nullopt when its name is none of ours.
std::optional<UploadId> upload_of(std::string_view object_name);
ObjectKey part_key(TenantId tenant, UploadId id, std::uint64_t start_bytes);

/// The parts, which follow each other from 0 on, as one source. A few are kept open.
std::unique_ptr<RangedSource> join_parts(SealedObjects& objects, TenantId tenant, UploadId id,
                                         std::vector<catalog::UploadPart> parts);

struct AppendPlan {
  TenantId tenant;
  UploadId id;
  std::uint64_t fence = 0;  // the right to change it
  std::uint64_t length_bytes = 0;
  std::uint64_t offset_bytes = 0;
  std::uint64_t parts_left = 0;
  std::optional<Checksum> checksum;
};
std::unique_ptr<Append> begin_append(catalog::Database& database, SealedObjects& objects,
                                     AppendPlan plan, const Limits& limits);

}  // namespace oa::uploads
