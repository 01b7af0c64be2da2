// The part of Eraser that writes wishes down.
#include <boost/json.hpp>
#include <charconv>

#include "oa/catalog/erasure_ledger.h"
#include "oa/catalog/repositories.h"
#include "oa/catalog/statements.h"
#include "oa/privacy/erasure.h"

namespace oa::privacy {
namespace {

using catalog::SqlRow;
using catalog::SqlValue;
using catalog::Statements;

constexpr const char* kOp = "privacy.erase";
constexpr std::uint32_t kMaxCoolingOffDays = 30;

std::string micros(std::string_view column) {
  return "(extract(epoch FROM " + std::string(column) + ") * 1000000)::bigint::text";
}

const std::string kSelect =
    "SELECT id::text, user_id::text, state, requested_by::text, " + micros("requested_at") + ", " +
    micros("execute_at") + ", " + micros("erased_at") +
    ", ledger_number::text, effects::text, coalesce(certificate::text, '{}') FROM erasures ";

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<Counts> counts_of(const JsonText& document) {
  Counts counts;
  const auto value = document.value();
  const auto* members = value.if_object();
  if (members == nullptr) return counts;
  for (const auto& member : *members) {
    if (member.value().is_int64() || member.value().is_uint64())
      counts[std::string(member.key())] = member.value().to_number<std::uint64_t>();
  }
  return counts;
}

Result<ErasureRecord> read(const SqlRow& row) {
  ErasureRecord record;
  OA_ASSIGN(record.id, Uuid::parse(row.at(0).value()));
  OA_ASSIGN(record.user, UserId::parse(row.at(1).value()));
  for (const auto state :
       {ErasureState::kScheduled, ErasureState::kCancelled, ErasureState::kDone})
    if (to_text(state) == row.at(2)) record.state = state;
  if (row.at(3).has_value()) {
    OA_ASSIGN(record.requested_by, UserId::parse(*row.at(3)));
  }
  record.requested_at = Timestamp{number(row.at(4).value())};
  record.execute_at = Timestamp{number(row.at(5).value())};
  if (row.at(6).has_value()) record.erased_at = Timestamp{number(*row.at(6))};
  if (row.at(7).has_value()) record.ledger_number = static_cast<std::uint64_t>(number(*row.at(7)));
  OA_ASSIGN(const auto effects, JsonText::parse(row.at(8).value()));
  OA_ASSIGN(record.effects, counts_of(effects));
  OA_ASSIGN(record.certificate, JsonText::parse(row.at(9).value()));
  return record;
}

Result<std::vector<ErasureRecord>> select(catalog::TenantTransaction& transaction,
                                          const std::string& rest,
                                          const std::vector<SqlValue>& values) {
  OA_ASSIGN(const auto rows, Statements(transaction).rows(kSelect + rest, values));
  std::vector<ErasureRecord> records;
  for (const auto& row : rows) {
    OA_ASSIGN(auto record, read(row));
    records.push_back(std::move(record));
  }
  return records;
}

Result<ErasureRecord> record_in(catalog::TenantTransaction& transaction, Uuid id) {
  OA_ASSIGN(auto records, select(transaction, "WHERE id = $1", {id}));
  if (!records.empty()) return std::move(records.front());
  return make_error(ErrorCode::kNotFound, kOp, "there is no erasure of this id")
      .with_hint("look at the list of erasures");
}

Status audit(catalog::TenantTransaction& transaction, std::string action,
             std::string resource_type, std::string resource_id, std::optional<UserId> by,
             const std::string& trace_id, json::object detail) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = by.has_value() ? "user" : "operator";
  if (by.has_value()) event.actor_id = by->uuid();
  event.action = std::move(action);
  event.resource_type = std::move(resource_type);
  event.resource_id = std::move(resource_id);
  event.trace_id = trace_id;
  event.detail = JsonText::of(detail);
  return catalog::Audit(transaction).append({&event, 1});
}

SqlValue uuid_or_null(const std::optional<UserId>& id) {
  return id.has_value() ? std::optional<Uuid>(id->uuid()) : std::optional<Uuid>();
}

}  // namespace

std::string_view to_text(ArchivePolicy policy) {
  return policy == ArchivePolicy::kList ? "list" : "rewrite";
}

std::string_view to_text(ErasureState state) {
  switch (state) {
    case ErasureState::kScheduled:
      return "scheduled";
    case ErasureState::kCancelled:
      return "cancelled";
    case ErasureState::kDone:
      return "done";
  }
  return "";
}

