#include "oa/crypto/key_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "oa/base/io.h"
#include "sodium_library.h"

namespace oa {
namespace {

constexpr std::string_view kUntrusted = "untrusted comment: ";
// minisign writes this for keys that are not encrypted too.
constexpr std::string_view kSecretComment = "untrusted comment: minisign encrypted secret key\n";
constexpr std::uint64_t kMaxFileBytes = 4096;
constexpr std::uint64_t kMaxMemoryBytes = std::uint64_t{2} << 30;
constexpr std::uint64_t kMaxOperations = std::uint64_t{1} << 28;

// "Ed", how it is encrypted, "B2"; salt, operations, memory; then what is encrypted: key id, key,
// checksum.
constexpr std::size_t kAlgorithms = 6;
constexpr std::size_t kSalt = crypto_pwhash_scryptsalsa208sha256_SALTBYTES;
constexpr std::size_t kKeyId = 8;
constexpr std::size_t kSecretKey = crypto_sign_SECRETKEYBYTES;
constexpr std::size_t kSeed = crypto_sign_SEEDBYTES;
constexpr std::size_t kChecksum = 32;
constexpr std::size_t kSealed = kKeyId + kSecretKey + kChecksum;
constexpr std::size_t kRecord = kAlgorithms + kSalt + 16 + kSealed;
constexpr std::string_view kSigns = "Ed", kScrypt = "Sc", kChecks = "B2";
constexpr std::string_view kUnencrypted("\0\0", 2);

Error bad_file(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "key_file.read", std::move(message))
      .with_hint("name a secret key file as `minisign -G` or `oa-archive keys new` makes it");
}

const char* text_of(const SecretBytes& secret) {
  return secret.empty() ? "" : reinterpret_cast<const char*>(secret.view().data());
}

// Over "Ed", key id and key, as minisign does.
void checksum(ByteView id_and_key, std::span<std::uint8_t, kChecksum> out) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, kChecksum);
  crypto_generichash_update(&state, reinterpret_cast<const std::uint8_t*>(kSigns.data()),
                            kSigns.size());
  crypto_generichash_update(&state, id_and_key.data(), kKeyId + kSecretKey);
  crypto_generichash_final(&state, out.data(), kChecksum);
  sodium_memzero(&state, sizeof state);
}

// Encrypts and decrypts: the key stream is as long as what it hides.
Status apply_key_stream(std::span<std::uint8_t> sealed, const SecretBytes& passphrase,
                        ByteView salt, const ScryptCost& cost) {
  SecretBytes stream(sealed.size());
  if (crypto_pwhash_scryptsalsa208sha256(stream.mutable_view().data(), stream.size(),
                                         text_of(passphrase), passphrase.size(), salt.data(),
                                         cost.operations, cost.memory_bytes) != 0) {
    return make_error(ErrorCode::kLimitExceeded, "key_file.scrypt",
                      "not enough memory for the key file's passphrase")
        .with_hint("free " + format_size(cost.memory_bytes) + " of memory and try again");
  }
  const ByteView mask = stream.view();
  for (std::size_t i = 0; i < sealed.size(); ++i) sealed[i] ^= mask[i];
  return {};
}

SecretBytes sealed_part(const SigningKey& key) {
  SecretBytes sealed(kSealed);
  const SecretBytes seed = key.seed();  // key id and Ed25519 seed
  const auto out = sealed.mutable_view();
  std::copy(seed.view().begin(), seed.view().end(), out.begin());
  std::copy(key.public_key().bytes().begin(), key.public_key().bytes().end(),
            out.begin() + kKeyId + kSeed);
  return sealed;
}

