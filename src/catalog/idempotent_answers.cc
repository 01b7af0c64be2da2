#include <algorithm>

#include "oa/catalog/repositories.h"
#include "row_reader.h"

namespace oa::catalog {

Status IdempotentAnswers::lock(UserId user, const std::string& key) {
  return tx_.connection().execute(
      "SELECT pg_advisory_xact_lock(hashtextextended(current_tenant()::text || $1::text || $2, 6))",
      {Parameter::of(user), Parameter::of(key)});
}

Result<std::optional<IdempotentAnswer>> IdempotentAnswers::find(UserId user,
                                                                const std::string& key) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT request, status, headers, body, created_at "
                                   "FROM idempotent_answers WHERE user_id = $1 AND key = $2",
                                   {Parameter::of(user), Parameter::of(key)}));
  if (rows.count() == 0) return std::optional<IdempotentAnswer>();
  RowReader row(rows, 0);
  IdempotentAnswer answer;
  answer.user = user;
  answer.key = key;
  const Bytes request = row.bytes();
  OA_ASSERT(request.size() == answer.request.size());  // the table's CHECK
  std::copy(request.begin(), request.end(), answer.request.begin());
  answer.status = static_cast<int>(row.bigint());
  OA_ASSIGN(answer.headers, row.json());
  answer.body = row.text();
  answer.created_at = row.timestamp();
  return std::optional(std::move(answer));
}

Status IdempotentAnswers::add(const IdempotentAnswer& answer) {
  return tx_.connection().execute(
      "INSERT INTO idempotent_answers (user_id, key, request, status, headers, body, created_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {Parameter::of(answer.user), Parameter::of(answer.key),
       Parameter::of(ByteView(answer.request)),
       Parameter::of(static_cast<std::int64_t>(answer.status)), Parameter::of(answer.headers),
       Parameter::of(answer.body), Parameter::of(answer.created_at)});
}

Result<std::uint64_t> IdempotentAnswers::remove_before(Timestamp moment) {
  OA_ASSIGN(const Rows removed,
            tx_.connection().query("DELETE FROM idempotent_answers WHERE created_at < $1",
                                   {Parameter::of(moment)}));
  return removed.affected();
}

}  // namespace oa::catalog
