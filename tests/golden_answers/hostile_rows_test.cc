// Names and values that would be SQL if anything pasted them, against the real engine: every cell
// is found by its value, and by nothing else.
#include <gtest/gtest.h>

#include <map>

#include "oa/analytics/query_engine.h"
#include "oa/analytics/row_writer.h"
#include "oa/keys/local_key_service.h"
#include "oa/semantics/query.h"
#include "retail_tables.h"
#include "testkit/scratch.h"

namespace oa::golden_answers {
namespace {

constexpr const char* kHostile[] = {"'; DROP TABLE t; --",
                                    "\"; DROP TABLE t; --",
                                    "read_csv('/etc/passwd')",
                                    "a\" FROM read_text('/etc/passwd') --",
                                    "$1",
                                    "{{ user.id }}",
                                    "/* x",
                                    "%_\\",
                                    "é \xF0\x9F\x98\x80 \xE2\x80\xAE",
                                    "NULL",
                                    "a.b.c",
                                    "x'y\"z`;"};

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}
std::string sql_quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += c;
    out += c;
  }
  return out + quote;
}

// Columns that are called by the hostile names; cell (row, column) holds name number row + column.
MadeTable hostile_table() {
  MadeTable table{"t", {}, {}};
  for (const char* name : kHostile) table.columns.push_back({name, "VARCHAR"});
  for (std::size_t row = 0; row < std::size(kHostile); ++row) {
    table.rows.emplace_back();
    for (std::size_t i = 0; i < std::size(kHostile); ++i)
      table.rows.back().emplace_back(kHostile[(row + i) % std::size(kHostile)]);
  }
  return table;
}

class HostileRowsTest : public testing::Test {
 protected:
  static constexpr std::size_t kCount = std::size(kHostile);

  void SetUp() override {
    RootKeySource root;
    root.key_file = folder_ / "root.key";
    keys_ = LocalKeyService::create(folder_ / "keys", root).value();
    store_ = open_local_store(folder_ / "objects").value();
    objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
    keys_->create_tenant_key(key_.tenant).value();
    open({hostile_table()});
  }
  void open(const std::vector<MadeTable>& tables) {
    std::vector<analytics::NamedRows> named;
    for (const MadeTable& table : tables) named.push_back({table.name, rows_of(table)});
    const auto written =
        analytics::write_rows(*objects_, std::move(named), key_, 0, "rows", no_progress());
    ASSERT_TRUE(written.ok()) << written.error().message;
    parquet_ = objects_->open(key_, written->version).value();
    tables_ = analytics::tables_of(written->rows.columns, tables.front().name);
    engine_ = analytics::QueryEngine::open(*parquet_, tables_).value();
  }

  std::string model(const std::string& rest = "") const {
    std::string text =
        "dataset: " + yaml_quoted(kHostile[0]) + "\ntables: [{ name: t }]\ndimensions:\n";
    for (std::size_t i = 0; i < kCount; ++i)
      text += "  - { id: d" + std::to_string(i) + ", label: " + yaml_quoted(kHostile[i]) +
              ", column: " + yaml_quoted(std::string("t.") + kHostile[i]) + " }\n";
    return text + "measures:\n  - { id: rows, type: count }\n" + rest;
  }

  // How many rows the query counts.
  std::int64_t count(const std::string& yaml, std::vector<semantics::Filter> filters,
                     const semantics::Viewer& viewer = {}) {
    const auto parsed = semantics::parse_model(yaml);
    EXPECT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_TRUE(semantics::check_against(*parsed, tables_).ok());
    semantics::QueryRequest request;
    request.measures = {"rows"};
    request.filters = std::move(filters);
    const auto query = semantics::compile_query(*parsed, tables_, request, viewer, {});
    EXPECT_TRUE(query.ok()) << query.error().message;
    const auto answer = engine_->run(query->statement, {}, no_progress());
    EXPECT_TRUE(answer.ok()) << answer.error().message << answer.error().cause;
    return std::get<std::int64_t>(answer->columns.at(0).cells.at(0));
  }

