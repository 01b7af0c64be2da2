// What a restore is measured against: Postgres' own COPY of the same rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oa/catalog/database.h"

struct pg_conn;

namespace oa::bench {

/// A superuser's connection. Ends the program when a statement fails.
class Session {
 public:
  explicit Session(const catalog::ConnectionSettings& settings);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// The first column of each row.
  std::vector<std::string> values(const std::string& sql);
  void run(const std::string& sql) { values(sql); }
  /// COPY … TO STDOUT or FROM STDIN, and a file on our side.
  void copy_out(const std::string& sql, const std::string& path);
  void copy_in(const std::string& sql, const std::string& path);

 private:
  [[noreturn]] void fail();
  pg_conn* connection_;
};

/// The tables of a tenant's people and assets with the same columns, indexes, checks and foreign
/// keys, in a schema of their own without row-level security, belonging to the schema's owner; and
/// the tenant's rows as binary files of COPY.
class CopyPeer {
 public:
  CopyPeer(Session& session, TenantId tenant, const std::string& folder);
  /// Makes the tables anew (emptied ones would be known as empty, and their foreign keys checked by
  /// scans), then copies all files in one transaction; the seconds of the latter.
  double copy();
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Table {
    std::string name, columns, path;
  };
  void make_tables();
  Session& session_;
  TenantId tenant_;
  std::vector<Table> tables_;
  std::uint64_t bytes_ = 0;
};

}  // namespace oa::bench