Result<ErasureRecord> Eraser::request(TenantId tenant, UserId user, std::optional<UserId> by,
                                      std::chrono::seconds wait, const std::string& trace_id) {
  OA_ASSIGN(auto transaction, database_.begin(tenant));
  // First of all locks, so that two wishes for one person come one behind the other.
  const Status may = check_may_be_erased(transaction, user);
  if (!may.ok() && may.error().code != ErrorCode::kLastOwner) return may.error();
  OA_ASSIGN(auto before, select(transaction,
                                "WHERE user_id = $1 AND state <> 'cancelled' ORDER BY state = 'done' "
                                "DESC, requested_at DESC LIMIT 1",
                                {user.uuid()}));
  if (!before.empty()) return std::move(before.front());
  if (!may.ok()) return may.error();
  const Uuid id = Uuid::random();
  OA_ASSIGN(const auto added,
            Statements(transaction)
                .execute("INSERT INTO erasures (id, user_id, state, requested_by, requested_at, "
                         "execute_at) VALUES ($1, $2, 'scheduled', $3, clock_timestamp(), "
                         "clock_timestamp() + $4 * interval '1 second')",
                         {id, user.uuid(), uuid_or_null(by),
                          static_cast<std::int64_t>(wait.count())}));
  OA_ASSERT(added == 1);
  OA_TRY(audit(transaction, "privacy.erase.request", "user", user.str(), by, trace_id,
               {{"erasure", id.str()}, {"wait_seconds", wait.count()}}));
  OA_ASSIGN(auto record, record_in(transaction, id));
  OA_TRY(transaction.commit());
  return record;
}

Result<ErasureRecord> Eraser::cancel(TenantId tenant, Uuid id, std::optional<UserId> by,
                                     const std::string& trace_id) {
  OA_ASSIGN(auto transaction, database_.begin(tenant));
  OA_ASSIGN(const auto locked, catalog::lock_erasure(transaction, id));
  if (locked.state != to_text(ErasureState::kScheduled)) {
    return make_error(ErrorCode::kConflict, kOp,
                      locked.state == to_text(ErasureState::kDone)
                          ? "the person was erased; that cannot be taken back"
                          : "this erasure was cancelled already");
  }
  OA_ASSIGN(const auto changed,
            Statements(transaction)
                .execute("UPDATE erasures SET state = 'cancelled' WHERE id = $1", {id}));
  OA_ASSERT(changed == 1);
  OA_TRY(audit(transaction, "privacy.erase.cancel", "user", locked.user.str(), by, trace_id,
               {{"erasure", id.str()}}));
  OA_ASSIGN(auto record, record_in(transaction, id));
  OA_TRY(transaction.commit());
  return record;
}

Result<ErasureRecord> Eraser::get(TenantId tenant, Uuid id) {
  OA_ASSIGN(auto snapshot, database_.begin(tenant, catalog::Isolation::kSnapshot));
  return record_in(snapshot, id);
}

Result<std::vector<ErasureRecord>> Eraser::list(TenantId tenant, std::optional<UserId> user) {
  OA_ASSIGN(auto snapshot, database_.begin(tenant, catalog::Isolation::kSnapshot));
  return select(snapshot,
                "WHERE $1::uuid IS NULL OR user_id = $1 ORDER BY requested_at DESC, id DESC",
                {uuid_or_null(user)});
}

Result<PrivacySettings> Eraser::settings(TenantId tenant) {
  OA_ASSIGN(auto snapshot, database_.begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto rows,
            Statements(snapshot)
                .rows("SELECT archives, cooling_off_days::text FROM privacy_settings"));
  PrivacySettings settings;
  if (rows.empty()) return settings;
  if (rows[0].at(0) == to_text(ArchivePolicy::kRewrite)) settings.archives = ArchivePolicy::kRewrite;
  settings.cooling_off_days = static_cast<std::uint32_t>(number(rows[0].at(1).value()));
  return settings;
}

Status Eraser::set_settings(TenantId tenant, const PrivacySettings& settings,
                            std::optional<UserId> by, const std::string& trace_id) {
  if (settings.cooling_off_days > kMaxCoolingOffDays) {
    return make_error(ErrorCode::kInvalidArgument, "privacy.settings",
                      "erasures can wait for at most 30 days");
  }
  OA_ASSIGN(auto transaction, database_.begin(tenant));
  OA_ASSIGN(const auto changed,
            Statements(transaction)
                .execute("INSERT INTO privacy_settings (archives, cooling_off_days) VALUES ($1, $2) "
                         "ON CONFLICT (tenant_id) DO UPDATE SET archives = $1, cooling_off_days = $2",
                         {std::string(to_text(settings.archives)),
                          static_cast<std::int64_t>(settings.cooling_off_days)}));
  OA_ASSERT(changed == 1);
  OA_TRY(audit(transaction, "privacy.settings", "tenant", tenant.str(), by, trace_id,
               {{"archives", to_text(settings.archives)},
                {"cooling_off_days", settings.cooling_off_days}}));
  return transaction.commit();
}

}  // namespace oa::privacy