  const ObjectKey key_{TenantId::random(), RetentionClass::kRows, "rows.parquet"};
  testkit::Scratch folder_;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<SealedObjects> objects_;
  std::unique_ptr<RangedSource> parquet_;
  std::vector<TableSchema> tables_;
  std::unique_ptr<analytics::QueryEngine> engine_;
};

TEST_F(HostileRowsTest, FiltersFindTheCellAndNothingElse) {
  using semantics::FilterOp;
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::string field = "d" + std::to_string(i);
    for (const char* value : kHostile) {
      EXPECT_EQ(count(model(), {{field, FilterOp::kEq, {Value(value)}, {}}}), 1) << value;
      EXPECT_EQ(count(model(), {{field, FilterOp::kNotIn, {Value(value)}, {}}}), kCount - 1)
          << value;
    }
    EXPECT_EQ(count(model(), {{field, FilterOp::kContains, {Value("READ_")}, {}}}), 2);
    EXPECT_EQ(count(model(), {{field, FilterOp::kContains, {Value("%")}, {}}}), 1);
  }
}

TEST_F(HostileRowsTest, PredicatesFindTheCellAndNothingElse) {
  semantics::Viewer viewer;
  viewer.roles = {"r"};
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::string value = kHostile[i];
    viewer.attributes = JsonText::of(json::object{{value, value}});
    for (const std::string& predicate :
         {"d0 = " + sql_quoted(value, '\''),
          "t." + sql_quoted(value, '"') + " = " + sql_quoted(value, '\''),
          sql_quoted(value, '"') + " IN (" + sql_quoted(value, '\'') + ", 'nothing')",
          "d1 = {{ user.attributes." + sql_quoted(value, '"') + " }}"})
      EXPECT_EQ(count(model("security:\n  - { name: x, applies_to: { role: r }, predicate: " +
                            yaml_quoted(predicate) + " }\n"),
                      {}, viewer),
                1)
          << predicate;
  }
}

TEST_F(HostileRowsTest, DimensionsShowEveryCell) {
  const auto parsed = semantics::parse_model(model()).value();
  semantics::QueryRequest request;
  for (std::size_t i = 0; i < kCount; ++i)
    request.dimensions.push_back({"d" + std::to_string(i), {}});
  const auto query = semantics::compile_query(parsed, tables_, request, {}, {});
  ASSERT_TRUE(query.ok());
  const auto answer = engine_->run(query->statement, {}, no_progress());
  ASSERT_TRUE(answer.ok()) << answer.error().cause;
  EXPECT_EQ(answer->row_count, kCount);
  EXPECT_EQ(query->columns[3].label, kHostile[3]);
}

// The longest measures that a model may hold are not too deep for the engine.
TEST_F(HostileRowsTest, LongExpressionsRun) {
  std::string sum = "rows", nested = "rows";
  for (int i = 0; i < 248; ++i) sum += i % 2 == 0 ? " + rows" : " - rows";
  for (int i = 0; i < 30; ++i) nested = "-(" + nested + ")";
  std::string yaml = model("  - { id: long, type: derived, expression: " + sum + " }\n" +
                           "  - { id: m0, type: derived, expression: -rows }\n");
  for (int i = 1; i < 30; ++i)
    yaml += "  - { id: m" + std::to_string(i) +
            ", type: derived, expression: " + std::string(15, '-') + "m" + std::to_string(i - 1) +
            " }\n";
  const auto parsed = semantics::parse_model(yaml);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  semantics::QueryRequest request;
  request.measures = {"long", "m29"};
  const auto query = semantics::compile_query(*parsed, tables_, request, {}, {});
  ASSERT_TRUE(query.ok()) << query.error().message;
  const auto answer = engine_->run(query->statement, {}, no_progress());
  ASSERT_TRUE(answer.ok()) << answer.error().message << answer.error().cause;
  EXPECT_EQ(answer->columns[0].cells[0], Value(static_cast<double>(kCount)));
}

