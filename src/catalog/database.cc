#include "oa/catalog/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "bulk_writer.h"
#include "idle_connections.h"
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Result<Tenant> read_tenant(const Rows& rows, int index) {
  RowReader row(rows, index);
  Tenant tenant;
  tenant.id = row.id<TenantId>();
  tenant.name = row.text();
  OA_ASSIGN(tenant.plan, row.enumerator<Plan>());
  tenant.created_at = row.timestamp();
  return tenant;
}

}  // namespace

TenantTransaction::TenantTransaction(std::unique_ptr<Connection> connection,
                                     std::shared_ptr<IdleConnections> idle, TenantId tenant,
                                     Timestamp started_at)
    : connection_(std::move(connection)),
      idle_(std::move(idle)),
      tenant_(tenant),
      started_at_(started_at) {}

TenantTransaction::~TenantTransaction() {
  if (connection_ != nullptr) idle_->put(std::move(connection_));  // which rolls back
}
TenantTransaction::TenantTransaction(TenantTransaction&&) noexcept = default;

Result<Tenant> TenantTransaction::own_tenant() {
  // Row-level security leaves only the tenant's own row.
  OA_ASSIGN(const Rows rows, connection_->query("SELECT id, name, plan, created_at FROM tenants"));
  if (rows.count() == 1) return read_tenant(rows, 0);
  return make_error(ErrorCode::kNotFound, "database.own_tenant", "there is no tenant of this id");
}

Status TenantTransaction::check() { return connection_->execute("SELECT 1"); }

Status TenantTransaction::commit() {
  OA_ASSERT(open_);
  open_ = false;
  return connection_->commit();
}

namespace {

constexpr std::size_t kLockIds = 5000;

// In batches, each an array that the planner sees as a constant: then rows are looked up in a hash.
// Ascending, as the rows of a batch are.
template <class IdType>
Status lock_rows(Connection& connection, const char* table, std::span<const IdType> ids) {
  const std::string sql = fmt::format(
      "SELECT count(*) FROM (SELECT FROM {} WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE) "
      "locked",
      table);
  std::vector<Uuid> sorted = uuids_of(ids);
  std::ranges::sort(sorted);
  for (std::size_t at = 0; at < sorted.size(); at += kLockIds) {
    const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kLockIds, sorted.size() - at));
    OA_TRY(connection.execute(sql.c_str(), {Parameter::uuids({begin, end})}));
  }
  return {};
}

}  // namespace

Result<bool> TenantTransaction::try_queue_for_restore() {
  const Sha256Digest digest = Sha256::of(as_bytes("oa-restore-queue:v1:" + tenant_.str()));
  const auto key = static_cast<std::int64_t>(read_le<std::uint64_t>(ByteView(digest).first(8)));
  OA_ASSIGN(const Rows rows,
            connection_->query("SELECT pg_try_advisory_xact_lock($1)", {Parameter::of(key)}));
  return RowReader(rows, 0).boolean();
}

Status TenantTransaction::lock_tenant_for_restore(std::span<const ReportId> reports,
                                                  std::span<const AlertId> alerts) {
  // Two tenants whose ids begin alike would wait for each other, which is harmless.
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | tenant_.uuid().raw()[i];
  OA_TRY(connection_->execute("SELECT pg_advisory_xact_lock($1)",
                              {Parameter::of(static_cast<std::int64_t>(key))}));
  // Row-level security makes these the tenant's rows. In one order, so that two restores never wait
  // for each other.
  for (const char* table : {"users", "teams", "workspaces", "datasets"}) {
    const std::string lock = fmt::format(
        "SELECT count(*) FROM (SELECT FROM {} ORDER BY id FOR NO KEY UPDATE) locked", table);
    OA_TRY(connection_->execute(lock.c_str()));
  }
  OA_TRY(lock_rows(*connection_, "reports", reports));
  return lock_rows(*connection_, "alerts", alerts);
}

