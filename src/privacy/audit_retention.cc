#include "oa/privacy/audit_retention.h"

#include "oa/catalog/repositories.h"
#include "oa/catalog/statements.h"

namespace oa::privacy {

int audit_days_of(catalog::Plan plan) {
  switch (plan) {
    case catalog::Plan::kStarter:
      return 90;
    case catalog::Plan::kGrowth:
      return 365;
    case catalog::Plan::kScale:
      return 7 * 365 + 2;  // seven years, whatever leap years they have
  }
  OA_ASSERT(false);
}

Result<std::uint64_t> retire_audit_events(catalog::Database& database, const Ledger& ledger,
                                          const catalog::Tenant& tenant, Timestamp now) {
  constexpr std::int64_t kDay = 24LL * 3600 * 1'000'000;
  const Timestamp before{now.unix_us - audit_days_of(tenant.plan) * kDay};
  OA_ASSIGN(auto transaction, database.begin(tenant.id));
  catalog::Audit audit(transaction);
  OA_ASSIGN(const auto last, audit.last_before(before));
  if (!last.has_value()) return std::uint64_t{0};
  const auto checkpoint =
      make_checkpoint(tenant.id, last->mark, last->ts, now, ledger.signing_key());
  catalog::Statements statements(transaction);
  OA_ASSIGN(const auto added,
            statements.execute("INSERT INTO audit_checkpoints (sequence, hash, made_at, statement, "
                               "signature) VALUES ($1, $2, $3, $4, $5)",
                               {static_cast<std::int64_t>(checkpoint.mark.sequence),
                                Bytes(checkpoint.mark.hash.begin(), checkpoint.mark.hash.end()),
                                checkpoint.made_at, checkpoint.statement, checkpoint.signature}));
  OA_ASSERT(added == 1);
  OA_ASSIGN(const auto removed, statements.number("SELECT oa.retire_audit_events()"));
  OA_TRY(transaction.commit());
  return static_cast<std::uint64_t>(removed);
}

}  // namespace oa::privacy
