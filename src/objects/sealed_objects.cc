#include "oa/objects/sealed_objects.h"

#include <mutex>

#include "oa/crypto/seal.h"
#include "oa/objects/damage_log.h"
#include "oa/objects/unseal.h"

namespace oa {
namespace {

constexpr std::size_t kMaxPlaces = 2;  // of get_copy()

// Bound into every chunk, so that an object under another tenant, class or name does not open.
std::string context_of(const ObjectKey& key) {
  return "oa-object:v1:" + key.tenant.str() + ":" + std::string(to_text(key.retention_class)) +
         ":" + key.name;
}

KeyPurpose purpose_of(RetentionClass retention_class) {
  switch (retention_class) {
    case RetentionClass::kRows:
      return KeyPurpose::kRows;
    case RetentionClass::kOriginals:
      return KeyPurpose::kOriginals;
    case RetentionClass::kArchives:
      return KeyPurpose::kArchives;
    case RetentionClass::kWal:
      return KeyPurpose::kWal;
    case RetentionClass::kLedger:
      return KeyPurpose::kLedger;
  }
  OA_ASSERT(false);
}

class SealingWriter final : public ObjectWriter {
 public:
  SealingWriter(std::unique_ptr<ObjectWriter> stored, std::unique_ptr<SealWriter> seal)
      : stored_(std::move(stored)), seal_(std::move(seal)) {}

  Status write(ByteView bytes) override { return seal_->write(bytes); }
  Result<VersionId> commit() override {
    OA_TRY(seal_->finish());
    return stored_->commit();
  }

 private:
  std::unique_ptr<ObjectWriter> stored_;  // what seal_ writes to
  std::unique_ptr<SealWriter> seal_;
};

// What may be damage, so that the scrub looks at it soon.
void note(const Error& error, const ObjectKey& key, const VersionId& version) {
  if (error.code == ErrorCode::kSealCorrupt || error.code == ErrorCode::kNotFound ||
      error.code == ErrorCode::kIo)
    damage_log().note(key, version);
}

WrappedKey key_in(SealHeader header) {
  return {std::move(header.key_id), std::move(header.wrapped_key)};
}

Result<WrappedKey> wrapped_key_of(const RangedSource& stored, RewrappedKeys* rewrapped,
                                  const ObjectKey& key, const VersionId& version) {
  OA_ASSIGN(SealHeader header, read_seal_header(stored));
  auto anew = rewrapped == nullptr ? std::nullopt : rewrapped->find(key, version);
  return anew.has_value() ? *std::move(anew) : key_in(std::move(header));
}

Result<std::unique_ptr<RangedSource>> unseal_with(KeyService& keys, const ObjectKey& key,
                                                  std::unique_ptr<RangedSource> stored,
                                                  const WrappedKey& wrapped) {
  OA_ASSIGN(const SecretBytes data_key,
            keys.unwrap(key.tenant, purpose_of(key.retention_class), wrapped));
  OA_ASSIGN(auto opened, SealedSource::open(std::move(stored), data_key, context_of(key)));
  return std::unique_ptr<RangedSource>(std::move(opened));
}

// What unsealing one version needs, again for each of its copies.
struct Unsealer {
  ObjectStore& store;
  KeyService& keys;
  RewrappedKeys* rewrapped;
  ObjectKey key;
  VersionId version;

  Result<std::unique_ptr<RangedSource>> unseal(std::unique_ptr<RangedSource> stored) const {
    OA_ASSIGN(const WrappedKey wrapped, wrapped_key_of(*stored, rewrapped, key, version));
    return unseal_with(keys, key, std::move(stored), wrapped);
  }
  Result<std::unique_ptr<RangedSource>> unseal_copy(std::size_t place) const;
};

Result<std::unique_ptr<RangedSource>> Unsealer::unseal_copy(std::size_t place) const {
  OA_ASSIGN(auto stored, store.get_copy(key, version, place));
  return unseal(std::move(stored));
}

// Goes to another copy where the one it reads is damaged.
class HealingSource final : public RangedSource {
 public:
  HealingSource(Unsealer unsealer, std::unique_ptr<RangedSource> opened)
      : unsealer_(std::move(unsealer)), size_(opened->size()), current_(std::move(opened)) {}

  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    const Status read = current()->read_at(offset, out);
    if (!read.ok()) note(read.error(), unsealer_.key, unsealer_.version);
    if (read.ok() || read.error().code != ErrorCode::kSealCorrupt) return read;
    for (std::size_t place = 0; place < kMaxPlaces; ++place) {
      auto copy = unsealer_.unseal_copy(place);
      if (!copy.ok() || (*copy)->size() != size_ || !(*copy)->read_at(offset, out).ok()) continue;
      const std::lock_guard lock(mutex_);
      current_ = *std::move(copy);
      return {};
    }
    return read;
  }

 private:
  std::shared_ptr<RangedSource> current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  const Unsealer unsealer_;
  const std::uint64_t size_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<RangedSource> current_;  // shared with reads under way
};

}  // namespace

Result<std::unique_ptr<RangedSource>> open_sealed(KeyService& keys, const ObjectKey& key,
                                                  std::unique_ptr<RangedSource> stored) {
  OA_ASSIGN(SealHeader header, read_seal_header(*stored));
  return unseal_with(keys, key, std::move(stored), key_in(std::move(header)));
}

Result<std::unique_ptr<ObjectWriter>> SealedObjects::create(const ObjectKey& key) {
  OA_ASSIGN(auto stored, store_.put(key));
  OA_ASSIGN(const DataKey data_key,
            keys_.generate_data_key(key.tenant, purpose_of(key.retention_class)));
  OA_ASSIGN(auto seal, SealWriter::create(*stored, {data_key.wrapped.key_id, data_key.wrapped.blob},
                                          data_key.plaintext, context_of(key)));
  return std::unique_ptr<ObjectWriter>(new SealingWriter(std::move(stored), std::move(seal)));
}

Result<WrappedKey> SealedObjects::wrapped_key(const ObjectKey& key, const VersionId& version) {
  OA_ASSIGN(const auto stored, store_.get(key, version));
  return wrapped_key_of(*stored, rewrapped_, key, version);
}

Result<WrappedKey> SealedObjects::rewrap(const ObjectKey& key, const WrappedKey& wrapped) {
  return keys_.rewrap(key.tenant, purpose_of(key.retention_class), wrapped);
}

Result<std::unique_ptr<RangedSource>> SealedObjects::open(const ObjectKey& key,
                                                          const VersionId& version) {
  Unsealer unsealer{store_, keys_, rewrapped_, key, version};
  auto stored = store_.get(key, version);
  auto opened = stored.ok() ? unsealer.unseal(*std::move(stored)) : std::move(stored);
  if (!opened.ok()) note(opened.error(), key, version);
  const auto damaged = [&] { return opened.error().code == ErrorCode::kSealCorrupt; };
  for (std::size_t place = 0; !opened.ok() && damaged() && place < kMaxPlaces; ++place)
    if (auto copy = unsealer.unseal_copy(place); copy.ok()) opened = std::move(copy);
  if (!opened.ok()) return opened.error();
  return std::unique_ptr<RangedSource>(new HealingSource(std::move(unsealer), *std::move(opened)));
}

Result<std::uint64_t> SealedObjects::plaintext_size(const ObjectKey& key,
                                                    const VersionId& version) {
  OA_ASSIGN(const auto opened, open(key, version));
  return opened->size();
}

Status SealedObjects::remove(const ObjectKey& key, const VersionId& version) {
  return store_.remove(key, version);
}

}  // namespace oa
