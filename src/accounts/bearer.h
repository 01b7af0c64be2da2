// Cookies and tokens as texts. Both name their tenant, under whose row-level security the secret is
// then looked up: one of tenant A that is presented with the id of tenant B is not found.
#pragma once

#include <string>
#include <string_view>

#include "oa/base/ids.h"
#include "oa/crypto/hash.h"

namespace oa::accounts {

/// What a text that somebody bears stands for.
struct Bearer {
  TenantId tenant;
  Sha256Digest secret_hash{};  // what is stored
  std::string csrf_token;      // follows from the secret; nothing of it is stored
};

struct NewBearer {
  std::string text;
  Sha256Digest secret_hash{};
  std::string csrf_token;
};

/// "<tenant>.<256 random bits as base64url>"
NewBearer make_cookie(TenantId tenant);
/// "oab_<tenant without hyphens>_<256 random bits as base64url>"
NewBearer make_token(TenantId tenant);
/// kTokenInvalid for any other text.
Result<Bearer> read_cookie(std::string_view text);
Result<Bearer> read_token(std::string_view text);

}  // namespace oa::accounts
