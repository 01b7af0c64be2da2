#include "oa/objects/s3_store.h"

#include <algorithm>

#include "oa/objects/version_repair.h"
#include "object_key.h"
#include "s3_shared.h"

namespace oa {
namespace {

constexpr std::size_t kMinSegment = 64 << 10;
constexpr std::size_t kMaxSegment = std::size_t{256} << 20;
constexpr int kMaxUploads = 16;
constexpr int kMaxLockDays = 36'500;
constexpr std::size_t kMaxPrefix = 200;
constexpr std::size_t kMaxPage = 1000;
constexpr auto kLookPatience = std::chrono::milliseconds(2'000);

Error no_version(const ObjectKey& key) {
  return make_error(ErrorCode::kNotFound, "object.get",
                    "there is no such version of the object " + key.name);
}

ObjectVersion describe(ObjectKey key, const S3Version& version) {
  return {std::move(key), to_version_id(version), version.size_bytes, version.created_at};
}

// What a dead writer left, or a living one writes just now.
struct Upload {
  std::string prefix;
  std::vector<NativeVersion> segments;
  Timestamp got_on_at;  // when its newest segment was stored
};

class Driver final : public S3Store, public VersionRepair {
 public:
  Driver(S3SharedPtr shared, bool write_once)
      : shared_(std::move(shared)), write_once_(write_once) {}

  Result<std::unique_ptr<ObjectWriter>> put(const ObjectKey& key) override {
    OA_TRY(check_object_key(key));
    return make_s3_writer(shared_, key);
  }
  Result<std::unique_ptr<RangedSource>> get(const ObjectKey& key,
                                            const VersionId& version) override {
    OA_TRY(check_object_key(key));
    const auto parsed = parse_version_id(version.value);
    if (!parsed) return no_version(key);
    return open_s3_source(shared_, key, *parsed);
  }
  Result<ObjectVersion> head(const ObjectKey& key) override;
  Result<std::vector<ObjectVersion>> list(TenantId tenant, RetentionClass retention_class,
                                          std::string_view after, std::size_t limit) override;
  Result<std::vector<ObjectVersion>> list_versions(const ObjectKey& key) override;
  Status remove(const ObjectKey& key, const VersionId& version) override;
  StoreCapabilities capabilities() const override {
    return {.write_once = write_once_, .server_side_kms = shared_->settings.kms_key_of != nullptr};
  }
  Result<S3Sweep> sweep() override;
  Result<std::vector<SignedPiece>> presigned_get(const ObjectKey& key, const VersionId& version,
                                                 std::chrono::seconds lifetime) override;
  Status look() override;
  aws::ClientCounts counts() const override { return shared_->bucket.counts(); }
  Result<std::vector<std::unique_ptr<RangedSource>>> other_copies(
      const ObjectKey& key, const VersionId& version) override {
    OA_TRY(check_object_key(key));
    const auto parsed = parse_version_id(version.value);
    if (!parsed) return no_version(key);
    return other_s3_copies(shared_, key, *parsed);
  }
  Status restore_version(const ObjectKey& key, const VersionId& version, const RangedSource& sealed,
                         const std::atomic<bool>* cancelled) override {
    OA_TRY(check_object_key(key));
    const auto parsed = parse_version_id(version.value);
    if (!parsed) return no_version(key);
    return restore_s3_version(*shared_, key, *parsed, sealed, cancelled);
  }

 private:
  Result<bool> is_committed(const S3Names::NamedUpload& upload);
  Status sweep_upload(const Upload& upload, S3Sweep& swept);

  const S3SharedPtr shared_;
  const bool write_once_;
};

Result<ObjectVersion> Driver::head(const ObjectKey& key) {
  OA_TRY(check_object_key(key));
  OA_ASSIGN(const auto newest, newest_version(*shared_, key));
  if (!newest)
    return make_error(ErrorCode::kNotFound, "object.head", "there is no object " + key.name);
  return describe(key, *newest);
}

Result<std::vector<ObjectVersion>> Driver::list(TenantId tenant, RetentionClass retention_class,
                                                std::string_view after, std::size_t limit) {
  constexpr std::size_t kSmallPage = 16;
  const S3Names& names = shared_->names;
  const std::string prefix = names.class_prefix(tenant, retention_class);
  std::vector<ObjectVersion> found;
  NativePage page;
  if (!after.empty()) page.next_key = names.after_name(tenant, retention_class, after);
  do {
    if (found.size() >= limit) break;
    const std::size_t wanted = std::max(kSmallPage, std::min(kMaxPage, limit - found.size() + 1));
    OA_ASSIGN(page, shared_->bucket.list(prefix, page.next_key, page.next_id, wanted));
    for (const auto& native : page.versions) {
      if (native.delete_marker || found.size() >= limit) continue;
      auto named = names.parse_version_key(native.key);
      // The newest version of each name comes first.
      if (!named || (!found.empty() && found.back().key == named->key)) continue;
      found.push_back(describe(std::move(named->key), named->version));
    }
    // Past the older versions of the last name, however many there are.
    if (page.more && !found.empty() && found.size() < limit &&
        page.next_key.starts_with(names.versions_prefix(found.back().key))) {
      page.next_key = names.after_name(tenant, retention_class, found.back().key.name);
      page.next_id.clear();
    }
  } while (page.more);
  return found;
}

Result<std::vector<ObjectVersion>> Driver::list_versions(const ObjectKey& key) {
  OA_TRY(check_object_key(key));
  std::vector<ObjectVersion> versions;
  OA_TRY(visit_versions(*shared_, shared_->names.versions_prefix(key), kMaxPage,
                        [&](const S3Names::Named& named) {
                          ObjectVersion version = describe(key, named.version);
                          // A PUT that was sent twice left two that are the same.
                          if (versions.empty() || versions.back().version != version.version)
                            versions.push_back(std::move(version));
                          return true;
                        }));
  std::ranges::reverse(versions);
  return versions;
}

// First what makes it a version, so that it is whole or not there at all. What is cut short behind
// that, sweep() ends.
Status Driver::remove(const ObjectKey& key, const VersionId& version) {
  OA_TRY(check_object_key(key));
  if (write_once_ && key.retention_class == RetentionClass::kLedger)
    return make_error(ErrorCode::kPermissionDenied, "object.remove", "the ledger is write-once");
  const auto parsed = parse_version_id(version.value);
  if (!parsed) return no_version(key);
  const std::string name = shared_->names.version_key(key, *parsed);
  OA_ASSIGN(const auto natives, shared_->bucket.versions_of(name));
  if (std::ranges::all_of(natives, &NativeVersion::delete_marker)) return no_version(key);
  OA_ASSIGN(std::size_t refused, shared_->bucket.remove(natives));
  if (refused == 0 && parsed->segmented) {
    OA_ASSIGN(const auto segments,
              shared_->bucket.list_all(shared_->names.upload_prefix(key, parsed->upload)));
    OA_ASSIGN(refused, shared_->bucket.remove(segments));
  }
  if (refused == 0) return {};
  return make_error(ErrorCode::kPermissionDenied, "object.remove",
                    "the store refuses to remove a version of the object " + key.name)
      .with_hint("it is locked, or the access key lacks s3:DeleteObjectVersion");
}

Result<bool> Driver::is_committed(const S3Names::NamedUpload& upload) {
  bool found = false;
  OA_TRY(visit_versions(*shared_, shared_->names.versions_prefix(upload.key), kMaxPage,
                        [&](const S3Names::Named& named) {
                          found = named.version.upload == upload.upload;
                          return !found;
                        }));
  return found;
}

Status Driver::sweep_upload(const Upload& upload, S3Sweep& swept) {
  const auto age = std::chrono::microseconds(Timestamp::now().unix_us - upload.got_on_at.unix_us);
  const auto named = shared_->names.parse_upload_prefix(upload.prefix);
  if (!named || age < shared_->settings.abandoned_after) return {};
  OA_ASSIGN(const bool committed, is_committed(*named));
  if (committed) return {};
  OA_ASSIGN(const std::size_t refused, shared_->bucket.remove(upload.segments));
  ++(refused == 0 ? swept.uploads : swept.kept);
  swept.segments += upload.segments.size() - refused;
  return {};
}

Result<S3Sweep> Driver::sweep() {
  S3Sweep swept;
  Upload upload;
  NativePage page;
  do {
    OA_ASSIGN(page, shared_->bucket.list(shared_->names.all_segments_prefix(), page.next_key,
                                         page.next_id, kMaxPage));
    for (auto& native : page.versions) {
      const std::string prefix = native.key.substr(0, native.key.rfind('/') + 1);
      if (prefix != upload.prefix) {
        OA_TRY(sweep_upload(upload, swept));
        upload = {.prefix = prefix, .segments = {}, .got_on_at = native.modified_at};
      }
      upload.got_on_at = std::max(upload.got_on_at, native.modified_at);
      upload.segments.push_back(std::move(native));
    }
  } while (page.more);
  OA_TRY(sweep_upload(upload, swept));
  return swept;
}

Result<std::vector<SignedPiece>> Driver::presigned_get(const ObjectKey& key,
                                                       const VersionId& version,
                                                       std::chrono::seconds lifetime) {
  OA_TRY(check_object_key(key));
  const auto parsed = parse_version_id(version.value);
  if (!parsed) return no_version(key);
  std::vector<S3Piece> pieces;
  if (parsed->segmented) {
    OA_ASSIGN(pieces, find_segments(*shared_, key, *parsed));
  } else {
    const std::string name = shared_->names.version_key(key, *parsed);
    OA_ASSIGN(const auto natives, shared_->bucket.versions_of(name));
    const auto found = std::ranges::find(natives, false, &NativeVersion::delete_marker);
    if (found == natives.end()) return no_version(key);
    pieces.push_back({name, found->id, 0, parsed->size_bytes});
  }
  std::vector<SignedPiece> signed_pieces;
  for (const auto& piece : pieces) {
    OA_ASSIGN(std::string url, shared_->bucket.presigned_get(piece.key, piece.native, lifetime));
    signed_pieces.push_back({std::move(url), piece.size});
  }
  return signed_pieces;
}

Status check_bucket(S3Bucket& bucket, const S3Settings& settings) {
  OA_ASSIGN(const bool versions, bucket.keeps_versions());
  OA_ASSIGN(const bool locks, bucket.can_lock());
  if (!versions) {
    return make_error(ErrorCode::kPreconditionFailed, "object_store.open",
                      "the bucket keeps no versions: " + settings.bucket)
        .with_hint("turn versioning on");
  }
  if (!settings.ledger_lock || locks) return {};
  return make_error(ErrorCode::kPreconditionFailed, "object_store.open",
                    "the bucket cannot lock objects: " + settings.bucket)
      .with_hint("make a bucket with object lock, or do without the lock of the ledger");
}

Status Driver::look() {
  S3Settings settings = shared_->settings;
  auto& connection = settings.connection;
  connection.connect_timeout = connection.idle_timeout = connection.total_timeout = kLookPatience;
  connection.retries.attempts = 1;
  OA_ASSIGN(auto client, aws::Client::open(connection));
  S3Bucket bucket(std::move(client), settings);
  return check_bucket(bucket, settings);
}

bool good_bucket(const std::string& name) {
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

// Empty, or the beginning of a name up to a '/'.
bool good_prefix(const std::string& prefix) {
  if (prefix.empty()) return true;
  return prefix.size() <= kMaxPrefix && prefix.ends_with('/') &&
         check_object_key({{}, {}, prefix.substr(0, prefix.size() - 1)}).ok();
}

Status check(const S3Settings& settings) {
  const auto& lock = settings.ledger_lock;
  const char* wrong = nullptr;
  if (settings.connection.scope.service != "s3") wrong = "the service to sign for must be s3";
  if (!good_bucket(settings.bucket)) wrong = "a bucket's name has 3 to 63 of a-z 0-9 - .";
  if (!good_prefix(settings.prefix))
    wrong = "a prefix consists of names of A-Z a-z 0-9 . _ - with a / behind each";
  if (settings.segment_bytes < kMinSegment || settings.segment_bytes > kMaxSegment)
    wrong = "a segment has 64 KiB to 256 MiB";
  if (settings.uploads_at_once < 1 || settings.uploads_at_once > kMaxUploads)
    wrong = "a writer sends 1 to 16 segments at once";
  if (lock && (lock->days < 1 || lock->days > kMaxLockDays))
    wrong = "the ledger is locked for 1 to 36,500 days";
  if (settings.abandoned_after < std::chrono::seconds(1))
    wrong = "a writer may stand still for a second at least";
  if (wrong == nullptr) return {};
  return make_error(ErrorCode::kInvalidArgument, "object_store.open", wrong);
}

}  // namespace

Result<std::optional<S3Version>> newest_version(S3Shared& shared, const ObjectKey& key) {
  constexpr std::size_t kSmallPage = 4;
  std::optional<S3Version> newest;
  OA_TRY(visit_versions(shared, shared.names.versions_prefix(key), kSmallPage,
                        [&](const S3Names::Named& named) {
                          newest = named.version;
                          return false;
                        }));
  return newest;
}

Result<std::unique_ptr<S3Store>> open_s3_store_unasked(S3Settings settings) {
  OA_TRY(check(settings));
  OA_ASSIGN(auto client, aws::Client::open(settings.connection));
  S3Bucket bucket(std::move(client), settings);
  const bool write_once = settings.ledger_lock.has_value();
  S3Names names(settings.prefix);
  auto shared =
      std::make_shared<S3Shared>(std::move(settings), std::move(bucket), std::move(names));
  return std::unique_ptr<S3Store>(new Driver(std::move(shared), write_once));
}

Result<std::unique_ptr<S3Store>> open_s3_store(S3Settings settings) {
  OA_TRY(check(settings));
  OA_ASSIGN(auto client, aws::Client::open(settings.connection));
  S3Bucket bucket(std::move(client), settings);
  OA_TRY(check_bucket(bucket, settings));
  return open_s3_store_unasked(std::move(settings));
}

}  // namespace oa
