// What one record may hold. The same rules guard the database (put) and archives (…_from_portable),
// so whatever is stored can be archived, and whatever an archive holds can be stored.
#pragma once

#include <span>

#include "oa/base/record_checker.h"
#include "oa/catalog/jobs.h"

namespace oa::catalog {

// kInvalidArgument, naming the field and never its content.
Status check_limits(const User& user);
Status check_limits(const Team& team);
Status check_limits(const Workspace& workspace);
Status check_limits(const Dataset& dataset);
Status check_limits(const DatasetSource& source);
Status check_limits(const Report& report);
Status check_limits(const Alert& alert);
Status check_limits(const AlertEvaluation& evaluation);
Status check_limits(const Job& job);
Status check_limits(const JobProgress& progress);
Status check_limits(const JobEnd& end);
/// A name of a tenant, workspace, user …: at most 512 bytes of UTF-8 without NUL.
Status check_name(std::string_view field, std::string_view text);

template <class Record>
Status check_all(std::span<const Record> records) {
  for (const auto& record : records) OA_TRY(check_limits(record));
  return {};
}

}  // namespace oa::catalog
