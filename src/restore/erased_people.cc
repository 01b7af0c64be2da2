#include "oa/restore/erased_people.h"

#include "oa/catalog/erasure_ledger.h"

namespace oa::restore {

Result<std::vector<privacy::PersonValues>> ErasedByLedger::among(
    TenantId tenant, const std::map<UserId, catalog::User>& archived) const {
  std::vector<catalog::ArchivedPerson> people;
  people.reserve(archived.size());
  for (const auto& [id, user] : archived)
    people.push_back({id, user.created_at, ledger_.address_of(tenant, user.email)});
  OA_ASSIGN(const auto erased, catalog::erased_among(database_, tenant, people));
  std::vector<privacy::PersonValues> values;
  for (const auto id : erased)
    values.push_back(privacy::values_of(archived.at(id), ledger_.tombstone(tenant, id)));
  return values;
}

}  // namespace oa::restore
