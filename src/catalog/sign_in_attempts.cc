#include <algorithm>

#include "connection.h"
#include "oa/catalog/accounts.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Parameter of_milliseconds(std::chrono::milliseconds value) {
  return Parameter::of(static_cast<std::int64_t>(value.count()));
}

// $2 attempts lock; $3 the window, $4 the first wait and $5 the longest, in milliseconds. A key
// that is locked is left alone, and nothing is returned.
constexpr const char* kCount =
    "INSERT INTO sign_in_attempts AS a (key, attempts, forget_at) "
    "VALUES ($1, 1, now() + $3 * interval '1 millisecond') "
    "ON CONFLICT (key) DO UPDATE SET (attempts, locked_until, forget_at) = ("
    "SELECT n, CASE WHEN n >= $2 THEN now() + wait END, CASE WHEN n >= $2 THEN now() + wait + win "
    "WHEN n = 1 THEN now() + win ELSE a.forget_at END "
    "FROM (SELECT CASE WHEN a.forget_at <= now() THEN 1 ELSE a.attempts + 1 END) counted(n), "
    "LATERAL (SELECT $3 * interval '1 millisecond', "
    "least($4 * power(2, least(greatest(n - $2, 0), 20)), $5) * interval '1 millisecond') "
    "span(win, wait)) "
    "WHERE a.locked_until IS NULL OR a.locked_until <= now() RETURNING attempts";

// Rows that count no more; not those that somebody counts on just now.
constexpr const char* kForgetOld =
    "DELETE FROM sign_in_attempts WHERE key IN (SELECT key FROM sign_in_attempts "
    "WHERE forget_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED)";

}  // namespace

Result<std::optional<std::chrono::milliseconds>> SignInAttempts::begin(const Sha256Digest& key,
                                                                       const AttemptLimit& limit) {
  OA_ASSERT(limit.attempts >= 2);
  OA_ASSIGN(auto access, database_.as_operator());
  auto& connection = access.connection();
  OA_TRY(connection.execute(kForgetOld));
  const Parameter id = Parameter::of(ByteView(key));
  OA_ASSIGN(
      const Rows counted,
      connection.query(kCount, {id, Parameter::of(static_cast<std::int64_t>(limit.attempts)),
                                of_milliseconds(limit.window), of_milliseconds(limit.first_wait),
                                of_milliseconds(limit.longest_wait)}));
  if (counted.count() == 1) return std::optional<std::chrono::milliseconds>();
  OA_ASSIGN(const Rows rows,
            connection.query("SELECT (extract(epoch FROM locked_until - now()) * 1000)::bigint "
                             "FROM sign_in_attempts WHERE key = $1 AND locked_until > now()",
                             {id}));
  // The lock can have ended just now.
  const std::int64_t wait = rows.count() == 1 ? RowReader(rows, 0).bigint() : 1;
  return std::optional(std::chrono::milliseconds(std::max<std::int64_t>(wait, 1)));
}

Status SignInAttempts::take_back(const Sha256Digest& key, const AttemptLimit& limit) {
  OA_ASSIGN(auto access, database_.as_operator());
  return access.connection().execute(
      "UPDATE sign_in_attempts SET attempts = greatest(attempts - 1, 0), "
      "locked_until = CASE WHEN attempts - 1 >= $2 THEN locked_until END WHERE key = $1",
      {Parameter::of(ByteView(key)), Parameter::of(static_cast<std::int64_t>(limit.attempts))});
}

Status SignInAttempts::forget(const Sha256Digest& key) {
  OA_ASSIGN(auto access, database_.as_operator());
  return access.connection().execute("DELETE FROM sign_in_attempts WHERE key = $1",
                                     {Parameter::of(ByteView(key))});
}

}  // namespace oa::catalog
