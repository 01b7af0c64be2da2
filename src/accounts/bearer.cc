#include "bearer.h"

#include <algorithm>

#include "oa/crypto/secret.h"

namespace oa::accounts {
namespace {

constexpr std::string_view kTokenPrefix = "oab_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretChars = 43;  // base64url without padding
constexpr std::size_t kUuidChars = 36, kHexChars = 32;

std::string to_base64url(ByteView bytes) {
  std::string text = to_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::ranges::find(text, '='), text.end());
  return text;
}

Error invalid() {
  return make_error(ErrorCode::kTokenInvalid, "accounts.bearer",
                    "the token or the sign-in is not known")
      .with_hint("sign in again, or use another token");
}

// One spelling of each secret, so that nothing else passes for it.
Result<Bytes> read_secret(std::string_view text) {
  if (text.size() != kSecretChars || text.find_first_of("+/=") != std::string_view::npos)
    return invalid();
  std::string padded(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  auto secret = from_base64(padded + "=");
  if (!secret.ok()) return invalid();
  return secret;
}

NewBearer make(const std::string& before) {
  const SecretBytes secret = SecretBytes::random(kSecretBytes);
  return {before + to_base64url(secret.view()), Sha256::of(secret.view()),
          to_hex(hmac_sha256(secret.view(), as_bytes("oa-csrf:v1")))};
}

Result<Bearer> read(TenantId tenant, std::string_view secret_text) {
  OA_ASSIGN(const Bytes secret, read_secret(secret_text));
  return Bearer{tenant, Sha256::of(secret), to_hex(hmac_sha256(secret, as_bytes("oa-csrf:v1")))};
}

}  // namespace

NewBearer make_cookie(TenantId tenant) { return make(tenant.str() + "."); }

NewBearer make_token(TenantId tenant) {
  return make(std::string(kTokenPrefix) + to_hex(tenant.uuid().raw()) + "_");
}

Result<Bearer> read_cookie(std::string_view text) {
  if (text.size() != kUuidChars + 1 + kSecretChars || text[kUuidChars] != '.') return invalid();
  const auto tenant = TenantId::parse(text.substr(0, kUuidChars));
  if (!tenant.ok()) return invalid();
  return read(*tenant, text.substr(kUuidChars + 1));
}

Result<Bearer> read_token(std::string_view text) {
  const std::size_t secret_at = kTokenPrefix.size() + kHexChars + 1;
  if (text.size() != secret_at + kSecretChars || !text.starts_with(kTokenPrefix) ||
      text[secret_at - 1] != '_') {
    return invalid();
  }
  const auto bytes = from_hex(text.substr(kTokenPrefix.size(), kHexChars));
  if (!bytes.ok()) return invalid();
  Uuid::Raw raw{};
  std::ranges::copy(*bytes, raw.begin());
  return read(TenantId(Uuid(raw)), text.substr(secret_at));
}

}  // namespace oa::accounts
