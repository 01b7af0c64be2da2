// What is stored under the name of a version whose bytes lie in segments.
#pragma once

#include <string>
#include <vector>

#include "oa/base/bytes.h"

namespace oa {

inline constexpr std::size_t kMaxS3Index = std::size_t{64} << 20;

/// All segments have `segment_bytes` bytes, the last one what is left of `size_bytes`.
struct S3Index {
  std::uint64_t size_bytes = 0;
  std::uint64_t segment_bytes = 0;
  std::vector<std::string> natives;  // S3's version id of each segment
  bool operator==(const S3Index&) const = default;
};

/// kLimitExceeded past kMaxS3Index bytes (about two million segments), kInvalidArgument for an id
/// of more than 1024 bytes.
Result<Bytes> encode_s3_index(const S3Index& index);
/// kSealCorrupt when it is none, or its numbers do not fit each other.
Result<S3Index> decode_s3_index(ByteView bytes);

}  // namespace oa
