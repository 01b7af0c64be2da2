// A tenant's own Postgres as the source of a dataset's rows: binary COPY, streamed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "oa/analytics/row_source.h"
#include "oa/crypto/secret.h"

namespace oa::sources {

/// What must hold of the connection's encryption, as libpq's sslmode means it.
enum class SslMode { kDisable, kRequire, kVerifyCa, kVerifyFull };
std::string_view to_text(SslMode mode);
/// kInvalidArgument.
Result<SslMode> parse_ssl_mode(std::string_view text);

struct PostgresCredentials {
  std::string host;  // a name or an address; never a folder of sockets
  std::uint16_t port = 5432;
  std::string database;
  std::string user;
  SecretBytes password;
  SslMode ssl_mode = SslMode::kVerifyFull;
  std::string ca_certificate;  // PEM; empty: the authorities that the machine trusts
};

/// kInvalidArgument naming the field that cannot be right, never its content.
Status check_credentials(const PostgresCredentials& credentials);

/// What a tenant's source may make this machine do.
struct SourcePolicy {
  /// Also hosts on this machine, in private networks and on the local link, which an outsider could
  /// otherwise reach through us.
  bool allow_private_networks = false;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds silence_timeout{60'000};  // nothing comes while something must
  std::chrono::milliseconds table_timeout{3'600'000};
  std::size_t max_tables = 64;
  std::size_t max_columns = 2000;                     // of one table
  std::uint64_t max_rows = 1'000'000'000;             // of one table
  std::uint64_t max_bytes = std::uint64_t{64} << 30;  // as copied, of all tables
  std::size_t max_field_bytes = std::size_t{4} << 20;
  std::size_t max_row_bytes = std::size_t{32} << 20;
};

/// One session with a source. All its tables are read in one transaction, REPEATABLE READ READ
/// ONLY, so they show one moment. Neither the environment nor a file of libpq's has a say.
///
/// Column types: bool BOOLEAN; int2, int4, int8 BIGINT; float4, float8 DOUBLE; numeric(p,s)
/// DECIMAL(p,s), without precision DECIMAL(38,9); date DATE; timestamp TIMESTAMP; timestamptz
/// TIMESTAMP WITH TIME ZONE; a domain as what it is made of; everything else its text. A numeric
/// that does not fit, NaN and infinities of numerics, and infinite dates are refused
/// (kImportRejected, naming table, column and row; rows count from 1), never rounded.
///
/// Errors: kSourceUnreachable, kSourceRefused (address, credentials, rights, missing table),
/// kTimeout, kImportRejected (what the source sends is no binary COPY of the announced columns),
/// kLimitExceeded, kCancelled. None holds a value, a password or the server's own words; the cause
/// may hold a SQLSTATE. Used from one thread at a time.
class PostgresSource {
 public:
  /// `stopped` is asked about ten times a second while waiting, from the thread that waits; once it
  /// is true, calls end with kCancelled. It must outlive the source and what it hands out.
  static Result<std::unique_ptr<PostgresSource>> connect(const PostgresCredentials& credentials,
                                                         const SourcePolicy& policy,
                                                         std::function<bool()> stopped);
  ~PostgresSource();

  /// `table` is "schema.table", or "table" as the user's search_path finds it, in its exact case.
  Result<std::vector<Column>> describe(std::string_view table);
  /// Its rows in no order. The COPY begins with the first next(); tables are read one after the
  /// other, each to its end. Borrows this source.
  Result<std::unique_ptr<analytics::RowSource>> read(std::string_view table);

 private:
  struct State;
  explicit PostgresSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::sources
