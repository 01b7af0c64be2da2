// One visual's questions: what its kind asks beside its own query.
#pragma once

#include "oa/reports/dataset_reader.h"
#include "oa/reports/open_report.h"

namespace oa::reports {

/// What a visual's document says, decoded.
struct VisualQuery {
  semantics::QueryRequest request;
  std::vector<std::vector<std::string>> subtotals;  // dimension ids of each further level
  struct PeriodComparison {
    std::string dimension;
    semantics::Grain grain;
  };
  std::optional<PeriodComparison> comparison;
};

/// Decodes query and the options that have a meaning here. kQueryInvalid with the member's path.
Result<VisualQuery> decode_visual(const catalog::Visual& visual);

/// Asks everything and fills `result`. The filters are those of the report that the dataset's model
/// has fields for.
Status show_visual(const DatasetReader& dataset, VisualQuery query,
                   const std::vector<semantics::Filter>& report_filters,
                   const semantics::Viewer& viewer, const AskOptions& options,
                   std::uint32_t made_for, Progress& progress, VisualResult& result);

/// Of the answers and the comparison, or of the error's code.
Blake2bDigest visual_digest(const VisualResult& result);

}  // namespace oa::reports
