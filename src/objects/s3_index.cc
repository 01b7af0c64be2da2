#include "s3_index.h"

#include <algorithm>

namespace oa {
namespace {

constexpr std::string_view kMagic = "OAX1";
constexpr std::size_t kHeaderSize = 24;
constexpr std::size_t kMaxNative = 1024;

Error malformed() {
  return make_error(ErrorCode::kSealCorrupt, "object.read",
                    "the list of an object's segments is damaged")
      .with_hint("read it from the replica, or restore what it belongs to from another archive");
}

std::uint64_t segments_of(const S3Index& index) {
  return index.size_bytes / index.segment_bytes + (index.size_bytes % index.segment_bytes != 0);
}

}  // namespace

Result<Bytes> encode_s3_index(const S3Index& index) {
  OA_ASSERT(index.segment_bytes > 0 && segments_of(index) == index.natives.size());
  Bytes out(kMagic.begin(), kMagic.end());
  append_le<std::uint32_t>(out, 1);
  append_le<std::uint64_t>(out, index.size_bytes);
  append_le<std::uint64_t>(out, index.segment_bytes);
  for (const std::string& native : index.natives) {
    if (native.empty() || native.size() > kMaxNative) {
      return make_error(ErrorCode::kInvalidArgument, "object.commit",
                        "the store gives version ids that are too long");
    }
    append_le<std::uint16_t>(out, static_cast<std::uint16_t>(native.size()));
    out.insert(out.end(), native.begin(), native.end());
    if (out.size() > kMaxS3Index) {
      return make_error(ErrorCode::kLimitExceeded, "object.commit",
                        "an object has too many segments")
          .with_hint("use larger segments");
    }
  }
  return out;
}

Result<S3Index> decode_s3_index(ByteView bytes) {
  if (bytes.size() < kHeaderSize || !as_text(bytes).starts_with(kMagic) ||
      read_le<std::uint32_t>(bytes.subspan(4)) != 1)
    return malformed();
  S3Index index;
  index.size_bytes = read_le<std::uint64_t>(bytes.subspan(8));
  index.segment_bytes = read_le<std::uint64_t>(bytes.subspan(16));
  if (index.segment_bytes == 0) return malformed();
  for (bytes = bytes.subspan(kHeaderSize); !bytes.empty();) {
    if (bytes.size() < 2) return malformed();
    const std::size_t length = read_le<std::uint16_t>(bytes);
    bytes = bytes.subspan(2);
    if (length == 0 || length > kMaxNative || length > bytes.size()) return malformed();
    index.natives.emplace_back(as_text(bytes.first(length)));
    bytes = bytes.subspan(length);
  }
  if (segments_of(index) != index.natives.size()) return malformed();
  return index;
}

}  // namespace oa
