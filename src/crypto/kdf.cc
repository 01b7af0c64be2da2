#include "oa/crypto/kdf.h"

#include <sodium.h>

#include "sodium_library.h"

namespace oa {
namespace {

// Costs come out of files, so a hostile one must not ask for all memory or for years.
constexpr std::uint64_t kMaxMemoryBytes = std::uint64_t{4} << 30;
constexpr std::uint64_t kMaxOperations = 64;

const char* text_of(const SecretBytes& secret) {
  return secret.empty() ? "" : reinterpret_cast<const char*>(secret.view().data());
}

}  // namespace

Result<SecretBytes> derive_from_passphrase(const SecretBytes& passphrase, ByteView salt,
                                           const Argon2Cost& cost, std::size_t size) {
  constexpr auto kOp = "kdf.derive";
  static_assert(kArgon2SaltSize == crypto_pwhash_SALTBYTES);
  if (salt.size() != kArgon2SaltSize || size < crypto_pwhash_BYTES_MIN || size > 1024) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "salt or key size is out of range");
  }
  if (cost.operations < crypto_pwhash_OPSLIMIT_MIN || cost.operations > kMaxOperations ||
      cost.memory_bytes < crypto_pwhash_MEMLIMIT_MIN || cost.memory_bytes > kMaxMemoryBytes) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "the cost of Argon2id is out of range");
  }
  require_sodium();
  SecretBytes key(size);
  if (crypto_pwhash(key.mutable_view().data(), size, text_of(passphrase), passphrase.size(),
                    salt.data(), cost.operations, cost.memory_bytes,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return make_error(ErrorCode::kLimitExceeded, kOp, "not enough memory for Argon2id")
        .with_hint("free " + format_size(cost.memory_bytes) + " of memory and try again");
  }
  return key;
}

Result<std::string> hash_password(const SecretBytes& password) {
  require_sodium();
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, text_of(password), password.size(),
                            crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return make_error(ErrorCode::kLimitExceeded, "kdf.hash_password",
                      "not enough memory for Argon2id");
  }
  return std::string(hash);
}

bool verify_password(const std::string& hash, const SecretBytes& password) {
  require_sodium();
  return crypto_pwhash_str_verify(hash.c_str(), text_of(password), password.size()) == 0;
}

}  // namespace oa
