#include <algorithm>
#include <set>

#include "oa/crypto/hash.h"
#include "s3_index.h"
#include "s3_shared.h"

namespace oa {
namespace {

class Repair {
 public:
  Repair(S3Shared& shared, const ObjectKey& key, const S3Version& version,
         const RangedSource& sealed, const std::atomic<bool>* cancelled)
      : shared_(shared), key_(key), version_(version), sealed_(sealed), cancelled_(cancelled) {
    options_ = put_options(shared, key);
    options_.locked_until = locked_until(shared, key, version.created_at);
    // S3 takes no date that is past.
    if (options_.locked_until && *options_.locked_until <= Timestamp::now())
      options_.locked_until.reset();
  }

  // Segments first: until the list names them, nothing has changed.
  Status run() {
    const std::string name = shared_.names.version_key(key_, version_);
    if (!version_.segmented) {
      OA_ASSIGN(const Bytes body, read_piece(0, sealed_.size()));
      OA_TRY(store(name, body));
    } else {
      OA_ASSIGN(const Bytes list, store_segments());
      OA_TRY(store(name, list));
      OA_TRY(remove_others(shared_.names.upload_prefix(key_, version_.upload)));
    }
    return remove_others(name);
  }

 private:
  Result<Bytes> read_piece(std::uint64_t offset, std::uint64_t size) {
    if (cancelled_ != nullptr && *cancelled_)
      return make_error(ErrorCode::kCancelled, "object.restore", "cancelled");
    Bytes piece(size);
    OA_TRY(sealed_.read_at(offset, piece));
    return piece;
  }

  Result<Bytes> store_segments() {
    S3Index index{sealed_.size(), shared_.settings.segment_bytes, {}};
    for (std::uint64_t offset = 0; offset < sealed_.size(); offset += index.segment_bytes) {
      OA_ASSIGN(const Bytes piece,
                read_piece(offset, std::min(index.segment_bytes, sealed_.size() - offset)));
      const auto name = shared_.names.segment_key(key_, version_.upload, index.natives.size());
      OA_TRY(store(name, piece));
      index.natives.push_back(last_);
    }
    return encode_s3_index(index);
  }

  // What was sent is looked at again before anything is removed for it.
  Status store(const std::string& name, ByteView body) {
    OA_ASSIGN(last_, shared_.bucket.put(name, body, options_, cancelled_));
    made_.insert(last_);
    OA_ASSIGN(const auto stored, shared_.bucket.fetch(name, last_, body.size() + 1));
    if (std::ranges::equal(stored.body, body)) return {};
    return make_error(ErrorCode::kSealCorrupt, "object.restore",
                      "the store does not keep what it is given")
        .with_hint("see to the store before anything else is written to it");
  }

  // Those that are locked stay; nobody reads them.
  Status remove_others(const std::string& prefix) {
    OA_ASSIGN(auto natives, shared_.bucket.list_all(prefix));
    std::erase_if(natives, [&](const NativeVersion& native) {
      return (!prefix.ends_with('/') && native.key != prefix) || made_.contains(native.id);
    });
    const auto refused = shared_.bucket.remove(natives);
    return refused.ok() ? Status() : refused.error();
  }

  S3Shared& shared_;
  const ObjectKey& key_;
  const S3Version& version_;
  const RangedSource& sealed_;
  const std::atomic<bool>* const cancelled_;
  PutOptions options_;
  std::string last_;            // S3's id of what was stored last
  std::set<std::string> made_;  // all of them
};

}  // namespace

Status restore_s3_version(S3Shared& shared, const ObjectKey& key, const S3Version& version,
                          const RangedSource& sealed, const std::atomic<bool>* cancelled) {
  if (sealed.size() != version.size_bytes) {
    return make_error(ErrorCode::kInvalidArgument, "object.restore",
                      "these are not the bytes of that version of the object " + key.name);
  }
  return Repair(shared, key, version, sealed, cancelled).run();
}

}  // namespace oa
