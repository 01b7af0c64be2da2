#include "oa/analytics/row_writer.h"

#include <functional>

#include "analytics_testkit.h"

namespace oa::analytics {
namespace {

// Rows made by a function of the row's number.
class MadeRows final : public RowSource {
 public:
  using Fill = std::function<void(RowBatch&, std::uint64_t)>;
  MadeRows(std::vector<Column> columns, std::uint64_t count, Fill fill,
           std::optional<Error> error_at_end = {})
      : columns_(std::move(columns)),
        count_(count),
        fill_(std::move(fill)),
        error_at_end_(std::move(error_at_end)) {}
  const std::vector<Column>& columns() const override { return columns_; }
  Status next(RowBatch& batch) override {
    for (; done_ < count_ && !batch.full(); ++done_) {
      fill_(batch, done_);
      batch.end_row();
    }
    if (batch.rows() == 0 && error_at_end_.has_value()) return *error_at_end_;
    return {};
  }
  std::uint64_t position() const override { return done_; }

 private:
  const std::vector<Column> columns_;
  const std::uint64_t count_;
  const Fill fill_;
  const std::optional<Error> error_at_end_;
  std::uint64_t done_ = 0;
};

NamedRows numbers(const std::string& name, std::uint64_t count) {
  return {name, std::make_unique<MadeRows>(
                    std::vector<Column>{{"n", "BIGINT"}, {"label", "VARCHAR"}}, count,
                    [name](RowBatch& batch, std::uint64_t i) {
                      batch.integer(static_cast<std::int64_t>(i));
                      i % 7 == 3 ? batch.null() : batch.text(name + std::to_string(i));
                    })};
}

class RowWriterTest : public ImportTest {
 protected:
  Result<ImportResult> write(NamedRows table) {
    std::vector<NamedRows> tables;
    tables.push_back(std::move(table));
    return write_rows(*objects_, std::move(tables), target_, 0, "rows", no_progress());
  }
};

TEST_F(RowWriterTest, EveryTypeComesBack) {
  const std::vector<Column> columns = {{"b", "BOOLEAN"},
                                       {"i", "BIGINT"},
                                       {"d", "DOUBLE"},
                                       {"day", "DATE"},
                                       {"ts", "TIMESTAMP"},
                                       {"tz", "TIMESTAMP WITH TIME ZONE"},
                                       {"t", "VARCHAR"},
                                       {"small", "DECIMAL(4,2)"},
                                       {"medium", "DECIMAL(9,0)"},
                                       {"large", "DECIMAL(18,3)"},
                                       {"huge", "DECIMAL(38,10)"}};
  const Int128 huge = Int128{9'223'372'036'854'775'807} * 10'000'000'000;
  auto made = std::make_unique<MadeRows>(columns, 3, [&](RowBatch& batch, std::uint64_t i) {
    if (i == 1) {
      for (std::size_t c = 0; c < columns.size(); ++c) batch.null();
      return;
    }
    const std::int64_t sign = i == 0 ? 1 : -1;
    batch.boolean(i == 0);
    batch.integer(sign * INT64_MAX);
    batch.real(static_cast<double>(sign) * 0.1);
    batch.integer(sign * 19782);
    batch.integer(sign * 1'709'164'800'000'001);
    batch.integer(sign * 1'709'164'800'000'001);
    batch.text("Zürich, 'quoted'");
    batch.decimal(sign * 1234);
    batch.decimal(sign * 123456789);
    batch.decimal(sign * Int128{123'456'789'012'345'678});
    batch.decimal(sign * huge);
  });
  const auto written = write({"t", std::move(made)});
  ASSERT_TRUE(written.ok()) << written.error().message << written.error().cause;
  EXPECT_EQ(written->rows.columns, columns);
  EXPECT_EQ(written->rows.row_count, 3u);
  const auto described = describe_rows(*objects_, target_, written->version);
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(described->columns, columns);
  const Rows rows = select(written->version, "* REPLACE (tz::VARCHAR AS tz)");
  EXPECT_EQ(rows.at(0),
            (std::vector<Cell>{"true", "9223372036854775807", "0.1", "2024-02-29",
                               "2024-02-29 00:00:00.000001", "2024-02-29 00:00:00.000001+00",
                               "Zürich, 'quoted'", "12.34", "123456789", "123456789012345.678",
                               "9223372036854775807.0000000000"}));
  EXPECT_EQ(rows.at(1), std::vector<Cell>(columns.size()));
  EXPECT_EQ(rows.at(2).at(1), "-9223372036854775807");
  EXPECT_EQ(rows.at(2).at(7), "-12.34");
  EXPECT_EQ(rows.at(2).at(10), "-9223372036854775807.0000000000");
}

TEST_F(RowWriterTest, SeveralTablesShareOneVersionInOrder) {
  std::vector<NamedRows> tables;
  tables.push_back(numbers("orders", 300'000));
  tables.push_back(numbers("nothing", 0));
  tables.push_back(numbers("customers", 5'000));
  const auto written =
      write_rows(*objects_, std::move(tables), target_, 305'000, "rows", no_progress());
  ASSERT_TRUE(written.ok()) << written.error().message << written.error().cause;
  EXPECT_EQ(written->rows.row_count, 305'000u);
  EXPECT_EQ(describe_rows(*objects_, target_, written->version)->columns, written->rows.columns);
  const auto schemas = tables_of(written->rows.columns, "ignored");
  const std::vector<Column> columns = {{"n", "BIGINT"}, {"label", "VARCHAR"}};
  EXPECT_EQ(schemas, (std::vector<TableSchema>{
                         {"orders", columns}, {"nothing", columns}, {"customers", columns}}));
  EXPECT_EQ(select(written->version,
                   "__table, count(*), min(\"orders.n\"), max(\"customers.n\"), "
                   "count(\"orders.label\"), count(\"customers.label\")",
                   " GROUP BY 1 ORDER BY 1"),
            (Rows{{"0", "300000", "0", std::nullopt, "257143", "0"},
                  {"2", "5000", std::nullopt, "4999", "0", "4286"}}));
  const Rows rows = select(written->version, "coalesce(\"orders.n\", \"customers.n\")");
  for (std::size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(rows[i][0], std::to_string(i < 300'000 ? i : i - 300'000));
}

TEST_F(RowWriterTest, OneTableKeepsItsColumnNames) {
  const auto written = write(numbers("any name, it does not matter", 3));
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(tables_of(written->rows.columns, "t"),
            (std::vector<TableSchema>{{"t", written->rows.columns}}));
  EXPECT_EQ(select(written->version, "*"), (Rows{{"0", "any name, it does not matter0"},
                                                 {"1", "any name, it does not matter1"},
                                                 {"2", "any name, it does not matter2"}}));
}

TEST_F(RowWriterTest, AFailingSourceLeavesNothing) {
  for (const std::uint64_t rows : {0u, 1u, 100'000u}) {
    const auto written = write({"t", std::make_unique<MadeRows>(
                                         std::vector<Column>{{"n", "BIGINT"}}, rows,
                                         [](RowBatch& batch, std::uint64_t) { batch.integer(1); },
                                         make_error(ErrorCode::kSourceRefused, "test", "gone"))});
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, ErrorCode::kSourceRefused);
    expect_nothing_stored();
  }
}

TEST_F(RowWriterTest, RefusesWhatIsNoTable) {
  const auto refusal = [&](std::vector<NamedRows> tables) {
    const auto written =
        write_rows(*objects_, std::move(tables), target_, 0, "rows", no_progress());
    EXPECT_FALSE(written.ok());
    expect_nothing_stored();
    return written.ok() ? ErrorCode::kInternal : written.error().code;
  };
  const auto two = [](const std::string& first, const std::string& second) {
    std::vector<NamedRows> tables;
    tables.push_back(numbers(first, 1));
    tables.push_back(numbers(second, 1));
    return tables;
  };
  const auto one = [](std::vector<Column> columns) {
    std::vector<NamedRows> tables;
    tables.push_back(
        {"t", std::make_unique<MadeRows>(columns, 1, [](RowBatch& batch, std::uint64_t) {
           batch.null();
           batch.null();
         })});
    return tables;
  };
  EXPECT_EQ(refusal({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(two("a", "A")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(two("a", "b.c")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(two("a", "1b")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(two("a", "")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(one({{"x", "BIGINT"}, {"X", "BIGINT"}})), ErrorCode::kInvalidArgument);
  for (const char* type : {"BLOB", "DECIMAL(39,0)", "DECIMAL(4,5)", "DECIMAL(4)", "DECIMAL(4,2) x",
                           "BIGINT); DROP TABLE x; --"}) {
    EXPECT_EQ(refusal(one({{"x", "BIGINT"}, {"y", type}})), ErrorCode::kInvalidArgument) << type;
  }
  EXPECT_EQ(refusal(one(std::vector<Column>(2001, {"x", "BIGINT"}))), ErrorCode::kInvalidArgument);
}

TEST_F(RowWriterTest, TextThatIsNoUtf8IsRefused) {
  const auto written =
      write({"t", std::make_unique<MadeRows>(
                      std::vector<Column>{{"t", "VARCHAR"}}, 1,
                      [](RowBatch& batch, std::uint64_t) { batch.text("\xC3("); })});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kInvalidArgument);
  expect_nothing_stored();
}

TEST_F(RowWriterTest, IsCancelledInTheMiddle) {
  class Cancel final : public Progress {
   public:
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void update(std::uint64_t done) override { seen_ = seen_ || done > 0; }
    bool cancelled() const override { return seen_; }

   private:
    bool seen_ = false;
  } cancel;
  std::vector<NamedRows> tables;
  tables.push_back(numbers("t", 2'000'000'000));
  const auto written = write_rows(*objects_, std::move(tables), target_, 0, "rows", cancel);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kCancelled);
  expect_nothing_stored();
}

TEST_F(RowWriterTest, WideRowsStayWithinMemory) {
  const std::string wide(1 << 20, 'x');
  const auto written =
      write({"t", std::make_unique<MadeRows>(std::vector<Column>{{"n", "BIGINT"}, {"t", "VARCHAR"}},
                                             1500, [&](RowBatch& batch, std::uint64_t i) {
                                               batch.integer(static_cast<std::int64_t>(i));
                                               batch.text(wide);
                                             })});
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(select(written->version, "count(*), sum(length(t))"),
            (Rows{{"1500", std::to_string(1500ull << 20)}}));
}

}  // namespace
}  // namespace oa::analytics
