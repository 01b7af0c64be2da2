// Connections and transactions. A tenant's rows can be reached only through a TenantTransaction,
// which names the tenant to the row-level-security policies; so forgetting the tenant does not
// compile.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "oa/catalog/records.h"

namespace oa::catalog {

/// How to reach Postgres. The service's role has neither SUPERUSER nor BYPASSRLS.
struct ConnectionSettings {
  /// Folder of the unix socket; with `tcp` the hosts of all nodes, separated by commas, and as many
  /// ports.
  std::string host;
  std::string port = "5432";
  std::string database = "oneanalytics";
  std::string service_role = "oa_service";    // tenant data, under row-level security
  std::string operator_role = "oa_operator";  // the list of tenants, nothing of what they own
  std::string owner_role = "oa_owner";        // owns the schema; migrations only
  std::string replication_role = "oa_replication";  // receives the write-ahead log
  std::string backup_role = "oa_backup";            // starts and stops base backups
  /// Of a cluster that is reached over the network: whichever node is the primary is taken. A
  /// connection to one that went away without a word is given up after 20 to 30 seconds.
  struct Tcp {
    std::string sslmode;      // of libpq: disable, verify-ca or verify-full
    std::string sslrootcert;  // file; empty with `disable`
    std::string passfile;     // of libpq, with the passwords of the roles
  };
  std::optional<Tcp> tcp;
};

/// libpq's keywords and values for `role`, so that all who connect do it alike.
std::vector<std::pair<std::string, std::string>> connection_parameters(
    const ConnectionSettings& settings, const std::string& role);
/// The same as one connection string, without a database: for replication.
std::string connection_string(const ConnectionSettings& settings, const std::string& role);

class Connection;  // private: wraps libpq
class IdleConnections;

enum class Isolation { kReadWrite, kSnapshot };  // READ COMMITTED, or REPEATABLE READ READ ONLY

/// One transaction of one tenant on a connection that nobody else uses meanwhile. Rolled back when
/// dropped without commit(). Not thread-safe. Errors: kDatabase, kDatabaseUnavailable, kConflict
/// (serialisation, unique), kInvalidArgument (foreign key, check).
class TenantTransaction {
 public:
  ~TenantTransaction();
  TenantTransaction(TenantTransaction&&) noexcept;
  TenantId tenant() const { return tenant_; }
  Status commit();
  /// The tenant itself; kNotFound when there is none of this id.
  Result<Tenant> own_tenant();
  /// Whether its connection still holds; kDatabaseUnavailable.
  Status check();
  /// Moment of the transaction's snapshot by the database's clock.
  Timestamp started_at() const { return started_at_; }
  /// Takes the tenant's restore lock until the end of the transaction; waits for another holder.
  /// Then nobody else can change or delete the tenant's workspaces, datasets, users and teams, nor
  /// these reports and alerts: what is read afterwards stays so. kBusy when somebody holds one of
  /// them for long.
  Status lock_tenant_for_restore(std::span<const ReportId> reports = {},
                                 std::span<const AlertId> alerts = {});
  /// Takes the tenant's place in the queue of restores until the end of the transaction; false when
  /// another restore has it.
  Result<bool> try_queue_for_restore();
  Connection& connection() { return *connection_; }  // for the repositories of this module

 private:
  friend class Database;
  TenantTransaction(std::unique_ptr<Connection> connection, std::shared_ptr<IdleConnections> idle,
                    TenantId tenant, Timestamp started_at);
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<IdleConnections> idle_;  // shared: a transaction may outlive its Database
  TenantId tenant_;
  Timestamp started_at_;
  bool open_ = true;
};

/// A connection of the operator's role, for the repositories of this module that see all tenants.
/// Each statement is a transaction of its own. Not thread-safe.
class OperatorAccess {
 public:
  ~OperatorAccess();
  OperatorAccess(OperatorAccess&&) noexcept;
  Connection& connection() { return *connection_; }

 private:
  friend class Database;
  OperatorAccess(std::unique_ptr<Connection> connection, std::shared_ptr<IdleConnections> idle);
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<IdleConnections> idle_;
};

/// An advisory lock that is held as long as this lives and its session does. Not thread-safe.
class SessionLock {
 public:
  ~SessionLock();
  SessionLock(SessionLock&&) noexcept;
  SessionLock& operator=(SessionLock&&) noexcept;
  /// Asks the server. False for good once the session is lost, as in a failover.
  bool holds();

 private:
  friend class Database;
  explicit SessionLock(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};
/// The second half of the numbers of our advisory locks; 1 is that of migrate(), 2 of the queue of
/// jobs.
inline constexpr int kKeeperLock = 3;
inline constexpr int kDrillLock = 4;

/// Opens transactions. Thread-safe; each transaction has a connection for itself, which the next
/// one may get.
class Database {
 public:
  /// Applies the migrations that are missing, in order, each in a transaction, under an advisory
  /// lock (they are compiled in from db/migrations). kUnsupported when the database is newer than
  /// this program, kConflict when an applied migration differs from ours.
  static Status migrate(const ConnectionSettings& settings);
  /// Only those up to and with migration `last`: a database of an older release, to rehearse an
  /// upgrade.
  static Status migrate_up_to(const ConnectionSettings& settings, std::int64_t last);
  /// Whether a database lacks migrations of this program; reads only, so that it may still be in
  /// recovery. Errors as migrate().
  static Result<bool> is_older(const ConnectionSettings& settings);
  /// The number of this program's newest migration.
  static std::int64_t newest_migration();
  /// kDatabaseUnavailable when nothing answers.
  static Result<std::unique_ptr<Database>> open(const ConnectionSettings& settings);
  ~Database();
  const ConnectionSettings& settings() const { return settings_; }

  Result<TenantTransaction> begin(TenantId tenant, Isolation isolation = Isolation::kReadWrite);

  // The operator's part: which tenants there are. Runs as the operator role.
  Status create_tenant(const Tenant& tenant);  // kAlreadyExists for id or name
  Result<std::vector<Tenant>> list_tenants();
  /// By id, those behind `after`, at most `limit`.
  Result<std::vector<Tenant>> list_tenants(const std::optional<TenantId>& after, std::size_t limit);
  /// The tenant as it is now. The change is in its audit chain (tenant.plan.change, from and to);
  /// when the chain could not be written in the end, the plan may be changed, and calling again
  /// writes it. kNotFound.
  Result<Tenant> set_plan(TenantId id, Plan plan, const std::string& trace_id);
  /// By id or by exact name; kNotFound.
  Result<Tenant> find_tenant(std::string_view id_or_name);
  Result<OperatorAccess> as_operator();  // for the repositories of this module
  /// None when another session holds it.
  Result<std::optional<SessionLock>> lock_session(int lock);

 private:
  explicit Database(ConnectionSettings settings);
  ConnectionSettings settings_;
  std::shared_ptr<IdleConnections> idle_, idle_operator_;
};

}  // namespace oa::catalog
