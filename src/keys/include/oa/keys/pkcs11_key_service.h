// The `pkcs11` key provider: KEKs in a hardware security module, or any token behind a PKCS#11
// module (OASIS "PKCS #11 Cryptographic Token Interface Base Specification", version 2.40).
#pragma once

#include <memory>
#include <string>

#include "oa/keys/key_service.h"

namespace oa {

struct Pkcs11Settings {
  std::string module_path;  // the vendor's library, or p11-kit-proxy.so
  std::string token_label;
  SecretBytes pin;  // of the token's user
  /// Changes of keys by processes of this machine follow one another by a lock on this file. Where
  /// several machines share a token, change keys (create, rotate, disable, enable, destroy) from
  /// one of them at a time; all may use them at any time.
  std::string lock_file;
  /// In the labels of all objects. Two deployments on one token need two. 1 to 64 of a-z 0-9 - _.
  std::string label_prefix = "oa-backup";
};

/// How the interface maps to a token:
/// - A KEK version is an AES-256 key that the token made, sensitive and not extractable. Data keys
///   are wrapped by CKM_AES_GCM with a random nonce and purpose and key id (with the tenant) as
///   associated data. CKM_AES_KEY_WRAP_PAD is not used since it binds nothing: a wrap could be
///   moved to another purpose. The token must take the nonce from the caller.
/// - State, versions and the time of destruction of a tenant's key are a private data object on the
///   token. A change makes a new one with a higher sequence number, then removes the old: whoever
///   reads takes the highest, and a crash in between does no harm.
/// - At its time, the first call that uses or changes the tenant's key, or open(), destroys the KEKs
///   on the token. The record stays, so a destroyed tenant gets no key again.
/// - Log-ins belong to the process: one for all services and threads that share a module. A service
///   tries a PIN that the token refuses once, as tokens lock themselves after a few; open() again
///   with another. A token that was taken out and put back is found again by the next call.
/// - An object that is always there tells a tenant without a key from a token that shows nothing:
///   open() makes it. So a first open() of an emptied token takes it for a new one.
/// Errors beside the interface's: kKeyServiceUnavailable (no such module or token, token gone or
/// failing), kKeyServiceRefused (PIN wrong, locked or not set), kUnsupported (no CKM_AES_GCM).
class Pkcs11KeyService {
 public:
  static Result<std::unique_ptr<KeyService>> open(Pkcs11Settings settings);
};

}  // namespace oa
