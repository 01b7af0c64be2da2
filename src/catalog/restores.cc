#include <fmt/format.h>

#include <limits>

#include "bulk_writer.h"
#include "oa/catalog/repositories.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr const char* kColumns =
    "id, kind, state, archive_id, content_hash, source, request, plan, plan_hash, summary, "
    "item_count, created_by, approved_by, created_at, approved_at, applied_at, undo_object_name, "
    "undo_object_version, undoes, undone_by, last_failure, purpose";

std::optional<UserId> optional_user(RowReader& row) {
  const auto id = row.optional_uuid();
  return id.has_value() ? std::optional(UserId(*id)) : std::nullopt;
}

std::optional<RestoreId> optional_restore(RowReader& row) {
  const auto id = row.optional_uuid();
  return id.has_value() ? std::optional(RestoreId(*id)) : std::nullopt;
}

Result<RestoreRecord> read_restore(const Rows& rows, int index) {
  RowReader row(rows, index);
  RestoreRecord record;
  record.id = row.id<RestoreId>();
  OA_ASSIGN(record.kind, row.enumerator<RestoreKind>());
  OA_ASSIGN(record.state, row.enumerator<RestoreState>());
  record.archive_id = row.id<ArchiveId>();
  record.content_hash = row.text();
  OA_ASSIGN(record.source, row.json());
  OA_ASSIGN(record.request, row.json());
  OA_ASSIGN(record.plan, row.json());
  record.plan_hash = row.text();
  OA_ASSIGN(record.summary, row.json());
  record.item_count = static_cast<std::uint64_t>(row.bigint());
  record.created_by = optional_user(row);
  record.approved_by = optional_user(row);
  record.created_at = row.timestamp();
  record.approved_at = row.optional_timestamp();
  record.applied_at = row.optional_timestamp();
  auto name = row.optional_text();
  auto version = row.optional_text();
  if (name.has_value()) record.undo_archive = RowsObject{std::move(*name), version.value_or("")};
  record.undoes = optional_restore(row);
  record.undone_by = optional_restore(row);
  record.last_failure = row.optional_text();
  OA_ASSIGN(record.purpose, row.enumerator<RestorePurpose>());
  return record;
}

Result<std::vector<RestoreRecord>> read_restores(Connection& connection, const std::string& rest,
                                                 const std::vector<Parameter>& parameters) {
  const std::string sql = fmt::format("SELECT {} FROM restores {}", kColumns, rest);
  OA_ASSIGN(const Rows rows, connection.query(sql.c_str(), parameters));
  std::vector<RestoreRecord> records;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(RestoreRecord record, read_restore(rows, i));
    records.push_back(std::move(record));
  }
  return records;
}

Parameter limit_of(std::size_t limit) {
  return Parameter::of(
      static_cast<std::int64_t>(std::min<std::size_t>(limit, std::numeric_limits<int>::max())));
}

}  // namespace

Result<std::vector<RestoreRecord>> Restores::list(std::size_t limit) {
  return read_restores(tx_.connection(), "ORDER BY created_at DESC, id LIMIT $1",
                       {limit_of(limit)});
}

Result<std::vector<RestoreRecord>> Restores::page(const std::optional<UserId>& created_by,
                                                  const std::optional<Archives::After>& after,
                                                  std::size_t limit) {
  return read_restores(
      tx_.connection(),
      "WHERE purpose = 'restore' AND ($1::uuid IS NULL OR created_by = $1) "
      "AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) "
      "ORDER BY created_at DESC, id DESC LIMIT $4",
      {Parameter::of(created_by),
       Parameter::of(after.has_value() ? std::optional(after->created_at) : std::nullopt),
       Parameter::of(after.has_value() ? after->id : Uuid{}), limit_of(limit)});
}

Result<std::uint64_t> Restores::remove_planned_before(Timestamp moment) {
  OA_ASSIGN(const Rows removed,
            tx_.connection().query(
                "DELETE FROM restores WHERE state = 'planned' AND created_at < $1",
                {Parameter::of(moment)}));
  return removed.affected();
}

Result<RestoreRecord> Restores::get(RestoreId id) {
  OA_ASSIGN(auto records, read_restores(tx_.connection(), "WHERE id = $1", {Parameter::of(id)}));
  if (!records.empty()) return std::move(records.front());
  return make_error(ErrorCode::kNotFound, "restores.get", "no restore has this id")
      .with_hint("`oa-backup restore list --tenant NAME` shows the tenant's restores");
}

Result<RestoreRecord> Restores::lock(RestoreId id) {
  OA_TRY(tx_.connection().execute("SELECT FROM restores WHERE id = $1 FOR NO KEY UPDATE",
                                  {Parameter::of(id)}));
  return get(id);
}

Result<std::vector<RestoreRecord>> Restores::in_state(RestoreState state) {
  return read_restores(tx_.connection(), "WHERE state = $1 ORDER BY created_at, id",
                       {Parameter::of(to_text(state))});
}

