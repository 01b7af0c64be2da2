#include "oa/reports/dataset_reader.h"

#include <fmt/format.h>

#include "oa/analytics/row_writer.h"

namespace oa::reports {
namespace {

// The name of rows that hold one table is the model's, whose first table it is.
std::vector<TableSchema> schemas(const semantics::SemanticModel& model,
                                 const std::vector<Column>& columns) {
  return analytics::tables_of(columns, model.tables.front().name);
}

QueryAnswer take_answer(semantics::CompiledQuery compiled, analytics::Answer answer,
                        std::uint64_t limit) {
  QueryAnswer result;
  result.sql_preview = std::move(compiled.sql_preview);
  result.denied = compiled.denied;
  result.row_count = std::min(answer.row_count, limit);
  for (std::size_t i = 0; i < answer.columns.size(); ++i) {
    auto& cells = answer.columns[i].cells;
    cells.resize(result.row_count);
    result.fields.push_back(
        {std::move(compiled.columns[i]), answer.columns[i].kind, std::move(cells)});
  }
  return result;
}

}  // namespace

DatasetReader::~DatasetReader() = default;

Result<std::unique_ptr<DatasetReader>> DatasetReader::open(SealedObjects& objects, TenantId tenant,
                                                           catalog::Dataset dataset,
                                                           RowSecurity security) {
  if (!dataset.rows.has_value() || dataset.versions.empty()) {
    return make_error(ErrorCode::kDatasetNotRefreshed, "datasets.open",
                      "the dataset has no rows yet")
        .with_hint("refresh it: `oa-backup dataset refresh`");
  }
  std::unique_ptr<DatasetReader> reader(new DatasetReader);
  reader->dataset_ = std::move(dataset);
  OA_ASSIGN(reader->model_, semantics::parse_model(reader->dataset_.model_yaml));
  if (security == RowSecurity::kIgnored) reader->model_.security.reset();
  reader->tables_ = schemas(reader->model_, reader->dataset_.versions.back().columns);
  const auto& rows = *reader->dataset_.rows;
  OA_ASSIGN(reader->rows_, objects.open({tenant, RetentionClass::kRows, rows.object_name},
                                        VersionId{rows.object_version}));
  OA_ASSIGN(reader->engine_, analytics::QueryEngine::open(*reader->rows_, reader->tables_));
  return reader;
}

Result<semantics::CompiledQuery> DatasetReader::compile(const semantics::QueryRequest& request,
                                                        const semantics::Viewer& viewer,
                                                        Timestamp now,
                                                        std::uint32_t made_for) const {
  auto compiled = semantics::compile_query(model_, tables_, request, viewer, {now});
  const auto& current = dataset_.versions.back();
  if (compiled.ok() || compiled.error().code != ErrorCode::kQueryInvalid ||
      made_for >= current.version) {
    return compiled;
  }
  for (const auto& version : dataset_.versions) {
    if (version.version != made_for) continue;
    const auto then = schemas(model_, version.columns);
    if (!semantics::compile_query(model_, then, request, viewer, {now}).ok()) break;
    auto error = std::move(compiled).error();
    error.message = fmt::format("the dataset's columns changed between its version {} and {}: {}",
                                made_for, current.version, error.message);
    error.hint =
        "bring the column back in the source and refresh, or change the model or the visual";
    return error;
  }
  return compiled;
}

Result<QueryAnswer> DatasetReader::ask(const semantics::QueryRequest& request,
                                       const semantics::Viewer& viewer, const AskOptions& options,
                                       Progress& progress, std::uint32_t made_for) const {
  semantics::QueryRequest page = request;
  const std::string& rows_version = dataset_.rows->object_version;
  if (options.cursor.has_value()) {
    OA_ASSIGN(page.offset,
              semantics::read_cursor(*options.cursor, request, rows_version, viewer, options.now));
  }
  OA_ASSIGN(auto compiled, compile(page, viewer, options.now, made_for));
  // The statement asks for one row more, which tells whether more follow.
  analytics::QueryLimits limits = options.limits;
  ++limits.max_rows;
  OA_ASSIGN(auto answer, engine_->run(compiled.statement, limits, progress));
  if (answer.columns.size() != compiled.columns.size()) {
    return make_error(ErrorCode::kInternal, "datasets.ask",
                      "the answer has other columns than the question");
  }
  const bool more = answer.row_count > page.limit;
  QueryAnswer result = take_answer(std::move(compiled), std::move(answer), page.limit);
  if (more) {
    result.next_cursor = semantics::make_cursor(request, rows_version, viewer,
                                                page.offset + page.limit, options.now);
  }
  return result;
}

}  // namespace oa::reports
