// Questions whose answers must be those that Postgres gives, every row and column: doubles within
// 1e-9 of each other, all else to the letter, in the same order.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "oa/analytics/query_engine.h"
#include "oa/base/io.h"
#include "oa/keys/local_key_service.h"
#include "oa/semantics/query.h"
#include "postgres.h"
#include "question.h"

namespace oa::golden_answers {
namespace {

using analytics::CellKind;

constexpr double kTolerance = 1e-9;

// The rows of one dataset in our engine.
struct Rows {
  std::unique_ptr<RangedSource> parquet;
  std::vector<TableSchema> tables;
  std::unique_ptr<analytics::QueryEngine> engine;
};

// Both engines with the same rows; made once, for all questions.
class Engines {
 public:
  Engines() {
    RootKeySource root;
    root.key_file = folder_ / "root.key";
    keys_ = LocalKeyService::create(folder_ / "keys", root).value();
    store_ = open_local_store(folder_ / "objects").value();
    objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
    keys_->create_tenant_key(tenant_).value();
    postgres_.run("CREATE SCHEMA golden; SET search_path = golden");
    add_retail();
  }
  Postgres& postgres() { return postgres_; }
  Rows& rows(const std::string& dataset) { return rows_.at(dataset); }
  bool has(const std::string& dataset) const { return rows_.contains(dataset); }

  // A CSV file through the importer, and into Postgres under types that a person chose.
  void add_csv(const std::string& name, const std::string& path, const std::string& columns) {
    const Bytes file = read_file(path, 1 << 28).value();
    const auto imported =
        analytics::import_csv(*objects_, MemorySource(file), key(name), {}, no_progress());
    add(name, imported.value(), name);
    postgres_.run("CREATE TABLE " + name + " (" + columns + ")");
    postgres_.copy_csv(name, std::string(as_text(file)));
  }

 private:
  ObjectKey key(const std::string& name) const {
    return {tenant_, RetentionClass::kRows, "datasets/" + name + ".parquet"};
  }
  void add(const std::string& name, const analytics::ImportResult& imported,
           const std::string& single_name) {
    Rows& rows = rows_[name];
    rows.parquet = objects_->open(key(name), imported.version).value();
    rows.tables = analytics::tables_of(imported.rows.columns, single_name);
    rows.engine = analytics::QueryEngine::open(*rows.parquet, rows.tables).value();
  }
  void add_retail() {
    const auto tables = retail_tables();
    std::vector<analytics::NamedRows> named;
    for (const MadeTable& table : tables) {
      named.push_back({table.name, rows_of(table)});
      postgres_.create(table);
    }
    add("retail",
        analytics::write_rows(*objects_, std::move(named), key("retail"), 0, "rows", no_progress())
            .value(),
        "");
  }

