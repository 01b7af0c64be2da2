#include "scram.h"

#include <algorithm>
#include <charconv>

#include "oa/crypto/hash.h"

namespace oa::catalog {
namespace {

constexpr std::string_view kScheme = "SCRAM-SHA-256$";
constexpr unsigned kMaxIterations = 1'000'000;

// PBKDF2 (RFC 8018) of one block: as long as the digest.
SecretBytes salted_password(ByteView password, Bytes salt, unsigned iterations) {
  for (const std::uint8_t byte : {0, 0, 0, 1}) salt.push_back(byte);
  Sha256Digest round = hmac_sha256(password, salt);
  SecretBytes sum = SecretBytes::copy_of(round);
  for (unsigned i = 1; i < iterations; ++i) {
    round = hmac_sha256(password, round);
    std::ranges::transform(round, sum.view(), sum.mutable_view().begin(), std::bit_xor<>());
  }
  return sum;
}

}  // namespace

bool scram_fits(std::string_view verifier, const SecretBytes& password) {
  const bool plain = std::ranges::all_of(password.view(), [](auto c) { return c > 31 && c < 127; });
  const auto colon = verifier.find(':'), dollar = verifier.find('$', kScheme.size()),
             last = verifier.rfind(':');
  if (!plain || !verifier.starts_with(kScheme) || dollar == verifier.npos || colon > dollar ||
      last < dollar)
    return false;
  unsigned iterations = 0;
  std::from_chars(verifier.data() + kScheme.size(), verifier.data() + colon, iterations);
  const auto salt = from_base64(verifier.substr(colon + 1, dollar - colon - 1));
  const auto server_key = from_base64(verifier.substr(last + 1));
  if (!salt.ok() || !server_key.ok() || iterations == 0 || iterations > kMaxIterations)
    return false;
  const SecretBytes salted = salted_password(password.view(), *salt, iterations);
  return constant_time_equal(hmac_sha256(salted.view(), as_bytes("Server Key")), *server_key);
}

}  // namespace oa::catalog
