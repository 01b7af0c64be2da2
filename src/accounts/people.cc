#include "oa/accounts/people.h"

#include <algorithm>
#include <boost/json.hpp>

#include "audit_note.h"
#include "oa/catalog/repositories.h"

namespace oa::accounts {
namespace {

constexpr std::size_t kMaxEmailBytes = 254;  // RFC 5321, section 4.5.3.1.3, less the brackets

// What could be one; whether it is, only a message can tell.
Status check_email(const std::string& email) {
  const auto at = email.rfind('@');
  const bool shaped =
      at != std::string::npos && at > 0 && at + 1 < email.size() &&
      email.size() <= kMaxEmailBytes && is_utf8(email) &&
      std::ranges::none_of(email, [](char c) { return c == 0x7f || (c >= 0 && c <= ' '); });
  if (shaped) return {};
  return make_error(ErrorCode::kInvalidArgument, "people.add", "this is no e-mail address")
      .with_hint("give one like ada@example.com");
}

Error nobody() {
  return make_error(ErrorCode::kNotFound, "people", "the tenant has no such user")
      .with_hint("`oa-backup user list --tenant NAME` shows them");
}

}  // namespace

Result<std::vector<ListedPerson>> list_people(catalog::Database& database, TenantId tenant) {
  OA_ASSIGN(auto transaction, database.begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(auto users, catalog::Users(transaction).list());
  OA_ASSIGN(const auto with_password, catalog::users_with_password(transaction));
  std::ranges::sort(users, {}, &catalog::User::email);
  std::vector<ListedPerson> people;
  for (auto& user : users) {
    const bool has_password = with_password.contains(user.id);
    people.push_back({std::move(user), has_password});
  }
  return people;
}

Result<catalog::User> find_person(catalog::Database& database, TenantId tenant,
                                  const std::string& email_or_id) {
  OA_ASSIGN(auto transaction, database.begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto users, catalog::Users(transaction).list());
  const auto found = std::ranges::find_if(users, [&](const catalog::User& user) {
    return catalog::same_email(user.email, email_or_id) || user.id.str() == email_or_id;
  });
  if (found == users.end()) return nobody();
  return *found;
}

Result<catalog::User> add_person(catalog::Database& database, TenantId tenant,
                                 const NewPerson& person) {
  OA_TRY(check_email(person.email));
  OA_ASSIGN(auto transaction, database.begin(tenant));
  catalog::User user;
  user.id = UserId::random();
  user.email = person.email;
  user.first_name = person.first_name;
  user.last_name = person.last_name;
  user.owner = person.owner;
  user.created_at = transaction.started_at();
  const Status put = catalog::Users(transaction).put({&user, 1});
  if (!put.ok() && put.error().code == ErrorCode::kConflict) {
    return make_error(ErrorCode::kAlreadyExists, "people.add",
                      "the tenant has a user of this e-mail address");
  }
  OA_TRY(put);
  OA_TRY(record(transaction, "operator", std::nullopt,
                {"user.create", "user", user.id.str(), {{"owner", user.owner}}}));
  OA_TRY(transaction.commit());
  return user;
}

Status set_active(catalog::Database& database, TenantId tenant, UserId id, bool active) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  catalog::Users users(transaction);
  auto user = users.get(id);
  if (!user.ok() && user.error().code == ErrorCode::kNotFound) return nobody();
  OA_TRY(user);
  if (user->active == active) return {};
  user->active = active;
  OA_TRY(users.put({&*user, 1}));
  OA_TRY(record(transaction, "operator", std::nullopt,
                {"user.update", "user", id.str(), {{"active", active}}}));
  return transaction.commit();
}

Status set_role(catalog::Database& database, TenantId tenant, UserId user, WorkspaceId workspace,
                std::optional<catalog::Role> role) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_ASSIGN(const auto credential, catalog::find_credential(transaction, user));
  if (!credential.has_value()) return nobody();
  OA_TRY(catalog::set_workspace_role(transaction, user, workspace, role));
  json::object detail{{"workspace", workspace.str()}, {"role", nullptr}};
  if (role.has_value()) detail["role"] = catalog::to_text(*role);
  OA_TRY(record(transaction, "operator", std::nullopt,
                {"user.role.change", "user", user.str(), detail}));
  return transaction.commit();
}

}  // namespace oa::accounts
