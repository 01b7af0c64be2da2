#include "oa/instance/service_key.h"

#include "oa/base/io.h"

namespace oa::instance {
namespace {

constexpr std::size_t kKeyBytes = 32, kFileBytes = 4096, kIdChars = 36;
constexpr std::string_view kName = "oa-service-key:v1";

// A line: whose key in the key service seals it, a blank, and what is sealed in base64.
Status make(KeyService& keys, const std::string& path) {
  const TenantId sealed_by = TenantId::random();
  OA_TRY(keys.create_tenant_key(sealed_by));
  const auto key = SecretBytes::random(kKeyBytes);
  OA_ASSIGN(const Bytes sealed,
            seal_value(keys, sealed_by, KeyPurpose::kSecrets, kName, key.view()));
  OA_ASSIGN(auto file, AtomicFileSink::create(path, false, 0600));
  OA_TRY(file->write(as_bytes(sealed_by.str() + " " + to_base64(sealed) + "\n")));
  return file->commit();
}

Result<SecretBytes> open(KeyService& keys, const std::string& path, std::string_view line) {
  const auto corrupt = [&] {
    return make_error(ErrorCode::kSealCorrupt, "instance.service_key",
                      path + " does not hold a sealed key")
        .with_hint("remove the file; another key is made");
  };
  if (!line.ends_with('\n') || line.size() <= kIdChars || line[kIdChars] != ' ') return corrupt();
  const auto sealed_by = TenantId::parse(line.substr(0, kIdChars));
  const auto sealed = from_base64(line.substr(kIdChars + 1, line.size() - kIdChars - 2));
  if (!sealed_by.ok() || !sealed.ok()) return corrupt();
  OA_ASSIGN(auto key, unseal_value(keys, *sealed_by, KeyPurpose::kSecrets, kName, *sealed));
  if (key.size() != kKeyBytes) return corrupt();
  return key;
}

}  // namespace

Result<SecretBytes> service_key(Instance& instance) {
  const std::string path = instance.data_folder() + "/keys/service.key";
  auto line = read_file(path, kFileBytes);
  if (!line.ok() && line.error().code == ErrorCode::kNotFound) {
    const Status made = make(instance.keys(), path);
    // Another process may have been quicker.
    if (!made.ok() && made.error().code != ErrorCode::kAlreadyExists) return made.error();
    line = read_file(path, kFileBytes);
  }
  if (!line.ok()) return line.error();
  return open(instance.keys(), path, as_text(*line));
}

}  // namespace oa::instance
