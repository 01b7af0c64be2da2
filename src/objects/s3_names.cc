#include "s3_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "oa/crypto/secret.h"
#include "object_key.h"

namespace oa {
namespace {

constexpr char kMark = '!';
constexpr char kAfterMark = '"';
constexpr std::size_t kTimeDigits = 20;
constexpr std::size_t kUploadDigits = 16;
constexpr std::size_t kNumberDigits = 8;
constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kObjects = "objects/";
constexpr std::string_view kSegments = "segments/";

std::string padded(std::string digits, std::size_t size) {
  OA_ASSERT(digits.size() <= size);
  return std::string(size - digits.size(), '0') + digits;
}

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

bool is_upload(std::string_view text) {
  return text.size() == kUploadDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string written(const S3Version& version, std::int64_t time) {
  OA_ASSERT(time >= 0 && is_upload(version.upload));
  return padded(std::to_string(time), kTimeDigits) + "-" + version.upload + "-" +
         hex(version.size_bytes) + (version.segmented ? "-s" : "-w");
}

// The reverse, with the time as it is written there.
std::optional<S3Version> read(std::string_view text) {
  constexpr std::size_t kUploadAt = kTimeDigits + 1;
  constexpr std::size_t kSizeAt = kUploadAt + kUploadDigits + 1;
  if (text.size() < kSizeAt + 3 || text.front() == '-') return std::nullopt;
  S3Version version;
  const char* const time_end = text.data() + kTimeDigits;
  const auto time = std::from_chars(text.data(), time_end, version.created_at.unix_us);
  const auto size_text = text.substr(kSizeAt, text.size() - kSizeAt - 2);
  const char* const size_end = size_text.data() + size_text.size();
  const auto size = std::from_chars(size_text.data(), size_end, version.size_bytes, 16);
  version.upload = text.substr(kUploadAt, kUploadDigits);
  version.segmented = text.ends_with("-s");
  // What is read must be written alike: there is one name for each version.
  if (time.ec != std::errc{} || time.ptr != time_end || size.ec != std::errc{} ||
      size.ptr != size_end || !is_upload(version.upload) ||
      written(version, version.created_at.unix_us) != text)
    return std::nullopt;
  return version;
}

std::optional<RetentionClass> parse_class(std::string_view text) {
  for (const auto candidate :
       {RetentionClass::kRows, RetentionClass::kOriginals, RetentionClass::kArchives,
        RetentionClass::kWal, RetentionClass::kLedger})
    if (to_text(candidate) == text) return candidate;
  return std::nullopt;
}

}  // namespace

std::string random_upload() {
  std::array<std::uint8_t, kUploadDigits / 2> random;
  random_fill(random);
  return to_hex(random);
}

VersionId to_version_id(const S3Version& version) {
  return {written(version, version.created_at.unix_us)};
}

std::optional<S3Version> parse_version_id(std::string_view id) { return read(id); }

std::string S3Names::class_prefix(TenantId tenant, RetentionClass retention_class) const {
  return prefix_ + std::string(kObjects) + tenant.str() + "/" +
         std::string(to_text(retention_class)) + "/";
}

std::string S3Names::versions_prefix(const ObjectKey& key) const {
  return class_prefix(key.tenant, key.retention_class) + key.name + kMark;
}

std::string S3Names::version_key(const ObjectKey& key, const S3Version& version) const {
  return versions_prefix(key) + written(version, kEndOfTime - version.created_at.unix_us);
}

std::string S3Names::after_name(TenantId tenant, RetentionClass retention_class,
                                std::string_view name) const {
  return class_prefix(tenant, retention_class) + std::string(name) + kAfterMark;
}

std::string S3Names::upload_prefix(const ObjectKey& key, const std::string& upload) const {
  return all_segments_prefix() + key.tenant.str() + "/" +
         std::string(to_text(key.retention_class)) + "/" + key.name + kMark + upload + "/";
}

std::string S3Names::segment_key(const ObjectKey& key, const std::string& upload,
                                 std::size_t number) const {
  return upload_prefix(key, upload) + padded(std::to_string(number), kNumberDigits);
}

// "<tenant>/<class>/<name>" behind `folder`.
std::optional<ObjectKey> S3Names::parse_object(std::string_view folder,
                                               std::string_view rest) const {
  if (!rest.starts_with(prefix_)) return std::nullopt;
  rest.remove_prefix(prefix_.size());
  if (!rest.starts_with(folder)) return std::nullopt;
  rest.remove_prefix(folder.size());
  const auto tenant_end = rest.find('/');
  if (tenant_end == std::string_view::npos) return std::nullopt;
  const auto class_end = rest.find('/', tenant_end + 1);
  if (class_end == std::string_view::npos) return std::nullopt;
  const auto tenant = TenantId::parse(rest.substr(0, tenant_end));
  const auto retention_class = parse_class(rest.substr(tenant_end + 1, class_end - tenant_end - 1));
  if (!tenant.ok() || !retention_class) return std::nullopt;
  ObjectKey key{*tenant, *retention_class, std::string(rest.substr(class_end + 1))};
  if (!check_object_key(key).ok()) return std::nullopt;
  return key;
}

std::optional<S3Names::Named> S3Names::parse_version_key(std::string_view key) const {
  const auto mark = key.rfind(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  auto object = parse_object(kObjects, key.substr(0, mark));
  auto version = read(key.substr(mark + 1));
  if (!object || !version) return std::nullopt;
  version->created_at.unix_us = kEndOfTime - version->created_at.unix_us;
  return Named{*std::move(object), *std::move(version)};
}

std::optional<S3Names::NamedUpload> S3Names::parse_upload_prefix(std::string_view text) const {
  const auto mark = text.rfind(kMark);
  if (mark == std::string_view::npos || !text.ends_with('/')) return std::nullopt;
  const auto upload = text.substr(mark + 1, text.size() - mark - 2);
  auto object = parse_object(kSegments, text.substr(0, mark));
  if (!object || !is_upload(upload)) return std::nullopt;
  return NamedUpload{*std::move(object), std::string(upload)};
}

}  // namespace oa
