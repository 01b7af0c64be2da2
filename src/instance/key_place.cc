#include "key_place.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "oa/base/io.h"
#include "oa/base/json.h"

namespace oa::instance {
namespace {

namespace fs = std::filesystem;
constexpr const char* kOp = "instance.keys";
constexpr std::size_t kMaxMark = 4096;

// Not the address, which may change: what finds the keys there.
std::string described(const KeyDeployment& keys) {
  json::object mark;
  if (const auto* aws = std::get_if<AwsKeySettings>(&keys.provider)) {
    mark = {{"provider", "aws-kms"}, {"region", aws->region}, {"alias_prefix", aws->alias_prefix}};
  } else {
    const auto& token = std::get<Pkcs11Settings>(keys.provider);
    mark = {
        {"provider", "pkcs11"}, {"token", token.token_label}, {"label_prefix", token.label_prefix}};
  }
  return canonical_json(mark) + "\n";
}

Status make_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error(errno, kOp, path);
  return ::chmod(path.c_str(), 0700) == 0 ? Status() : Status(errno_error(errno, kOp, path));
}

Result<std::unique_ptr<KeyService>> open_local(const KeyFolder& place, const RootKeySource& root,
                                               bool used, bool create) {
  std::error_code error;
  if (fs::exists(place.store(), error) || used || !create)
    return LocalKeyService::open(place.store(), root);
  OA_TRY(make_private_folder(place.folder()));
  return LocalKeyService::create(place.store(), root);
}

// Before anything is sealed, so that whatever is sealed is known to be sealed by this provider.
Status mark_provider(const KeyFolder& place, const KeyDeployment& keys) {
  OA_ASSIGN(auto mark, AtomicFileSink::create(place.mark(), false, 0600));
  OA_TRY(mark->write(as_bytes(described(keys))));
  return mark->commit();
}

}  // namespace

Result<std::unique_ptr<KeyService>> open_key_provider(const KeyDeployment& keys,
                                                      const std::string& lock_file) {
  std::unique_ptr<KeyService> provider;
  if (const auto* aws = std::get_if<AwsKeySettings>(&keys.provider)) {
    OA_ASSIGN(provider, AwsKeyService::open(*aws));
  } else {
    const auto& token = std::get<Pkcs11Settings>(keys.provider);
    OA_ASSIGN(provider,
              Pkcs11KeyService::open({token.module_path, token.token_label, token.pin.clone(),
                                      token.lock_file.empty() ? lock_file : token.lock_file,
                                      token.label_prefix}));
  }
  OA_ASSIGN(auto cached, CachingKeyService::create(std::move(provider), keys.cache));
  return std::unique_ptr<KeyService>(std::move(cached));
}

Status check_key_place(const KeyFolder& place, const Deployment& deployment) {
  std::error_code error;
  const bool elsewhere = fs::exists(place.mark(), error);
  if (!deployment.keys.has_value()) {
    if (!elsewhere) return {};
    return make_error(
               ErrorCode::kInvalidArgument, kOp,
               "the keys of this instance are with a provider that the deployment file names")
        .with_hint("name the deployment file with --config or $OA_CONFIG; see " + place.mark());
  }
  if (elsewhere) {
    OA_ASSIGN(const Bytes mark, read_file(place.mark(), kMaxMark));
    if (as_text(mark) == described(*deployment.keys)) return {};
    return make_error(ErrorCode::kConflict, kOp,
                      "the keys of this instance are with another provider")
        .with_hint("see " + place.mark());
  }
  if (!fs::exists(place.store(), error)) return {};
  return make_error(ErrorCode::kConflict, kOp,
                    "the keys of this instance are in its folder: " + place.store())
      .with_hint("name another folder with --data, and take tenants there by archives");
}

Result<std::unique_ptr<KeyService>> open_keys(const KeyFolder& place, const Deployment& deployment,
                                              const RootKeySource& root, bool used, bool create) {
  if (!deployment.keys.has_value()) return open_local(place, root, used, create);
  std::error_code error;
  const bool marked = fs::exists(place.mark(), error);
  if (!marked && (used || !create)) {
    return make_error(
               ErrorCode::kKeyStoreMissing, kOp,
               "the file that says where this instance's keys are is missing: " + place.mark())
        .with_hint("put it back from a copy of the folder; nothing was changed");
  }
  OA_TRY(make_private_folder(place.folder()));
  OA_ASSIGN(auto keys, open_key_provider(*deployment.keys, place.folder() + "/token.lock"));
  if (!marked) OA_TRY(mark_provider(place, *deployment.keys));
  return keys;
}

Status share_keys(const KeyFolder& source, const KeyFolder& target) {
  std::error_code error;
  fs::copy(source.folder(), target.folder(), fs::copy_options::recursive, error);
  if (error) return errno_error(error.value(), kOp, target.folder());
  OA_TRY(make_private_folder(target.folder()));
  if (!fs::exists(source.mark(), error)) return {};
  fs::copy_file(source.mark(), target.mark(), error);
  return error ? Status(errno_error(error.value(), kOp, target.mark())) : Status();
}

}  // namespace oa::instance
