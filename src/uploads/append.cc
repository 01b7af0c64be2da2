#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "oa/crypto/hash.h"
#include "oa/crypto/sha1.h"
#include "parts.h"

namespace oa::uploads {
namespace {

constexpr std::int64_t kHourUs = std::int64_t{3600} * 1'000'000;

// Compares what arrives with what the sender says of it.
class ChecksumCheck {
 public:
  explicit ChecksumCheck(Checksum expected) : expected_(std::move(expected)) {
    if (expected_.algorithm == ChecksumAlgorithm::kSha1) hash_.emplace<Sha1>();
  }
  void update(ByteView bytes) {
    std::visit([&](auto& hash) { hash.update(bytes); }, hash_);
  }
  bool matches() {
    return std::visit(
        [&](auto& hash) {
          const auto digest = hash.finish();
          return std::ranges::equal(digest, expected_.digest);
        },
        hash_);
  }

 private:
  const Checksum expected_;
  std::variant<Sha256, Sha1> hash_;
};

class PartsAppend final : public Append {
 public:
  PartsAppend(catalog::Database& database, SealedObjects& objects, AppendPlan plan,
              const Limits& limits)
      : database_(database),
        objects_(objects),
        plan_(std::move(plan)),
        part_bytes_(limits.part_bytes),
        lease_(limits.lease),
        counted_(plan_.offset_bytes),
        arrived_(plan_.offset_bytes),
        part_start_(plan_.offset_bytes) {
    if (plan_.checksum.has_value()) checksum_.emplace(*plan_.checksum);
  }

  ~PartsAppend() override {
    if (over_) return;
    if (checksum_.has_value()) {
      discard();
      release();
    } else {
      (void)finish();
    }
  }

  Status write(ByteView bytes) override {
    OA_ASSERT(!over_);
    if (failure_.has_value()) return *failure_;
    if (bytes.size() > plan_.length_bytes - arrived_) {
      return make_error(
                 ErrorCode::kLimitExceeded, "upload.append",
                 fmt::format("more bytes than the {} that were declared", plan_.length_bytes))
          .with_hint("begin a new upload with the right length");
    }
    if (checksum_.has_value()) checksum_->update(bytes);
    Status status = hold();
    while (status.ok() && !bytes.empty()) status = take(bytes);
    if (status.ok()) return status;
    part_.reset();
    failure_ = status.error();
    return status;
  }

  Result<std::uint64_t> finish() override {
    OA_ASSERT(!over_);
    over_ = true;
    auto counted = keep();
    release();
    return counted;
  }

 private:
  Result<std::uint64_t> keep() {
    const bool refused = checksum_.has_value() && !checksum_->matches();
    if (checksum_.has_value() && (refused || failure_.has_value())) discard();
    if (failure_.has_value()) return *failure_;
    if (refused) {
      return make_error(ErrorCode::kUploadChecksum, "upload.append",
                        "what arrived is not what was sent; nothing of it was kept")
          .with_hint("send the same bytes again");
    }
    if (part_ != nullptr) OA_TRY(end_part());
    OA_TRY(count());
    return counted_;
  }

  Status hold() {
    const auto now = std::chrono::steady_clock::now();
    if (now - held_at_ < lease_ / 3) return {};
    OA_ASSIGN(auto transaction, database_.begin(plan_.tenant));
    OA_TRY(catalog::Uploads(transaction).hold(plan_.id, plan_.fence, lease_));
    OA_TRY(transaction.commit());
    held_at_ = now;
    return {};
  }

  // When that fails, time does it.
  void release() {
    auto transaction = database_.begin(plan_.tenant);
    if (!transaction.ok()) return;
    if (catalog::Uploads(*transaction).release(plan_.id, plan_.fence).ok())
      (void)transaction->commit();
  }

  // As much of `bytes` as fits into the part.
  Status take(ByteView& bytes) {
    if (part_ == nullptr) {
      if (plan_.parts_left == 0) {
        return make_error(ErrorCode::kLimitExceeded, "upload.append",
                          "the upload was sent in too many pieces")
            .with_hint("begin a new upload and send larger pieces");
      }
      OA_ASSIGN(part_, objects_.create(part_key(plan_.tenant, plan_.id, part_start_)));
      --plan_.parts_left;
    }
    const std::uint64_t room = part_bytes_ - (arrived_ - part_start_);
    const auto now =
        bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), room)));
    OA_TRY(part_->write(now));
    arrived_ += now.size();
    bytes = bytes.subspan(now.size());
    return now.size() == room ? end_part() : Status();
  }

  Status end_part() {
    OA_ASSIGN(auto version, part_->commit());
    part_.reset();
    pending_.push_back({part_start_, arrived_ - part_start_, std::move(version.value)});
    part_start_ = arrived_;
    return checksum_.has_value() ? Status() : count();
  }

  // Nothing is removed when this fails: its commit may hold all the same.
  Status count() {
    if (pending_.empty()) return {};
    OA_ASSIGN(auto transaction, database_.begin(plan_.tenant));
    const int hours = arrived_ == plan_.length_bytes ? kWholeHours : kUnfinishedHours;
    OA_TRY(catalog::Uploads(transaction)
               .append(plan_.id, plan_.fence, counted_, pending_,
                       Timestamp{Timestamp::now().unix_us + hours * kHourUs}));
    OA_TRY(transaction.commit());
    pending_.clear();
    counted_ = arrived_;
    return {};
  }

  // What cannot be removed now, a sweep removes.
  void discard() {
    part_.reset();
    for (const auto& part : pending_) {
      (void)objects_.remove(part_key(plan_.tenant, plan_.id, part.start_bytes),
                            VersionId{part.object_version});
    }
    pending_.clear();
  }

  catalog::Database& database_;
  SealedObjects& objects_;
  AppendPlan plan_;
  const std::uint64_t part_bytes_;
  const std::chrono::milliseconds lease_;
  std::chrono::steady_clock::time_point held_at_ = std::chrono::steady_clock::now();
  std::uint64_t counted_;  // the row's offset
  std::uint64_t arrived_;
  std::uint64_t part_start_;
  std::optional<ChecksumCheck> checksum_;
  std::unique_ptr<ObjectWriter> part_;        // none between two parts
  std::vector<catalog::UploadPart> pending_;  // durable, and not counted yet
  std::optional<Error> failure_;              // of write(); finish() repeats it
  bool over_ = false;                         // after finish()
};

}  // namespace

std::unique_ptr<Append> begin_append(catalog::Database& database, SealedObjects& objects,
                                     AppendPlan plan, const Limits& limits) {
  return std::make_unique<PartsAppend>(database, objects, std::move(plan), limits);
}

}  // namespace oa::uploads
