// Who signs: an access key, and where it comes from.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "oa/base/clock.h"
#include "oa/base/result.h"
#include "oa/crypto/secret.h"

namespace oa::aws {

struct Credentials {
  std::string access_key_id;
  SecretBytes secret_access_key = {};
  SecretBytes session_token = {};            // empty for a lasting key
  std::optional<Timestamp> expires_at = {};  // of a temporary key
};

/// Gives the credentials of the moment. Thread-safe; asks its source from one thread at a time.
class CredentialProvider {
 public:
  using Fetch = std::function<Result<Credentials>()>;

  /// The same for ever. kInvalidArgument when the id or the secret is empty, longer than 128 bytes
  /// or holds anything but printable ASCII.
  static Result<std::shared_ptr<CredentialProvider>> fixed(Credentials credentials);
  /// Fetched when first needed, again five minutes before they expire, and after refused().
  /// `fetch` may block, and has its own timeout.
  static std::shared_ptr<CredentialProvider> refreshed(Fetch fetch);

  /// What fetch() failed with, unless those there are still good.
  Result<std::shared_ptr<const Credentials>> current();
  /// A server says that these are too old: the next current() fetches. False when that cannot help,
  /// because they are fixed.
  bool refused(const Credentials& credentials);

 private:
  explicit CredentialProvider(Fetch fetch) : fetch_(std::move(fetch)) {}

  std::mutex mutex_;
  Fetch fetch_;  // empty: fixed
  // Shared with the requests that are being signed with it while another takes its place.
  std::shared_ptr<const Credentials> held_;
};

}  // namespace oa::aws
