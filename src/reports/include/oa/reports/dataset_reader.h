// A dataset opened for questions: its current rows behind its semantic model.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/analytics/query_engine.h"
#include "oa/catalog/records.h"
#include "oa/crypto/hash.h"
#include "oa/objects/sealed_objects.h"
#include "oa/semantics/query.h"

namespace oa::reports {

struct AnswerField {
  semantics::OutputColumn column;
  analytics::CellKind kind = analytics::CellKind::kText;
  std::vector<Value> cells;  // see analytics::CellKind
};

struct QueryAnswer {
  std::vector<AnswerField> fields;
  std::uint64_t row_count = 0;
  std::optional<std::string> next_cursor;  // when more rows follow
  std::string sql_preview;
  bool denied = false;  // row-level security shows the viewer no row; not part of the digest
};

/// Of ids, kinds and cells, in order (docs/format.md, "Probes"): equal answers, equal digests.
Blake2bDigest answer_digest(const QueryAnswer& answer);
/// {"columns":[{"id","label","kind","role","format"}],"rows":[[…]],"row_count","page":{…},"sql_preview"},
/// and "denied":true when it is so
json::value to_json(const QueryAnswer& answer);

struct AskOptions {
  Timestamp now;                      // relative dates and cursors
  std::optional<std::string> cursor;  // of the page before
  analytics::QueryLimits limits;
};

/// kIgnored is for probes, whose answers nobody sees: only their digests are kept.
enum class RowSecurity { kEnforced, kIgnored };

/// Reads one version of the rows, whatever a refresh does meanwhile. Thread-safe.
class DatasetReader {
 public:
  /// Borrows `objects`. kDatasetNotRefreshed when there are no rows, kModelInvalid when the model
  /// does not parse, those of SealedObjects.
  static Result<std::unique_ptr<DatasetReader>> open(SealedObjects& objects, TenantId tenant,
                                                     catalog::Dataset dataset,
                                                     RowSecurity security = RowSecurity::kEnforced);
  ~DatasetReader();

  const catalog::Dataset& dataset() const { return dataset_; }
  const semantics::SemanticModel& model() const { return model_; }

  /// Errors: kQueryInvalid; kCursorExpired and kCursorMismatch; those of analytics::QueryEngine.
  /// A query that would have fitted the columns of version `made_for` of the dataset says that they
  /// changed since.
  Result<QueryAnswer> ask(const semantics::QueryRequest& request, const semantics::Viewer& viewer,
                          const AskOptions& options, Progress& progress,
                          std::uint32_t made_for = 0) const;

 private:
  DatasetReader() = default;
  Result<semantics::CompiledQuery> compile(const semantics::QueryRequest& request,
                                           const semantics::Viewer& viewer, Timestamp now,
                                           std::uint32_t made_for) const;
  catalog::Dataset dataset_;
  semantics::SemanticModel model_;
  std::vector<TableSchema> tables_;
  std::unique_ptr<RangedSource> rows_;  // outlives the engine, which reads it
  std::unique_ptr<analytics::QueryEngine> engine_;
};

}  // namespace oa::reports
