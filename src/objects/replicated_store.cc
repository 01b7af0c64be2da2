#include "oa/objects/replicated_store.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "oa/base/error.h"

namespace oa {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxDamaged = 1000;
constexpr std::size_t kPrimary = 0, kReplica = 1;

bool is_damage(ErrorCode code) { return code == ErrorCode::kSealCorrupt; }
bool fails_over(ErrorCode code) {
  return code == ErrorCode::kObjectStoreUnavailable || is_damage(code);
}

// Damage here and no answer there may be cured by waiting.
Error both_failed(Error primary, const Error& replica) {
  if (is_damage(primary.code) && replica.code == ErrorCode::kObjectStoreUnavailable) {
    return make_error(replica.code, replica.op,
                      "the object is damaged, and the replica of the object store does not answer")
        .with_hint("try again when the replica is back")
        .with_cause(primary.message);
  }
  const std::string own = primary.cause.empty() ? "" : primary.cause + "; ";
  return std::move(primary).with_cause(own + "the replica: " + replica.message);
}

Error nobody_knows(const Error& primary) {
  return make_error(ErrorCode::kObjectStoreUnavailable, "object.read",
                    "the object store does not answer, and its replica does not have this (yet)")
      .with_hint("try again when the primary region is back")
      .with_cause(primary.message);
}

// Both sides, and what is known of them. Shared with the sources, which may outlive the store.
class Sides {
 public:
  Sides(std::unique_ptr<S3Store> primary, std::unique_ptr<S3Store> replica,
        ReplicatedSettings settings)
      : primary_(std::move(primary)), replica_(std::move(replica)), settings_(settings) {}

  S3Store& primary() { return *primary_; }
  S3Store& replica() { return *replica_; }
  S3Store& at(std::size_t place) { return place == kPrimary ? *primary_ : *replica_; }

  bool primary_first();
  bool look_again();
  void heard(std::size_t place, const Status& answer);
  void note_damage(const ObjectKey& key, const VersionId& version);
  std::vector<DamagedVersion> take_damaged();
  ReplicatedCounts counts() const;

