#include "oa/catalog/replication_state.h"

#include "row_reader.h"

namespace oa::catalog {
namespace {

Result<std::optional<JsonText>> only_row(const Rows& rows) {
  if (rows.count() == 0) return std::optional<JsonText>();
  RowReader row(rows, 0);
  return row.optional_json();
}

}  // namespace

Result<std::optional<JsonText>> ReplicationRecord::claim(Timestamp now, Timestamp until) {
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query(
                "INSERT INTO oa.replication_state AS s (busy_until, body) VALUES ($2, '{}') "
                "ON CONFLICT (one) DO UPDATE SET busy_until = $2 WHERE s.busy_until <= $1 "
                "RETURNING body",
                {Parameter::of(now), Parameter::of(until)}));
  return only_row(rows);
}

Status ReplicationRecord::write(const JsonText& body, Timestamp next) {
  OA_ASSIGN(auto access, database_.as_operator());
  const auto written =
      access.connection().query("UPDATE oa.replication_state SET body = $1, busy_until = $2",
                                {Parameter::of(body), Parameter::of(next)});
  return written.ok() ? Status() : Status(written.error());
}

Result<std::optional<JsonText>> ReplicationRecord::read() {
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows, access.connection().query("SELECT body FROM oa.replication_state"));
  return only_row(rows);
}

}  // namespace oa::catalog
