#include "key_settings.h"

#include "deployment_fields.h"
#include "object_settings.h"

namespace oa::instance {
namespace {

constexpr const char* kPath = "config.keys";

Result<KeyCacheSettings> read_cache(const json::value& value) {
  ObjectReader reader(value, std::string(kPath) + ".cache");
  KeyCacheSettings cache;
  const auto entries = reader.optional_unsigned("max_entries"),
             uses = reader.optional_unsigned("max_uses");
  const auto age = reader.optional_unsigned("max_age_seconds");
  constexpr std::uint64_t kMostEntries = 65'536, kMostUses = UINT32_MAX, kOldest = 3600;
  if (entries && (*entries == 0 || *entries > kMostEntries))
    reader.fail("max_entries", "is 1 to 65536");
  if (uses && (*uses == 0 || *uses > kMostUses)) reader.fail("max_uses", "is 1 to 4294967295");
  if (age && (*age == 0 || *age > kOldest)) reader.fail("max_age_seconds", "is 1 to 3600");
  OA_TRY(reader.finish());
  if (entries) cache.max_entries = *entries;
  if (uses) cache.max_uses = static_cast<std::uint32_t>(*uses);
  if (age) cache.max_age = std::chrono::seconds(*age);
  return cache;
}

Result<AwsKeySettings> read_aws(ObjectReader& reader) {
  AwsKeySettings settings;
  settings.region = reader.text("region");
  settings.endpoint = reader.optional_text("endpoint").value_or("");
  settings.alias_prefix = reader.optional_text("alias_prefix").value_or(settings.alias_prefix);
  settings.ca_file = optional_file(reader, "ca_file");
  const std::string credentials = file_name(reader, "credentials_file");
  OA_TRY(reader.finish());
  OA_ASSIGN(settings.credentials, credentials_in(credentials));
  const auto probed = AwsKeyService::open(settings);  // sends nothing
  if (probed.ok()) return settings;
  Error error = probed.error();
  error.message = std::string(kPath) + ": " + error.message;
  return error;
}

Result<Pkcs11Settings> read_pkcs11(ObjectReader& reader) {
  Pkcs11Settings settings;
  settings.module_path = file_name(reader, "module");
  settings.token_label = reader.text("token");
  settings.label_prefix = reader.optional_text("label_prefix").value_or(settings.label_prefix);
  settings.lock_file = optional_file(reader, "lock_file");
  const std::string pin = file_name(reader, "pin_file");
  OA_TRY(reader.finish());
  OA_TRY(check_nobody_writes(settings.module_path));
  OA_ASSIGN(settings.pin, read_secret(pin));
  return settings;
}

}  // namespace

Result<std::optional<KeyDeployment>> read_key_settings(const json::value& value) {
  ObjectReader reader(value, kPath);
  const std::string provider = reader.text("provider");
  if (provider != "local" && provider != "aws-kms" && provider != "pkcs11")
    reader.fail("provider", "is local, aws-kms or pkcs11");
  OA_TRY(reader.finish(true));
  KeyDeployment keys;
  if (provider == "local") {
    OA_TRY(reader.finish());
    return std::optional<KeyDeployment>();
  }
  if (const auto* cache = reader.find("cache"); cache != nullptr) {
    OA_ASSIGN(keys.cache, read_cache(*cache));
  }
  if (provider == "aws-kms") {
    OA_ASSIGN(keys.provider, read_aws(reader));
  } else {
    OA_ASSIGN(keys.provider, read_pkcs11(reader));
  }
  return std::optional<KeyDeployment>(std::move(keys));
}

}  // namespace oa::instance
