#include <algorithm>
#include <limits>

#include "oa/audit/personal_values.h"
#include "bulk_writer.h"
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr std::int64_t kPageEvents = 500;
constexpr const char* kSelectEvents =
    "SELECT id, sequence, ts, actor_type, actor_id, action, resource_type, resource_id, detail, "
    "trace_id, personal, previous_hash, hash FROM audit_events";

struct Head {
  std::uint64_t sequence = 0;
  Sha256Digest hash{};
};

Sha256Digest to_digest(const Bytes& bytes) {
  Sha256Digest digest{};
  OA_ASSERT(bytes.size() == digest.size());  // the table's CHECK
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

// Locks the tenant's head until the transaction ends, making it at the first event.
Result<Head> lock_head(Connection& connection, TenantId tenant) {
  constexpr const char* kSelect = "SELECT sequence, hash FROM audit_heads FOR UPDATE";
  OA_ASSIGN(Rows rows, connection.query(kSelect));
  if (rows.count() == 0) {
    const Sha256Digest start = audit_chain_start(tenant);
    // Two first appenders meet here; the second waits for the first and then reads what it left.
    OA_TRY(connection.execute(
        "INSERT INTO audit_heads (sequence, hash) VALUES (0, $1) ON CONFLICT DO NOTHING",
        {Parameter::of(ByteView(start))}));
    OA_ASSIGN(rows, connection.query(kSelect));
  }
  OA_ASSERT(rows.count() == 1);
  RowReader row(rows, 0);
  Head head;
  head.sequence = static_cast<std::uint64_t>(row.bigint());
  head.hash = to_digest(row.bytes());
  return head;
}

Result<AuditEvent> next_event(const Head& head, const NewAuditEvent& added) {
  AuditEvent event;
  event.id = EventId::random();
  event.sequence = head.sequence + 1;
  event.ts = added.ts;
  event.actor_type = added.actor_type;
  event.actor_id = added.actor_id;
  event.action = added.action;
  event.resource_type = added.resource_type;
  event.resource_id = added.resource_id;
  event.detail = added.detail;
  event.trace_id = added.trace_id;
  for (const auto& [path, value] : added.personal)
    event.personal.emplace(path, commit_to(path, value));
  event.previous_hash = head.hash;
  OA_TRY(check_limits(event));
  event.hash = audit_hash(event);
  return event;
}

Result<AuditEvent> read_event(const Rows& rows, int index) {
  RowReader row(rows, index);
  AuditEvent event;
  event.id = row.id<EventId>();
  event.sequence = static_cast<std::uint64_t>(row.bigint());
  event.ts = row.timestamp();
  event.actor_type = row.text();
  event.actor_id = row.optional_uuid();
  event.action = row.text();
  event.resource_type = row.text();
  event.resource_id = row.text();
  OA_ASSIGN(event.detail, row.json());
  event.trace_id = row.text();
  OA_ASSIGN(const json::value personal, row.json_value());
  OA_ASSIGN(event.personal, personal_from_json(personal, "event.personal"));
  event.previous_hash = to_digest(row.bytes());
  event.hash = to_digest(row.bytes());
  return event;
}

}  // namespace

Status Audit::append(std::span<const NewAuditEvent> events) {
  if (events.empty()) return {};
  Connection& connection = tx_.connection();
  OA_ASSIGN(Head head, lock_head(connection, tx_.tenant()));
  BulkWriter writer(connection, "audit_events",
                    {{"id", SqlType::kUuid},
                     {"sequence", SqlType::kBigint},
                     {"ts", SqlType::kTimestamp},
                     {"actor_type", SqlType::kText},
                     {"actor_id", SqlType::kUuid},
                     {"action", SqlType::kText},
                     {"resource_type", SqlType::kText},
                     {"resource_id", SqlType::kText},
                     {"detail", SqlType::kJson},
                     {"trace_id", SqlType::kText},
                     {"personal", SqlType::kJson},
                     {"previous_hash", SqlType::kBytes},
                     {"hash", SqlType::kBytes}},
                    Write::kInsert);
  for (const auto& added : events) {
    OA_ASSIGN(const AuditEvent event, next_event(head, added));
    writer.add(event.id).add(static_cast<std::int64_t>(event.sequence)).add(event.ts);
    writer.add(event.actor_type).add(event.actor_id).add(event.action).add(event.resource_type);
    writer.add(event.resource_id).add(event.detail).add(event.trace_id);
    writer.add_json(personal_to_json(event.personal))
        .add(ByteView(event.previous_hash))
        .add(ByteView(event.hash));
    OA_TRY(writer.end_row());
    head = Head{event.sequence, event.hash};
  }
  OA_TRY(writer.finish());
  return connection.execute(
      "UPDATE audit_heads SET sequence = $1, hash = $2 WHERE tenant_id = current_tenant()",
      {Parameter::of(static_cast<std::int64_t>(head.sequence)),
       Parameter::of(ByteView(head.hash))});
}

