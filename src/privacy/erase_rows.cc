#include "oa/catalog/repositories.h"
#include "oa/catalog/statements.h"
#include "oa/privacy/erased_user.h"
#include "oa/privacy/erasure.h"
#include "person_rows.h"

namespace oa::privacy {
namespace {

// Of nobody who is there, the id alone.
Result<PersonValues> values_by_id(catalog::TenantTransaction& transaction, UserId id,
                                  std::string tombstone) {
  const auto user = catalog::Users(transaction).get(id);
  if (user.ok()) return values_of(*user, std::move(tombstone));
  if (user.error().code != ErrorCode::kNotFound) return user.error();
  return values_of(erased_user(id, {}), std::move(tombstone));
}

Result<std::map<std::string, std::uint64_t>> assets_of(catalog::TenantTransaction& transaction,
                                                       UserId user) {
  catalog::Statements statements(transaction);
  std::map<std::string, std::uint64_t> assets;
  for (const std::string kind : {"datasets", "reports", "alerts"}) {
    OA_ASSIGN(const auto count,
              statements.number("SELECT count(*) FROM " + kind + " WHERE created_by = $1",
                                {user.uuid()}));
    assets[kind] = static_cast<std::uint64_t>(count);
  }
  return assets;
}

Result<bool> is_last_owner(catalog::TenantTransaction& transaction, const catalog::User& user) {
  if (!user.owner || !user.active) return false;
  OA_ASSIGN(const auto others,
            catalog::Statements(transaction)
                .number("SELECT count(*) FROM users WHERE owner AND active AND id <> $1",
                        {user.id.uuid()}));
  return others == 0;
}

}  // namespace

Result<Counts> erase_rows(catalog::TenantTransaction& transaction, const Ledger& ledger,
                          UserId user) {
  // Who writes a row that refers to the person is waited for, and waits.
  OA_ASSIGN(const auto locked, catalog::Statements(transaction)
                                   .rows("SELECT id::text FROM users WHERE id = $1 FOR UPDATE",
                                         {user.uuid()}));
  OA_ASSIGN(const auto person,
            values_by_id(transaction, user, ledger.tombstone(transaction.tenant(), user)));
  return walk_rows(transaction, person, Walk::kErase);
}

// Made here since the person was there, or brought from elsewhere: what is in those is not known.
Result<std::vector<catalog::ArchiveRecord>> archives_with(catalog::TenantTransaction& transaction,
                                                          const catalog::User& user) {
  OA_ASSIGN(auto archives, catalog::Archives(transaction).list());
  std::erase_if(archives, [&](const catalog::ArchiveRecord& archive) {
    return archive.origin == catalog::ArchiveOrigin::kCreated &&
           archive.snapshot_time.unix_us < user.created_at.unix_us;
  });
  return archives;
}

Result<Preview> preview_erasure(catalog::TenantTransaction& transaction, UserId user) {
  Preview preview;
  OA_ASSIGN(preview.user, catalog::Users(transaction).get(user));
  preview.erased = is_erased(preview.user);
  OA_ASSIGN(preview.last_owner, is_last_owner(transaction, preview.user));
  const auto person = values_of(preview.user, "redacted-" + std::string(32, '0'));
  OA_ASSIGN(preview.effects, walk_rows(transaction, person, Walk::kCount));
  OA_ASSIGN(preview.assets, assets_of(transaction, user));
  if (preview.erased) return preview;
  OA_ASSIGN(preview.archives, archives_with(transaction, preview.user));
  return preview;
}

Status check_may_be_erased(catalog::TenantTransaction& transaction, UserId user) {
  // In the order of ids, as everybody who takes more than one.
  OA_ASSIGN(const auto owners,
            catalog::Statements(transaction)
                .rows("SELECT id::text FROM users WHERE owner AND active OR id = $1 ORDER BY id FOR UPDATE",
                      {user.uuid()}));
  auto found = catalog::Users(transaction).get(user);
  if (!found.ok() && found.error().code == ErrorCode::kNotFound) {
    return make_error(ErrorCode::kNotFound, "privacy.erase", "there is no person of this id")
        .with_hint("look at the list of people");
  }
  if (!found.ok()) return found.error();
  OA_ASSIGN(const bool last, is_last_owner(transaction, *found));
  if (!last) return {};
  return make_error(ErrorCode::kLastOwner, "privacy.erase", "the last Owner of an organisation stays")
      .with_hint("make somebody else an Owner first");
}

}  // namespace oa::privacy
