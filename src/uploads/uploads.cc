#include "oa/uploads/uploads.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "oa/base/json.h"
#include "oa/crypto/hash.h"
#include "oa/crypto/sha1.h"
#include "parts.h"

namespace oa::uploads {
namespace {

constexpr std::size_t kListBatch = 1000;
constexpr std::size_t kMaxFileNameBytes = 255;
constexpr Timestamp kEndOfTime{std::numeric_limits<std::int64_t>::max()};
constexpr std::int64_t kHourUs = std::int64_t{3600} * 1'000'000;

Timestamp hours_from_now(int hours) {
  return Timestamp{Timestamp::now().unix_us + hours * kHourUs};
}

Status check_file_name(const std::string& name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (name.size() <= kMaxFileNameBytes && is_utf8(name) && std::ranges::none_of(name, is_control))
    return {};
  return make_error(ErrorCode::kInvalidArgument, "upload.create",
                    fmt::format("a file name is UTF-8 of at most {} bytes without control "
                                "characters",
                                kMaxFileNameBytes))
      .with_hint("give the upload another name");
}

Status check_room(const catalog::Uploads::Usage& usage, std::uint64_t length_bytes,
                  std::string_view who, std::uint64_t max_uploads, std::uint64_t max_bytes) {
  if (usage.uploads < max_uploads &&
      length_bytes <= max_bytes - std::min(usage.length_bytes, max_bytes))
    return {};
  return make_error(
             ErrorCode::kLimitExceeded, "upload.create",
             fmt::format("{} at most {} uploads of {} bytes together", who, max_uploads, max_bytes))
      .with_hint("abandon others that are not needed, or wait until they are used or expire");
}

Error in_use(std::string op) {
  return make_error(ErrorCode::kUploadInUse, std::move(op),
                    "another request has this upload in use")
      .with_hint("try again once that one has ended");
}

Result<UploadRecord> unexpired(Result<UploadRecord> record) {
  if (!record.ok() || Timestamp::now() < record->expires_at) return record;
  return make_error(ErrorCode::kGone, "upload", "the upload has expired")
      .with_hint("begin a new upload");
}

Status check_checksum(const Checksum& checksum) {
  const std::size_t size =
      checksum.algorithm == ChecksumAlgorithm::kSha1 ? Sha1Digest{}.size() : Sha256Digest{}.size();
  if (checksum.digest.size() == size) return {};
  return make_error(
      ErrorCode::kInvalidArgument, "upload.append",
      fmt::format("a checksum of {} has {} bytes", to_text(checksum.algorithm), size));
}

// All versions of all objects below `folder`.
Result<std::vector<ObjectVersion>> objects_below(ObjectStore& store, TenantId tenant,
                                                 const std::string& folder) {
  std::vector<ObjectVersion> found;
  for (std::string after = folder;;) {
    OA_ASSIGN(const auto page, store.list(tenant, RetentionClass::kArchives, after, kListBatch));
    for (const auto& object : page) {
      if (!object.key.name.starts_with(folder)) return found;
      OA_ASSIGN(auto versions, store.list_versions(object.key));
      std::ranges::move(versions, std::back_inserter(found));
    }
    if (page.size() < kListBatch) return found;
    after = page.back().key.name;
  }
}

// False when somebody else has removed it.
Result<bool> remove_version(SealedObjects& objects, const ObjectVersion& object) {
  const Status removed = objects.remove(object.key, object.version);
  if (removed.ok()) return true;
  if (removed.error().code == ErrorCode::kNotFound) return false;
  return removed.error();
}

// Of every upload that has an object, whether or not it has a row.
Result<std::set<UploadId>> uploads_in_store(ObjectStore& store, TenantId tenant) {
  std::set<UploadId> ids;
  for (std::string after(kFolder);;) {
    OA_ASSIGN(const auto page, store.list(tenant, RetentionClass::kArchives, after, 1));
    if (page.empty() || !page.front().key.name.starts_with(kFolder)) return ids;
    const auto id = upload_of(page.front().key.name);
    if (id.has_value()) ids.insert(*id);
    // Behind all of its parts, whose names are digits.
    after = id.has_value() ? folder_of(*id) + "~" : page.front().key.name;
  }
}

}  // namespace

std::string_view to_text(ChecksumAlgorithm algorithm) {
  return algorithm == ChecksumAlgorithm::kSha1 ? "sha1" : "sha256";
}

Result<ChecksumAlgorithm> parse_checksum_algorithm(std::string_view text) {
  for (const auto algorithm : {ChecksumAlgorithm::kSha1, ChecksumAlgorithm::kSha256}) {
    if (text == to_text(algorithm)) return algorithm;
  }
  return make_error(ErrorCode::kInvalidArgument, "upload.append",
                    "a checksum is made with sha1 or sha256");
}

Uploads::Uploads(catalog::Database& database, SealedObjects& objects, TenantId tenant,
                 Limits limits)
    : database_(database), objects_(objects), tenant_(tenant), limits_(limits) {}

Result<UploadRecord> Uploads::create(const NewUpload& upload) {
  OA_TRY(check_file_name(upload.file_name));
  if (upload.length_bytes > limits_.max_length_bytes) {
    return make_error(ErrorCode::kLimitExceeded, "upload.create",
                      fmt::format("an upload has at most {} bytes", limits_.max_length_bytes));
  }
  UploadRecord record;
  record.id = UploadId::random();
  record.created_by = upload.user;
  record.file_name = upload.file_name;
  record.length_bytes = upload.length_bytes;
  record.created_at = Timestamp::now();
  record.expires_at = hours_from_now(record.whole() ? kWholeHours : kUntouchedHours);
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  catalog::Uploads uploads(transaction);
  OA_ASSIGN(const auto usage, uploads.lock_usage(upload.user));
  if (upload.user.has_value()) {
    OA_TRY(check_room(usage.person, upload.length_bytes, "a person has",
                      limits_.max_uploads_of_person, limits_.max_bytes_of_person));
  }
  OA_TRY(check_room(usage.tenant, upload.length_bytes, "an organisation has", limits_.max_uploads,
                    limits_.max_total_bytes));
  OA_TRY(uploads.add(record));
  OA_TRY(transaction.commit());
  return record;
}

Result<UploadRecord> Uploads::get(UploadId id) {
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  return unexpired(catalog::Uploads(transaction).get(id));
}

Result<std::vector<UploadRecord>> Uploads::list(std::optional<UserId> created_by) {
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  OA_ASSIGN(auto records, catalog::Uploads(transaction).list(created_by));
  const Timestamp now = Timestamp::now();
  std::erase_if(records, [&](const auto& record) { return record.expires_at <= now; });
  return records;
}

Result<std::unique_ptr<Append>> Uploads::append(UploadId id, std::uint64_t offset,
                                                std::optional<Checksum> checksum) {
  if (checksum.has_value()) OA_TRY(check_checksum(*checksum));
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  catalog::Uploads uploads(transaction);
  OA_ASSIGN(const auto fence, uploads.take(id, limits_.lease));
  if (!fence.has_value()) return in_use("upload.append");
  OA_ASSIGN(const auto record, unexpired(uploads.get(id)));
  if (record.offset_bytes != offset) {
    return make_error(ErrorCode::kUploadOffset, "upload.append",
                      fmt::format("the upload goes on at {}", record.offset_bytes))
        .with_hint("go on there");
  }
  OA_ASSIGN(const auto parts, uploads.part_count(id));
  OA_TRY(transaction.commit());
  return begin_append(database_, objects_,
                      {tenant_, id, *fence, record.length_bytes, offset,
                       limits_.max_parts - std::min(parts, limits_.max_parts), std::move(checksum)},
                      limits_);
}

Status Uploads::remove(UploadId id) {
  OA_ASSIGN(const bool removed, remove_row(id, kEndOfTime));
  return removed ? remove_objects(id) : Status(in_use("upload.remove"));
}

// The row first: an upload whose objects are gone must not claim to be one.
Result<bool> Uploads::remove_row(UploadId id, Timestamp expired_at) {
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  catalog::Uploads uploads(transaction);
  OA_ASSIGN(const auto fence, uploads.take(id, limits_.lease));
  if (!fence.has_value()) return false;
  // An append may have gone on with it since it was looked at.
  OA_ASSIGN(const auto record, uploads.get(id));
  if (expired_at < record.expires_at) return false;
  OA_TRY(uploads.remove(id));
  OA_TRY(transaction.commit());
  return true;
}

Status Uploads::remove_objects(UploadId id) {
  OA_ASSIGN(const auto objects, objects_below(objects_.store(), tenant_, folder_of(id)));
  for (const auto& object : objects) OA_TRY(remove_version(objects_, object));
  return {};
}

Result<std::unique_ptr<RangedSource>> Uploads::open(UploadId id) {
  OA_ASSIGN(auto snapshot, database_.begin(tenant_, catalog::Isolation::kSnapshot));
  catalog::Uploads uploads(snapshot);
  OA_ASSIGN(const auto record, unexpired(uploads.get(id)));
  if (!record.whole()) {
    return make_error(ErrorCode::kPreconditionFailed, "upload.open",
                      fmt::format("of the upload's {} bytes {} have arrived", record.length_bytes,
                                  record.offset_bytes))
        .with_hint("go on with the upload first");
  }
  OA_ASSIGN(auto parts, uploads.parts(id));
  return join_parts(objects_, tenant_, id, std::move(parts));
}

Result<SweepReport> Uploads::sweep(Timestamp now) {
  SweepReport report;
  std::vector<UploadRecord> expired;
  {
    OA_ASSIGN(auto snapshot, database_.begin(tenant_, catalog::Isolation::kSnapshot));
    OA_ASSIGN(expired, catalog::Uploads(snapshot).expired(now));
  }
  for (const auto& record : expired) {
    const auto removed = remove_row(record.id, now);
    if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed.error();
    if (!removed.ok() || !*removed) continue;
    OA_TRY(remove_objects(record.id));
    ++report.uploads;
  }
  OA_ASSIGN(const auto ids, uploads_in_store(objects_.store(), tenant_));
  for (const auto id : ids) OA_TRY(sweep_objects_of(id, report));
  return report;
}

// What is there while the sweep has the upload, and no row names, nobody can name any more. An
// upload that was removed has no rows, and does not come back.
Status Uploads::sweep_objects_of(UploadId id, SweepReport& report) {
  const auto fence = take(id);
  const bool exists = fence.ok();
  if (!exists && fence.error().code != ErrorCode::kNotFound) return fence.error();
  if (exists && !fence->has_value()) return {};
  OA_ASSIGN(const auto objects, objects_below(objects_.store(), tenant_, folder_of(id)));
  std::set<std::pair<std::string, std::string>> named;
  if (exists) {
    OA_ASSIGN(auto transaction, database_.begin(tenant_));
    catalog::Uploads uploads(transaction);
    OA_ASSIGN(const auto parts, uploads.parts(id));
    for (const auto& part : parts)
      named.emplace(part_key(tenant_, id, part.start_bytes).name, part.object_version);
    // Had somebody taken it meanwhile, what they are writing would be among the objects.
    const Status held = uploads.release(id, **fence);
    if (!held.ok()) return held.error().code == ErrorCode::kConflict ? Status() : held;
    OA_TRY(transaction.commit());
  }
  for (const auto& object : objects) {
    if (named.contains({object.key.name, object.version.value})) continue;
    OA_ASSIGN(const bool gone, remove_version(objects_, object));
    report.objects += gone ? 1 : 0;
  }
  return {};
}

Result<std::optional<std::uint64_t>> Uploads::take(UploadId id) {
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  OA_ASSIGN(const auto fence, catalog::Uploads(transaction).take(id, limits_.lease));
  OA_TRY(transaction.commit());
  return fence;
}

}  // namespace oa::uploads
