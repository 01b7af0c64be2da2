#include "oa/analytics/importer.h"
#include "sandbox.h"

namespace oa::analytics {
namespace {

// Every failure of the engine here means that the bytes, which are authentic, are no Parquet.
Result<Rows> ask(Sandbox& sandbox, const std::string& what) {
  auto answer = sandbox.run("SELECT " + what + "read_parquet(" + sql_literal(kInputPath) + ")",
                            no_progress());
  if (answer.ok() || answer.error().code != ErrorCode::kInternal) return answer;
  return make_error(ErrorCode::kInvalidArgument, "analytics.describe",
                    "The stored version does not hold rows")
      .with_cause(answer.error().cause);
}

}  // namespace

Result<RowsInfo> describe_rows(SealedObjects& objects, const ObjectKey& key,
                               const VersionId& version) {
  OA_ASSIGN(const auto source, objects.open(key, version));
  OA_ASSIGN(const auto sandbox, Sandbox::create(source.get(), nullptr));
  RowsInfo info;
  OA_ASSIGN(const Rows count, ask(*sandbox, "count(*) FROM "));
  info.row_count = to_count(count);
  OA_ASSIGN(const Rows columns,
            sandbox->run("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "
                         "read_parquet(" +
                             sql_literal(kInputPath) + "))",
                         no_progress()));
  for (const auto& column : columns)
    info.columns.push_back({column.at(0).value_or(""), column.at(1).value_or("")});
  return info;
}

}  // namespace oa::analytics
