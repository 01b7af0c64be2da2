// Requests with an Idempotency-Key: a repeat gets the first answer and has no second effect.
#pragma once

#include <functional>

#include "call.h"

namespace oa::api {

/// The Idempotency-Key of the request; kInvalidArgument for one that is none.
Result<std::optional<std::string>> idempotency_key(const http::Request& request);
/// Of all that makes it the same request. Keyed, since bodies hold passwords.
Sha256Digest digest_of(const Arrived& arrived);

/// What is remembered of one key. An answer is an error or a success; only a success is remembered.
class Remembered {
 public:
  virtual ~Remembered() = default;
  /// None: nothing was there, and the key is claimed now.
  virtual Result<std::optional<catalog::RememberedAnswer>> claim(const Sha256Digest& request) = 0;
  virtual Status keep(const catalog::RememberedAnswer& answer) = 0;
  /// Whether the effect is only there when keep() worked.
  virtual bool holds_effect() const { return false; }
  /// The request has failed and done nothing.
  virtual Status withdraw() = 0;
};

/// The answer to `request`, which `answer` makes when there was none. Without `keeps_answer` (it holds
/// a secret) a repeat is kConflict, as it is while the first one goes on, and when it ended in a way
/// that does not tell whether it had its effect. kIdempotencyMismatch.
Result<http::Response> answer_once(Remembered& remembered, const Sha256Digest& request,
                                   bool keeps_answer,
                                   const std::function<Result<http::Response>()>& answer);

/// Of a key of a tenant's caller. `in`: the transaction that has the effect, too; keep() commits it.
std::unique_ptr<Remembered> remembered_in(catalog::TenantTransaction& in, UserId user,
                                          const std::string& key);
/// In transactions of its own.
std::unique_ptr<Remembered> remembered_beside(catalog::Database& database, TenantId tenant,
                                              UserId user, const std::string& key);
/// Of a key of the operator.
std::unique_ptr<Remembered> remembered_of_operator(catalog::Database& database,
                                                   const std::string& key);

}  // namespace oa::api