 private:
  const std::unique_ptr<S3Store> primary_, replica_;
  const ReplicatedSettings settings_;
  mutable std::mutex mutex_;
  ReplicatedCounts counts_;
  Clock::time_point look_at_{};
  bool looking_ = false;
  std::set<DamagedVersion> damaged_;
};

// One caller at a time finds out whether a primary that did not answer is back.
bool Sides::primary_first() {
  {
    const std::lock_guard lock(mutex_);
    if (counts_.primary_answers) return true;
    if (looking_ || Clock::now() < look_at_) return false;
    looking_ = true;
  }
  const bool answers = look_again();
  const std::lock_guard lock(mutex_);
  looking_ = false;
  return answers;
}

bool Sides::look_again() {
  const Status seen = primary_->look();
  const bool answers = seen.ok() || seen.error().code != ErrorCode::kObjectStoreUnavailable;
  const std::lock_guard lock(mutex_);
  counts_.primary_answers = answers;
  look_at_ = Clock::now() + settings_.rest;
  return answers;
}

void Sides::heard(std::size_t place, const Status& answer) {
  const std::lock_guard lock(mutex_);
  if (place == kReplica) {
    if (answer.ok()) ++counts_.replica_reads;
    return;
  }
  const bool gone = !answer.ok() && answer.error().code == ErrorCode::kObjectStoreUnavailable;
  if (gone) {
    if (counts_.primary_answers) ++counts_.outages;
    look_at_ = Clock::now() + settings_.rest;
  }
  counts_.primary_answers = !gone;
}

void Sides::note_damage(const ObjectKey& key, const VersionId& version) {
  const std::lock_guard lock(mutex_);
  ++counts_.damaged_copies;
  if (damaged_.size() < kMaxDamaged) damaged_.insert({key, version});
}

std::vector<DamagedVersion> Sides::take_damaged() {
  const std::lock_guard lock(mutex_);
  std::vector<DamagedVersion> taken(damaged_.begin(), damaged_.end());
  damaged_.clear();
  return taken;
}

ReplicatedCounts Sides::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

template <class T>
Status status_of(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

// `ask` is called with a place. Its answer, and the place that gave it.
template <class T>
struct Answer {
  T value;
  std::size_t place = kPrimary;
};

template <class T, class Ask>
Result<Answer<T>> ask_primary_first(Sides& sides, const Ask& ask) {
  Result<T> answer = ask(kPrimary);
  sides.heard(kPrimary, status_of(answer));
  if (answer.ok()) return Answer<T>{*std::move(answer), kPrimary};
  if (!fails_over(answer.error().code)) return answer.error();
  Result<T> other = ask(kReplica);
  sides.heard(kReplica, status_of(other));
  if (other.ok()) return Answer<T>{*std::move(other), kReplica};
  if (other.error().code == ErrorCode::kNotFound && !is_damage(answer.error().code))
    return nobody_knows(answer.error());
  return both_failed(std::move(answer).error(), other.error());
}

template <class T, class Ask>
Result<Answer<T>> ask_either(Sides& sides, const Ask& ask) {
  if (sides.primary_first()) return ask_primary_first<T>(sides, ask);
  Result<T> answer = ask(kReplica);
  sides.heard(kReplica, status_of(answer));
  if (answer.ok()) return Answer<T>{*std::move(answer), kReplica};
  if (sides.look_again()) return ask_primary_first<T>(sides, ask);
  return nobody_knows(answer.error());
}

// One version, read from the one side until that fails, then from the other.
class Source final : public RangedSource {
 public:
  Source(std::shared_ptr<Sides> sides, ObjectKey key, VersionId version,
         Answer<std::unique_ptr<RangedSource>> opened)
      : sides_(std::move(sides)),
        key_(std::move(key)),
        version_(std::move(version)),
        size_(opened.value->size()),
        place_(opened.place),
        current_(std::move(opened.value)) {}

  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 private:
  using Shared = std::shared_ptr<RangedSource>;  // other readers may be in the one before
  Result<Shared> open_at(std::size_t place) const;
  Status failed(std::size_t place, Error error) const;

  const std::shared_ptr<Sides> sides_;
  const ObjectKey key_;
  const VersionId version_;
  const std::uint64_t size_;
  mutable std::mutex mutex_;
  mutable std::size_t place_;
  mutable Shared current_;
};

Result<Source::Shared> Source::open_at(std::size_t place) const {
  OA_ASSIGN(auto opened, sides_->at(place).get(key_, version_));
  if (opened->size() == size_) return Shared(std::move(opened));
  return make_error(ErrorCode::kSealCorrupt, "object.read",
                    "primary and replica have different lengths of a version");
}

// What the version was opened with was there: a piece that is not there now is damage.
Status Source::failed(std::size_t place, Error error) const {
  if (error.code == ErrorCode::kNotFound) {
    error = make_error(ErrorCode::kSealCorrupt, "object.read", "a part of the object is missing")
                .with_cause(error.message);
  }
  sides_->heard(place, error);
  if (is_damage(error.code)) sides_->note_damage(key_, version_);
  return error;
}

Status Source::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  std::size_t place = kPrimary;
  Shared source;
  {
    const std::lock_guard lock(mutex_);
    place = place_;
    source = current_;
  }
  Status read = source->read_at(offset, out);
  if (read.ok()) return read;
  if (!fails_over(read.error().code) && read.error().code != ErrorCode::kNotFound) return read;
  read = failed(place, std::move(read).error());
  const std::size_t other = 1 - place;
  const auto opened = open_at(other);
  const Status again = opened.ok() ? (*opened)->read_at(offset, out) : Status(opened.error());
  sides_->heard(other, again);
  if (again.ok()) {
    const std::lock_guard lock(mutex_);
    place_ = other;
    current_ = *opened;
    return again;
  }
  const Error& primary = place == kPrimary ? read.error() : again.error();
  const Error& replica = place == kPrimary ? again.error() : read.error();
  return both_failed(primary, replica);
}

class Store final : public ReplicatedStore {
 public:
  explicit Store(std::shared_ptr<Sides> sides) : sides_(std::move(sides)) {}

