#include <algorithm>
#include <limits>

#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Result<DatasetSource> read_source(const Rows& rows, int index) {
  RowReader row(rows, index);
  DatasetSource source;
  source.dataset_id = row.id<DatasetId>();
  if (row.boolean()) {
    KeptOriginal original;
    original.object_name = row.text();
    original.object_version = row.text();
    OA_ASSIGN(original.options, row.json());
    original.size_bytes = static_cast<std::uint64_t>(row.bigint());
    const Bytes digest = row.bytes();
    OA_ASSERT(digest.size() == original.digest.size());  // the table's CHECK
    std::copy(digest.begin(), digest.end(), original.digest.begin());
    original.uploaded_at = row.timestamp();
    source.original = std::move(original);
  } else {
    row.skip(6);
  }
  auto code = row.optional_text();
  auto message = row.optional_text();
  if (code.has_value() && message.has_value())
    source.last_failure = RefreshFailure{std::move(*code), std::move(*message)};
  source.last_attempt_at = row.optional_timestamp();
  return source;
}

}  // namespace

Result<DatasetSource> DatasetSources::get(DatasetId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT dataset_id, original_object_name IS NOT NULL, original_object_name, "
                "original_object_version, original_options, original_size_bytes, original_digest, "
                "uploaded_at, last_error_code, last_error_message, last_attempt_at "
                "FROM dataset_sources WHERE dataset_id = $1",
                {Parameter::of(id)}));
  if (rows.count() == 1) return read_source(rows, 0);
  DatasetSource none;
  none.dataset_id = id;
  return none;
}

Status DatasetSources::put(const DatasetSource& source) {
  OA_TRY(check_limits(source));
  const KeptOriginal none;
  const bool kept = source.original.has_value();
  const KeptOriginal& original = kept ? *source.original : none;
  const bool failed = source.last_failure.has_value();
  std::vector<Parameter> parameters = {
      Parameter::of(original.object_name),
      Parameter::of(original.object_version),
      Parameter::of(original.options),
      Parameter::of(static_cast<std::int64_t>(original.size_bytes)),
      Parameter::of(ByteView(original.digest)),
      Parameter::of(original.uploaded_at)};
  for (auto& parameter : parameters) parameter.null = !kept;
  parameters.push_back(
      Parameter::of(failed ? std::optional(source.last_failure->code) : std::nullopt));
  parameters.push_back(
      Parameter::of(failed ? std::optional(source.last_failure->message) : std::nullopt));
  parameters.push_back(Parameter::of(source.last_attempt_at));
  parameters.push_back(Parameter::of(source.dataset_id));
  return tx_.connection().execute(
      "INSERT INTO dataset_sources (original_object_name, original_object_version, "
      "original_options, original_size_bytes, original_digest, uploaded_at, last_error_code, "
      "last_error_message, last_attempt_at, dataset_id) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
      "ON CONFLICT (tenant_id, dataset_id) DO UPDATE SET "
      "original_object_name = excluded.original_object_name, "
      "original_object_version = excluded.original_object_version, "
      "original_options = excluded.original_options, "
      "original_size_bytes = excluded.original_size_bytes, "
      "original_digest = excluded.original_digest, uploaded_at = excluded.uploaded_at, "
      "last_error_code = excluded.last_error_code, "
      "last_error_message = excluded.last_error_message, "
      "last_attempt_at = excluded.last_attempt_at",
      parameters);
}

Result<std::vector<DatasetSource>> DatasetSources::uploaded_before(Timestamp moment,
                                                                   std::size_t limit) {
  const std::size_t most = std::numeric_limits<int>::max();
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT dataset_id, original_object_name IS NOT NULL, original_object_name, "
                "original_object_version, original_options, original_size_bytes, original_digest, "
                "uploaded_at, last_error_code, last_error_message, last_attempt_at "
                "FROM dataset_sources WHERE uploaded_at < $1 ORDER BY uploaded_at, dataset_id "
                "LIMIT $2",
                {Parameter::of(moment),
                 Parameter::of(static_cast<std::int64_t>(std::min(limit, most)))}));
  std::vector<DatasetSource> sources;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(DatasetSource source, read_source(rows, i));
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace oa::catalog
