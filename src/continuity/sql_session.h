// One connection for a question now and then; values travel as text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/result.h"
#include "oa/catalog/database.h"
#include "oa/wal/position.h"

struct pg_conn;

namespace oa::continuity {

class SqlSession {
 public:
  /// kDatabaseUnavailable within five seconds.
  static Result<SqlSession> open(const catalog::ConnectionSettings& settings,
                                 const std::string& role, const std::string& database);
  SqlSession(SqlSession&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  SqlSession& operator=(SqlSession&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~SqlSession();

  /// The values of the one row of the answer, null as none. kDatabaseUnavailable, kDatabase with
  /// the SQLSTATE alone as its cause, kTimeout after `statement_timeout` (30 s).
  Result<std::vector<std::optional<std::string>>> row(const std::string& sql);
  Result<std::string> value(const std::string& sql);
  /// A statement whose answer does not matter.
  Status command(const std::string& sql);

 private:
  explicit SqlSession(pg_conn* connection) : connection_(connection) {}
  pg_conn* connection_;
};

}  // namespace oa::continuity
