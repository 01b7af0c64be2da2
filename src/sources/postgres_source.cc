#include "oa/sources/postgres_source.h"

#include "binary_copy.h"
#include "session.h"
#include "table.h"

namespace oa::sources {
namespace {

class CopiedRows final : public analytics::RowSource {
 public:
  CopiedRows(Session& session, TablePlan plan, const SourcePolicy& policy)
      : session_(session),
        plan_(std::move(plan)),
        max_rows_(policy.max_rows),
        reader_(plan_.name, plan_.columns, {policy.max_field_bytes, policy.max_row_bytes}) {
    for (const auto& column : plan_.columns) columns_.push_back(column.column);
  }

  const std::vector<Column>& columns() const override { return columns_; }
  std::uint64_t position() const override { return reader_.rows(); }

  Status next(analytics::RowBatch& batch) override {
    if (phase_ == Phase::kNew) {
      if (session_.copying()) {
        return make_error(ErrorCode::kInternal, "source.read",
                          "a table is read before the one in front of it has ended");
      }
      OA_TRY(session_.begin_copy(plan_.copy));
      phase_ = Phase::kCopying;
    }
    while (phase_ == Phase::kCopying) {
      OA_TRY(reader_.decode(batch));
      if (reader_.rows() > max_rows_) {
        return make_error(
                   ErrorCode::kLimitExceeded, "source.read",
                   "table " + plan_.name + " has more than " + std::to_string(max_rows_) + " rows")
            .with_hint("read a view with fewer rows");
      }
      if (batch.full()) return {};
      OA_ASSIGN(const auto message, session_.copied());
      if (message.has_value()) {
        reader_.feed(*message);
        continue;
      }
      OA_TRY(reader_.finish());
      phase_ = Phase::kEnded;
    }
    return {};
  }

 private:
  enum class Phase { kNew, kCopying, kEnded };
  Session& session_;
  TablePlan plan_;
  std::uint64_t max_rows_;
  CopyReader reader_;
  std::vector<Column> columns_;
  Phase phase_ = Phase::kNew;
};

}  // namespace

struct PostgresSource::State {
  SourcePolicy policy;
  std::unique_ptr<Session> session;
  std::size_t tables = 0;
};

PostgresSource::PostgresSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
PostgresSource::~PostgresSource() = default;

Result<std::unique_ptr<PostgresSource>> PostgresSource::connect(
    const PostgresCredentials& credentials, const SourcePolicy& policy,
    std::function<bool()> stopped) {
  auto state = std::make_unique<State>();
  state->policy = policy;
  OA_ASSIGN(state->session, Session::open(credentials, policy, std::move(stopped)));
  // A server that can (14 and later) ends a statement that nobody waits for any more.
  OA_TRY(state->session->query(
      "SELECT pg_catalog.set_config(name, '1s', false) FROM pg_catalog.pg_settings "
      "WHERE name = 'client_connection_check_interval'",
      {}, 1));
  OA_TRY(state->session->query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {}, 0));
  return std::unique_ptr<PostgresSource>(new PostgresSource(std::move(state)));
}

Result<std::vector<Column>> PostgresSource::describe(std::string_view table) {
  OA_ASSIGN(const TablePlan plan, plan_table(*state_->session, table, state_->policy));
  std::vector<Column> columns;
  for (const auto& column : plan.columns) columns.push_back(column.column);
  return columns;
}

Result<std::unique_ptr<analytics::RowSource>> PostgresSource::read(std::string_view table) {
  if (++state_->tables > state_->policy.max_tables) {
    return make_error(
        ErrorCode::kLimitExceeded, "source.read",
        "more than " + std::to_string(state_->policy.max_tables) + " tables of one source");
  }
  OA_ASSIGN(TablePlan plan, plan_table(*state_->session, table, state_->policy));
  return std::unique_ptr<analytics::RowSource>(
      new CopiedRows(*state_->session, std::move(plan), state_->policy));
}

}  // namespace oa::sources
