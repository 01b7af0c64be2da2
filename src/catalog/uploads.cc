#include "oa/catalog/uploads.h"

#include "bulk_writer.h"
#include "oa/crypto/hash.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

const std::string kSelect =
    "SELECT id, created_by, file_name, length_bytes, offset_bytes, created_at, expires_at "
    "FROM uploads ";

Result<std::vector<UploadRecord>> read_uploads(Connection& connection, const char* rest,
                                               const std::vector<Parameter>& parameters) {
  OA_ASSIGN(const Rows rows, connection.query((kSelect + rest).c_str(), parameters));
  std::vector<UploadRecord> records;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    UploadRecord record;
    record.id = row.id<UploadId>();
    if (const auto creator = row.optional_uuid()) record.created_by = UserId(*creator);
    record.file_name = row.text();
    record.length_bytes = static_cast<std::uint64_t>(row.bigint());
    record.offset_bytes = static_cast<std::uint64_t>(row.bigint());
    record.created_at = row.timestamp();
    record.expires_at = row.timestamp();
    records.push_back(std::move(record));
  }
  return records;
}

Parameter number(std::uint64_t value) { return Parameter::of(static_cast<std::int64_t>(value)); }

Parameter lock_key(const std::string& name) {
  const Sha256Digest digest = Sha256::of(as_bytes(name));
  return Parameter::of(
      static_cast<std::int64_t>(read_le<std::uint64_t>(ByteView(digest).first(8))));
}

Error taken(std::string op) {
  return make_error(ErrorCode::kConflict, std::move(op),
                    "the upload was continued or removed by somebody else")
      .with_hint("ask where it goes on, and go on there");
}

Error no_upload(std::string op) {
  return make_error(ErrorCode::kNotFound, std::move(op), "no upload has this id")
      .with_hint("begin a new upload");
}

}  // namespace

Result<Uploads::Usages> Uploads::lock_usage(std::optional<UserId> person) {
  OA_TRY(tx_.connection().execute("SELECT pg_advisory_xact_lock($1)",
                                  {lock_key("oa-uploads:v1:" + tx_.tenant().str())}));
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT count(*), coalesce(sum(length_bytes), 0)::bigint, count(*) FILTER (WHERE "
                "created_by IS NOT DISTINCT FROM $1), coalesce(sum(length_bytes) FILTER (WHERE "
                "created_by IS NOT DISTINCT FROM $1), 0)::bigint FROM uploads",
                {Parameter::of(person)}));
  RowReader row(rows, 0);
  Usages usages;
  for (Usage* usage : {&usages.tenant, &usages.person}) {
    usage->uploads = static_cast<std::uint64_t>(row.bigint());
    usage->length_bytes = static_cast<std::uint64_t>(row.bigint());
  }
  return usages;
}

Status Uploads::add(const UploadRecord& record) {
  return tx_.connection().execute(
      "INSERT INTO uploads (id, created_by, file_name, length_bytes, offset_bytes, created_at, "
      "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {Parameter::of(record.id), Parameter::of(record.created_by), Parameter::of(record.file_name),
       number(record.length_bytes), number(record.offset_bytes), Parameter::of(record.created_at),
       Parameter::of(record.expires_at)});
}

Result<UploadRecord> Uploads::get(UploadId id) {
  OA_ASSIGN(auto records, read_uploads(tx_.connection(), "WHERE id = $1", {Parameter::of(id)}));
  if (!records.empty()) return std::move(records.front());
  return no_upload("uploads.get");
}

Result<std::vector<UploadRecord>> Uploads::list(std::optional<UserId> created_by) {
  return read_uploads(tx_.connection(),
                      "WHERE $1::uuid IS NULL OR created_by = $1 ORDER BY created_at DESC, id",
                      {Parameter::of(created_by)});
}

Result<std::vector<UploadRecord>> Uploads::expired(Timestamp moment) {
  return read_uploads(tx_.connection(), "WHERE expires_at <= $1 ORDER BY expires_at, id",
                      {Parameter::of(moment)});
}

Result<std::optional<std::uint64_t>> Uploads::take(UploadId id, std::chrono::milliseconds lease) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "UPDATE uploads SET fence = fence + 1, "
                "held_until = clock_timestamp() + $2 * interval '1 ms' "
                "WHERE id = $1 AND (held_until IS NULL OR held_until <= clock_timestamp()) "
                "RETURNING fence",
                {Parameter::of(id), Parameter::of(static_cast<double>(lease.count()))}));
  if (rows.count() == 1)
    return std::optional(static_cast<std::uint64_t>(RowReader(rows, 0).bigint()));
  OA_TRY(get(id));
  return std::optional<std::uint64_t>();
}

Status Uploads::hold(UploadId id, std::uint64_t fence, std::chrono::milliseconds lease) {
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query(
          "UPDATE uploads SET held_until = clock_timestamp() + $3 * interval '1 ms' "
          "WHERE id = $1 AND fence = $2",
          {Parameter::of(id), number(fence), Parameter::of(static_cast<double>(lease.count()))}));
  return rows.affected() == 1 ? Status() : taken("uploads.hold");
}

Status Uploads::release(UploadId id, std::uint64_t fence) {
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query("UPDATE uploads SET held_until = NULL WHERE id = $1 AND fence = $2",
                             {Parameter::of(id), number(fence)}));
  return rows.affected() == 1 ? Status() : taken("uploads.release");
}

Result<std::vector<UploadPart>> Uploads::parts(UploadId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT start_bytes, size_bytes, object_version "
                                   "FROM upload_parts WHERE upload_id = $1 ORDER BY start_bytes",
                                   {Parameter::of(id)}));
  std::vector<UploadPart> parts;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    UploadPart part;
    part.start_bytes = static_cast<std::uint64_t>(row.bigint());
    part.size_bytes = static_cast<std::uint64_t>(row.bigint());
    part.object_version = row.text();
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<std::uint64_t> Uploads::part_count(UploadId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT count(*) FROM upload_parts WHERE upload_id = $1",
                                   {Parameter::of(id)}));
  return static_cast<std::uint64_t>(RowReader(rows, 0).bigint());
}

Status Uploads::append(UploadId id, std::uint64_t fence, std::uint64_t offset,
                       std::span<const UploadPart> parts, Timestamp expires_at) {
  std::uint64_t end = offset;
  for (const auto& part : parts) {
    OA_ASSERT(part.start_bytes == end);
    end += part.size_bytes;
  }
  OA_ASSIGN(const Rows moved,
            tx_.connection().query("UPDATE uploads SET offset_bytes = $4, expires_at = $5 "
                                   "WHERE id = $1 AND fence = $2 AND offset_bytes = $3",
                                   {Parameter::of(id), number(fence), number(offset), number(end),
                                    Parameter::of(expires_at)}));
  if (moved.affected() != 1) return taken("uploads.append");
  BulkWriter writer(tx_.connection(), "upload_parts",
                    {{"upload_id", SqlType::kUuid},
                     {"start_bytes", SqlType::kBigint},
                     {"size_bytes", SqlType::kBigint},
                     {"object_version", SqlType::kText}},
                    Write::kInsert);
  for (const auto& part : parts) {
    writer.add(id).add(static_cast<std::int64_t>(part.start_bytes));
    OA_TRY(
        writer.add(static_cast<std::int64_t>(part.size_bytes)).add(part.object_version).end_row());
  }
  return writer.finish();
}

Status Uploads::remove(UploadId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM uploads WHERE id = $1", {Parameter::of(id)}));
  return rows.affected() == 1 ? Status() : no_upload("uploads.remove");
}

}  // namespace oa::catalog
