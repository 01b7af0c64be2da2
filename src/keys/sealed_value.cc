#include "oa/crypto/seal.h"
#include "oa/keys/key_service.h"

namespace oa {
namespace {

constexpr std::size_t kMaxValueBytes = std::size_t{1} << 20;

std::string context_of(TenantId tenant, KeyPurpose purpose, std::string_view name) {
  return "oa-value:v1:" + tenant.str() + ":" + std::string(to_text(purpose)) + ":" +
         std::string(name);
}

Error too_long(std::string op) {
  return make_error(ErrorCode::kLimitExceeded, std::move(op), "a sealed value has at most 1 MiB");
}

}  // namespace

Result<Bytes> seal_value(KeyService& keys, TenantId tenant, KeyPurpose purpose,
                         std::string_view name, ByteView plaintext) {
  if (plaintext.size() > kMaxValueBytes) return too_long("value.seal");
  OA_ASSIGN(const DataKey key, keys.generate_data_key(tenant, purpose));
  MemorySink sink;
  OA_ASSIGN(const auto writer,
            SealWriter::create(sink, {key.wrapped.key_id, key.wrapped.blob}, key.plaintext,
                               context_of(tenant, purpose, name)));
  OA_TRY(writer->write(plaintext));
  OA_TRY(writer->finish());
  return sink.take();
}

Result<SecretBytes> unseal_value(KeyService& keys, TenantId tenant, KeyPurpose purpose,
                                 std::string_view name, ByteView sealed) {
  if (sealed.size() > 2 * kMaxValueBytes) return too_long("value.unseal");
  auto source = std::make_unique<MemorySource>(Bytes(sealed.begin(), sealed.end()));
  OA_ASSIGN(SealHeader header, read_seal_header(*source));
  OA_ASSIGN(
      const SecretBytes key,
      keys.unwrap(tenant, purpose, {std::move(header.key_id), std::move(header.wrapped_key)}));
  OA_ASSIGN(const auto opened,
            SealedSource::open(std::move(source), key, context_of(tenant, purpose, name)));
  if (opened->size() > kMaxValueBytes) return too_long("value.unseal");
  SecretBytes plain(opened->size());
  OA_TRY(opened->read_at(0, plain.mutable_view()));
  return plain;
}

}  // namespace oa
