#include "oa/catalog/erasure_ledger.h"

#include <algorithm>
#include <set>

#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr std::size_t kBatch = 5000;

Sha256Digest to_digest(const Bytes& bytes) {
  Sha256Digest digest{};
  OA_ASSERT(bytes.size() == digest.size());  // the table's CHECK
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

Parameter number_of(std::uint64_t value) { return Parameter::of(static_cast<std::int64_t>(value)); }

}  // namespace

Result<CarriedOutMark> quick_mark(Database& database) {
  OA_ASSIGN(auto access, database.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query("SELECT coalesce(max(number), 0), pg_postmaster_start_time() "
                                      "FROM oa.erasure_ledger"));
  RowReader row(rows, 0);
  CarriedOutMark mark;
  mark.number = static_cast<std::uint64_t>(row.bigint());
  mark.server_started_at = row.timestamp();
  return mark;
}

Result<CarriedOutMark> carried_out_mark(Database& database) {
  OA_ASSIGN(auto access, database.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query(
                "SELECT count(*), coalesce(max(number), 0), "
                "coalesce((SELECT hash FROM oa.erasure_ledger ORDER BY number DESC LIMIT 1), ''), "
                "pg_postmaster_start_time() FROM oa.erasure_ledger"));
  RowReader row(rows, 0);
  CarriedOutMark mark;
  mark.entries = static_cast<std::uint64_t>(row.bigint());
  mark.number = static_cast<std::uint64_t>(row.bigint());
  const Bytes hash = row.bytes();
  if (!hash.empty()) mark.hash = to_digest(hash);
  mark.server_started_at = row.timestamp();
  return mark;
}

// The second half of the number; catalog/database.h has the others.
Status lock_ledger(TenantTransaction& transaction) {
  return transaction.connection().execute("SELECT pg_advisory_xact_lock(1868653163, 15)");
}

// The lock of TenantTransaction::lock_tenant_for_restore(), without the rows: those may change.
Status lock_out_restores(TenantTransaction& transaction) {
  const TenantId tenant = transaction.tenant();
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | tenant.uuid().raw()[i];
  return transaction.connection().execute("SELECT pg_advisory_xact_lock($1)",
                                          {Parameter::of(static_cast<std::int64_t>(key))});
}

Status add_carried_out(TenantTransaction& transaction, const CarriedOut& entry) {
  return transaction.connection().execute(
      "INSERT INTO oa.erasure_ledger (number, tenant_id, user_id, erased_at, address, hash, "
      "applied_at) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())",
      {number_of(entry.number), Parameter::of(entry.tenant), Parameter::of(entry.user),
       Parameter::of(entry.erased_at), Parameter::of(ByteView(entry.address)),
       Parameter::of(ByteView(entry.hash))});
}

namespace {

// Whose id the ledger has: here, and elsewhere alone.
struct KnownIds {
  std::set<UserId> here, elsewhere;
};

Result<KnownIds> known_ids(Database& database, TenantId tenant, const std::vector<Uuid>& ids) {
  KnownIds known;
  OA_ASSIGN(auto access, database.as_operator());
  for (std::size_t at = 0; at < ids.size(); at += kBatch) {
    const std::vector<Uuid> batch(
        ids.begin() + static_cast<std::ptrdiff_t>(at),
        ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), at + kBatch)));
    OA_ASSIGN(const Rows rows,
              access.connection().query("SELECT user_id, bool_or(tenant_id = $2) FROM "
                                        "oa.erasure_ledger WHERE user_id = ANY($1) GROUP BY user_id",
                                        {Parameter::uuids(batch), Parameter::of(tenant)}));
    for (int i = 0; i < rows.count(); ++i) {
      RowReader row(rows, i);
      const auto id = row.id<UserId>();
      (row.boolean() ? known.here : known.elsewhere).insert(id);
    }
  }
  return known;
}

Status take_out_those_here(TenantTransaction& snapshot, std::set<UserId>& users) {
  std::vector<Uuid> ids;
  for (const auto id : users) ids.push_back(id.uuid());
  for (std::size_t at = 0; at < ids.size(); at += kBatch) {
    const std::vector<Uuid> batch(
        ids.begin() + static_cast<std::ptrdiff_t>(at),
        ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), at + kBatch)));
    // A placeholder that a restore made of one who was erased is not that person.
    OA_ASSIGN(const Rows rows,
              snapshot.connection().query("SELECT id FROM users WHERE id = ANY($1) AND email NOT "
                                          "LIKE 'erased-%@erased.invalid'",
                                          {Parameter::uuids(batch)}));
    for (int i = 0; i < rows.count(); ++i) users.erase(RowReader(rows, i).id<UserId>());
  }
  return {};
}

