// Against a real server.
#include "oa/sources/postgres_source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <thread>

#include "testkit/source_cluster.h"

namespace oa::sources {
namespace {

using analytics::RowBatch;

class PostgresSourceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = new testkit::SourceCluster; }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }
  void TearDown() override {
    sql("DROP OWNED BY reader; DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON "
        "SCHEMA public TO reader");
  }
  void SetUp() override { TearDown(); }

  static std::string sql(const std::string& script) { return cluster_->sql(script); }
  static PostgresCredentials credentials() {
    PostgresCredentials out;
    out.host = "127.0.0.1";
    out.port = cluster_->port();
    out.database = "warehouse";
    out.user = "reader";
    out.password = SecretBytes::copy_of(as_bytes(cluster_->password()));
    out.ssl_mode = SslMode::kDisable;
    return out;
  }
  static SourcePolicy policy() {
    SourcePolicy out;
    out.allow_private_networks = true;
    return out;
  }
  /// Makes `name` with rows that `reader` may read.
  static void table(const std::string& name, const std::string& columns, const std::string& rows) {
    sql(fmt::format("CREATE TABLE {0} ({1}); INSERT INTO {0} {2}; GRANT SELECT ON {0} TO reader",
                    name, columns, rows));
  }
  static std::unique_ptr<PostgresSource> connected(const SourcePolicy& with = policy()) {
    auto source = PostgresSource::connect(credentials(), with, nullptr);
    EXPECT_TRUE(source.ok()) << source.error().message << source.error().cause;
    return source.ok() ? std::move(*source) : nullptr;
  }
  static ErrorCode refusal(const PostgresCredentials& with, const SourcePolicy& under = policy()) {
    const auto source = PostgresSource::connect(with, under, nullptr);
    EXPECT_FALSE(source.ok());
    if (source.ok()) return ErrorCode::kInternal;
    const Error& error = source.error();
    const std::string text = error.message + error.hint + error.cause;
    EXPECT_EQ(text.find(cluster_->password()), std::string::npos) << text;
    EXPECT_FALSE(error.hint.empty());
    return error.code;
  }
  /// Rows of all batches together.
  struct Read {
    Status status;
    std::vector<Column> columns;
    std::vector<RowBatch> batches;
    std::uint64_t rows = 0;
  };
  static Read read(PostgresSource& source, std::string_view name) {
    Read out;
    auto rows = source.read(name);
    if (!rows.ok()) {
      out.status = rows.error();
      return out;
    }
    out.columns = (*rows)->columns();
    for (;;) {
      RowBatch batch(out.columns);
      out.status = (*rows)->next(batch);
      if (!out.status.ok() || batch.rows() == 0) return out;
      out.rows += batch.rows();
      EXPECT_EQ((*rows)->position(), out.rows);
      out.batches.push_back(std::move(batch));
    }
  }
  static inline testkit::SourceCluster* cluster_ = nullptr;
};

std::vector<std::string> texts(const RowBatch::Cells& cells) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (const auto end : cells.text_end) {
    out.push_back(cells.text.substr(begin, end - begin));
    begin = end;
  }
  return out;
}