SecretBytes file_text(std::string_view encryption, ByteView salt, const ScryptCost& cost,
                      const SecretBytes& sealed) {
  Bytes head;
  for (const auto part : {kSigns, encryption, kChecks})
    head.insert(head.end(), part.begin(), part.end());
  head.insert(head.end(), salt.begin(), salt.end());
  append_le<std::uint64_t>(head, cost.operations);
  append_le<std::uint64_t>(head, cost.memory_bytes);
  SecretBytes record(kRecord);
  std::copy(head.begin(), head.end(), record.mutable_view().begin());
  std::copy(sealed.view().begin(), sealed.view().end(),
            record.mutable_view().begin() + static_cast<std::ptrdiff_t>(head.size()));

  constexpr std::size_t kLine =
      sodium_base64_ENCODED_LEN(kRecord, sodium_base64_VARIANT_ORIGINAL);  // with the NUL
  SecretBytes text(kSecretComment.size() + kLine);
  std::copy(kSecretComment.begin(), kSecretComment.end(), text.mutable_view().begin());
  sodium_bin2base64(reinterpret_cast<char*>(text.mutable_view().data() + kSecretComment.size()),
                    kLine, record.view().data(), record.size(), sodium_base64_VARIANT_ORIGINAL);
  text.mutable_view().back() = '\n';
  return text;
}

Error at_path(Error error, const std::string& path) {
  error.message = path + ": " + error.message;
  return error;
}

Status write_new(const std::string& path, ByteView bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return errno_error(errno, "key_file.write", "cannot create " + path);
  errno = 0;
  const ssize_t written = ::write(fd, bytes.data(), bytes.size());
  const bool whole = written == static_cast<ssize_t>(bytes.size()) && ::fsync(fd) == 0;
  const int error_number = errno == 0 ? EIO : errno;  // a short write sets none
  ::close(fd);
  if (whole) return {};
  ::unlink(path.c_str());
  return errno_error(error_number, "key_file.write", "cannot write " + path);
}

}  // namespace

