// Every line that does not let a CSV file be imported. Looked for only after an import has failed.
#pragma once

#include <optional>
#include <string>

#include "oa/analytics/file_import.h"
#include "oa/base/io.h"
#include "oa/base/progress.h"

namespace oa::analytics {

struct BadLineRules {
  char delimiter = ',';
  std::size_t columns = 0;         // 0: not known, so that values are not counted
  bool has_header = true;          // for the wording
  std::string encoding = "UTF-8";  // what the file is in, for the wording
};

/// Walks `text` (UTF-8, RFC 4180) and puts what is wrong into `rejected`, one row a record. A quote
/// that is not closed before the end, or behind which text follows on a later line, is one bad
/// line, and the walk goes on at the next. The error that names the first bad line; none when no
/// line is bad. Errors: kCancelled, those of `text`.
Result<std::optional<Error>> find_bad_lines(const RangedSource& text, const BadLineRules& rules,
                                            RejectedRows& rejected, Progress& progress);

}  // namespace oa::analytics
