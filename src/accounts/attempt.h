// One attempt to prove a password, counted for its account and for where it comes from.
#pragma once

#include "oa/accounts/accounts.h"

namespace oa::accounts {

/// What counts as one account: somebody's address in an organisation, whether either exists or not.
Sha256Digest account_key(const std::optional<TenantId>& tenant, std::string_view organisation,
                         std::string_view email);
/// What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 address.
Sha256Digest address_key(std::string_view peer_address);

class Attempt {
 public:
  /// kLockedOut when either has failed too often. Without `address` only the account counts.
  static Result<Attempt> begin(catalog::Database& database, const SignInRules& rules,
                               const Sha256Digest& account,
                               const std::optional<Sha256Digest>& address);
  /// The password was right: the account begins anew, the address had one attempt less.
  Status succeeded();
  /// There was no answer whether it was right.
  Status withdrawn();

 private:
  Attempt(catalog::Database& database, const SignInRules& rules, const Sha256Digest& account,
          const std::optional<Sha256Digest>& address)
      : attempts_(database), rules_(rules), account_(account), address_(address) {}
  catalog::SignInAttempts attempts_;
  SignInRules rules_;
  Sha256Digest account_;
  std::optional<Sha256Digest> address_;
};

}  // namespace oa::accounts