Result<SecretKeyFile> SecretKeyFile::parse(ByteView text) {
  require_sodium();
  const std::string_view chars = as_text(text);
  const auto comment_end = chars.find('\n');
  if (!chars.starts_with(kUntrusted) || comment_end == std::string_view::npos)
    return bad_file("the first line must be an untrusted comment");
  std::string_view line = chars.substr(comment_end + 1);
  if (line.ends_with('\n')) line.remove_suffix(1);
  SecretBytes record(kRecord);
  std::size_t size = 0;
  if (sodium_base642bin(record.mutable_view().data(), kRecord, line.data(), line.size(), nullptr,
                        &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      size != kRecord) {
    return bad_file("not a minisign secret key");
  }
  const std::string_view head = as_text(record.view().first(kAlgorithms));
  const auto encryption = head.substr(2, 2);
  if (head.substr(0, 2) != kSigns || head.substr(4) != kChecks ||
      (encryption != kScrypt && encryption != kUnencrypted)) {
    return bad_file("a secret key of a kind that is not known here");
  }
  SecretKeyFile file;
  file.encrypted_ = encryption == kScrypt;
  std::copy_n(record.view().begin() + kAlgorithms, kSalt, file.salt_.begin());
  file.cost_.operations = read_le<std::uint64_t>(record.view().subspan(kAlgorithms + kSalt));
  file.cost_.memory_bytes = read_le<std::uint64_t>(record.view().subspan(kAlgorithms + kSalt + 8));
  file.sealed_ = SecretBytes::copy_of(record.view().last(kSealed));
  if (!file.encrypted_) return file;
  if (file.cost_.operations > kMaxOperations || file.cost_.memory_bytes > kMaxMemoryBytes) {
    return make_error(ErrorCode::kLimitExceeded, "key_file.read",
                      "the key file asks for more scrypt than is allowed: " +
                          std::to_string(file.cost_.operations) + " operations, " +
                          format_size(file.cost_.memory_bytes))
        .with_hint(
            "minisign's own files ask for 33554432 operations and 1.0 GiB; this one is "
            "damaged or hostile");
  }
  if (file.cost_.operations < crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN ||
      file.cost_.memory_bytes < crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN) {
    return bad_file("the cost of scrypt is below its least");
  }
  return file;
}

Result<SecretKeyFile> SecretKeyFile::read(const std::string& path) {
  OA_ASSIGN(const auto source, FileSource::open(path));
  if (source->size() > kMaxFileBytes)
    return at_path(bad_file("too long for a secret key file"), path);
  SecretBytes text(source->size());
  OA_TRY(source->read_at(0, text.mutable_view()));
  auto file = parse(text.view());
  if (!file.ok()) return at_path(std::move(file).error(), path);
  return file;
}

Result<SigningKey> SecretKeyFile::open(const SecretBytes& passphrase) const {
  require_sodium();
  SecretBytes opened = sealed_.clone();
  if (encrypted_) {
    OA_TRY(check_key_passphrase(passphrase));
    OA_TRY(apply_key_stream(opened.mutable_view(), passphrase, salt_, cost_));
  }
  std::array<std::uint8_t, kChecksum> expected;
  checksum(opened.view(), expected);
  const ByteView seen = opened.view().last(kChecksum);
  // minisign writes no checksum into a key that is not encrypted.
  const bool none = std::all_of(seen.begin(), seen.end(), [](std::uint8_t b) { return b == 0; });
  if (!constant_time_equal(expected, seen) && (encrypted_ || !none)) {
    if (!encrypted_) return bad_file("the secret key is damaged");
    return make_error(ErrorCode::kKeyWrong, "key_file.open",
                      "the passphrase does not open the secret key")
        .with_hint("try again; when the passphrase is surely right, the file is damaged");
  }
  SecretBytes seed(SigningKey::kSeedSize);
  std::copy_n(opened.view().begin(), SigningKey::kSeedSize, seed.mutable_view().begin());
  OA_ASSIGN(auto key, SigningKey::from_seed(seed));
  if (!constant_time_equal(key.public_key().bytes(), opened.view().subspan(kKeyId + kSeed, kSeed)))
    return bad_file("the secret key is damaged: its two halves do not belong together");
  return key;
}

Status check_key_passphrase(const SecretBytes& passphrase) {
  const auto refuse = [](std::string message) {
    return make_error(ErrorCode::kInvalidArgument, "key_file.passphrase", std::move(message))
        .with_hint("choose a passphrase of 1 to " + std::to_string(kMaxKeyPassphraseBytes) +
                   " bytes on one line");
  };
  if (passphrase.empty()) return refuse("the passphrase is empty");
  if (passphrase.size() > kMaxKeyPassphraseBytes) return refuse("the passphrase is too long");
  const auto breaks = [](std::uint8_t b) { return b == '\n' || b == 0; };
  if (std::ranges::any_of(passphrase.view(), breaks))
    return refuse("the passphrase has a line break or a NUL");
  return {};
}

Result<SecretBytes> encrypted_secret_key_text(const SigningKey& key, const SecretBytes& passphrase,
                                              const ScryptCost& cost) {
  OA_TRY(check_key_passphrase(passphrase));
  require_sodium();
  SecretBytes sealed = sealed_part(key);
  checksum(sealed.view(), sealed.mutable_view().last<kChecksum>());
  std::array<std::uint8_t, kSalt> salt;
  random_fill(salt);
  OA_TRY(apply_key_stream(sealed.mutable_view(), passphrase, salt, cost));
  return file_text(kScrypt, salt, cost, sealed);
}

SecretBytes plain_secret_key_text(const SigningKey& key) {
  return file_text(kUnencrypted, std::array<std::uint8_t, kSalt>{}, {0, 0}, sealed_part(key));
}

Status write_secret_key_file(const std::string& path, const SecretBytes& text, bool replace) {
  const std::string partial = path + ".partial";
  OA_TRY(write_new(partial, text.view()));
  // A link never replaces a file, unlike a rename.
  const bool placed = replace ? ::rename(partial.c_str(), path.c_str()) == 0
                              : ::link(partial.c_str(), path.c_str()) == 0;
  const int error_number = errno;
  if (!replace || !placed) ::unlink(partial.c_str());
  if (placed) return {};
  if (error_number == EEXIST) {
    return make_error(ErrorCode::kAlreadyExists, "key_file.write", path + " exists already")
        .with_hint("choose another name: a secret key is never overwritten");
  }
  return errno_error(error_number, "key_file.write", "cannot make " + path);
}

Result<PublicKey> read_public_key_file(const std::string& path) {
  auto text = read_file(path, kMaxFileBytes);
  if (!text.ok()) return std::move(text).error();
  auto key = PublicKey::parse_file(as_text(*text));
  if (!key.ok()) {
    return at_path(std::move(key).error(), path)
        .with_hint("name a minisign public key file: a comment line and one of base64 (\"RW…\")");
  }
  return key;
}

}  // namespace oa