TEST_F(PostgresSourceTest, TypesAndValues) {
  sql("CREATE DOMAIN money2 AS numeric(10,2); CREATE TYPE mood AS ENUM ('glad')");
  table("t",
        "b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric(20,4), nn numeric, m "
        "money2, d date, "
        "ts timestamp, tz timestamptz, s text, c char(5), v varchar(9), u uuid, j jsonb, a int[], "
        "x bytea, "
        "iv interval, e mood",
        "VALUES (true, -32768, 2147483647, -9223372036854775808, 1.5, 'NaN', "
        "-1234567890123456.7891, 0.000000001, "
        "12.34, '2024-02-29', '1969-12-31 23:59:59.999999', '2024-01-01 00:00:00+02', 'žluť', "
        "'ab', 'v', "
        "'00000000-0000-4000-8000-000000000001', '{\"k\": 1}', '{1,2}', '\\xdead', '1 day 2 "
        "hours', 'glad'), "
        "(false, null, null, null, null, null, null, null, null, '0001-01-01 BC', null, null, "
        "null, null, null, "
        "null, null, null, null, null, null)");
  const auto source = connected();
  const Read got = read(*source, "t");
  ASSERT_TRUE(got.status.ok()) << got.status.error().message;
  ASSERT_EQ(got.rows, 2u);
  std::string types;
  for (const auto& column : got.columns) types += column.name + " " + column.type + ";";
  EXPECT_EQ(types,
            "b BOOLEAN;i2 BIGINT;i4 BIGINT;i8 BIGINT;f4 DOUBLE;f8 DOUBLE;n DECIMAL(20,4);nn "
            "DECIMAL(38,9);"
            "m DECIMAL(10,2);d DATE;ts TIMESTAMP;tz TIMESTAMP WITH TIME ZONE;s VARCHAR;c VARCHAR;v "
            "VARCHAR;"
            "u VARCHAR;j VARCHAR;a VARCHAR;x VARCHAR;iv VARCHAR;e VARCHAR;");
  const auto& cells = got.batches[0].columns();
  EXPECT_EQ(cells[0].integers, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(cells[1].integers[0], -32768);
  EXPECT_EQ(cells[2].integers[0], 2147483647);
  EXPECT_EQ(cells[3].integers[0], INT64_MIN);
  EXPECT_EQ(cells[4].reals[0], 1.5);
  EXPECT_NE(cells[5].reals[0], cells[5].reals[0]);
  EXPECT_TRUE(cells[6].decimals[0] == -static_cast<analytics::Int128>(12345678901234567891ULL));
  EXPECT_TRUE(cells[7].decimals[0] == 1);
  EXPECT_TRUE(cells[8].decimals[0] == 1234);
  EXPECT_EQ(cells[9].integers[0], 19782);
  EXPECT_EQ(cells[9].integers[1], -719528);  // the year before 1
  EXPECT_EQ(cells[10].integers[0], -1);
  EXPECT_EQ(cells[11].integers[0], 1704060000000000);
  const std::vector<std::string> expected = {
      "žluť",       "ab",    "v",       "00000000-0000-4000-8000-000000000001",
      "{\"k\": 1}", "{1,2}", "\\xdead", "1 day 02:00:00",
      "glad"};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(texts(cells[12 + i])[0], expected[i]);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i].valid[0], 1) << i;
    EXPECT_EQ(cells[i].valid[1], i == 9 ? 1 : 0) << i;
  }
}

TEST_F(PostgresSourceTest, NamesAreTakenAsTheyAre) {
  sql("CREATE SCHEMA \"My \"\"Schema\"; GRANT USAGE ON SCHEMA \"My \"\"Schema\" TO reader");
  table("\"My \"\"Schema\".\"Orders; DROP\"", "\"a\"\"b\" int, gone int, \"Žluť\" text",
        "VALUES (1, 2, 'x')");
  sql("ALTER TABLE \"My \"\"Schema\".\"Orders; DROP\" DROP COLUMN gone");
  table("plain", "id int", "SELECT generate_series(1, 5000)");
  sql("CREATE VIEW seen AS SELECT id, 'x' || id AS label FROM plain; GRANT SELECT ON seen TO "
      "reader");
  auto source = connected();
  const Read odd = read(*source, "My \"Schema.Orders; DROP");
  ASSERT_TRUE(odd.status.ok()) << odd.status.error().message;
  EXPECT_EQ(odd.columns, (std::vector<Column>{{"a\"b", "BIGINT"}, {"Žluť", "VARCHAR"}}));
  EXPECT_EQ(read(*source, "public.plain").rows, 5000u);
  const Read view = read(*source, "seen");
  EXPECT_EQ(view.rows, 5000u);
  EXPECT_EQ(view.batches.size(), 3u);
  for (const char* name :
       {"Plain", "nowhere", "other.plain", "public.plain.id", "pg_catalog.plain"}) {
    const auto missing = source->describe(name);
    ASSERT_FALSE(missing.ok()) << name;
    EXPECT_EQ(missing.error().code, ErrorCode::kSourceRefused) << name;
  }
  EXPECT_EQ(source->describe("").error().code, ErrorCode::kInvalidArgument);
  source.reset();  // or it would keep its locks
  sql("DROP SCHEMA \"My \"\"Schema\" CASCADE");
}

