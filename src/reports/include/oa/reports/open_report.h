// A report opened for a person: the data of every visual, and a digest of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/catalog/repositories.h"
#include "oa/reports/dataset_reader.h"

namespace oa::reports {

/// The newest period that has rows, the one before it, and how they differ; of a kpi.
struct PeriodComparison {
  std::string period;  // its first day
  std::string previous_period;
  std::optional<double> value;           // of the first measure
  std::optional<double> reference;       // in the period before
  std::optional<double> change;          // value - reference
  std::optional<double> change_percent;  // of the reference; none when that is 0
};

/// What one visual shows. A visual that cannot be shown carries the error; the others go on.
struct VisualResult {
  VisualId id;
  catalog::VisualKind kind = catalog::VisualKind::kTable;
  std::string title;
  JsonText options;
  std::optional<Error> error;
  QueryAnswer answer;
  /// Of a matrix: its subtotals, each asked of the rows by itself, so that ratios and distinct
  /// counts are right; the last one is the grand total.
  std::vector<QueryAnswer> subtotals;
  std::optional<PeriodComparison> comparison;
  std::vector<std::string>
      ignored_filters;  // fields of the report's filters that its dataset lacks
  Blake2bDigest digest{};
};

struct OpenedReport {
  ReportId id;
  std::string name;
  std::optional<std::string> bookmark;  // its name
  JsonText layout;
  std::vector<VisualResult> visuals;  // in the report's order
  /// Over the visuals' digests in order. It does not depend on ids, so that it is the same for a
  /// copy of the report elsewhere.
  Blake2bDigest digest{};
};

json::value to_json(const OpenedReport& report);

struct OpenOptions {
  std::optional<BookmarkId> bookmark;  // its filters take the place of the report's
  Timestamp now;                       // what relative dates are relative to
  /// Of each question; a report may ask many.
  analytics::QueryLimits limits = {.max_bytes = std::uint64_t{16} << 20};
  RowSecurity row_security = RowSecurity::kEnforced;
};

/// Shows the report as `viewer` would see it, from the rows that `snapshot` names. Visuals are
/// asked side by side on all cores. Errors of the report as a whole: kNotFound (report, bookmark),
/// kQueryInvalid (its filters), kCancelled, those of the database.
Result<OpenedReport> show_report(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                                 const catalog::Report& report, const semantics::Viewer& viewer,
                                 const OpenOptions& options, Progress& progress);

/// Opens a report for a person, who must be allowed to (reader_of()), and records `report.view`.
Result<OpenedReport> open_report(catalog::Database& database, SealedObjects& objects,
                                 TenantId tenant, ReportId report, UserId user,
                                 const OpenOptions& options, Progress& progress);

}  // namespace oa::reports