  Result<std::unique_ptr<ObjectWriter>> put(const ObjectKey& key) override {
    return sides_->primary().put(key);
  }
  Result<std::unique_ptr<RangedSource>> get(const ObjectKey& key,
                                            const VersionId& version) override;
  Result<std::unique_ptr<RangedSource>> get_copy(const ObjectKey& key, const VersionId& version,
                                                 std::size_t place) override;
  Result<ObjectVersion> head(const ObjectKey& key) override;
  Result<std::vector<ObjectVersion>> list(TenantId tenant, RetentionClass retention_class,
                                          std::string_view after, std::size_t limit) override;
  Result<std::vector<ObjectVersion>> list_versions(const ObjectKey& key) override;
  Status remove(const ObjectKey& key, const VersionId& version) override;
  StoreCapabilities capabilities() const override { return sides_->primary().capabilities(); }

  S3Store& primary() override { return sides_->primary(); }
  S3Store& replica() override { return sides_->replica(); }
  std::vector<DamagedVersion> take_damaged() override { return sides_->take_damaged(); }
  ReplicatedCounts counts() const override { return sides_->counts(); }

 private:
  const std::shared_ptr<Sides> sides_;
};

Result<std::unique_ptr<RangedSource>> Store::get(const ObjectKey& key, const VersionId& version) {
  using Opened = std::unique_ptr<RangedSource>;
  OA_ASSIGN(auto opened, ask_either<Opened>(*sides_, [&](std::size_t place) {
              auto got = sides_->at(place).get(key, version);
              if (!got.ok() && is_damage(got.error().code)) sides_->note_damage(key, version);
              return got;
            }));
  return Opened(new Source(sides_, key, version, std::move(opened)));
}

Result<std::unique_ptr<RangedSource>> Store::get_copy(const ObjectKey& key,
                                                      const VersionId& version, std::size_t place) {
  if (place > kReplica) return ObjectStore::get_copy(key, version, place);
  if (place == kPrimary) sides_->note_damage(key, version);
  auto got = sides_->at(place).get(key, version);
  sides_->heard(place, status_of(got));
  return got;
}

Result<ObjectVersion> Store::head(const ObjectKey& key) {
  OA_ASSIGN(auto answer, ask_either<ObjectVersion>(*sides_, [&](std::size_t place) {
              return sides_->at(place).head(key);
            }));
  return std::move(answer.value);
}

Result<std::vector<ObjectVersion>> Store::list(TenantId tenant, RetentionClass retention_class,
                                               std::string_view after, std::size_t limit) {
  using Listed = std::vector<ObjectVersion>;
  OA_ASSIGN(auto answer, ask_either<Listed>(*sides_, [&](std::size_t place) {
              return sides_->at(place).list(tenant, retention_class, after, limit);
            }));
  return std::move(answer.value);
}

Result<std::vector<ObjectVersion>> Store::list_versions(const ObjectKey& key) {
  using Listed = std::vector<ObjectVersion>;
  OA_ASSIGN(auto answer, ask_either<Listed>(*sides_, [&](std::size_t place) -> Result<Listed> {
              OA_ASSIGN(auto listed, sides_->at(place).list_versions(key));
              if (place == kPrimary || !listed.empty()) return listed;
              return make_error(ErrorCode::kNotFound, "object.list",
                                "the replica knows no such object");
            }));
  return std::move(answer.value);
}

Status Store::remove(const ObjectKey& key, const VersionId& version) {
  const bool locked =
      sides_->primary().capabilities().write_once && key.retention_class == RetentionClass::kLedger;
  if (locked) return sides_->primary().remove(key, version);
  const Status there = sides_->replica().remove(key, version);
  const bool may_go_on = there.ok() || there.error().code == ErrorCode::kNotFound ||
                         there.error().code == ErrorCode::kPermissionDenied;
  if (!may_go_on) return there;
  const Status here = sides_->primary().remove(key, version);
  // The replication may have been quicker.
  if (!here.ok() && here.error().code == ErrorCode::kNotFound && there.ok()) return {};
  return here;
}

}  // namespace

std::unique_ptr<ReplicatedStore> open_replicated_store(std::unique_ptr<S3Store> primary,
                                                       std::unique_ptr<S3Store> replica,
                                                       ReplicatedSettings settings) {
  OA_ASSERT(primary != nullptr && replica != nullptr);
  return std::make_unique<Store>(
      std::make_shared<Sides>(std::move(primary), std::move(replica), settings));
}

}  // namespace oa