OperatorAccess::OperatorAccess(std::unique_ptr<Connection> connection,
                               std::shared_ptr<IdleConnections> idle)
    : connection_(std::move(connection)), idle_(std::move(idle)) {}

OperatorAccess::~OperatorAccess() {
  if (connection_ != nullptr) idle_->put(std::move(connection_));
}
OperatorAccess::OperatorAccess(OperatorAccess&&) noexcept = default;

Database::Database(ConnectionSettings settings)
    : settings_(std::move(settings)),
      idle_(std::make_shared<IdleConnections>()),
      idle_operator_(std::make_shared<IdleConnections>()) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const ConnectionSettings& settings) {
  OA_ASSIGN(const auto connection, Connection::open(settings, settings.service_role));
  OA_ASSIGN(
      const Rows rows,
      connection->query(
          "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user"));
  if (rows.count() != 1 || RowReader(rows, 0).boolean()) {
    return make_error(ErrorCode::kPermissionDenied, "database.open",
                      "the service's role could read every tenant's rows")
        .with_hint("use a role with neither SUPERUSER nor BYPASSRLS");
  }
  return std::unique_ptr<Database>(new Database(settings));
}

namespace {

// One round trip: every request begins with it. The result is text.
Result<Timestamp> start_transaction(Connection& connection, const std::string& sql) {
  OA_ASSIGN(const Rows rows, connection.script(sql));
  OA_ASSERT(rows.count() == 1);
  const std::string_view text = PQgetvalue(rows.get(), 0, 0);
  Timestamp now;
  OA_ASSERT(std::from_chars(text.data(), text.data() + text.size(), now.unix_us).ec == std::errc());
  return now;
}

}  // namespace

Result<TenantTransaction> Database::begin(TenantId tenant, Isolation isolation) {
  // The text holds nothing but a UUID in its canonical form.
  const std::string start = fmt::format(
      "BEGIN ISOLATION LEVEL {}; SELECT (extract(epoch FROM now()) * 1000000)::bigint, "
      "set_config('oa.tenant_id', '{}', true)",
      isolation == Isolation::kSnapshot ? "REPEATABLE READ READ ONLY" : "READ COMMITTED READ WRITE",
      tenant.str());
  auto connection = idle_->take();
  if (connection != nullptr) {
    // One that has waited may have died with the server.
    if (const auto now = start_transaction(*connection, start); now.ok())
      return TenantTransaction(std::move(connection), idle_, tenant, *now);
    idle_->clear();
  }
  OA_ASSIGN(connection, Connection::open(settings_, settings_.service_role));
  OA_ASSIGN(const Timestamp now, start_transaction(*connection, start));
  return TenantTransaction(std::move(connection), idle_, tenant, now);
}

Result<OperatorAccess> Database::as_operator() {
  auto connection = idle_operator_->take();
  if (connection == nullptr || !connection->script("SELECT 1").ok()) {
    if (connection != nullptr) idle_operator_->clear();
    OA_ASSIGN(connection, Connection::open(settings_, settings_.operator_role));
  }
  return OperatorAccess(std::move(connection), idle_operator_);
}

