// What was drilled, for ever: one signed chain for each installation, in the write-once class of the
// object store. It is published (docs/drills.md), so nothing in it names a tenant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "oa/crypto/hash.h"
#include "oa/crypto/sign.h"
#include "oa/instance/instance.h"

namespace oa::drill {

/// {"record":{…,"number","previous"},"hash","signature"}: the hash is the SHA-256 of the record in
/// canonical form, in hex, and the record's `previous` the hash of the record before it ("" of the
/// first); the signature is minisign's over the canonical form, by the ledger's key.
struct Entry {
  json::object record;
  std::string hash;
  std::string signature;
};
json::object to_json(const Entry& entry);

/// Each must be what `key` signed, follow the one before and number from 1 without gaps; kDrillFailed
/// names the first that is not.
Status verify(const std::vector<Entry>& entries, const PublicKey& key);
/// Out of to_json(); kInvalidArgument.
Result<Entry> parse_entry(const json::value& value);

/// Thread-safe; of two that append at once one is kConflict.
class Chronicle {
 public:
  static Result<Chronicle> open(instance::Instance& instance);
  /// Adds number and previous. Durable when it returns.
  Result<Entry> append(json::object record);
  /// All, verified, oldest first. kDrillFailed when one is damaged or missing.
  Result<std::vector<Entry>> entries() const;
  const PublicKey& public_key() const { return key_; }

 private:
  Chronicle(instance::Instance& instance, const SigningKey& signer)
      : instance_(&instance), signer_(&signer), key_(signer.public_key()) {}
  instance::Instance* instance_;
  const SigningKey* signer_;  // the ledger's
  PublicKey key_;
};

}  // namespace oa::drill
