// Keys that sign a tenant's archives, and whose archives it trusts beside its own.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "commands.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/key_file.h"

namespace oa::cli {
namespace {

std::string_view state_of(const catalog::SigningKeyRecord& record) {
  if (record.revoked_at.has_value()) return "revoked";
  return record.retired_at.has_value() ? "retired" : "signs";
}

struct Decision {
  std::unique_ptr<instance::Instance> instance;
  catalog::Tenant tenant;
  UserId owner;
};

// The tenant, and the person in whose name its trust changes.
Result<Decision> open_decision(const Context& context, const KeyOptions& options) {
  Decision decision;
  OA_ASSIGN(decision.instance, open_unfenced(context.options));
  auto& database = decision.instance->database();
  OA_ASSIGN(decision.tenant, database.find_tenant(options.tenant));
  OA_ASSIGN(auto transaction, database.begin(decision.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto users, catalog::Users(transaction).list());
  for (const auto& user : users) {
    if (!catalog::same_email(user.email, options.owner)) continue;
    decision.owner = user.id;
    return decision;
  }
  return make_error(ErrorCode::kNotFound, "keys", "the tenant has no user of this e-mail")
      .with_hint("name an Owner of the tenant with --owner");
}

}  // namespace

Status run_keys_list(const Context& context, const KeyOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_ASSIGN(auto transaction, instance->database().begin(tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto records, catalog::SigningKeys(transaction).list());
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : records) {
    OA_ASSIGN(const auto key, PublicKey::parse(record.public_key));
    const std::string_view state = state_of(record);
    items.push_back(json::object{{"key_id", key.key_id()},
                                 {"fingerprint", key.fingerprint()},
                                 {"public_key", key.base64()},
                                 {"signs", state == "signs"},
                                 {"state", state}});
    rows.push_back(
        {key.key_id(), state == "retired" ? "retired, trusted" : std::string(state), key.base64()});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"key id", "state", "public key (minisign)"}, rows,
                       "the tenant has no signing key");
  return {};
}

Status run_keys_rotate(const Context& context, const KeyOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_ASSIGN(const auto key, instance->rotate_signing_key(tenant.id));
  context.output.document(json::object{
      {"key_id", key.key_id()}, {"fingerprint", key.fingerprint()}, {"public_key", key.base64()}});
  context.output.line(
      fmt::format("new archives are signed by {}; older archives stay trusted", key.key_id()));
  return {};
}

Status run_keys_accept(const Context& context, const KeyOptions& options) {
  OA_ASSIGN(const auto key, read_public_key_file(options.public_key));
  OA_ASSIGN(const auto decision, open_decision(context, options));
  OA_TRY(decision.instance->accept_signer(decision.tenant.id, key, options.fingerprint,
                                          decision.owner, options.note));
  context.output.document(json::object{
      {"key_id", key.key_id()}, {"fingerprint", key.fingerprint()}, {"public_key", key.base64()}});
  context.output.line(fmt::format("tenant {} trusts archives signed by {} from now on",
                                  decision.tenant.name, key.key_id()));
  return {};
}

Status run_keys_accepted(const Context& context, const KeyOptions& options) {
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.tenant));
  OA_ASSIGN(const auto signers, instance->accepted_signers(tenant.id));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& signer : signers) {
    OA_ASSIGN(const auto key, PublicKey::parse(signer.public_key));
    json::object item{{"key_id", key.key_id()},
                      {"fingerprint", signer.fingerprint},
                      {"public_key", signer.public_key},
                      {"note", signer.note},
                      {"accepted_by", signer.accepted_by.str()},
                      {"accepted_at", signer.accepted_at.rfc3339()},
                      {"revoked_at", nullptr}};
    if (signer.revoked_at.has_value()) item["revoked_at"] = signer.revoked_at->rfc3339();
    items.push_back(std::move(item));
    rows.push_back({signer.fingerprint, signer.revoked_at.has_value() ? "revoked" : "trusted",
                    signer.accepted_at.rfc3339(), signer.note});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"fingerprint", "state", "accepted", "note"}, rows,
                       "the tenant trusts its own keys alone");
  return {};
}

Status run_keys_revoke(const Context& context, const KeyOptions& options) {
  OA_ASSIGN(const auto decision, open_decision(context, options));
  OA_TRY(decision.instance->revoke_signer(decision.tenant.id, options.fingerprint, decision.owner));
  context.output.document(json::object{{"fingerprint", options.fingerprint}});
  context.output.line(fmt::format("tenant {} refuses archives signed by this key from now on",
                                  decision.tenant.name));
  return {};
}

}  // namespace oa::cli
