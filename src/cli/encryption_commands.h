// The keys that a tenant's data is sealed under: their state, rotation and destruction.
#pragma once

#include "commands.h"
#include "node_commands.h"

namespace oa::cli {

/// Whose key, its state ("destroyed" too, or the code of why it is not known), version and end.
json::object describe_key(const catalog::Tenant& tenant, const Result<TenantKeyInfo>& key);

struct EncryptionOptions {
  std::string tenant;
  bool all_tenants = false;
  bool here = false;
  int wait_days = 7;
  bool cancel = false, remove_remains = false, yes = false;
};
/// `keys` and `tenant`: the groups of commands.
void add_encryption_commands(CLI::App& keys, CLI::App& tenant, EncryptionOptions& options,
                             const AddCommand& add);

}  // namespace oa::cli
