#include "once.h"

#include <algorithm>
#include <boost/json.hpp>

namespace oa::api {
namespace {

using catalog::RememberedAnswer;

constexpr std::size_t kMaxKey = 128;

// Failures of which it is known that nothing was changed: the request was refused. Others may have
// come after the effect.
bool did_nothing(const Error& error) {
  return error_info(error.code).http_status < 500 || error.code == ErrorCode::kOverloaded ||
         error.code == ErrorCode::kDatasetRefreshInProgress;
}

Result<http::Response> replay(const RememberedAnswer& before, const Sha256Digest& request) {
  if (before.request != request) {
    return make_error(ErrorCode::kIdempotencyMismatch, "request",
                      "this Idempotency-Key came before with another request")
        .with_hint("use a new key for a new request");
  }
  if (!before.known()) {
    return make_error(ErrorCode::kConflict, "request",
                      "a request with this Idempotency-Key has begun, and its answer is not kept")
        .with_hint("look whether it had its effect; use a new key to do it again");
  }
  http::Response response;
  response.status = before.status;
  const json::value headers = before.headers.value();
  for (const auto& [name, value] : headers.as_object())
    response.headers.emplace_back(name, value.as_string());
  response.headers.emplace_back("Idempotent-Replay", "true");
  response.body = before.body;
  return response;
}

RememberedAnswer remembered_answer(const http::Response& response, const Sha256Digest& request) {
  json::object headers;
  for (const auto& [name, value] : response.headers) headers[name] = value;
  return {request, response.status, JsonText::of(headers), std::get<std::string>(response.body)};
}

class InTransaction final : public Remembered {
 public:
  InTransaction(catalog::TenantTransaction& transaction, UserId user, const std::string& key)
      : transaction_(transaction), answers_(transaction), user_(user), key_(key) {}
  Result<std::optional<RememberedAnswer>> claim(const Sha256Digest& request) override {
    return answers_.claim(user_, key_, request);
  }
  Status keep(const RememberedAnswer& answer) override {
    OA_TRY(answers_.complete(user_, key_, answer));
    return transaction_.commit();
  }
  bool holds_effect() const override { return true; }
  Status withdraw() override { return {}; }  // the claim goes with the transaction

 private:
  catalog::TenantTransaction& transaction_;
  catalog::IdempotentAnswers answers_;
  const UserId user_;
  const std::string key_;
};

class Beside final : public Remembered {
 public:
  Beside(catalog::Database& database, TenantId tenant, UserId user, const std::string& key)
      : database_(database), tenant_(tenant), user_(user), key_(key) {}
  Result<std::optional<RememberedAnswer>> claim(const Sha256Digest& request) override {
    OA_ASSIGN(auto transaction, database_.begin(tenant_));
    OA_ASSIGN(auto before, catalog::IdempotentAnswers(transaction).claim(user_, key_, request));
    OA_TRY(transaction.commit());
    return before;
  }
  Status keep(const RememberedAnswer& answer) override {
    OA_ASSIGN(auto transaction, database_.begin(tenant_));
    OA_TRY(catalog::IdempotentAnswers(transaction).complete(user_, key_, answer));
    return transaction.commit();
  }
  Status withdraw() override {
    OA_ASSIGN(auto transaction, database_.begin(tenant_));
    OA_TRY(catalog::IdempotentAnswers(transaction).remove(user_, key_));
    return transaction.commit();
  }

 private:
  catalog::Database& database_;
  const TenantId tenant_;
  const UserId user_;
  const std::string key_;
};

class OfOperator final : public Remembered {
 public:
  OfOperator(catalog::Database& database, const std::string& key)
      : database_(database), key_(key) {}
  Result<std::optional<RememberedAnswer>> claim(const Sha256Digest& request) override {
    OA_ASSIGN(auto access, database_.as_operator());
    return catalog::OperatorAnswers(access).claim(key_, request);
  }
  Status keep(const RememberedAnswer& answer) override {
    OA_ASSIGN(auto access, database_.as_operator());
    return catalog::OperatorAnswers(access).complete(key_, answer);
  }
  Status withdraw() override {
    OA_ASSIGN(auto access, database_.as_operator());
    return catalog::OperatorAnswers(access).remove(key_);
  }

 private:
  catalog::Database& database_;
  const std::string key_;
};

}  // namespace

Result<std::optional<std::string>> idempotency_key(const http::Request& request) {
  const auto key = request.header("idempotency-key");
  if (!key.has_value()) return std::optional<std::string>();
  const bool printable =
      std::all_of(key->begin(), key->end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (!key->empty() && key->size() <= kMaxKey && printable)
    return std::optional<std::string>(*key);
  return make_error(ErrorCode::kInvalidArgument, "request",
                    "an Idempotency-Key has 1 to 128 printable characters");
}

Sha256Digest digest_of(const Arrived& arrived) {
  const http::Request& request = *arrived.request;
  json::array asked{request.method, request.target, arrived.body.value_or(nullptr)};
  for (const char* name : {"upload-length", "upload-metadata"})  // what tus asks for is in headers
    asked.push_back(json::string(request.header(name).value_or("")));
  return hmac_sha256(arrived.secrets->requests, as_bytes(canonical_json(asked)));
}

Result<http::Response> answer_once(Remembered& remembered, const Sha256Digest& request,
                                   bool keeps_answer,
                                   const std::function<Result<http::Response>()>& answer) {
  OA_ASSIGN(const auto before, remembered.claim(request));
  if (before.has_value()) return replay(*before, request);
  auto response = answer();
  if (!response.ok()) {
    // A claim that cannot be withdrawn goes after a day, and refuses repeats until then.
    if (did_nothing(response.error())) (void)remembered.withdraw();
    return response;
  }
  if (!keeps_answer) return response;
  const Status kept = remembered.keep(remembered_answer(*response, request));
  if (!kept.ok() && remembered.holds_effect()) return kept.error();
  return response;
}

std::unique_ptr<Remembered> remembered_in(catalog::TenantTransaction& in, UserId user,
                                          const std::string& key) {
  return std::make_unique<InTransaction>(in, user, key);
}

std::unique_ptr<Remembered> remembered_beside(catalog::Database& database, TenantId tenant,
                                              UserId user, const std::string& key) {
  return std::make_unique<Beside>(database, tenant, user, key);
}

std::unique_ptr<Remembered> remembered_of_operator(catalog::Database& database,
                                                   const std::string& key) {
  return std::make_unique<OfOperator>(database, key);
}

}  // namespace oa::api
