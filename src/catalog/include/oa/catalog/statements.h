// Statements that a module above makes out of a table of its own, as the registry of personal data
// does. Their text is never anything from outside: that goes in as parameters.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "oa/catalog/database.h"

namespace oa::catalog {

/// A parameter; texts as an array of texts.
using SqlValue = std::variant<Uuid, std::string, std::int64_t, bool, Timestamp, Bytes, JsonText,
                              std::optional<Uuid>, std::optional<std::int64_t>,
                              std::optional<Timestamp>, std::vector<std::string>>;
/// One row, its columns as texts; none for NULL.
using SqlRow = std::vector<std::optional<std::string>>;

/// In a transaction of a tenant, under row-level security; or as the operator, each a transaction
/// of its own. Borrows it. Errors: those of TenantTransaction.
class Statements {
 public:
  explicit Statements(TenantTransaction& transaction) : connection_(transaction.connection()) {}
  explicit Statements(OperatorAccess& access) : connection_(access.connection()) {}

  /// How many rows it changed.
  Result<std::uint64_t> execute(const std::string& sql, const std::vector<SqlValue>& values = {});
  /// Every column must be of type text (cast it).
  Result<std::vector<SqlRow>> rows(const std::string& sql,
                                   const std::vector<SqlValue>& values = {});
  /// The same one by one, so that memory holds one; `visit` must not use the transaction, and its
  /// first error ends the walk.
  Status for_each(const std::string& sql, const std::vector<SqlValue>& values,
                  const std::function<Status(const SqlRow&)>& visit);
  /// Of a statement with one row of one column of type bigint.
  Result<std::int64_t> number(const std::string& sql, const std::vector<SqlValue>& values = {});

 private:
  Connection& connection_;
};

}  // namespace oa::catalog