TEST_F(PostgresSourceTest, AllTablesShowOneMoment) {
  table("a", "id int", "VALUES (1)");
  table("b", "id int", "VALUES (1)");
  const auto source = connected();
  EXPECT_EQ(read(*source, "a").rows, 1u);
  sql("INSERT INTO a VALUES (2); INSERT INTO b VALUES (2); DELETE FROM a WHERE id = 1");
  EXPECT_EQ(read(*source, "b").rows, 1u);
  EXPECT_EQ(read(*source, "a").rows, 1u);
  EXPECT_EQ(read(*connected(), "b").rows, 2u);
}

TEST_F(PostgresSourceTest, NothingCanBeWritten) {
  sql("CREATE TABLE log (id int); GRANT INSERT ON log TO reader; CREATE FUNCTION note() RETURNS "
      "int LANGUAGE sql "
      "AS 'INSERT INTO log VALUES (1) RETURNING id'; CREATE VIEW trap AS SELECT note() AS id; "
      "GRANT SELECT ON trap TO reader");
  const Read got = read(*connected(), "trap");
  ASSERT_FALSE(got.status.ok());
  EXPECT_EQ(got.status.error().code, ErrorCode::kSourceRefused);
  EXPECT_EQ(sql("SELECT count(*) FROM log"), "0");
}

TEST_F(PostgresSourceTest, ValuesThatDoNotFitAreNamedByPlaceOnly) {
  for (const char* value : {"1e40", "0.0000000001", "'NaN'", "'Infinity'",
                            "4242424242424242424242424242424242.0000000042"}) {
    table("odd", "fine int, amount numeric", fmt::format("VALUES (1, 1), (2, {})", value));
    const Read got = read(*connected(), "odd");
    ASSERT_FALSE(got.status.ok()) << value;
    EXPECT_EQ(got.status.error().code, ErrorCode::kImportRejected) << value;
    EXPECT_TRUE(got.status.error().message.starts_with("table odd, column amount, row 2: "))
        << got.status.error().message;
    EXPECT_EQ(got.status.error().message.find("42424242"), std::string::npos);
    sql("DROP TABLE odd");
  }
  for (const char* type : {"date", "timestamp", "timestamptz"}) {
    table("odd", fmt::format("at {}", type), "VALUES ('-infinity')");
    EXPECT_EQ(read(*connected(), "odd").status.error().code, ErrorCode::kImportRejected) << type;
    sql("DROP TABLE odd");
  }
}