// Tables that are called as the parts of a statement might be.
TEST_F(HostileRowsTest, NamesOfTablesMeetNoNameOfTheStatement) {
  std::vector<MadeTable> tables;
  std::string yaml = "dataset: d\ntables:\n";
  for (const char* name : {"m0", "m1", "t0", "t1", "d0", "a0", "r", "select"}) {
    tables.push_back({name, {{"d0", "BIGINT"}, {"t0", "BIGINT"}}, {{"1", "10"}, {"2", "20"}}});
    yaml += std::string("  - { name: ") + name + ", primary_key: d0 }\n";
  }
  yaml += "joins:\n";
  for (std::size_t i = 1; i < tables.size(); ++i)
    yaml += "  - { left: " + tables[i - 1].name + ".d0, right: " + tables[i].name +
            ".d0, kind: " + (i % 2 == 0 ? "one_to_many" : "many_to_one") + " }\n";
  yaml += "dimensions: [{ id: d0, column: select.d0 }]\nmeasures:\n";
  for (const MadeTable& table : tables)
    yaml += "  - { id: sum_" + table.name + ", type: sum, column: " + table.name + ".t0 }\n";
  open(tables);
  const auto parsed = semantics::parse_model(yaml);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  semantics::QueryRequest request;
  request.dimensions = {{"d0", {}}};
  for (const auto& measure : parsed->measures) request.measures.push_back(measure.id);
  const auto query = semantics::compile_query(*parsed, tables_, request, {}, {});
  ASSERT_TRUE(query.ok()) << query.error().message;
  const auto answer = engine_->run(query->statement, {}, no_progress());
  ASSERT_TRUE(answer.ok()) << answer.error().cause << query->sql_preview;
  ASSERT_EQ(answer->row_count, 2u);
  for (std::size_t i = 1; i < answer->columns.size(); ++i) {
    EXPECT_EQ(answer->columns[i].cells[0], Value(std::int64_t{10})) << answer->columns[i].name;
    EXPECT_EQ(answer->columns[i].cells[1], Value(std::int64_t{20})) << answer->columns[i].name;
  }
}

TEST_F(HostileRowsTest, ManyValuesRun) {
  std::vector<semantics::Filter> filters;
  for (int i = 0; i < 19; ++i)
    filters.push_back({"d0",
                       semantics::FilterOp::kIn,
                       std::vector<Value>(1000, Value(kHostile[i % 2 == 0 ? 0 : 1])),
                       {}});
  EXPECT_EQ(count(model(), filters), 0);
  for (auto& filter : filters) filter.values.back() = kHostile[5];
  EXPECT_EQ(count(model(), std::move(filters)), 1);
}

TEST_F(HostileRowsTest, KeysThatRepeatAreCounted) {
  open({{"t",
         {{"a", "BIGINT"}, {"b", "VARCHAR"}},
         {{"1", "x"}, {"1", "y"}, {"2", "y"}, {{}, "z"}, {{}, "z"}}},
        {"u", {{"a", "BIGINT"}}, {{"1"}, {"1"}, {"2"}, {"2"}}}});
  const auto model = semantics::parse_model(
      "dataset: d\ntables: [{ name: t, primary_key: [a, b] }, { name: u, primary_key: a }]\n"
      "joins: [{ left: u.a, right: t.a, kind: many_to_one }]\n");
  const std::map<std::string, std::int64_t> expected = {{"t.a, b", 1}, {"u.a", 2}, {"t.a", 1}};
  const auto checks = semantics::key_checks(model.value());
  ASSERT_EQ(checks.size(), expected.size());
  for (const auto& check : checks) {
    for (const std::uint64_t parts : {1, 2, 7}) {
      std::int64_t duplicates = 0;
      for (std::uint64_t part = 0; part < parts; ++part) {
        const auto answer = engine_->run(check.duplicates(parts, part), {}, no_progress());
        ASSERT_TRUE(answer.ok()) << answer.error().cause;
        duplicates += std::get<std::int64_t>(answer->columns.at(0).cells.at(0));
      }
      EXPECT_EQ(duplicates, expected.at(check.key)) << check.key << " in " << parts;
    }
  }
}

}  // namespace
}  // namespace oa::golden_answers
