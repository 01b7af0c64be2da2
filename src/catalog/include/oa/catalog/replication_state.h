// What the replication monitor knows, kept so that every process can tell it.
#pragma once

#include <optional>

#include "oa/catalog/database.h"

namespace oa::catalog {

/// One document for the whole installation. Each call is a transaction of its own. Borrows the
/// database.
class ReplicationRecord {
 public:
  explicit ReplicationRecord(Database& database) : database_(database) {}
  /// The document ("{}" at first), for the one who writes it until `until`; none while that is
  /// somebody else.
  Result<std::optional<JsonText>> claim(Timestamp now, Timestamp until);
  /// By who has claimed it: nobody claims it before `next`.
  Status write(const JsonText& body, Timestamp next);
  /// None when it was never claimed.
  Result<std::optional<JsonText>> read();

 private:
  Database& database_;
};

}  // namespace oa::catalog
