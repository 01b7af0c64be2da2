// report_bench SCRATCH [ROWS] [ROUNDS]: a report of six visuals opened for a person (report,
// dataset and rights out of Postgres, rows unsealed, queries compiled, answers typed and digested)
// against the same six statements in a plain DuckDB of all cores over the same Parquet, unsealed.
// Each round is a process of its own, in turn; the data is made once and kept in SCRATCH.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>

#include "duckdb.hpp"
#include "oa/analytics/importer.h"
#include "oa/catalog/repositories.h"
#include "oa/instance/instance.h"
#include "oa/reports/open_report.h"

namespace {

using namespace oa;  // NOLINT: a program of one file
using Clock = std::chrono::steady_clock;

constexpr char kTenant[] = "Bench";
constexpr char kModel[] =
    "dataset: orders\n"
    "tables:\n"
    "  - { name: orders, primary_key: id }\n"
    "dimensions:\n"
    "  - { id: region, column: orders.region }\n"
    "  - { id: product, column: orders.product }\n"
    "  - { id: sold, column: orders.sold_on, type: date, grains: [day, month] }\n"
    "measures:\n"
    "  - { id: revenue, type: sum, column: orders.amount }\n"
    "  - { id: customers, type: count_distinct, column: orders.customer }\n"
    "  - { id: orders_count, type: count }\n"
    "  - { id: aov, type: ratio, numerator: revenue, denominator: orders_count }\n";

struct Visual {
  catalog::VisualKind kind;
  const char* query;
};
constexpr Visual kVisuals[] = {
    {catalog::VisualKind::kBar,
     R"({"dimensions":[{"id":"region"}],"measures":["revenue"],"order_by":[{"field":"revenue","dir":"desc"}]})"},
    {catalog::VisualKind::kLine,
     R"({"dimensions":[{"id":"sold","grain":"month"}],"measures":["revenue","aov"]})"},
    {catalog::VisualKind::kMatrix,
     R"({"dimensions":[{"id":"region"},{"id":"product"}],"measures":["revenue","orders_count"]})"},
    {catalog::VisualKind::kKpi, R"({"measures":["customers"]})"},
    {catalog::VisualKind::kTable,
     R"({"dimensions":[{"id":"product"}],"measures":["revenue","aov"],"filters":[{"field":"region","op":"in","value":["North","South"]}]})"},
    {catalog::VisualKind::kBar,
     R"({"dimensions":[{"id":"sold","grain":"day"}],"measures":["orders_count"],"filters":[{"field":"sold","op":"gte","value":"2025-06-01"}]})"}};

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}: {}\n", result.error().op, result.error().message);
    std::exit(1);
  }
  return std::move(result).value();
}
void must(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}: {}\n", status.error().op, status.error().message);
  std::exit(1);
}

std::string folder;

std::unique_ptr<instance::Instance> open_instance() {
  instance::Settings settings;
  settings.data_folder = folder + "/data";
  settings.create = true;
  return must(instance::Instance::open(settings));
}

// The table as CSV, row after row, without ever holding it.
void write_csv(const std::string& path, std::uint64_t rows) {
  constexpr const char* kRegions[] = {"North", "South", "East", "West"};
  std::mt19937_64 random(1);
  std::FILE* file = std::fopen(path.c_str(), "w");
  fmt::print(file, "id,customer,region,product,quantity,amount,sold_on\n");
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto r = random();
    fmt::print(file, "{},{},{},Product {},{},{}.{:02},{}-{:02}-{:02}\n", i, r % 200'000,
               kRegions[r % 4], r / 7 % 50, r % 20, r / 11 % 5000, r / 13 % 100, 2024 + r / 17 % 2,
               r / 19 % 12 + 1, r / 23 % 28 + 1);
  }
  std::fclose(file);
}

void make_data(std::uint64_t rows) {
  const auto opened = open_instance();
  const auto tenant = must(opened->provision_tenant(kTenant, catalog::Plan::kScale));
  write_csv(folder + "/orders.csv", rows);
  const auto csv = must(FileSource::open(folder + "/orders.csv"));
  const Timestamp now = Timestamp::now();
  catalog::User owner;
  owner.id = UserId::random();
  owner.email = "owner@bench.example";
  owner.owner = true;
  owner.created_at = now;
  const catalog::Workspace workspace{WorkspaceId::random(), "Bench", now, {}};
  catalog::Dataset dataset;
  dataset.id = DatasetId::random();
  dataset.workspace_id = workspace.id;
  dataset.name = "orders";
  dataset.state = catalog::DatasetState::kReady;
  dataset.model_yaml = kModel;
  const ObjectKey key{tenant.id, RetentionClass::kRows, dataset.id.str() + "/rows.parquet"};
  const auto imported =
      must(analytics::import_csv(opened->objects(), *csv, key, {}, no_progress()));
  dataset.rows = catalog::RowsObject{key.name, imported.version.value};
  dataset.versions = {{1, imported.rows.columns, now}};
  dataset.row_count = imported.rows.row_count;
  dataset.created_by = owner.id;
  dataset.created_at = dataset.updated_at = now;
  catalog::Report report;
  report.id = ReportId::random();
  report.workspace_id = workspace.id;
  report.name = "Six visuals";
  for (const Visual& each : kVisuals) {
    catalog::Visual visual;
    visual.id = VisualId::random();
    visual.kind = each.kind;
    visual.title = "visual";
    visual.dataset_id = dataset.id;
    visual.query = must(JsonText::parse(each.query));
    visual.options = must(JsonText::parse(R"({"subtotals":false})"));
    report.visuals.push_back(visual);
  }
  report.filters = must(JsonText::parse(R"({"items":[]})"));
  report.created_by = owner.id;
  report.created_at = report.updated_at = now;
  auto transaction = must(opened->database().begin(tenant.id));
  must(catalog::Users(transaction).put({&owner, 1}));
  must(catalog::Workspaces(transaction).put({&workspace, 1}));
  must(catalog::Datasets(transaction).put({&dataset, 1}));
  must(catalog::Reports(transaction).put({&report, 1}));
  must(transaction.commit());
  const auto source = must(opened->objects().open(key, imported.version));
  auto plain = must(AtomicFileSink::create(folder + "/orders.parquet", true, 0600));
  must(copy_all(*source, *plain));
  must(plain->commit());
}

