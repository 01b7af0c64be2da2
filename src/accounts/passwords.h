// Password hashing within bounds: each takes 64 MiB and some tens of milliseconds of a core.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oa/crypto/secret.h"

namespace oa::accounts {

/// kInvalidArgument unless the password has 8 to 1024 bytes, is not among the very common ones and
/// is not the e-mail address.
Status check_password(const SecretBytes& password, std::string_view email);

// At most two of these run at a time in a process; when both kinds of work wait, they take turns, so
// that a crowd of one keeps nobody of the other waiting. kOverloaded when many of its kind wait.

enum class PasswordWork { kSignIn, kChange };

Result<std::string> hash_bounded(const SecretBytes& password);
/// Takes as long when there is no hash, and is false then.
Result<bool> verify_bounded(PasswordWork work, const std::optional<std::string>& hash,
                            const SecretBytes& password);

}  // namespace oa::accounts
