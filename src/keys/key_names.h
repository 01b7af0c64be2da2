// How providers name KEKs and say what is amiss with one.
#pragma once

#include <string>
#include <string_view>

#include "oa/keys/key_service.h"

namespace oa {

/// "the key of tenant T " + `what`.
Error key_error(ErrorCode code, TenantId tenant, std::string_view what);
/// kConflict.
Error about_to_be_destroyed(TenantId tenant);
/// kKeyDisabled, of a key that waits for its destruction.
Error disabled_until_destroyed(TenantId tenant);
/// kKeyWrong.
Error wrapped_by_another();

/// "PROVIDER:TENANT:VERSION".
std::string key_id_of(std::string_view provider, TenantId tenant, std::uint32_t version);
/// The version, from 1, that `key_id` names; kKeyWrong when it is not one of `tenant`'s.
Result<std::uint32_t> version_of(std::string_view provider, TenantId tenant,
                                 const std::string& key_id);

/// What a wrap is bound to, as associated data.
std::string wrap_context(KeyPurpose purpose, const std::string& key_id);

}  // namespace oa
