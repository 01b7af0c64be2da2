// What is left of an erased person.
#pragma once

#include "oa/catalog/records.h"

namespace oa::privacy {

/// Inactive, never an Owner, called "Erased user", with an address that leads nowhere.
catalog::User erased_user(UserId id, Timestamp created_at);
/// Whether this is how erased_user() leaves somebody.
bool is_erased(const catalog::User& user);

}  // namespace oa::privacy