Result<std::vector<RestoreRecord>> Restores::undoable_before(Timestamp moment) {
  return read_restores(tx_.connection(),
                       "WHERE undo_object_name IS NOT NULL AND applied_at < $1 ORDER BY id",
                       {Parameter::of(moment)});
}

Status Restores::put(const RestoreRecord& record) {
  const auto& undo = record.undo_archive;
  return tx_.connection().execute(
      "INSERT INTO restores (id, kind, state, archive_id, content_hash, source, request, plan, "
      "plan_hash, summary, item_count, created_by, approved_by, created_at, approved_at, "
      "applied_at, undo_object_name, undo_object_version, undoes, undone_by, last_failure, "
      "purpose) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
      "$19, $20, $21, $22) ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, "
      "state = excluded.state, archive_id = excluded.archive_id, "
      "content_hash = excluded.content_hash, source = excluded.source, "
      "request = excluded.request, plan = excluded.plan, plan_hash = excluded.plan_hash, "
      "summary = excluded.summary, item_count = excluded.item_count, "
      "created_by = excluded.created_by, approved_by = excluded.approved_by, "
      "created_at = excluded.created_at, approved_at = excluded.approved_at, "
      "applied_at = excluded.applied_at, undo_object_name = excluded.undo_object_name, "
      "undo_object_version = excluded.undo_object_version, undoes = excluded.undoes, "
      "undone_by = excluded.undone_by, last_failure = excluded.last_failure, "
      "purpose = excluded.purpose",
      {Parameter::of(record.id),
       Parameter::of(to_text(record.kind)),
       Parameter::of(to_text(record.state)),
       Parameter::of(record.archive_id),
       Parameter::of(record.content_hash),
       Parameter::of(record.source),
       Parameter::of(record.request),
       Parameter::of(record.plan),
       Parameter::of(record.plan_hash),
       Parameter::of(record.summary),
       Parameter::of(static_cast<std::int64_t>(record.item_count)),
       Parameter::of(record.created_by),
       Parameter::of(record.approved_by),
       Parameter::of(record.created_at),
       Parameter::of(record.approved_at),
       Parameter::of(record.applied_at),
       Parameter::of(undo.has_value() ? std::optional(undo->object_name) : std::nullopt),
       Parameter::of(undo.has_value() ? std::optional(undo->object_version) : std::nullopt),
       Parameter::of(record.undoes),
       Parameter::of(record.undone_by),
       Parameter::of(record.last_failure),
       Parameter::of(to_text(record.purpose))});
}

Status Restores::add_items(RestoreId id, const ItemProducer& produce) {
  BulkWriter writer(tx_.connection(), "restore_items",
                    {{"restore_id", SqlType::kUuid},
                     {"ordinal", SqlType::kBigint},
                     {"kind", SqlType::kText},
                     {"source_id", SqlType::kUuid},
                     {"target_id", SqlType::kUuid},
                     {"action", SqlType::kText},
                     {"name", SqlType::kText},
                     {"document", SqlType::kJson}},
                    Write::kInsert);
  OA_TRY(produce([&](const RestoreItem& item) {
    writer.add(id).add(static_cast<std::int64_t>(item.ordinal)).add(item.kind);
    writer.add(item.source_id).add(item.target_id).add(item.action).add(item.name);
    return writer.add(item.document).end_row();
  }));
  return writer.finish();
}

Result<std::vector<RestoreItem>> Restores::items(RestoreId id, std::optional<std::uint64_t> after,
                                                 std::size_t limit, const ItemFilter& filter) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT ordinal, kind, source_id, target_id, action, name, document "
                "FROM restore_items WHERE restore_id = $1 AND ordinal > $2 "
                "AND ($3 = '' OR action = $3) AND ($4 = '' OR kind = $4) "
                "AND ($5::uuid IS NULL OR source_id = $5 OR target_id = $5) "
                "AND ($7::uuid IS NULL OR (document->>'workspace_id')::uuid = $7) "
                "AND ($8 = '' OR position(lower($8) IN lower(name)) > 0) "
                "ORDER BY ordinal LIMIT $6",
                {Parameter::of(id),
                 Parameter::of(after.has_value() ? static_cast<std::int64_t>(*after) : -1),
                 Parameter::of(filter.action), Parameter::of(filter.kind),
                 Parameter::of(filter.asset), limit_of(limit), Parameter::of(filter.workspace),
                 Parameter::of(filter.name_part)}));
  std::vector<RestoreItem> items;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    RestoreItem item;
    item.ordinal = static_cast<std::uint64_t>(row.bigint());
    item.kind = row.text();
    item.source_id = row.uuid();
    item.target_id = row.uuid();
    item.action = row.text();
    item.name = row.text();
    OA_ASSIGN(item.document, row.json());
    items.push_back(std::move(item));
  }
  return items;
}

Status Restores::remove_items(RestoreId id) {
  return tx_.connection().execute("DELETE FROM restore_items WHERE restore_id = $1",
                                  {Parameter::of(id)});
}

}  // namespace oa::catalog
