// The archives that a tenant has.
#include "oa/catalog/repositories.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Result<ArchiveRecord> read_archive(const Rows& rows, int index) {
  RowReader row(rows, index);
  ArchiveRecord record;
  record.id = row.id<ArchiveId>();
  record.snapshot_time = row.timestamp();
  record.object_name = row.text();
  record.object_version = row.text();
  record.size_bytes = static_cast<std::uint64_t>(row.bigint());
  record.with_rows = row.boolean();
  record.with_audit = row.boolean();
  OA_ASSIGN(record.counts, row.json());
  record.content_hash = row.text();
  record.signer = row.text();
  if (const auto creator = row.optional_uuid()) record.created_by = UserId(*creator);
  record.created_at = row.timestamp();
  return record;
}

}  // namespace

Result<std::vector<ArchiveRecord>> Archives::list() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT id, snapshot_time, object_name, object_version, size_bytes, with_rows, "
                "with_audit, counts, content_hash, signer, created_by, created_at FROM archives "
                "ORDER BY created_at DESC, id"));
  std::vector<ArchiveRecord> records;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(ArchiveRecord record, read_archive(rows, i));
    records.push_back(std::move(record));
  }
  return records;
}

Result<ArchiveRecord> Archives::get(ArchiveId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT id, snapshot_time, object_name, object_version, size_bytes, with_rows, "
                "with_audit, counts, content_hash, signer, created_by, created_at FROM archives "
                "WHERE id = $1",
                {Parameter::of(id)}));
  if (rows.count() == 0)
    return make_error(ErrorCode::kNotFound, "archives.get", "no archive has this id")
        .with_hint("`oa-backup archive list --tenant NAME` shows the tenant's archives");
  return read_archive(rows, 0);
}

Status Archives::add(const ArchiveRecord& record) {
  return tx_.connection().execute(
      "INSERT INTO archives (id, snapshot_time, object_name, object_version, size_bytes, "
      "with_rows, with_audit, "
      "counts, content_hash, signer, created_by, created_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      {Parameter::of(record.id), Parameter::of(record.snapshot_time),
       Parameter::of(record.object_name), Parameter::of(record.object_version),
       Parameter::of(static_cast<std::int64_t>(record.size_bytes)), Parameter::of(record.with_rows),
       Parameter::of(record.with_audit), Parameter::of(record.counts),
       Parameter::of(record.content_hash), Parameter::of(record.signer),
       Parameter::of(record.created_by), Parameter::of(record.created_at)});
}

}  // namespace oa::catalog
