#include "attempt.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace oa::accounts {
namespace {

constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 address: what one subscriber has

Error locked(std::chrono::milliseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  return make_error(ErrorCode::kLockedOut, "accounts.sign_in", "too many attempts to sign in")
      .with_hint(fmt::format("try again in {} seconds", seconds));
}

Sha256Digest key_of(std::string_view purpose, ByteView first, ByteView second) {
  Sha256 hash;
  hash.update(as_bytes(purpose));
  Bytes size;
  append_le(size, std::uint64_t{first.size()});
  hash.update(size);
  hash.update(first);
  hash.update(second);
  return hash.finish();
}

}  // namespace

Sha256Digest account_key(const std::optional<TenantId>& tenant, std::string_view organisation,
                         std::string_view email) {
  std::string lower(email);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (tenant.has_value())
    return key_of("oa-sign-in-account:v1", tenant->uuid().raw(), as_bytes(lower));
  return key_of("oa-sign-in-nobody:v1", as_bytes(organisation), as_bytes(lower));
}

Sha256Digest address_key(std::string_view peer_address) {
  constexpr std::string_view kPurpose = "oa-sign-in-address:v1";
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const std::string text(peer_address);
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return key_of(kPurpose, v4, {});
  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) != 1)
    return key_of(kPurpose, as_bytes(peer_address), {});
  const ByteView bytes(v6);
  if (std::ranges::equal(bytes.first(kMapped.size()), kMapped))
    return key_of(kPurpose, bytes.subspan(kMapped.size()), {});
  return key_of(kPurpose, bytes.first(kNetworkBytes), {});
}

Result<Attempt> Attempt::begin(catalog::Database& database, const SignInRules& rules,
                               const Sha256Digest& account,
                               const std::optional<Sha256Digest>& address) {
  Attempt attempt(database, rules, account, address);
  // The address first: from one that is locked nobody can lock accounts.
  if (address.has_value()) {
    OA_ASSIGN(const auto wait, attempt.attempts_.begin(*address, rules.address));
    if (wait.has_value()) return locked(*wait);
  }
  OA_ASSIGN(const auto wait, attempt.attempts_.begin(account, rules.account));
  if (wait.has_value()) return locked(*wait);
  return attempt;
}

Status Attempt::succeeded() {
  OA_TRY(attempts_.forget(account_));
  if (!address_.has_value()) return {};
  return attempts_.take_back(*address_, rules_.address);
}

Status Attempt::withdrawn() {
  OA_TRY(attempts_.take_back(account_, rules_.account));
  if (!address_.has_value()) return {};
  return attempts_.take_back(*address_, rules_.address);
}

}  // namespace oa::accounts
