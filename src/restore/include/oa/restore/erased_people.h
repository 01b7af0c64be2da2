// Who was erased stays erased, whatever archive comes back.
#pragma once

#include <map>
#include <vector>

#include "oa/catalog/database.h"
#include "oa/privacy/ledger.h"
#include "oa/privacy/mentions.h"

namespace oa::restore {

class ErasedPeople {
 public:
  virtual ~ErasedPeople() = default;
  /// Those of `archived` whose person was erased, from the tenant or as the same person elsewhere, by
  /// id or by address; with what they are found by in texts.
  virtual Result<std::vector<privacy::PersonValues>> among(
      TenantId tenant, const std::map<UserId, catalog::User>& archived) const = 0;
};

/// As the ledger of erasures has it, as far as the database carried it out. Borrows both.
class ErasedByLedger final : public ErasedPeople {
 public:
  ErasedByLedger(catalog::Database& database, const privacy::Ledger& ledger)
      : database_(database), ledger_(ledger) {}
  Result<std::vector<privacy::PersonValues>> among(
      TenantId tenant, const std::map<UserId, catalog::User>& archived) const override;

 private:
  catalog::Database& database_;
  const privacy::Ledger& ledger_;
};

}  // namespace oa::restore