SessionLock::SessionLock(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
SessionLock::~SessionLock() = default;
SessionLock::SessionLock(SessionLock&&) noexcept = default;
SessionLock& SessionLock::operator=(SessionLock&&) noexcept = default;

bool SessionLock::holds() { return connection_->execute("SELECT 1").ok(); }

// On a connection of its own, which ends with the lock.
Result<std::optional<SessionLock>> Database::lock_session(int lock) {
  OA_ASSIGN(auto connection, Connection::open(settings_, settings_.operator_role));
  OA_ASSIGN(const Rows rows,
            connection->query("SELECT pg_try_advisory_lock(1868653163, $1::int)",
                              {Parameter::of(std::int64_t{lock})}));
  if (!RowReader(rows, 0).boolean()) return std::optional<SessionLock>();
  return std::optional(SessionLock(std::move(connection)));
}

Status Database::create_tenant(const Tenant& tenant) {
  OA_TRY(check_name("name", tenant.name));
  OA_ASSIGN(auto access, as_operator());
  auto created = access.connection().execute(
      "INSERT INTO tenants (id, name, plan, created_at) VALUES ($1, $2, $3, $4)",
      {Parameter::of(tenant.id), Parameter::of(tenant.name), Parameter::of(to_text(tenant.plan)),
       Parameter::of(tenant.created_at)});
  if (created.ok() || created.error().code != ErrorCode::kConflict) return created;
  return make_error(ErrorCode::kAlreadyExists, "database.create_tenant",
                    "a tenant of this id or name exists")
      .with_cause(created.error().cause);
}

namespace {

Result<std::vector<Tenant>> read_tenants(const Result<Rows>& rows) {
  if (!rows.ok()) return rows.error();
  std::vector<Tenant> tenants;
  for (int i = 0; i < rows->count(); ++i) {
    OA_ASSIGN(Tenant tenant, read_tenant(*rows, i));
    tenants.push_back(std::move(tenant));
  }
  return tenants;
}

}  // namespace

Result<std::vector<Tenant>> Database::list_tenants() {
  OA_ASSIGN(auto access, as_operator());
  return read_tenants(
      access.connection().query("SELECT id, name, plan, created_at FROM tenants ORDER BY id"));
}

Result<std::vector<Tenant>> Database::list_tenants(const std::optional<TenantId>& after,
                                                   std::size_t limit) {
  OA_ASSIGN(auto access, as_operator());
  return read_tenants(access.connection().query(
      "SELECT id, name, plan, created_at FROM tenants WHERE $1 IS NULL OR id > $1 ORDER BY id "
      "LIMIT $2",
      {Parameter::of(after), Parameter::of(static_cast<std::int64_t>(limit))}));
}

// The chain is the tenant's and the plan the operator's, so they are two transactions. The chain's
// is ready before the plan is changed and ends behind it.
Result<Tenant> Database::set_plan(TenantId id, Plan plan, const std::string& trace_id) {
  OA_ASSIGN(auto transaction, begin(id));
  OA_ASSIGN(Tenant tenant, transaction.own_tenant());
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "operator";
  event.action = "tenant.plan.change";
  event.resource_type = "tenant";
  event.resource_id = id.str();
  event.detail = JsonText::of(json::object{{"from", to_text(tenant.plan)}, {"to", to_text(plan)}});
  event.trace_id = trace_id;
  OA_TRY(Audit(transaction).append({&event, 1}));
  OA_ASSIGN(auto access, as_operator());
  OA_TRY(access.connection().execute("UPDATE tenants SET plan = $2 WHERE id = $1",
                                     {Parameter::of(id), Parameter::of(to_text(plan))}));
  OA_TRY(transaction.commit());
  tenant.plan = plan;
  return tenant;
}

Result<Tenant> Database::find_tenant(std::string_view id_or_name) {
  const auto not_found = [] {
    return make_error(ErrorCode::kNotFound, "database.find_tenant",
                      "there is no tenant of this id or name")
        .with_hint("`oa-backup tenant list` shows them");
  };
  if (!check_name("name", id_or_name).ok()) return not_found();
  const auto parsed = TenantId::parse(id_or_name);
  const auto id = parsed.ok() ? std::optional(*parsed) : std::nullopt;
  OA_ASSIGN(auto access, as_operator());
  // An id wins over a tenant that took another's id for its name.
  OA_ASSIGN(const Rows rows,
            access.connection().query(
                "SELECT id, name, plan, created_at FROM tenants "
                "WHERE id = $1 OR name = $2 ORDER BY id IS NOT DISTINCT FROM $1 DESC "
                "LIMIT 1",
                {Parameter::of(id), Parameter::of(id_or_name)}));
  if (rows.count() == 0) return not_found();
  return read_tenant(rows, 0);
}

}  // namespace oa::catalog
