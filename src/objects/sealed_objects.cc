#include "oa/objects/sealed_objects.h"

#include "oa/crypto/seal.h"

namespace oa {
namespace {

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

}  // namespace

Result<std::unique_ptr<ObjectWriter>> SealedObjects::create(const ObjectKey& key) {
  OA_ASSIGN(auto stored, store_.put(key));
  OA_ASSIGN(const DataKey data_key,
            keys_.generate_data_key(key.tenant, purpose_of(key.retention_class)));
  OA_ASSIGN(auto seal, SealWriter::create(*stored, {data_key.wrapped.key_id, data_key.wrapped.blob},
                                          data_key.plaintext, context_of(key)));
  return std::unique_ptr<ObjectWriter>(new SealingWriter(std::move(stored), std::move(seal)));
}

Result<std::unique_ptr<RangedSource>> SealedObjects::open(const ObjectKey& key,
                                                          const VersionId& version) {
  OA_ASSIGN(auto stored, store_.get(key, version));
  OA_ASSIGN(SealHeader header, read_seal_header(*stored));
  OA_ASSIGN(const SecretBytes data_key,
            keys_.unwrap(key.tenant, purpose_of(key.retention_class),
                         {std::move(header.key_id), std::move(header.wrapped_key)}));
  OA_ASSIGN(auto opened, SealedSource::open(std::move(stored), data_key, context_of(key)));
  return std::unique_ptr<RangedSource>(std::move(opened));
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
