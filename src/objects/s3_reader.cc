#include <algorithm>

#include "read_ahead.h"
#include "s3_index.h"
#include "s3_shared.h"

namespace oa {
namespace {

// What open() fetches of an object at once: all of a small one, and of every other the header of
// the seal with the first chunk.
constexpr std::uint64_t kFirstBytes = 128 << 10;

// S3's id of a version that is there behind a delete marker.
Result<std::string> find_hidden(S3Shared& shared, const std::string& key) {
  OA_ASSIGN(const auto natives, shared.bucket.versions_of(key));
  const auto found = std::ranges::find(natives, false, &NativeVersion::delete_marker);
  if (found == natives.end()) {
    return make_error(ErrorCode::kNotFound, "object.get", "there is no such version of the object");
  }
  return found->id;
}

class S3Source final : public RangedSource {
 public:
  S3Source(S3SharedPtr shared, std::uint64_t size, std::vector<S3Piece> pieces, Bytes first)
      : shared_(std::move(shared)),
        size_(size),
        pieces_(std::move(pieces)),
        first_(std::move(first)),
        ahead_(size, [this](std::uint64_t offset, std::span<std::uint8_t> out,
                            const std::atomic<bool>* cancelled) {
          return fetch(offset, out, cancelled);
        }) {}

  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    if (offset > size_ || out.size() > size_ - offset) {
      return make_error(ErrorCode::kInvalidArgument, "object.read",
                        "the range lies outside of the object");
    }
    if (offset + out.size() <= first_.size()) {
      std::copy_n(first_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
      return {};
    }
    return ahead_.read(offset, out);
  }

 private:
  Status fetch(std::uint64_t offset, std::span<std::uint8_t> out,
               const std::atomic<bool>* cancelled) const;

  const S3SharedPtr shared_;
  const std::uint64_t size_;
  const std::vector<S3Piece> pieces_;
  const Bytes first_;
  mutable ReadAhead ahead_;  // last: what it has under way uses the others
};

Status S3Source::fetch(std::uint64_t offset, std::span<std::uint8_t> out,
                       const std::atomic<bool>* cancelled) const {
  auto piece = std::prev(std::ranges::upper_bound(pieces_, offset, {}, &S3Piece::begin));
  for (; !out.empty(); ++piece) {
    const std::uint64_t within = offset - piece->begin;
    const auto now = out.first(std::min<std::uint64_t>(out.size(), piece->size - within));
    const auto read =
        shared_->bucket.read(piece->key, piece->native, piece->size, within, now, cancelled);
    if (!read.ok()) return read.error();
    offset += now.size();
    out = out.subspan(now.size());
  }
  return {};
}

Result<std::unique_ptr<RangedSource>> open_whole(S3SharedPtr shared, const std::string& key,
                                                 std::uint64_t size) {
  Bytes first(std::min(size, kFirstBytes));
  auto native = shared->bucket.read(key, "", size, 0, first, nullptr);
  if (!native.ok() && native.error().code == ErrorCode::kNotFound) {
    OA_ASSIGN(const std::string hidden, find_hidden(*shared, key));
    native = shared->bucket.read(key, hidden, size, 0, first, nullptr);
  }
  if (!native.ok()) return native.error();
  std::vector<S3Piece> pieces{{key, *std::move(native), 0, size}};
  return std::unique_ptr<RangedSource>(
      new S3Source(std::move(shared), size, std::move(pieces), std::move(first)));
}

}  // namespace

Result<std::vector<S3Piece>> find_segments(S3Shared& shared, const ObjectKey& key,
                                           const S3Version& version) {
  const std::string name = shared.names.version_key(key, version);
  auto fetched = shared.bucket.fetch(name, "", kMaxS3Index);
  if (!fetched.ok() && fetched.error().code == ErrorCode::kNotFound) {
    OA_ASSIGN(const std::string hidden, find_hidden(shared, name));
    fetched = shared.bucket.fetch(name, hidden, kMaxS3Index);
  }
  if (!fetched.ok()) return fetched.error();
  OA_ASSIGN(const S3Index index, decode_s3_index(fetched->body));
  if (index.size_bytes != version.size_bytes || index.natives.empty()) {
    return make_error(ErrorCode::kSealCorrupt, "object.read",
                      "the list of an object's segments belongs to another object");
  }
  std::vector<S3Piece> pieces;
  for (std::size_t i = 0; i < index.natives.size(); ++i) {
    const std::uint64_t begin = i * index.segment_bytes;
    pieces.push_back({shared.names.segment_key(key, version.upload, i), index.natives[i], begin,
                      std::min(index.segment_bytes, index.size_bytes - begin)});
  }
  return pieces;
}

Result<std::unique_ptr<RangedSource>> open_s3_source(S3SharedPtr shared, const ObjectKey& key,
                                                     const S3Version& version) {
  if (!version.segmented) {
    const std::string name = shared->names.version_key(key, version);
    return open_whole(std::move(shared), name, version.size_bytes);
  }
  OA_ASSIGN(auto pieces, find_segments(*shared, key, version));
  return std::unique_ptr<RangedSource>(
      new S3Source(std::move(shared), version.size_bytes, std::move(pieces), {}));
}

}  // namespace oa
