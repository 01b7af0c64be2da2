#include "key_names.h"

#include <charconv>

namespace oa {

Error key_error(ErrorCode code, TenantId tenant, std::string_view what) {
  return make_error(code, "key_service",
                    "the key of tenant " + tenant.str() + " " + std::string(what));
}

Error about_to_be_destroyed(TenantId tenant) {
  return key_error(ErrorCode::kConflict, tenant, "is about to be destroyed")
      .with_hint("cancel that first");
}

Error disabled_until_destroyed(TenantId tenant) {
  return key_error(ErrorCode::kKeyDisabled, tenant, "is about to be destroyed")
      .with_hint("cancel its destruction to use it again");
}

Error wrapped_by_another() {
  return make_error(ErrorCode::kKeyWrong, "key_service", "the data key was wrapped by another key");
}

std::string key_id_of(std::string_view provider, TenantId tenant, std::uint32_t version) {
  return std::string(provider) + ":" + tenant.str() + ":" + std::to_string(version);
}

Result<std::uint32_t> version_of(std::string_view provider, TenantId tenant,
                                 const std::string& key_id) {
  const auto colon = key_id.rfind(':');
  std::uint32_t version = 0;
  if (colon != std::string::npos) {
    std::from_chars(key_id.data() + colon + 1, key_id.data() + key_id.size(), version);
  }
  if (version == 0 || key_id != key_id_of(provider, tenant, version)) return wrapped_by_another();
  return version;
}

std::string wrap_context(KeyPurpose purpose, const std::string& key_id) {
  return "oa-dek:v1:" + std::string(to_text(purpose)) + ":" + key_id;
}

std::string_view to_text(KeyPurpose purpose) {
  switch (purpose) {
    case KeyPurpose::kRows:
      return "rows";
    case KeyPurpose::kOriginals:
      return "originals";
    case KeyPurpose::kArchives:
      return "archives";
    case KeyPurpose::kSecrets:
      return "secrets";
    case KeyPurpose::kSigning:
      return "signing";
    case KeyPurpose::kWal:
      return "wal";
    case KeyPurpose::kRepository:
      return "repository";
    case KeyPurpose::kLedger:
      return "ledger";
  }
  OA_ASSERT(false);
}

}  // namespace oa
