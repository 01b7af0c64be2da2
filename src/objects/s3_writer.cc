#include <algorithm>
#include <atomic>
#include <deque>
#include <future>

#include "s3_index.h"
#include "s3_shared.h"

namespace oa {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFirstBuffer = 128 << 10;

// One segment on its way.
struct Upload {
  Bytes body;
  std::future<Result<std::string>> native;
};

class S3Writer final : public ObjectWriter {
 public:
  S3Writer(S3SharedPtr shared, ObjectKey key)
      : shared_(std::move(shared)), key_(std::move(key)), upload_(random_upload()) {
    options_ = put_options(*shared_, key_);
  }
  ~S3Writer() override;

  Status write(ByteView bytes) override;
  Result<VersionId> commit() override;

 private:
  bool segmented() const { return !natives_.empty() || !under_way_.empty(); }
  Status send_segment();
  Status finish_oldest();
  Status finish_segments();
  Status check_alive() const;
  Result<VersionId> publish(ByteView body);

  const S3SharedPtr shared_;
  const ObjectKey key_;
  const std::string upload_;
  PutOptions options_;
  std::atomic<bool> cancelled_ = false;
  Bytes buffer_;
  std::vector<Bytes> spare_;  // buffers to use again
  std::deque<std::unique_ptr<Upload>> under_way_;
  std::vector<std::string> natives_;  // of the segments that are stored
  std::size_t sent_ = 0;              // segments
  std::uint64_t size_bytes_ = 0;
  // By both clocks: one may be set back, the other stands still while a machine sleeps.
  Clock::time_point got_on_at_ = Clock::now();
  Timestamp got_on_time_ = Timestamp::now();
  bool open_ = true;
  bool reachable_ = true;       // the store, as far as the last request says
  bool keep_segments_ = false;  // committed, or it is not known
};

// What cannot be removed now, sweep() finds.
S3Writer::~S3Writer() {
  cancelled_ = true;
  under_way_.clear();  // waits
  if (keep_segments_ || sent_ == 0 || !reachable_) return;
  const auto left = shared_->bucket.list_all(shared_->names.upload_prefix(key_, upload_));
  if (left.ok()) (void)shared_->bucket.remove(*left).ok();
}

Status S3Writer::write(ByteView bytes) {
  if (!open_)
    return make_error(ErrorCode::kPreconditionFailed, "object.write", "this writer has ended");
  const std::size_t segment = shared_->settings.segment_bytes;
  while (!bytes.empty()) {
    if (buffer_.size() == segment) {
      const Status sent = send_segment();
      if (!sent.ok()) {
        open_ = false;
        return sent;
      }
    }
    const ByteView now = bytes.first(std::min(bytes.size(), segment - buffer_.size()));
    if (buffer_.capacity() < buffer_.size() + now.size()) {
      buffer_.reserve(std::min(
          segment, std::max({kFirstBuffer, buffer_.size() + now.size(), 4 * buffer_.size()})));
    }
    buffer_.insert(buffer_.end(), now.begin(), now.end());
    size_bytes_ += now.size();
    bytes = bytes.subspan(now.size());
  }
  return {};
}

// Starts sending the buffer, when few enough are under way.
Status S3Writer::send_segment() {
  while (under_way_.size() >= static_cast<std::size_t>(shared_->settings.uploads_at_once))
    OA_TRY(finish_oldest());
  auto upload = std::make_unique<Upload>();
  upload->body = std::exchange(buffer_, {});
  if (!spare_.empty()) {
    buffer_ = std::move(spare_.back());
    spare_.pop_back();
  }
  upload->native = std::async(
      std::launch::async,
      [this, &body = upload->body, name = shared_->names.segment_key(key_, upload_, sent_)] {
        return shared_->bucket.put(name, body, options_, &cancelled_);
      });
  ++sent_;
  under_way_.push_back(std::move(upload));
  return {};
}

Status S3Writer::finish_oldest() {
  const auto upload = std::move(under_way_.front());
  under_way_.pop_front();
  auto native = upload->native.get();
  reachable_ = native.ok() || native.error().code != ErrorCode::kObjectStoreUnavailable;
  if (!native.ok()) return native.error();
  natives_.push_back(*std::move(native));
  upload->body.clear();
  spare_.push_back(std::move(upload->body));
  got_on_at_ = Clock::now();
  got_on_time_ = Timestamp::now();
  return {};
}

Status S3Writer::finish_segments() {
  if (!buffer_.empty()) OA_TRY(send_segment());
  while (!under_way_.empty()) OA_TRY(finish_oldest());
  return {};
}

// Segments of a writer that stood still for long may have been swept away.
Status S3Writer::check_alive() const {
  const std::chrono::microseconds by_date(Timestamp::now().unix_us - got_on_time_.unix_us);
  const auto stood_still = std::max<Clock::duration>(Clock::now() - got_on_at_, by_date);
  if (!segmented() || stood_still < shared_->settings.abandoned_after / 2) return {};
  return make_error(ErrorCode::kTimeout, "object.commit", "the object took too long to be written")
      .with_hint("write it again");
}

Result<VersionId> S3Writer::commit() {
  if (!std::exchange(open_, false))
    return make_error(ErrorCode::kPreconditionFailed, "object.commit", "this writer has ended");
  if (!segmented()) return publish(buffer_);
  OA_TRY(check_alive());
  OA_TRY(finish_segments());
  OA_ASSIGN(const Bytes index,
            encode_s3_index({size_bytes_, shared_->settings.segment_bytes, natives_}));
  return publish(index);
}

// The one PUT that makes the version.
Result<VersionId> S3Writer::publish(ByteView body) {
  OA_ASSIGN(const auto newest, newest_version(*shared_, key_));
  S3Version version{Timestamp::now(), upload_, size_bytes_, segmented()};
  if (newest)
    version.created_at = std::max(version.created_at, Timestamp{newest->created_at.unix_us + 1});
  options_.locked_until = locked_until(*shared_, key_, version.created_at);
  if (options_.locked_until) {
    for (std::size_t i = 0; i < natives_.size(); ++i)
      OA_TRY(shared_->bucket.lock(shared_->names.segment_key(key_, upload_, i), natives_[i],
                                  *options_.locked_until));
  }
  const std::string name = shared_->names.version_key(key_, version);
  const auto native = shared_->bucket.put(name, body, options_, nullptr);
  keep_segments_ = true;
  if (native.ok()) return to_version_id(version);
  // It may be there all the same, or come to be there: then it must be whole. Where it cannot be
  // removed, it is a version that nobody names.
  const auto left = shared_->bucket.versions_of(name);
  const auto refused =
      left.ok() ? shared_->bucket.remove(*left) : Result<std::size_t>(left.error());
  keep_segments_ =
      native.error().code == ErrorCode::kObjectStoreUnavailable || !refused.ok() || *refused > 0;
  return native.error();
}

}  // namespace

PutOptions put_options(const S3Shared& shared, const ObjectKey& key) {
  PutOptions options;
  options.tags = "oa-class=" + std::string(to_text(key.retention_class));
  if (shared.settings.kms_key_of) options.kms_key = shared.settings.kms_key_of(key.tenant);
  return options;
}

std::optional<Timestamp> locked_until(const S3Shared& shared, const ObjectKey& key,
                                      Timestamp committed_at) {
  constexpr std::int64_t kDayUs = std::int64_t{86'400} * 1'000'000;
  const auto& lock = shared.settings.ledger_lock;
  if (!lock || key.retention_class != RetentionClass::kLedger) return std::nullopt;
  return Timestamp{committed_at.unix_us + lock->days * kDayUs};
}

std::unique_ptr<ObjectWriter> make_s3_writer(S3SharedPtr shared, const ObjectKey& key) {
  return std::make_unique<S3Writer>(std::move(shared), key);
}

}  // namespace oa
