// Records as the API shows them (docs/openapi.yaml, components).
#pragma once

#include <boost/json.hpp>

#include "call.h"

namespace oa::api {

/// Names of people, each read once. Borrows the transaction.
class People {
 public:
  explicit People(catalog::TenantTransaction& transaction) : tx_(transaction) {}
  /// {"id","name"}; null for none, which is the operator or the service.
  json::value person(const std::optional<UserId>& id);

 private:
  catalog::TenantTransaction& tx_;
  std::map<UserId, std::string> names_;
};

json::value moment_or_null(const std::optional<Timestamp>& moment);
template <class IdType>
json::value id_or_null(const std::optional<IdType>& id) {
  if (!id.has_value()) return nullptr;
  return json::string(id->str());
}

json::object job_document(const catalog::Job& job, People& people);
/// `creator`: as People::person() says.
json::object job_document(const catalog::Job& job, const json::value& creator);
json::object archive_document(const catalog::ArchiveRecord& record,
                              const std::vector<PublicKey>& own_keys, People& people);
json::object restore_document(const catalog::RestoreRecord& record, People& people);
json::object audit_document(const AuditEvent& event, People& people);
json::object dataset_document(const catalog::Dataset& dataset,
                              const catalog::DatasetSource& source);
json::object token_document(const catalog::TokenRecord& token);

/// The answer of a request for JSON.
http::Response json_response(int status, const json::value& document);
http::Response no_content();
/// 202 with the job, whose place is in Location.
Result<http::Response> job_response(TenantCall& call, const catalog::Job& job);

}  // namespace oa::api
