#include "object_place.h"

#include <fmt/format.h>

#include <filesystem>

#include "oa/base/io.h"
#include "oa/base/json.h"

namespace oa::instance {
namespace {

namespace fs = std::filesystem;
constexpr const char* kOp = "instance.objects";
constexpr std::size_t kMaxMark = 4096;

std::string folder_of(const std::string& root) { return root + "/objects"; }
std::string mark_of(const std::string& root) { return root + "/bucket.json"; }

std::string described(const S3Settings& s3) {
  return canonical_json(json::object{{"bucket", s3.bucket}, {"prefix", s3.prefix}}) + "\n";
}

Status mark_bucket(const std::string& root, const S3Settings& s3) {
  std::error_code error;
  if (fs::exists(mark_of(root), error)) return {};
  OA_ASSIGN(auto mark, AtomicFileSink::create(mark_of(root), false, 0600));
  OA_TRY(mark->write(as_bytes(described(s3))));
  return mark->commit();
}

}  // namespace

Status check_object_place(const std::string& root, const Deployment& deployment) {
  std::error_code error;
  const bool in_bucket = fs::exists(mark_of(root), error);
  if (!deployment.objects.has_value()) {
    if (!in_bucket) return {};
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      "the objects of this instance are in a bucket")
        .with_hint("name its deployment file with --config or $OA_CONFIG");
  }
  if (in_bucket) {
    OA_ASSIGN(const Bytes mark, read_file(mark_of(root), kMaxMark));
    if (as_text(mark) == described(*deployment.objects)) return {};
    return make_error(ErrorCode::kConflict, kOp, "the objects of this instance are in another bucket")
        .with_hint("see " + mark_of(root));
  }
  // What is made after the mark tells that there was one.
  if (fs::exists(root + "/cell.json", error) || fs::exists(root + "/postgres/data", error)) {
    if (!fs::exists(folder_of(root), error))
      return make_error(ErrorCode::kConflict, kOp,
                        "nothing says which bucket has the objects of this instance: " +
                            mark_of(root) + " is missing")
          .with_hint("bring it back from a copy of the data folder; it names bucket and prefix, as the "
                     "deployment file did when the instance was made");
  }
  if (!fs::exists(folder_of(root), error)) return {};
  return make_error(ErrorCode::kConflict, kOp,
                    "the objects of this instance are in its folder: " + folder_of(root))
      .with_hint("name another folder with --data, and take tenants there by archives");
}

Result<OpenObjects> open_objects(const std::string& root, const Deployment& deployment) {
  OpenObjects opened;
  if (!deployment.objects.has_value()) {
    OA_ASSIGN(opened.store, open_local_store(folder_of(root)));
    return opened;
  }
  std::error_code error;
  const auto open = fs::exists(mark_of(root), error) ? open_s3_store_unasked : open_s3_store;
  OA_ASSIGN(auto bucket, open(*deployment.objects));
  opened.bucket = bucket.get();
  if (!deployment.replica.has_value()) {
    opened.store = std::move(bucket);
  } else {
    OA_ASSIGN(auto replica, open(*deployment.replica));
    opened.replica = replica.get();
    auto both = open_replicated_store(std::move(bucket), std::move(replica));
    opened.replicated = both.get();
    opened.store = std::move(both);
  }
  OA_TRY(mark_bucket(root, *deployment.objects));
  return opened;
}

Status look_at(const OpenObjects& objects) {
  OA_ASSERT(objects.bucket != nullptr);
  const Status seen = objects.bucket->look();
  if (seen.ok() || objects.replica == nullptr) return seen;
  return objects.replica->look().ok() ? Status() : seen;
}

Status share_objects(const std::string& source, const std::string& target) {
  std::error_code error;
  if (fs::exists(mark_of(source), error)) {
    fs::copy_file(mark_of(source), mark_of(target), error);
    return error ? Status(errno_error(error.value(), kOp, mark_of(target))) : Status();
  }
  const std::string from = folder_of(source), to = folder_of(target);
  // A version never changes once it is there.
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::create_hard_links, error);
  if (error == std::errc::cross_device_link) {
    fs::remove_all(to, error);
    fs::copy(from, to, fs::copy_options::recursive, error);
  }
  if (!error) fs::permissions(to, fs::perms::owner_all, error);
  return error ? Status(errno_error(error.value(), kOp, to)) : Status();
}

}  // namespace oa::instance
