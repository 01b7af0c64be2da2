#include "s3_bucket.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "oa/crypto/hash.h"
#include "s3_xml.h"

namespace oa {
namespace {

constexpr std::size_t kMaxListed = 1'000'000;
constexpr std::size_t kMaxPage = 1000;
constexpr std::size_t kMaxListing = std::size_t{8} << 20;
constexpr std::size_t kFewRemovals = 2;
constexpr const char* kDigestHeader = "x-amz-meta-oa-sha256";

struct Meaning {
  std::string_view s3;
  ErrorCode code;
  const char* message;
  const char* hint;
};
constexpr std::array kMeanings{
    Meaning{"NoSuchBucket", ErrorCode::kObjectStoreUnavailable, "the bucket is not there",
            "check its name and the address of the store"},
    Meaning{"QuotaExceeded", ErrorCode::kDiskFull, "the store's quota is used up",
            "raise the quota, then try again"},
    Meaning{"EntityTooLarge", ErrorCode::kLimitExceeded, "the store takes no object of that size",
            "use smaller segments"},
    Meaning{"InvalidAccessKeyId", ErrorCode::kPermissionDenied,
            "the store does not know the access key or the KMS key", "check both"},
    Meaning{"SignatureDoesNotMatch", ErrorCode::kPermissionDenied,
            "the store refuses the signature", "check the secret of the access key"},
    Meaning{"KMS.DisabledException", ErrorCode::kKeyDisabled, "the tenant's KMS key is disabled",
            "enable it in the key management service"},
    Meaning{"KMS.KMSInvalidStateException", ErrorCode::kKeyDisabled,
            "the tenant's KMS key cannot be used now",
            "see its state in the key management service"},
    Meaning{"KMS.NotFoundException", ErrorCode::kKeyDestroyed, "the tenant's KMS key is not there",
            "check its id"},
};

// Bytes of an answer into a place of known size.
class IntoSpan final : public aws::ResponseSink {
 public:
  explicit IntoSpan(std::span<std::uint8_t> out) : out_(out) {}
  Status begin(const aws::ResponseHead&) override {
    filled_ = 0;
    too_long_ = false;
    return {};
  }
  Status write(ByteView bytes) override {
    const ByteView taken = bytes.first(std::min(bytes.size(), out_.size() - filled_));
    std::ranges::copy(taken, out_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += taken.size();
    too_long_ = too_long_ || taken.size() < bytes.size();
    return {};
  }
  bool full() const { return filled_ == out_.size() && !too_long_; }

 private:
  const std::span<std::uint8_t> out_;
  std::size_t filled_ = 0;
  bool too_long_ = false;
};

Error damaged(std::string cause) {
  return make_error(ErrorCode::kSealCorrupt, "object.read", "what came is not what was stored")
      .with_hint("read it from the replica, or restore what it belongs to from another archive")
      .with_cause(std::move(cause));
}

aws::Fields with_checksum(ByteView body) {
  return {{"content-type", "application/xml"},
          {"x-amz-sdk-checksum-algorithm", "SHA256"},
          {"x-amz-checksum-sha256", to_base64(Sha256::of(body))}};
}

// In whole seconds, the next one: "2026-11-23T17:04:42Z".
std::string lock_date(Timestamp until) {
  std::string text = Timestamp{(until.unix_seconds() + 1) * 1'000'000}.rfc3339();
  return text.replace(text.find('.'), std::string::npos, "Z");
}

bool honoured(const aws::Response& answer, const std::string& kms_key) {
  const auto named = answer.head.header("x-amz-server-side-encryption-aws-kms-key-id");
  return answer.head.header("x-amz-server-side-encryption") == "aws:kms" &&
         (named == kms_key || named.ends_with("/" + kms_key));
}

NativeVersion native_of(const XmlElement& element) {
  NativeVersion version;
  version.key = element.text_of("Key");
  version.id = element.text_of("VersionId");
  version.delete_marker = element.name == "DeleteMarker";
  const auto size = element.text_of("Size");
  std::from_chars(size.data(), size.data() + size.size(), version.size_bytes);
  const auto modified = Timestamp::parse(element.text_of("LastModified"));
  // One that cannot be read is one of this moment: nothing is taken for old by mistake.
  version.modified_at = modified.ok() ? *modified : Timestamp::now();
  return version;
}

}  // namespace

Error s3_error(std::string op, const std::string& what, const aws::Response& answer) {
  const int status = answer.head.status;
  std::string cause = "HTTP " + std::to_string(status) + " " + answer.error_code;
  const auto meaning = std::ranges::find(kMeanings, answer.error_code, &Meaning::s3);
  if (meaning != kMeanings.end()) {
    return make_error(meaning->code, std::move(op), meaning->message)
        .with_hint(meaning->hint)
        .with_cause(std::move(cause));
  }
  if (status == 404)
    return make_error(ErrorCode::kNotFound, std::move(op), "there is no " + what)
        .with_cause(std::move(cause));
  if (status == 403 || status == 401)
    return make_error(ErrorCode::kPermissionDenied, std::move(op), "the store refuses " + what)
        .with_hint("check the permissions of the access key")
        .with_cause(std::move(cause));
  if (status == 507)
    return make_error(ErrorCode::kDiskFull, std::move(op), "the store is full")
        .with_cause(std::move(cause));
  return make_error(ErrorCode::kIo, std::move(op), "the store does not take " + what)
      .with_cause(std::move(cause));
}

S3Bucket::S3Bucket(std::unique_ptr<aws::Client> client, const S3Settings& settings)
    : client_(std::move(client)),
      bucket_(settings.bucket),
      virtual_host_(settings.virtual_host),
      compliance_(!settings.ledger_lock || settings.ledger_lock->compliance) {}

aws::Request S3Bucket::request(std::string method, const std::string& key) const {
  aws::Request made;
  made.method = std::move(method);
  if (virtual_host_) {
    made.bucket = bucket_;
    made.path = "/" + key;
  } else {
    made.path = "/" + bucket_ + (key.empty() ? "" : "/" + key);
  }
  return made;
}

Result<std::string> S3Bucket::put(const std::string& key, ByteView body, const PutOptions& options,
                                  const std::atomic<bool>* cancelled) {
  aws::Request put = request("PUT", key);
  put.body = body;
  const Sha256Digest digest = Sha256::of(body);
  put.body_sha256 = to_hex(digest);
  put.cancelled = cancelled;
  put.headers = {{"content-type", "application/octet-stream"},
                 {"x-amz-sdk-checksum-algorithm", "SHA256"},
                 {"x-amz-checksum-sha256", to_base64(digest)},
                 {kDigestHeader, put.body_sha256}};
  if (!options.tags.empty()) put.headers.emplace_back("x-amz-tagging", options.tags);
  if (options.kms_key) {
    put.headers.emplace_back("x-amz-server-side-encryption", "aws:kms");
    put.headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", *options.kms_key);
  }
  if (options.locked_until) {
    put.headers.emplace_back("x-amz-object-lock-mode", compliance_ ? "COMPLIANCE" : "GOVERNANCE");
    put.headers.emplace_back("x-amz-object-lock-retain-until-date",
                             lock_date(*options.locked_until));
  }
  OA_ASSIGN(const aws::Response answer, client_->send(put));
  if (!answer.ok()) return s3_error("object.put", "the object", answer);
  const std::string native(answer.head.header("x-amz-version-id"));
  const bool versioned = !native.empty() && native != "null";
  if (versioned && (!options.kms_key || honoured(answer, *options.kms_key))) return native;
  if (!versioned) {
    return discard(key, "",
                   make_error(ErrorCode::kIo, "object.put", "the bucket keeps no versions")
                       .with_hint("turn versioning on"));
  }
  return discard(key, native,
                 make_error(ErrorCode::kIo, "object.put",
                            "the store did not encrypt with the tenant's KMS key")
                     .with_hint("see that the store supports SSE-KMS and knows the key"));
}

// Removes what should not have been stored: this version, or what is there when its id is not
// known.
Error S3Bucket::discard(const std::string& key, const std::string& native, Error why) {
  std::vector<NativeVersion> made(1);
  made[0].key = key;
  made[0].id = native;
  if (native.empty()) {
    auto found = versions_of(key);
    if (!found.ok()) return std::move(why).with_cause("what was put may be there still");
    made = *std::move(found);
  }
  const auto refused = remove(made);
  return std::move(why).with_cause(refused.ok() && *refused == 0
                                       ? "what was put is removed"
                                       : "what was put may be there still");
}

Result<std::string> S3Bucket::read(const std::string& key, const std::string& native,
                                   std::uint64_t size, std::uint64_t offset,
                                   std::span<std::uint8_t> out,
                                   const std::atomic<bool>* cancelled) {
  auto first = read_once(key, native, size, offset, out, cancelled);
  if (first.ok() || first.error().code != ErrorCode::kSealCorrupt) return first;
  return read_once(key, native, size, offset, out, cancelled);
}

Result<std::string> S3Bucket::read_once(const std::string& key, const std::string& native,
                                        std::uint64_t size, std::uint64_t offset,
                                        std::span<std::uint8_t> out,
                                        const std::atomic<bool>* cancelled) {
  OA_ASSERT(offset <= size && out.size() <= size - offset);
  const bool whole = out.size() == size;
  aws::Request get = request("GET", key);
  if (!native.empty()) get.query = {{"versionId", native}};
  const std::string range = std::to_string(offset) + "-" + std::to_string(offset + out.size() - 1);
  if (!whole) get.headers = {{"range", "bytes=" + range}};
  IntoSpan sink(out);
  get.sink = &sink;
  get.cancelled = cancelled;
  OA_ASSIGN(const aws::Response answer, client_->send(get));
  if (answer.head.status == 416) return damaged("it is shorter than it was");
  if (!answer.ok()) return s3_error("object.get", "such version of the object", answer);
  if (whole ? answer.head.status != 200 : answer.head.status != 206)
    return damaged("HTTP " + std::to_string(answer.head.status) + " to a range");
  if (!whole &&
      answer.head.header("content-range") != "bytes " + range + "/" + std::to_string(size))
    return damaged("another range than was asked for");
  if (!sink.full()) return damaged("another length than it should have");
  if (whole && answer.head.header(kDigestHeader) != to_hex(Sha256::of(out)))
    return damaged("another digest than it should have");
  return std::string(answer.head.header("x-amz-version-id"));
}

Result<S3Bucket::Fetched> S3Bucket::fetch(const std::string& key, const std::string& native,
                                          std::size_t max_bytes) {
  aws::Request get = request("GET", key);
  if (!native.empty()) get.query = {{"versionId", native}};
  get.max_body_bytes = max_bytes;
  for (int attempt = 0;; ++attempt) {
    OA_ASSIGN(aws::Response answer, client_->send(get));
    if (!answer.ok()) return s3_error("object.get", "such version of the object", answer);
    if (answer.head.header(kDigestHeader) == to_hex(Sha256::of(answer.body)))
      return Fetched{std::move(answer.body), std::string(answer.head.header("x-amz-version-id"))};
    if (attempt > 0) return damaged("another digest than it should have");
  }
}

Result<NativePage> S3Bucket::list(const std::string& prefix, const std::string& key_marker,
                                  const std::string& id_marker, std::size_t max) {
  aws::Request get = request("GET", "");
  get.max_body_bytes = kMaxListing;
  get.query = {
      {"versions", ""}, {"prefix", prefix}, {"max-keys", std::to_string(std::min(max, kMaxPage))}};
  if (!key_marker.empty()) get.query.emplace_back("key-marker", key_marker);
  if (!id_marker.empty()) get.query.emplace_back("version-id-marker", id_marker);
  OA_ASSIGN(const aws::Response answer, client_->send(get));
  if (!answer.ok()) return s3_error("object.list", "the listing", answer);
  OA_ASSIGN(const XmlElement root, parse_xml(answer.body));
  if (root.name != "ListVersionsResult") {
    return make_error(ErrorCode::kIo, "object.list", "an answer of the store is not understood")
        .with_cause("no ListVersionsResult");
  }
  NativePage page;
  for (const auto& element : root.children)
    if (element.name == "Version" || element.name == "DeleteMarker")
      page.versions.push_back(native_of(element));
  page.more = root.text_of("IsTruncated") == "true";
  page.next_key = root.text_of("NextKeyMarker");
  page.next_id = root.text_of("NextVersionIdMarker");
  if (page.more && (page.next_key.empty() || page.next_key < key_marker ||
                    (page.next_key == key_marker && page.next_id == id_marker))) {
    return make_error(ErrorCode::kIo, "object.list", "an answer of the store is not understood")
        .with_cause("a page that is not the last does not lead on");
  }
  return page;
}

Result<std::vector<NativeVersion>> S3Bucket::list_all(const std::string& prefix) {
  std::vector<NativeVersion> all;
  NativePage page;
  do {
    OA_ASSIGN(page, list(prefix, page.next_key, page.next_id, kMaxPage));
    if (all.size() + page.versions.size() > kMaxListed) {
      return make_error(ErrorCode::kLimitExceeded, "object.list",
                        "there are more than a million versions of one object");
    }
    std::ranges::move(page.versions, std::back_inserter(all));
  } while (page.more);
  return all;
}

Result<std::vector<NativeVersion>> S3Bucket::versions_of(const std::string& key) {
  OA_ASSIGN(auto all, list_all(key));
  std::erase_if(all, [&](const NativeVersion& native) { return native.key != key; });
  return all;
}

Result<std::size_t> S3Bucket::remove(std::span<const NativeVersion> versions) {
  std::size_t refused = 0;
  if (versions.size() <= kFewRemovals) {
    for (const auto& version : versions) OA_TRY(remove_one(version, refused));
    return refused;
  }
  while (!versions.empty()) {
    const auto now = versions.first(std::min(versions.size(), kMaxPage));
    OA_TRY(remove_many(now, refused));
    versions = versions.subspan(now.size());
  }
  return refused;
}

Status S3Bucket::remove_one(const NativeVersion& version, std::size_t& refused) {
  aws::Request remove = request("DELETE", version.key);
  if (!version.id.empty()) remove.query = {{"versionId", version.id}};
  OA_ASSIGN(const aws::Response answer, client_->send(remove));
  if (answer.ok() || answer.head.status == 404) return {};
  if (answer.head.status != 403 || answer.error_code != "AccessDenied")
    return s3_error("object.remove", "the removal", answer);
  ++refused;
  return {};
}

Status S3Bucket::remove_many(std::span<const NativeVersion> versions, std::size_t& refused) {
  std::string body =
      "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
  for (const auto& version : versions) {
    body += "<Object><Key>" + xml_escaped(version.key) + "</Key><VersionId>" +
            xml_escaped(version.id) + "</VersionId></Object>";
  }
  body += "</Delete>";
  aws::Request post = request("POST", "");
  post.query = {{"delete", ""}};
  post.headers = with_checksum(as_bytes(body));
  post.body = as_bytes(body);
  OA_ASSIGN(const aws::Response answer, client_->send(post));
  if (!answer.ok()) return s3_error("object.remove", "the removal", answer);
  OA_ASSIGN(const XmlElement root, parse_xml(answer.body));
  for (const auto& element : root.children) {
    if (element.name != "Error" || element.text_of("Code") == "NoSuchKey" ||
        element.text_of("Code") == "NoSuchVersion")
      continue;
    if (element.text_of("Code") != "AccessDenied") {
      return make_error(ErrorCode::kIo, "object.remove", "the store did not remove everything")
          .with_cause(std::string(element.text_of("Code").substr(0, 64)));
    }
    ++refused;
  }
  return {};
}

Status S3Bucket::lock(const std::string& key, const std::string& native, Timestamp until) {
  const std::string body = "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>" +
                           std::string(compliance_ ? "COMPLIANCE" : "GOVERNANCE") +
                           "</Mode><RetainUntilDate>" + lock_date(until) +
                           "</RetainUntilDate></Retention>";
  aws::Request put = request("PUT", key);
  put.query = {{"retention", ""}, {"versionId", native}};
  put.headers = with_checksum(as_bytes(body));
  put.body = as_bytes(body);
  OA_ASSIGN(const aws::Response answer, client_->send(put));
  if (!answer.ok()) return s3_error("object.lock", "the lock", answer);
  return {};
}

Result<bool> S3Bucket::keeps_versions() {
  aws::Request get = request("GET", "");
  get.query = {{"versioning", ""}};
  OA_ASSIGN(const aws::Response answer, client_->send(get));
  if (!answer.ok()) return s3_error("object_store.open", "bucket of that name", answer);
  OA_ASSIGN(const XmlElement root, parse_xml(answer.body));
  return root.text_of("Status") == "Enabled";
}

Result<bool> S3Bucket::can_lock() {
  aws::Request get = request("GET", "");
  get.query = {{"object-lock", ""}};
  OA_ASSIGN(const aws::Response answer, client_->send(get));
  if (answer.error_code == "ObjectLockConfigurationNotFoundError" || answer.head.status == 501)
    return false;
  if (!answer.ok()) return s3_error("object_store.open", "the question for its locks", answer);
  OA_ASSIGN(const XmlElement root, parse_xml(answer.body));
  return root.text_of("ObjectLockEnabled") == "Enabled";
}

Result<std::string> S3Bucket::presigned_get(const std::string& key, const std::string& native,
                                            std::chrono::seconds lifetime) {
  aws::Request get = request("GET", key);
  if (!native.empty()) get.query = {{"versionId", native}};
  return client_->presign_get(get, lifetime);
}

}  // namespace oa
