// The `local` key provider: all KEKs in one file sealed under a root key.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "oa/keys/key_service.h"

namespace oa {

/// Where the root key comes from. Exactly one of the two.
struct RootKeySource {
  std::string key_file;  // 32 random bytes, mode 0600; refused when group or others may read it
  std::optional<SecretBytes>
      passphrase;  // through Argon2id, salt and cost in the key store's header
};

/// Opens or makes a key store file. Several processes may use one file: each change takes a lock
/// and re-reads it. Written atomically and durably; an older file is never lost by a failed change.
class LocalKeyService {
 public:
  /// Makes a new, empty key store, and the root key file when `root.key_file` does not exist.
  /// kAlreadyExists when `path` exists.
  static Result<std::unique_ptr<KeyService>> create(const std::string& path,
                                                    const RootKeySource& root);
  /// kKeyStoreMissing when the store or the root key file is not there, kKeyWrong when the root key
  /// does not open it, kPermissionDenied for a root key file that others can read, kSealCorrupt for
  /// a damaged store.
  static Result<std::unique_ptr<KeyService>> open(const std::string& path,
                                                  const RootKeySource& root);
  /// A new key store at `to`, under a root key of its own, with the key of `tenant` alone as it is
  /// now: for a machine that needs no other. Later versions of the key are not in it. kNotFound,
  /// kKeyDestroyed, and what open() and create() give.
  static Status copy_key(const std::string& from, const RootKeySource& from_root, TenantId tenant,
                         const std::string& to, const RootKeySource& to_root);
};

}  // namespace oa