// When each address was erased from the tenant last.
Result<std::map<Sha256Digest, Timestamp>> erased_addresses(TenantTransaction& snapshot) {
  OA_ASSIGN(const Rows rows,
            snapshot.connection().query(
                "SELECT address, max(erased_at) FROM oa.erasure_ledger GROUP BY address"));
  std::map<Sha256Digest, Timestamp> addresses;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    const auto address = to_digest(row.bytes());
    addresses[address] = row.timestamp();
  }
  return addresses;
}

}  // namespace

Result<std::vector<UserId>> erased_among(Database& database, TenantId tenant,
                                         std::span<const ArchivedPerson> archived) {
  std::vector<Uuid> ids;
  for (const auto& person : archived) ids.push_back(person.id.uuid());
  OA_ASSIGN(auto known, known_ids(database, tenant, ids));
  OA_ASSIGN(auto snapshot, database.begin(tenant, Isolation::kSnapshot));
  OA_TRY(take_out_those_here(snapshot, known.elsewhere));
  OA_ASSIGN(const auto addresses, erased_addresses(snapshot));
  std::vector<UserId> erased;
  for (const auto& person : archived) {
    const auto address = addresses.find(person.address);
    const bool by_address = address != addresses.end() && person.created_at <= address->second;
    if (by_address || known.here.contains(person.id) || known.elsewhere.contains(person.id))
      erased.push_back(person.id);
  }
  return erased;
}

Result<LockedErasure> lock_erasure(TenantTransaction& transaction, Uuid id) {
  OA_ASSIGN(const Rows rows,
            transaction.connection().query(
                "SELECT user_id, state FROM oa.erasures WHERE id = $1 FOR UPDATE",
                {Parameter::of(id)}));
  if (rows.count() == 0)
    return make_error(ErrorCode::kNotFound, "privacy.erase", "there is no erasure of this id");
  RowReader row(rows, 0);
  LockedErasure locked;
  locked.user = row.id<UserId>();
  locked.state = row.text();
  return locked;
}

Result<std::optional<ScheduledErasure>> lock_scheduled_erasure(TenantTransaction& transaction,
                                                               UserId user) {
  OA_ASSIGN(const Rows rows,
            transaction.connection().query("SELECT id, requested_by FROM oa.erasures WHERE user_id "
                                           "= $1 AND state = 'scheduled' FOR UPDATE",
                                           {Parameter::of(user)}));
  if (rows.count() == 0) return std::optional<ScheduledErasure>();
  RowReader row(rows, 0);
  ScheduledErasure scheduled;
  scheduled.id = row.uuid();
  if (const auto by = row.optional_uuid()) scheduled.requested_by = UserId(*by);
  return std::optional(scheduled);
}

Status finish_erasure(TenantTransaction& transaction, const DoneErasure& done) {
  return transaction.connection().execute(
      "INSERT INTO oa.erasures (id, user_id, state, requested_at, execute_at, erased_at, "
      "ledger_number, effects, certificate) VALUES ($1, $2, 'done', $3, $3, $3, $4, $5, $6) "
      "ON CONFLICT (tenant_id, id) DO UPDATE SET state = 'done', erased_at = $3, "
      "ledger_number = $4, effects = $5, certificate = $6",
      {Parameter::of(done.id), Parameter::of(done.user), Parameter::of(done.erased_at),
       number_of(done.ledger_number), Parameter::of(done.effects),
       Parameter::of(done.certificate)});
}

Result<std::vector<DueErasure>> due_erasures(Database& database, Timestamp now, std::size_t limit) {
  OA_ASSIGN(auto access, database.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query(
                "SELECT tenant_id, id FROM oa.erasures WHERE state = 'scheduled' AND execute_at <= "
                "$1 ORDER BY execute_at, id LIMIT $2",
                {Parameter::of(now), Parameter::of(static_cast<std::int64_t>(limit))}));
  std::vector<DueErasure> due;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    DueErasure one;
    one.tenant = row.id<TenantId>();
    one.id = row.uuid();
    due.push_back(one);
  }
  return due;
}

}  // namespace oa::catalog