TEST_F(PostgresSourceTest, LimitsHold) {
  table("t", "id int, s text", "SELECT i, repeat('x', 1000) FROM generate_series(1, 100) i");
  const auto with = [](auto change) {
    SourcePolicy changed = policy();
    change(changed);
    const auto source = connected(changed);
    const Read got = read(*source, "t");
    return got.status.ok() ? ErrorCode::kInternal : got.status.error().code;
  };
  EXPECT_EQ(with([](auto& p) { p.max_rows = 100; }), ErrorCode::kInternal);
  EXPECT_EQ(with([](auto& p) { p.max_rows = 99; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with([](auto& p) { p.max_columns = 1; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with([](auto& p) { p.max_field_bytes = 999; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with([](auto& p) { p.max_row_bytes = 1000; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with([](auto& p) { p.max_bytes = 50'000; }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with([](auto& p) { p.max_tables = 0; }), ErrorCode::kLimitExceeded);
}

TEST_F(PostgresSourceTest, WhoIsNotLetInIsTold) {
  auto wrong = credentials();
  wrong.password = SecretBytes::copy_of(as_bytes("not-the-password"));
  EXPECT_EQ(refusal(wrong), ErrorCode::kSourceRefused);
  wrong = credentials();
  wrong.database = "nowhere";
  EXPECT_EQ(refusal(wrong), ErrorCode::kSourceRefused);
  wrong = credentials();
  wrong.user = "nobody";
  EXPECT_EQ(refusal(wrong), ErrorCode::kSourceRefused);
  wrong = credentials();
  wrong.port = 1;
  EXPECT_EQ(refusal(wrong), ErrorCode::kSourceUnreachable);
  sql("CREATE TABLE hidden (id int)");
  EXPECT_EQ(read(*connected(), "hidden").status.error().code, ErrorCode::kSourceRefused);
}

TEST_F(PostgresSourceTest, OurOwnNetworkIsNotReachedForATenant) {
  EXPECT_EQ(refusal(credentials(), SourcePolicy{}), ErrorCode::kSourceRefused);
  auto to_localhost = credentials();
  to_localhost.host = "localhost";
  EXPECT_EQ(refusal(to_localhost, SourcePolicy{}), ErrorCode::kSourceRefused);
  for (const char* host :
       {"/var/run/postgresql", "@abstract", "", "127.0.0.1,8.8.8.8", "a b", "-h", "host=x"}) {
    auto odd = credentials();
    odd.host = host;
    EXPECT_EQ(refusal(odd), ErrorCode::kInvalidArgument) << host;
  }
}

TEST_F(PostgresSourceTest, EncryptionIsWhatTheSecretAsksFor) {
  const auto with = [](SslMode mode, const char* host, const std::string& ca) {
    auto out = credentials();
    out.ssl_mode = mode;
    out.host = host;
    out.ca_certificate = ca;
    return out;
  };
  const std::string& ca = cluster_->ca_certificate();
  EXPECT_TRUE(
      PostgresSource::connect(with(SslMode::kVerifyFull, "localhost", ca), policy(), nullptr).ok());
  EXPECT_TRUE(
      PostgresSource::connect(with(SslMode::kVerifyCa, "127.0.0.1", ca), policy(), nullptr).ok());
  EXPECT_TRUE(
      PostgresSource::connect(with(SslMode::kRequire, "127.0.0.1", ""), policy(), nullptr).ok());
  EXPECT_EQ(refusal(with(SslMode::kVerifyFull, "127.0.0.1", ca)), ErrorCode::kSourceRefused);
  EXPECT_EQ(refusal(with(SslMode::kVerifyFull, "localhost", "")), ErrorCode::kSourceRefused);
  EXPECT_EQ(refusal(with(SslMode::kVerifyCa, "localhost", "")), ErrorCode::kSourceRefused);
  sql("ALTER SYSTEM SET ssl = off");
  sql("SELECT pg_reload_conf()");
  while (sql("SHOW ssl") != "off") std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (const auto mode : {SslMode::kRequire, SslMode::kVerifyCa, SslMode::kVerifyFull})
    EXPECT_EQ(refusal(with(mode, "localhost", ca)), ErrorCode::kSourceRefused);
}

TEST_F(PostgresSourceTest, TheEnvironmentHasNoSay) {
  table("t", "at timestamptz", "VALUES ('2024-01-01 00:00:00+00')");
  const std::pair<const char*, const char*> settings[] = {
      {"PGHOSTADDR", "192.0.2.1"},    {"PGHOST", "/nowhere"},
      {"PGUSER", "postgres"},         {"PGSSLMODE", "verify-full"},
      {"PGSSLROOTCERT", "/x"},        {"PGOPTIONS", "-c role=postgres"},
      {"PGCLIENTENCODING", "LATIN1"}, {"PGTARGETSESSIONATTRS", "standby"},
      {"PGPASSFILE", "/x"},           {"PGGSSENCMODE", "require"},
      {"PGCONNECT_TIMEOUT", "1"},     {"PGAPPNAME", "x"}};
  for (const auto& [name, value] : settings) setenv(name, value, 1);
  EXPECT_EQ(read(*connected(), "t").rows, 1u);
  for (const auto& [name, value] : settings) unsetenv(name);
}

TEST_F(PostgresSourceTest, SlowTablesAndCancellationsEnd) {
  sql("CREATE VIEW slow AS SELECT pg_sleep(60)::text AS s; GRANT SELECT ON slow TO reader");
  SourcePolicy hasty = policy();
  hasty.table_timeout = std::chrono::milliseconds(300);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(read(*connected(hasty), "slow").status.error().code, ErrorCode::kTimeout);
  const auto stopping = PostgresSource::connect(credentials(), policy(), [&] {
    return std::chrono::steady_clock::now() - began > std::chrono::seconds(1);
  });
  ASSERT_TRUE(stopping.ok());
  EXPECT_EQ(read(**stopping, "slow").status.error().code, ErrorCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST_F(PostgresSourceTest, AServerThatGoesAwayIsUnreachable) {
  table("t", "s text", "SELECT repeat('x', 1000) FROM generate_series(1, 100000)");
  const auto source = connected();
  auto rows = source->read("t");
  ASSERT_TRUE(rows.ok());
  RowBatch batch((*rows)->columns());
  ASSERT_TRUE((*rows)->next(batch).ok());
  sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'");
  Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    batch.clear();
    status = (*rows)->next(batch);
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kSourceUnreachable);
}

}  // namespace
}  // namespace oa::sources
