// Calls of the KMS in its JSON 1.1 protocol.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oa/aws/client.h"
#include "oa/base/json.h"
#include "oa/crypto/secret.h"

namespace oa {

/// What the service answers. A refusal that depends on what was asked for is the caller's to judge.
struct KmsAnswer {
  std::string refusal;  // "NotFoundException"; empty: it was done
  json::object body = {};

  bool ok() const { return refusal.empty(); }
  /// A member that is a text; empty when there is none.
  std::string text(std::string_view member) const;
};

/// The answer of an operation that gives a data key.
struct KmsDataKey {
  std::string refusal;
  std::string key_arn;
  std::string material;  // which of the key's materials; empty when the server does not say
  Bytes blob;
  SecretBytes plaintext;
};

/// Thread-safe. Errors: kKeyServiceUnavailable (no answer, throttled, an internal failure),
/// kKeyServiceRefused (credentials or policy), kInternal (an answer that makes no sense).
class Kms {
 public:
  explicit Kms(std::unique_ptr<aws::Client> client) : client_(std::move(client)) {}

  /// `repeatable`: see aws::Request.
  Result<KmsAnswer> call(std::string_view operation, const json::object& input,
                         bool repeatable = true);
  /// For GenerateDataKey and Decrypt. What the answer holds is parsed in secret memory; only the
  /// buffers of the TLS library and of libcurl see the data key beside that.
  Result<KmsDataKey> call_for_key(std::string_view operation, const json::object& input);

 private:
  std::unique_ptr<aws::Client> client_;
};

}  // namespace oa