struct Subject {
  catalog::Report report;
  catalog::Dataset dataset;
  UserId owner;
};

Subject subject_of(instance::Instance& opened, TenantId tenant) {
  auto transaction = must(opened.database().begin(tenant, catalog::Isolation::kSnapshot));
  const auto workspaces = must(catalog::Workspaces(transaction).list());
  const auto reports =
      must(catalog::Reports(transaction).list(workspaces.at(0).id, std::nullopt, 1));
  return {reports.at(0), must(catalog::Datasets(transaction).get(reports[0].visuals[0].dataset_id)),
          reports[0].created_by};
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double ours() {
  const auto opened = open_instance();
  const auto tenant = must(opened->database().find_tenant(kTenant));
  const Subject subject = subject_of(*opened, tenant.id);
  reports::OpenOptions options;
  options.now = Timestamp::now();
  const auto begin = Clock::now();
  const auto report =
      must(reports::open_report(opened->database(), opened->objects(), tenant.id, subject.report.id,
                                subject.owner, options, no_progress()));
  const double seconds = seconds_since(begin);
  for (const auto& visual : report.visuals) {
    if (visual.error.has_value()) must(Status(*visual.error));
  }
  return seconds;
}

duckdb::Value to_engine(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return duckdb::Value(*text);
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return duckdb::Value::BIGINT(*integer);
  return duckdb::Value::DOUBLE(std::get<double>(value));
}

double raw() {
  std::vector<Statement> statements;
  {
    const auto opened = open_instance();
    const auto tenant = must(opened->database().find_tenant(kTenant));
    const Subject subject = subject_of(*opened, tenant.id);
    const auto model = must(semantics::parse_model(subject.dataset.model_yaml));
    const std::vector<TableSchema> tables = {{"orders", subject.dataset.versions[0].columns}};
    for (const auto& visual : subject.report.visuals) {
      const auto request = must(semantics::decode_query(visual.query.value(), "query"));
      statements.push_back(
          must(semantics::compile_query(model, tables, request, {}, {Timestamp::now()})).statement);
    }
  }
  const auto begin = Clock::now();
  duckdb::DuckDB database(nullptr);
  duckdb::Connection connection(database);
  connection.Query("CREATE VIEW orders AS FROM read_parquet('" + folder + "/orders.parquet')");
  for (const Statement& statement : statements) {
    duckdb::vector<duckdb::Value> parameters;
    for (const auto& value : statement.parameters) parameters.push_back(to_engine(value));
    const auto result = connection.Prepare(statement.sql)->Execute(parameters, false);
    if (result->HasError()) result->ThrowError();
  }
  return seconds_since(begin);
}

struct Measured {
  double seconds = 0;
  long peak_mib = 0;
};

Measured in_a_process(const std::function<double()>& work) {
  int ends[2];
  if (pipe(ends) != 0) std::exit(1);
  const pid_t child = fork();
  if (child == 0) {
    const double seconds = work();
    if (write(ends[1], &seconds, sizeof(seconds)) != sizeof(seconds)) std::_Exit(1);
    std::_Exit(0);
  }
  close(ends[1]);
  Measured measured;
  const bool told = read(ends[0], &measured.seconds, sizeof(double)) == sizeof(double);
  close(ends[0]);
  rusage usage{};
  int status = 0;
  wait4(child, &status, 0, &usage);
  if (!told || status != 0) std::exit(1);
  measured.peak_mib = usage.ru_maxrss / 1024;
  return measured;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: report_bench SCRATCH [ROWS] [ROUNDS]\n");
    return 2;
  }
  folder = argv[1];
  const std::uint64_t rows = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5'000'000;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  std::filesystem::create_directories(folder);
  if (!std::filesystem::exists(folder + "/orders.parquet")) {
    in_a_process([&] {
      make_data(rows);
      return 0.0;
    });
  }
  std::vector<double> our_seconds, raw_seconds;
  long our_peak = 0, raw_peak = 0;
  for (int round = 0; round < rounds; ++round) {
    const Measured mine = in_a_process(ours);
    const Measured theirs = in_a_process(raw);
    fmt::print("round {}: ours {:.3f} s, DuckDB {:.3f} s\n", round + 1, mine.seconds,
               theirs.seconds);
    our_seconds.push_back(mine.seconds);
    raw_seconds.push_back(theirs.seconds);
    our_peak = std::max(our_peak, mine.peak_mib);
    raw_peak = std::max(raw_peak, theirs.peak_mib);
  }
  std::ranges::sort(our_seconds);
  std::ranges::sort(raw_seconds);
  const double our_median = our_seconds[our_seconds.size() / 2];
  const double raw_median = raw_seconds[raw_seconds.size() / 2];
  fmt::print(
      "report of 6 visuals, {} rows: ours {:.3f} s, DuckDB {:.3f} s, ratio {:.2f} (medians of {});"
      " peak ours {} MiB, DuckDB {} MiB\n",
      rows, our_median, raw_median, our_median / raw_median, rounds, our_peak, raw_peak);
}
