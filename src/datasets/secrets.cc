#include "oa/datasets/secrets.h"

#include <algorithm>

#include "audit_event.h"
#include "secret_payload.h"

namespace oa::datasets {
namespace {

constexpr std::size_t kMaxNameBytes = 128;

Status check_secret_name(std::string_view name) {
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!name.empty() && name.size() <= kMaxNameBytes &&
      std::all_of(name.begin(), name.end(), allowed)) {
    return {};
  }
  return make_error(ErrorCode::kInvalidArgument, "secret.name",
                    "a secret's name has 1 to 128 letters, digits, dots, dashes and underscores")
      .with_hint("give another name");
}

SecretInfo info_of(const catalog::SealedSecret& secret) {
  return {secret.id,         secret.name,       secret.kind,
          secret.created_at, secret.rotated_at, secret.expires_at};
}

json::object detail_of(const catalog::SealedSecret& secret) {
  return {{"name", secret.name}, {"kind", to_text(secret.kind)}};
}

}  // namespace

Result<SecretInfo> SecretStore::put(std::string_view name, catalog::SecretKind kind,
                                    const SecretBytes& payload, const Actor& actor) {
  OA_TRY(check_secret_name(name));
  OA_ASSIGN(const PayloadFacts facts, check_payload(kind, payload));
  catalog::SealedSecret secret;
  secret.id = SecretId::random();
  secret.name = name;
  secret.kind = kind;
  secret.created_at = Timestamp::now();
  secret.expires_at = facts.expires_at;
  OA_ASSIGN(secret.sealed,
            seal_value(keys_, tenant_, KeyPurpose::kSecrets, secret.id.str(), payload.view()));
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  auto stored = catalog::Secrets(transaction).put(secret);
  if (!stored.ok() && stored.error().code == ErrorCode::kConflict) {
    return make_error(ErrorCode::kAlreadyExists, "secret.put", "another secret has this name")
        .with_hint("rotate that one, or give another name");
  }
  OA_TRY(std::move(stored));
  OA_TRY(append_event(transaction, actor, "admin.secret.create", "secret", secret.id.str(),
                      detail_of(secret)));
  OA_TRY(transaction.commit());
  return info_of(secret);
}

Result<SecretInfo> SecretStore::rotate(std::string_view name, const SecretBytes& payload,
                                       const Actor& actor) {
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  catalog::Secrets secrets(transaction);
  OA_ASSIGN(catalog::SealedSecret secret, secrets.lock(name));
  OA_ASSIGN(const PayloadFacts facts, check_payload(secret.kind, payload));
  OA_ASSIGN(secret.sealed,
            seal_value(keys_, tenant_, KeyPurpose::kSecrets, secret.id.str(), payload.view()));
  secret.rotated_at = Timestamp::now();
  secret.expires_at = facts.expires_at;
  OA_TRY(secrets.put(secret));
  OA_TRY(append_event(transaction, actor, "admin.secret.rotate", "secret", secret.id.str(),
                      detail_of(secret)));
  OA_TRY(transaction.commit());
  return info_of(secret);
}

Result<std::uint64_t> SecretStore::rewrap_all(const Actor& actor) {
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  catalog::Secrets secrets(transaction);
  OA_ASSIGN(const auto listed, secrets.list());
  for (const auto& entry : listed) {
    auto locked = secrets.lock(entry.name);
    if (!locked.ok() && locked.error().code == ErrorCode::kNotFound) continue;  // gone meanwhile
    OA_TRY(locked);
    catalog::SealedSecret& secret = *locked;
    OA_ASSIGN(const SecretBytes payload,
              unseal_value(keys_, tenant_, KeyPurpose::kSecrets, secret.id.str(), secret.sealed));
    OA_ASSIGN(secret.sealed,
              seal_value(keys_, tenant_, KeyPurpose::kSecrets, secret.id.str(), payload.view()));
    OA_TRY(secrets.put(secret));
  }
  OA_TRY(append_event(transaction, actor, "admin.secret.rewrap", "tenant", tenant_.str(),
                      {{"secrets", listed.size()}}));
  OA_TRY(transaction.commit());
  return listed.size();
}

Result<std::vector<SecretInfo>> SecretStore::list() {
  OA_ASSIGN(auto transaction, database_.begin(tenant_, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto secrets, catalog::Secrets(transaction).list());
  std::vector<SecretInfo> infos;
  for (const auto& secret : secrets) infos.push_back(info_of(secret));
  std::sort(infos.begin(), infos.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return infos;
}

Status SecretStore::remove(std::string_view name, bool force, const Actor& actor) {
  OA_ASSIGN(auto transaction, database_.begin(tenant_));
  catalog::Secrets secrets(transaction);
  OA_ASSIGN(const auto secret, secrets.lock(name));
  OA_ASSIGN(const std::uint64_t uses, secrets.uses(name));
  if (uses > 0 && !force) {
    return make_error(ErrorCode::kConflict, "secret.remove",
                      "datasets that use this secret: " + std::to_string(uses))
        .with_hint("give those another source first, or remove it by force");
  }
  OA_TRY(secrets.remove(secret.id));
  json::object detail = detail_of(secret);
  detail["uses"] = uses;
  OA_TRY(
      append_event(transaction, actor, "admin.secret.delete", "secret", secret.id.str(), detail));
  return transaction.commit();
}

}  // namespace oa::datasets
