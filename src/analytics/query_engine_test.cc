#include "oa/analytics/query_engine.h"

#include <thread>

#include "analytics_testkit.h"

namespace oa::analytics {
namespace {

class QueryEngineTest : public ImportTest {
 protected:
  void SetUp() override {
    ImportTest::SetUp();
    use("city,people,share,founded,opened,fee,ok\n"
        "Zürich,443000,0.125,1218-01-01,2024-02-29 12:30:15.5,1.10,true\n"
        "Lyon,,,,,,\n"
        "Oslo,717710,0.25,1048-06-01,2024-03-01 00:00:00,2.20,false\n");
  }
  void use(std::string_view text) {
    const auto imported = import(text);
    ASSERT_TRUE(imported.ok());
    rows_ = *objects_->open(target_, imported->version);
    columns_ = imported->rows.columns;
    engine_ = *QueryEngine::open(*rows_, {{"cities", columns_}});
  }
  Result<Answer> run(const std::string& sql, std::vector<Value> parameters = {},
                     const QueryLimits& limits = {}) {
    return engine_->run({sql, std::move(parameters)}, limits, no_progress());
  }
  ErrorCode refusal(const std::string& sql, const QueryLimits& limits = {}) {
    const auto answer = run(sql, {}, limits);
    return answer.ok() ? ErrorCode::kInternal : answer.error().code;
  }

