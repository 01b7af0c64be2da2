#include <algorithm>

#include "oa/catalog/repositories.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Result<std::optional<RememberedAnswer>> read_answer(const Rows& rows) {
  if (rows.count() == 0) return std::optional<RememberedAnswer>();
  RowReader row(rows, 0);
  RememberedAnswer answer;
  const Bytes request = row.bytes();
  OA_ASSERT(request.size() == answer.request.size());  // the table's CHECK
  std::copy(request.begin(), request.end(), answer.request.begin());
  answer.status = static_cast<int>(row.bigint());
  OA_ASSIGN(answer.headers, row.json());
  answer.body = row.text();
  return std::optional(std::move(answer));
}

Error claim_lost() {
  return make_error(ErrorCode::kConflict, "answers.claim",
                    "a request with this Idempotency-Key has just ended otherwise")
      .with_hint("send it again");
}

}  // namespace

Result<std::optional<RememberedAnswer>> IdempotentAnswers::claim(UserId user,
                                                                 const std::string& key,
                                                                 const Sha256Digest& request) {
  auto& connection = tx_.connection();
  OA_ASSIGN(const Rows claimed,
            connection.query("INSERT INTO idempotent_answers (user_id, key, request, status, "
                             "headers, body, created_at) VALUES ($1, $2, $3, 0, '{}', '', now()) "
                             "ON CONFLICT DO NOTHING",
                             {Parameter::of(user), Parameter::of(key),
                              Parameter::of(ByteView(request))}));
  if (claimed.affected() == 1) return std::optional<RememberedAnswer>();
  OA_ASSIGN(const Rows rows,
            connection.query("SELECT request, status, headers, body FROM idempotent_answers "
                             "WHERE user_id = $1 AND key = $2",
                             {Parameter::of(user), Parameter::of(key)}));
  if (rows.count() == 0) return claim_lost();
  return read_answer(rows);
}

Status IdempotentAnswers::complete(UserId user, const std::string& key,
                                   const RememberedAnswer& answer) {
  return tx_.connection().execute(
      "UPDATE idempotent_answers SET status = $3, headers = $4, body = $5 "
      "WHERE user_id = $1 AND key = $2",
      {Parameter::of(user), Parameter::of(key),
       Parameter::of(static_cast<std::int64_t>(answer.status)), Parameter::of(answer.headers),
       Parameter::of(answer.body)});
}

Status IdempotentAnswers::remove(UserId user, const std::string& key) {
  return tx_.connection().execute("DELETE FROM idempotent_answers WHERE user_id = $1 AND key = $2",
                                  {Parameter::of(user), Parameter::of(key)});
}

Result<std::uint64_t> IdempotentAnswers::remove_before(Timestamp moment) {
  OA_ASSIGN(const Rows removed,
            tx_.connection().query("DELETE FROM idempotent_answers WHERE created_at < $1",
                                   {Parameter::of(moment)}));
  return removed.affected();
}

Result<std::optional<RememberedAnswer>> OperatorAnswers::claim(const std::string& key,
                                                               const Sha256Digest& request) {
  auto& connection = access_.connection();
  OA_ASSIGN(const Rows claimed,
            connection.query(
                "INSERT INTO operator_answers (key, request, status, headers, body, created_at) "
                "VALUES ($1, $2, 0, '{}', '', now()) ON CONFLICT DO NOTHING",
                {Parameter::of(key), Parameter::of(ByteView(request))}));
  if (claimed.affected() == 1) return std::optional<RememberedAnswer>();
  OA_ASSIGN(
      const Rows rows,
      connection.query("SELECT request, status, headers, body FROM operator_answers WHERE key = $1",
                       {Parameter::of(key)}));
  if (rows.count() == 0) return claim_lost();
  return read_answer(rows);
}

Status OperatorAnswers::complete(const std::string& key, const RememberedAnswer& answer) {
  return access_.connection().execute(
      "UPDATE operator_answers SET status = $2, headers = $3, body = $4 WHERE key = $1",
      {Parameter::of(key), Parameter::of(static_cast<std::int64_t>(answer.status)),
       Parameter::of(answer.headers), Parameter::of(answer.body)});
}

Status OperatorAnswers::remove(const std::string& key) {
  return access_.connection().execute("DELETE FROM operator_answers WHERE key = $1",
                                      {Parameter::of(key)});
}

Result<std::uint64_t> OperatorAnswers::remove_before(Timestamp moment) {
  OA_ASSIGN(const Rows removed,
            access_.connection().query("DELETE FROM operator_answers WHERE created_at < $1",
                                       {Parameter::of(moment)}));
  return removed.affected();
}

}  // namespace oa::catalog
