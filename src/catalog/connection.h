// libpq behind Result. Values travel in binary, as parameters; SQL text is always a constant of
// ours.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/catalog/database.h"
#include "oa/crypto/secret.h"

namespace oa::catalog {

enum class SqlType { kUuid, kText, kJson, kBigint, kDouble, kBoolean, kTimestamp, kBytes };
/// The type's object id in pg_type, and that of its array.
Oid type_oid(SqlType type);
Oid array_oid(SqlType type);

/// One value or array in Postgres' binary format.
struct Parameter {
  Oid type = 0;
  bool null = false;
  std::string bytes;

  static Parameter of(const Uuid& value);
  template <class Tag>
  static Parameter of(const Id<Tag>& value) {
    return of(value.uuid());
  }
  static Parameter of(std::string_view value);
  static Parameter of(const std::string& value) { return of(std::string_view(value)); }
  static Parameter of(const char* value) { return of(std::string_view(value)); }
  static Parameter of(const JsonText& value);
  static Parameter of(std::int64_t value);
  static Parameter of(double value);
  static Parameter of(bool value);
  static Parameter of(Timestamp value);
  static Parameter of(ByteView value);
  static Parameter of(const Bytes& value) { return of(ByteView(value)); }
  template <class T>
  static Parameter of(const std::optional<T>& value) {
    if (value.has_value()) return of(*value);
    Parameter parameter = of(T{});
    parameter.null = true;
    return parameter;
  }
  static Parameter json(std::string text);
  static Parameter uuids(const std::vector<Uuid>& values);
};

/// Big-endian integers of the wire format.
void append_be32(std::string& out, std::uint32_t value);
void append_be64(std::string& out, std::uint64_t value);

/// The rows of one statement.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, &PQclear) {}
  int count() const { return PQntuples(result_.get()); }
  PGresult* get() const { return result_.get(); }
  /// Rows that a statement without a result changed.
  std::uint64_t affected() const;

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

/// One session. Not thread-safe.
class Connection {
 public:
  /// kDatabaseUnavailable when nothing answers or it does not let `role` in.
  static Result<std::unique_ptr<Connection>> open(const ConnectionSettings& settings,
                                                  const std::string& role);

  /// One statement.
  Result<Rows> query(const char* sql, const std::vector<Parameter>& parameters = {});
  /// One statement whose rows come one by one, so that memory holds one at a time. `visit` gets a
  /// Rows of one row and must not use the connection; its first error is the result.
  Status for_each_row(const char* sql, const std::vector<Parameter>& parameters,
                      const std::function<Status(const Rows&)>& visit);
  /// A statement whose rows do not matter.
  Status execute(const char* sql, const std::vector<Parameter>& parameters = {});
  /// Sends a statement and does not wait; the next call must be receive(), so one is under way at
  /// most.
  Status send(const char* sql, const std::vector<Parameter>& parameters);
  /// What became of the statement sent last.
  Result<Rows> receive();
  /// Several statements without parameters in one round trip, text results.
  Result<Rows> script(const std::string& sql);
  /// kDatabase when the server rolled back instead.
  Status commit();
  /// What the server keeps of a password is made here: it never sees it.
  Status set_password(const std::string& role, const SecretBytes& password);
  /// As a new one would be: no transaction, no settings, no locks. An error when a statement is
  /// under way or the server is gone.
  Status reset();

 private:
  explicit Connection(PGconn* connection) : connection_(connection, &PQfinish) {}
  Result<Rows> checked(PGresult* result);
  Result<Rows> last_result();
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace oa::catalog