Status Audit::for_each(const std::function<Status(const AuditEvent&)>& visit) {
  const std::string sql =
      std::string(kSelectEvents) + " WHERE sequence > $1 ORDER BY sequence LIMIT $2";
  std::int64_t after = 0;
  while (true) {
    OA_ASSIGN(const Rows rows,
              tx_.connection().query(sql.c_str(),
                                     {Parameter::of(after), Parameter::of(kPageEvents)}));
    for (int i = 0; i < rows.count(); ++i) {
      OA_ASSIGN(const AuditEvent event, read_event(rows, i));
      OA_TRY(visit(event));
      after = static_cast<std::int64_t>(event.sequence);
    }
    if (rows.count() < kPageEvents) return {};
  }
}

Result<std::vector<AuditEvent>> Audit::page(const Filter& filter,
                                            std::optional<std::uint64_t> before,
                                            std::size_t limit) {
  const std::string sql =
      std::string(kSelectEvents) +
      " WHERE sequence < $1 AND ($2 = '' OR action = $2 OR ($2 LIKE '%.' AND starts_with(action, $2)))"
      " AND ($3::uuid IS NULL OR actor_id = $3) AND ($4 = '' OR resource_id = $4)"
      " AND ($5::timestamptz IS NULL OR ts >= $5) AND ($6::timestamptz IS NULL OR ts < $6)"
      " AND (NOT $7 OR action IN ('backup.restore.apply', 'backup.restore.undo') OR NOT"
      " (action IN ('report.view', 'dataset.refresh.failure', 'user.password.change')"
      " OR starts_with(action, 'auth.') OR starts_with(action, 'backup.')"
      " OR starts_with(action, 'privacy.export')))"
      " ORDER BY sequence DESC LIMIT $8";
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                sql.c_str(),
                {Parameter::of(before.has_value() ? static_cast<std::int64_t>(*before)
                                                  : std::numeric_limits<std::int64_t>::max()),
                 Parameter::of(filter.action), Parameter::of(filter.actor),
                 Parameter::of(filter.resource), Parameter::of(filter.from),
                 Parameter::of(filter.to), Parameter::of(filter.changes),
                 Parameter::of(static_cast<std::int64_t>(limit))}));
  std::vector<AuditEvent> events;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(AuditEvent event, read_event(rows, i));
    events.push_back(std::move(event));
  }
  return events;
}

Result<std::uint64_t> Audit::count() {
  OA_ASSIGN(const Rows rows, tx_.connection().query("SELECT count(*) FROM audit_events"));
  return static_cast<std::uint64_t>(RowReader(rows, 0).bigint());
}

Result<std::optional<AuditCheckpoint>> Audit::checkpoint() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT sequence, hash, made_at, statement, signature FROM "
                                   "audit_checkpoints ORDER BY sequence DESC LIMIT 1"));
  if (rows.count() == 0) return std::optional<AuditCheckpoint>();
  RowReader row(rows, 0);
  AuditCheckpoint checkpoint;
  checkpoint.mark.sequence = static_cast<std::uint64_t>(row.bigint());
  checkpoint.mark.hash = to_digest(row.bytes());
  checkpoint.made_at = row.timestamp();
  checkpoint.statement = row.text();
  checkpoint.signature = row.text();
  return std::optional(std::move(checkpoint));
}

Result<AuditMark> Audit::begin() {
  OA_ASSIGN(const auto newest, checkpoint());
  return newest.has_value() ? newest->mark : audit_begin(tx_.tenant());
}

// Moments do not always ascend: what comes behind the first event that is young enough stays.
Result<std::optional<Audit::Last>> Audit::last_before(Timestamp moment) {
  OA_ASSIGN(const AuditMark first, begin());
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT sequence, hash, ts FROM audit_events WHERE sequence > $1 AND sequence < "
                "coalesce((SELECT min(sequence) FROM audit_events WHERE ts >= $2),"
                " (SELECT sequence FROM audit_heads)) ORDER BY sequence DESC LIMIT 1",
                {Parameter::of(static_cast<std::int64_t>(first.sequence)), Parameter::of(moment)}));
  if (rows.count() == 0) return std::optional<Last>();
  RowReader row(rows, 0);
  Last last;
  last.mark.sequence = static_cast<std::uint64_t>(row.bigint());
  last.mark.hash = to_digest(row.bytes());
  last.ts = row.timestamp();
  return std::optional(last);
}

}  // namespace oa::catalog
