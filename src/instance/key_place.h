// Where an instance's keys are: in its folder, or with a provider that its deployment names.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "oa/instance/deployment.h"
#include "oa/keys/key_service.h"
#include "oa/keys/local_key_service.h"

namespace oa::instance {

/// What of an instance is in its folder `keys`: the key store and its root key, unless its provider
/// is another, and what is sealed under one of its keys.
struct KeyFolder {
  std::string root;  // of the instance
  std::string folder() const { return root + "/keys"; }
  std::string store() const { return folder() + "/keystore"; }
  std::string root_key() const { return folder() + "/root.key"; }
  /// Says which provider has the keys.
  std::string mark() const { return root + "/keys.json"; }
};

/// An instance keeps its keys in one place for good: `root` remembers the provider.
/// kInvalidArgument when it has one and the deployment names none; kConflict when it names another,
/// or one for an instance that has a key store. Touches nothing.
Status check_key_place(const KeyFolder& place, const Deployment& deployment);

/// After check_key_place(). Keys begin only where nothing was ever sealed (`used` says whether),
/// and when `create`: beside data that is there, new ones would hide that its own are lost.
/// kKeyStoreMissing otherwise; and what the providers give.
Result<std::unique_ptr<KeyService>> open_keys(const KeyFolder& place, const Deployment& deployment,
                                              const RootKeySource& root, bool used, bool create);

/// Gives `target`, a new instance, the keys of `source`: a copy of what is in its folder, the same
/// provider.
Status share_keys(const KeyFolder& source, const KeyFolder& target);

}  // namespace oa::instance