  testkit::Scratch folder_;
  const TenantId tenant_ = TenantId::random();
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<SealedObjects> objects_;
  Postgres postgres_;
  std::map<std::string, Rows> rows_;
};

std::unique_ptr<Engines> shared;

Engines& engines() {
  if (!shared) shared = std::make_unique<Engines>();
  return *shared;
}

class EnginesEnd : public testing::Environment {
 public:
  void TearDown() override { shared.reset(); }
};
const auto* const kEnd = testing::AddGlobalTestEnvironment(new EnginesEnd);

semantics::Viewer viewer_of(const char* text) {
  const json::value value = parse_json(text).value();
  semantics::Viewer viewer;
  viewer.user = UserId::parse(kUser).value();
  for (const auto& each : value.at("roles").as_array()) viewer.roles.emplace_back(each.as_string());
  for (const auto& each : value.at("teams").as_array()) viewer.teams.emplace_back(each.as_string());
  viewer.attributes = JsonText::of(value.at("attributes"));
  return viewer;
}

std::string shown(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "NULL";
}

bool same(CellKind kind, const Value& ours, const std::optional<std::string>& theirs) {
  if (!theirs || ours == Value()) return !theirs && ours == Value();
  switch (kind) {
    case CellKind::kBoolean:
      return ours == Value(*theirs == "t");
    case CellKind::kReal: {
      const double left = std::get<double>(ours);
      const double right = std::strtod(theirs->c_str(), nullptr);
      return std::abs(left - right) <= kTolerance * std::max(std::abs(left), std::abs(right));
    }
    case CellKind::kTimestamp: {
      std::string moment = *theirs;
      moment[10] = 'T';
      if (moment.ends_with("+00")) moment.replace(moment.size() - 3, 3, "Z");
      return ours == Value(moment);
    }
    default:
      return shown(ours) == *theirs;
  }
}

void expect_same(const analytics::Answer& ours, std::size_t limit,
                 const std::vector<TextRow>& theirs) {
  const std::size_t rows = std::min<std::size_t>(ours.row_count, limit);
  ASSERT_EQ(rows, theirs.size());
  for (std::size_t row = 0; row < rows; ++row) {
    ASSERT_EQ(ours.columns.size(), theirs[row].size());
    for (std::size_t i = 0; i < ours.columns.size(); ++i) {
      const auto& column = ours.columns[i];
      ASSERT_TRUE(same(column.kind, column.cells[row], theirs[row][i]))
          << "row " << row << ", column " << column.name << ": ours " << shown(column.cells[row])
          << ", Postgres " << theirs[row][i].value_or("NULL");
    }
  }
}

void ask(const Question& question) {
  const auto model = semantics::parse_model(question.model);
  ASSERT_TRUE(model.ok()) << model.error().message;
  Rows& rows = engines().rows(model->dataset);
  const Status checked = semantics::check_against(*model, rows.tables);
  ASSERT_TRUE(checked.ok()) << checked.error().message;
  const auto request = semantics::decode_query(parse_json(question.request).value(), "query");
  ASSERT_TRUE(request.ok()) << request.error().message;
  const auto compiled = semantics::compile_query(
      *model, rows.tables, *request, viewer_of(question.viewer), {Timestamp::parse(kNow).value()});
  ASSERT_TRUE(compiled.ok()) << compiled.error().message;
  const auto answer = rows.engine->run(compiled->statement, {}, no_progress());
  ASSERT_TRUE(answer.ok()) << answer.error().message << " | " << answer.error().cause << "\n"
                           << compiled->sql_preview;
  ASSERT_EQ(answer->columns.size(), compiled->columns.size());
  for (std::size_t i = 0; i < answer->columns.size(); ++i)
    EXPECT_EQ(answer->columns[i].name, compiled->columns[i].id);
  const auto theirs = engines().postgres().rows(question.sql);
  EXPECT_EQ(theirs.empty(), question.no_rows) << "a question that nothing answers proves little";
  expect_same(*answer, request->limit, theirs);
  if (testing::Test::HasFatalFailure()) std::fprintf(stderr, "%s\n", compiled->sql_preview.c_str());
}

class RetailQuestion : public testing::TestWithParam<Question> {};
TEST_P(RetailQuestion, PostgresAgrees) { ask(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Golden, RetailQuestion,
                         testing::ValuesIn(retail_questions().begin(), retail_questions().end()),
                         [](const auto& each) { return std::string(each.param.name); });

// --- The real tables, where they stand beside the checkout or where OA_TEST_DATA says ------------

struct RealTable {
  const char* name;
  const char* file;
  const char* columns;
};
constexpr RealTable kRealTables[] = {
    {"airports", "airports.csv",
     R"(iata text COLLATE "C", name text COLLATE "C", city text COLLATE "C",
        state text COLLATE "C", country text COLLATE "C", latitude float8, longitude float8)"},
    {"birdstrikes", "birdstrikes.csv",
     R"("Airport Name" text COLLATE "C", "Aircraft Make Model" text COLLATE "C",
        "Effect Amount of damage" text COLLATE "C", "Flight Date" date,
        "Aircraft Airline Operator" text COLLATE "C", "Origin State" text COLLATE "C",
        "Phase of flight" text COLLATE "C", "Wildlife Size" text COLLATE "C",
        "Wildlife Species" text COLLATE "C", "Time of day" text COLLATE "C", "Cost Other" bigint,
        "Cost Repair" bigint, "Cost Total $" bigint, "Speed IAS in knots" bigint)"},
    {"weather", "seattle-weather.csv",
     R"(date date, precipitation float8, temp_max float8, temp_min float8, wind float8,
        weather text COLLATE "C")"},
    {"stocks", "sp500-2000.csv",
     R"(date date, open float8, high float8, low float8, close float8, adjclose float8,
        volume bigint)"},
    {"zipcodes", "zipcodes.csv",
     R"(zip_code text COLLATE "C", latitude float8, longitude float8, city text COLLATE "C",
        state text COLLATE "C", county text COLLATE "C")"},
};

std::string real_folder() {
  const char* chosen = std::getenv("OA_TEST_DATA");
  return chosen != nullptr ? chosen : OA_REAL_TABLES;
}

// None where the tables are not: the suite is then empty, and says so by its absence.
std::vector<Question> questions_on_real_tables() {
  for (const RealTable& table : kRealTables) {
    if (!std::filesystem::exists(real_folder() + "/" + table.file)) return {};
  }
  return {real_questions().begin(), real_questions().end()};
}

class RealQuestion : public testing::TestWithParam<Question> {
 protected:
  void SetUp() override {
    for (const RealTable& table : kRealTables) {
      if (!engines().has(table.name))
        engines().add_csv(table.name, real_folder() + "/" + table.file, table.columns);
    }
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RealQuestion);
TEST_P(RealQuestion, PostgresAgrees) { ask(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Golden, RealQuestion, testing::ValuesIn(questions_on_real_tables()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(GoldenQuestions, AreManyAndEachHasItsName) {
  std::set<std::string> names;
  for (const Question& each : retail_questions()) names.insert(each.name);
  EXPECT_EQ(names.size(), retail_questions().size());
  EXPECT_GE(retail_questions().size(), 60u);
  names.clear();
  for (const Question& each : real_questions()) names.insert(each.name);
  EXPECT_EQ(names.size(), real_questions().size());
}

}  // namespace
}  // namespace oa::golden_answers
