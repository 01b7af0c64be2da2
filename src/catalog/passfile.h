// Passwords as libpq keeps them (PostgreSQL 15 manual, "The Password File").
#pragma once

#include <string>
#include <string_view>

#include "oa/base/result.h"
#include "oa/crypto/secret.h"

namespace oa::catalog {

/// Whose password is looked for.
struct PassfileKey {
  std::string host, port, database, role;
};

/// Of the first line in `text` that fits: `host:port:database:role:password`, a lone * fits all, a
/// backslash stands before : and \. Empty when none does.
SecretBytes password_in(std::string_view text, const PassfileKey& key);

/// The same of a file. kInvalidArgument with the line that is missing as its hint, and the errors
/// of reading; no password in either.
Result<SecretBytes> password_of(const std::string& path, const PassfileKey& key);

}  // namespace oa::catalog
