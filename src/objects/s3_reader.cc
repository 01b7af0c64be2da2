#include <algorithm>
#include <deque>
#include <mutex>

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

// What lies around small reads elsewhere than in order, so that those which follow near them need no
// request: an archive is opened by several reads at its end. Thread-safe.
class Neighbourhood {
 public:
  explicit Neighbourhood(std::uint64_t size) : size_(size) {}

  // False when the range is not there.
  bool read(std::uint64_t offset, std::span<std::uint8_t> out) {
    const std::lock_guard lock(mutex_);
    for (const auto& window : windows_) {
      if (offset < window.begin || offset + out.size() > window.begin + window.bytes.size()) continue;
      std::copy_n(window.bytes.begin() + static_cast<std::ptrdiff_t>(offset - window.begin),
                  out.size(), out.begin());
      return true;
    }
    return false;
  }
  // What to fetch for a read: all of the end for one there, else what follows it. None for a large
  // one.
  struct Range {
    std::uint64_t begin = 0, size = 0;
  };
  std::optional<Range> around(std::uint64_t offset, std::size_t length) const {
    if (length > kAfter) return std::nullopt;
    const std::uint64_t tail = size_ > kTail ? size_ - kTail : 0;
    if (offset >= tail) return Range{tail, size_ - tail};
    return Range{offset, std::min(kAfter, size_ - offset)};
  }
  void keep(std::uint64_t begin, Bytes bytes) {
    const std::lock_guard lock(mutex_);
    windows_.push_back({begin, std::move(bytes)});
    if (windows_.size() > kWindows) windows_.pop_front();
  }

 private:
  struct Window {
    std::uint64_t begin = 0;
    Bytes bytes;
  };
  static constexpr std::uint64_t kAfter = 192 << 10, kTail = 384 << 10;
  static constexpr std::size_t kWindows = 4;
  const std::uint64_t size_;
  std::mutex mutex_;
  std::deque<Window> windows_;
};

class S3Source final : public RangedSource {
 public:
  S3Source(S3SharedPtr shared, std::uint64_t size, std::vector<S3Piece> pieces, Bytes first)
      : shared_(std::move(shared)),
        size_(size),
        pieces_(std::move(pieces)),
        first_(std::move(first)),
        ahead_(size, [this](std::uint64_t offset, std::span<std::uint8_t> out,
                            const std::atomic<bool>* cancelled) {
          return cancelled == nullptr ? fetch_near(offset, out) : fetch(offset, out, cancelled);
        }) {}

  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    if (offset > size_ || out.size() > size_ - offset) {
      return make_error(ErrorCode::kInvalidArgument, "object.read",
                        "the range lies outside of the object");
    }
    if (out.empty()) return {};
    if (offset + out.size() <= first_.size()) {
      std::copy_n(first_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
      return {};
    }
    return ahead_.read(offset, out);
  }

 private:
  Status fetch(std::uint64_t offset, std::span<std::uint8_t> out,
               const std::atomic<bool>* cancelled) const;
  Status fetch_near(std::uint64_t offset, std::span<std::uint8_t> out) const;

  const S3SharedPtr shared_;
  const std::uint64_t size_;
  const std::vector<S3Piece> pieces_;
  const Bytes first_;
  mutable Neighbourhood near_{size_};
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

Result<std::unique_ptr<RangedSource>> open_copy(S3SharedPtr shared, const NativeVersion& copy,
                                                std::uint64_t size) {
  Bytes first(std::min(size, kFirstBytes));
  OA_ASSIGN(auto native, shared->bucket.read(copy.key, copy.id, size, 0, first, nullptr));
  std::vector<S3Piece> pieces{{copy.key, std::move(native), 0, size}};
  return std::unique_ptr<RangedSource>(
      new S3Source(std::move(shared), size, std::move(pieces), std::move(first)));
}

Status S3Source::fetch_near(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (near_.read(offset, out)) return {};
  const auto around = near_.around(offset, out.size());
  if (!around) return fetch(offset, out, nullptr);
  Bytes bytes(around->size);
  OA_TRY(fetch(around->begin, bytes, nullptr));
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset - around->begin), out.size(),
              out.begin());
  near_.keep(around->begin, std::move(bytes));
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

// The pieces that a list of segments names.
Result<std::vector<S3Piece>> pieces_of(S3Shared& shared, const ObjectKey& key,
                                       const S3Version& version, ByteView list) {
  OA_ASSIGN(const S3Index index, decode_s3_index(list));
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
  return pieces_of(shared, key, version, fetched->body);
}

Result<std::vector<std::unique_ptr<RangedSource>>> other_s3_copies(S3SharedPtr shared,
                                                                   const ObjectKey& key,
                                                                   const S3Version& version) {
  constexpr std::size_t kMaxCopies = 8;
  OA_ASSIGN(const auto natives,
            shared->bucket.versions_of(shared->names.version_key(key, version)));
  std::vector<std::unique_ptr<RangedSource>> copies;
  bool read_already = false;  // the newest is what get() reads
  for (const auto& native : natives) {
    if (native.delete_marker || copies.size() == kMaxCopies) continue;
    if (!std::exchange(read_already, true)) continue;
    if (!version.segmented) {
      auto copy = open_copy(shared, native, version.size_bytes);
      if (copy.ok()) copies.push_back(*std::move(copy));
      continue;
    }
    const auto list = shared->bucket.fetch(native.key, native.id, kMaxS3Index);
    if (!list.ok()) continue;
    auto pieces = pieces_of(*shared, key, version, list->body);
    if (pieces.ok())
      copies.push_back(std::make_unique<S3Source>(shared, version.size_bytes, *std::move(pieces),
                                                  Bytes()));
  }
  return copies;
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
