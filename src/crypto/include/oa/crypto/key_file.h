// Key files in minisign's formats: the pair that `minisign -G` makes and `minisign -S` signs with.
// A secret key file is encrypted under a passphrase (scrypt, RFC 7914, through libsodium) or, as of
// `minisign -W`, is not.
#pragma once

#include <array>
#include <string>

#include "oa/crypto/sign.h"

namespace oa {

/// Cost of scrypt as libsodium counts it. The defaults are minisign's: three seconds and 1 GiB.
struct ScryptCost {
  std::uint64_t operations = std::uint64_t{1} << 25;
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;
};

/// Longest passphrase that minisign reads as a whole.
inline constexpr std::size_t kMaxKeyPassphraseBytes = 1022;

/// A secret key file, taken apart. Move-only. Safe for concurrent use.
class SecretKeyFile {
 public:
  /// kInvalidArgument when it is not minisign's format; kLimitExceeded when it asks for more scrypt
  /// than 2 GiB or eight times minisign's own cost, which a file from elsewhere could ask for to
  /// stall or starve its reader.
  static Result<SecretKeyFile> parse(ByteView text);
  /// parse() of a file, with the path in its errors.
  static Result<SecretKeyFile> read(const std::string& path);

  bool encrypted() const { return encrypted_; }
  /// `passphrase` is not looked at when the file is not encrypted. kKeyWrong when it does not open
  /// the file, which a damaged one looks like as well; kInvalidArgument when an unencrypted key is
  /// damaged; kLimitExceeded when memory is short. Takes as long as scrypt does.
  Result<SigningKey> open(const SecretBytes& passphrase) const;

 private:
  static constexpr std::size_t kSaltSize = 32;
  SecretKeyFile() = default;
  bool encrypted_ = false;
  ScryptCost cost_;
  std::array<std::uint8_t, kSaltSize> salt_{};
  SecretBytes sealed_;  // key id, key, checksum: encrypted or not
};

/// Refuses with kInvalidArgument what minisign could not read: empty, longer than
/// kMaxKeyPassphraseBytes, or with a line break or a NUL.
Status check_key_passphrase(const SecretBytes& passphrase);

/// The text of a secret key file. kInvalidArgument as check_key_passphrase(), kLimitExceeded when
/// memory is short.
Result<SecretBytes> encrypted_secret_key_text(const SigningKey& key, const SecretBytes& passphrase,
                                              const ScryptCost& cost = {});
/// The same without encryption (`minisign -W`).
SecretBytes plain_secret_key_text(const SigningKey& key);

/// Writes the text with mode 0600; it appears under `path` only when it is whole. kAlreadyExists
/// when `path` exists and `replace` is false; such a file is never touched.
Status write_secret_key_file(const std::string& path, const SecretBytes& text, bool replace);

/// A public key file, with the path in its errors.
Result<PublicKey> read_public_key_file(const std::string& path);

}  // namespace oa