  std::unique_ptr<RangedSource> rows_;
  std::vector<Column> columns_;
  std::unique_ptr<QueryEngine> engine_;
};

TEST_F(QueryEngineTest, AnswersAreTyped) {
  const auto answer =
      run("SELECT city, people, share, founded, opened, ok, fee::DECIMAL(8,2) AS fee, "
          "opened::TIMESTAMPTZ AS tz FROM cities ORDER BY city");
  ASSERT_TRUE(answer.ok()) << answer.error().message << answer.error().cause;
  ASSERT_EQ(answer->row_count, 3u);
  const std::vector<std::pair<CellKind, Value>> expected = {
      {CellKind::kText, "Zürich"},
      {CellKind::kInteger, std::int64_t{443000}},
      {CellKind::kReal, 0.125},
      {CellKind::kDate, "1218-01-01"},
      {CellKind::kTimestamp, "2024-02-29T12:30:15.5"},
      {CellKind::kBoolean, true},
      {CellKind::kDecimal, "1.10"},
      {CellKind::kTimestamp, "2024-02-29T12:30:15.5Z"}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(answer->columns[i].kind, expected[i].first) << i;
    EXPECT_EQ(answer->columns[i].cells.at(2), expected[i].second) << i;
    EXPECT_EQ(answer->columns[i].cells.at(0), i > 0 ? Value() : Value("Lyon")) << i;
  }
}

TEST_F(QueryEngineTest, ValuesAreBound) {
  const auto answer =
      run("SELECT $1, $2, $3, $4, $5, $1 = 'x'",
          {"'; DROP VIEW cities; --", std::int64_t{-7}, 0.5, true, std::monostate()});
  ASSERT_TRUE(answer.ok()) << answer.error().message << answer.error().cause;
  EXPECT_EQ(answer->columns[0].cells[0], Value("'; DROP VIEW cities; --"));
  EXPECT_EQ(answer->columns[1].cells[0], Value(std::int64_t{-7}));
  EXPECT_EQ(answer->columns[4].cells[0], Value());
  EXPECT_TRUE(run("SELECT count(*) FROM cities").ok());
  EXPECT_EQ(run("SELECT people FROM cities WHERE founded = $1::DATE", {"no date"}).error().code,
            ErrorCode::kQueryInvalid);
}

TEST_F(QueryEngineTest, SumsOfIntegersAreIntegersOrRefused) {
  use("n\n999999999999999999\n999999999999999999\n");
  EXPECT_EQ(run("SELECT sum(n) FROM cities")->columns[0].cells[0],
            Value(std::int64_t{1999999999999999998}));
  EXPECT_EQ(refusal("SELECT sum(n * 9::HUGEINT) FROM cities"), ErrorCode::kQueryInvalid);
}

TEST_F(QueryEngineTest, ReachesNothingButItsViews) {
  for (const char* sql : {"SELECT * FROM read_csv('/etc/passwd')",
                          "SELECT * FROM read_text('/proc/self/environ')",
                          "SELECT * FROM glob('/*')",
                          "SELECT * FROM 'x.parquet'",
                          "SELECT * FROM parquet_scan('/x')",
                          "COPY (SELECT 1) TO '/tmp/x'",
                          "COPY cities TO 'oa://out/0'",
                          "DROP VIEW cities",
                          "CREATE TABLE x AS SELECT 1",
                          "ATTACH '/tmp/x.db'",
                          "INSTALL httpfs",
                          "LOAD httpfs",
                          "SET memory_limit = '8GB'",
                          "SET enable_external_access = true",
                          "RESET lock_configuration",
                          "PRAGMA enable_profiling",
                          "CALL pragma_version()",
                          "EXPORT DATABASE '/tmp/x'",
                          "SELECT 1; DROP VIEW cities",
                          "EXPLAIN ANALYZE SELECT 1",
                          "BEGIN",
                          "CHECKPOINT",
                          "CREATE SECRET s (TYPE S3)",
                          "SELECT getenv('HOME')",
                          "SELECT * FROM read_parquet('oa://out/0')",
                          "PREPARE x AS SELECT 1",
                          "DETACH memory",
                          "USE system"}) {
    const auto answer = run(sql);
    EXPECT_TRUE(!answer.ok() || answer->row_count == 0) << sql;
    EXPECT_TRUE(answer.ok() || answer.error().message.find('/') == std::string::npos) << sql;
  }
  EXPECT_EQ(run("SELECT count(*) FROM cities")->columns[0].cells[0], Value(std::int64_t{3}));
}

TEST_F(QueryEngineTest, LimitsAreKept) {
  QueryLimits limits;
  limits.max_rows = 99;
  EXPECT_TRUE(run("SELECT * FROM range(99)", {}, limits).ok());
  EXPECT_EQ(refusal("SELECT * FROM range(100)", limits), ErrorCode::kQueryTooManyRows);
  limits = {};
  limits.max_bytes = 1 << 20;
  EXPECT_EQ(refusal("SELECT repeat('x', 1000) FROM range(2000)", limits),
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(refusal("SELECT list(a.range * b.range) FROM range(20000) a, range(20000) b"),
            ErrorCode::kLimitExceeded)
      << "memory";
  limits = {};
  limits.timeout = std::chrono::milliseconds(50);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal("SELECT count(*) FROM range(100000000) a, range(100000) b", limits),
            ErrorCode::kQueryTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_TRUE(run("SELECT 1").ok()) << "and the engine goes on";
}

TEST_F(QueryEngineTest, IsCancelled) {
  class Cancelled final : public Progress {
   public:
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void update(std::uint64_t) override {}
    bool cancelled() const override { return true; }
  } cancelled;
  const auto answer =
      engine_->run({"SELECT count(*) FROM range(100000000) a, range(100000) b", {}}, {}, cancelled);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
}

TEST_F(QueryEngineTest, SumsAreTheSameEachTimeAndFromSeveralThreads) {
  std::string text = "g,x\n";
  std::uint64_t state = 7;
  for (int i = 0; i < 400'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text += std::to_string(i % 5) + "," + std::to_string(double(state >> 11) / 1e7) + "\n";
  }
  use(text);
  const std::string sql = "SELECT g, sum(x), avg(x) FROM cities GROUP BY g ORDER BY g";
  const auto first = run(sql);
  ASSERT_TRUE(first.ok());
  std::vector<std::thread> threads;
  std::vector<int> different(4);
  for (std::size_t t = 0; t < different.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 5; ++round) {
        const auto again = run(sql);
        for (std::size_t c = 0; c < 3; ++c)
          different[t] += !again.ok() || again->columns[c].cells != first->columns[c].cells;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(different, std::vector<int>(4));
}

TEST_F(QueryEngineTest, RowsThatAreNone) {
  const MemorySource none(Bytes(1000, 'x'));
  const auto engine = QueryEngine::open(none, {{"t", {{"a", "BIGINT"}}}});
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace oa::analytics
