#include "oa/catalog/object_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/base/assert.h"
#include "oa/crypto/hash.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr std::size_t kMaxListed = 1000;  // of one statement
constexpr const char* kColumns =
    "class, object_name, object_version, size_bytes, first_seen_at, listed_at, looked_at, verified_at, "
    "sealed_sha256 IS NOT NULL, coalesce(sealed_sha256, ''), state, damage, found_at, repaired_at, "
    "repaired_from";
// Every version that the catalog names, and what names it.
constexpr const char* kNamed =
    "(SELECT 'rows' AS class, rows_object_name AS object_name, rows_object_version AS "
    "object_version, 1 AS place, 'dataset' AS kind, id FROM datasets WHERE rows_object_name IS NOT "
    "NULL "
    "UNION ALL SELECT 'rows', object_name, object_version, 2, 'moment', NULL::uuid FROM "
    "row_versions_left "
    "UNION ALL SELECT 'originals', original_object_name, original_object_version, 1, 'dataset', "
    "dataset_id FROM dataset_sources WHERE original_object_name IS NOT NULL "
    "UNION ALL SELECT 'archives', object_name, object_version, 1, 'archive', id FROM archives "
    "UNION ALL SELECT 'archives', undo_object_name, undo_object_version, 2, 'restore', id FROM "
    "restores WHERE undo_object_name IS NOT NULL "
    "UNION ALL SELECT 'archives', 'uploads/' || upload_id || '/' || "
    "lpad(start_bytes::text, 13, '0'), object_version, 1, 'upload', upload_id FROM upload_parts)";

Parameter amount(std::uint64_t value) { return Parameter::of(static_cast<std::int64_t>(value)); }

std::vector<Parameter> parameters_of(const ObjectName& object) {
  return {Parameter::of(object.retention_class), Parameter::of(object.name),
          Parameter::of(object.version)};
}

ObjectName read_name(RowReader& row) {
  ObjectName name;
  name.retention_class = row.text();
  name.name = row.text();
  name.version = row.text();
  return name;
}

Result<ObjectCheck> read_check(const Rows& rows, int index) {
  RowReader row(rows, index);
  ObjectCheck check;
  check.object = read_name(row);
  check.size_bytes = static_cast<std::uint64_t>(row.bigint());
  check.first_seen_at = row.timestamp();
  check.listed_at = row.optional_timestamp();
  check.looked_at = row.optional_timestamp();
  check.verified_at = row.optional_timestamp();
  const bool hashed = row.boolean();
  Bytes hash = row.bytes();
  if (hashed) check.sealed_sha256 = std::move(hash);
  OA_ASSIGN(check.state, row.enumerator<ObjectState>());
  check.damage = row.optional_text();
  check.found_at = row.optional_timestamp();
  check.repaired_at = row.optional_timestamp();
  check.repaired_from = row.optional_text();
  return check;
}

Result<std::vector<ObjectCheck>> read_checks(TenantTransaction& tx, const char* rest,
                                             const std::vector<Parameter>& parameters) {
  const std::string sql = fmt::format("SELECT {} FROM object_checks {}", kColumns, rest);
  OA_ASSIGN(const Rows rows, tx.connection().query(sql.c_str(), parameters));
  std::vector<ObjectCheck> checks;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(auto check, read_check(rows, i));
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace

Status ObjectChecks::note_listed(std::span<const Listed> listed, Timestamp now) {
  while (!listed.empty()) {
    const auto some = listed.first(std::min(listed.size(), kMaxListed));
    listed = listed.subspan(some.size());
    json::array rows;
    for (const auto& each : some) {
      rows.push_back(json::object{{"class", each.object.retention_class},
                                  {"name", each.object.name},
                                  {"version", each.object.version},
                                  {"size", each.size_bytes}});
    }
    OA_TRY(tx_.connection().execute(
        "INSERT INTO object_checks (class, object_name, object_version, size_bytes, first_seen_at, "
        "listed_at, state) SELECT class, name, version, size, $2, $2, 'unverified' "
        "FROM json_to_recordset($1) AS l(class text, name text, version text, size bigint) "
        "ON CONFLICT (tenant_id, class, object_name, object_version) DO UPDATE "
        "SET listed_at = excluded.listed_at, size_bytes = excluded.size_bytes",
        {Parameter::json(json::serialize(rows)), Parameter::of(now)}));
  }
  return {};
}

Result<std::uint64_t> ObjectChecks::note_named(Timestamp now) {
  const std::string sql = fmt::format(
      "INSERT INTO object_checks (class, object_name, object_version, size_bytes, first_seen_at, "
      "state) SELECT DISTINCT class, object_name, object_version, 0, $1::timestamptz, 'unverified' "
      "FROM {} n ON CONFLICT DO NOTHING RETURNING 1",
      kNamed);
  OA_ASSIGN(const Rows rows, tx_.connection().query(sql.c_str(), {Parameter::of(now)}));
  return static_cast<std::uint64_t>(rows.count());
}

Result<std::optional<Timestamp>> ObjectChecks::last_listed() {
  OA_ASSIGN(const Rows rows, tx_.connection().query("SELECT max(listed_at) FROM object_checks"));
  return RowReader(rows, 0).optional_timestamp();
}

Result<std::vector<ObjectCheck>> ObjectChecks::due(const Due& due, std::size_t limit) {
  return read_checks(
      tx_,
      "WHERE (looked_at IS NULL OR looked_at < $3) AND (state = 'suspect' OR listed_at IS NULL OR "
      "listed_at < $2 OR verified_at IS NULL OR verified_at < $1) ORDER BY state <> 'suspect', "
      "listed_at >= $2 NULLS FIRST, coalesce(verified_at, first_seen_at), class, object_name, "
      "object_version LIMIT $4",
      {Parameter::of(due.verified_before), Parameter::of(due.listed_before),
       Parameter::of(due.looked_before), amount(limit)});
}

Result<std::optional<ObjectCheck>> ObjectChecks::find(const ObjectName& object) {
  OA_ASSIGN(auto found, read_checks(tx_,
                                    "WHERE class = $1 AND object_name = $2 AND object_version = $3",
                                    parameters_of(object)));
  if (found.empty()) return std::optional<ObjectCheck>();
  return std::optional(std::move(found.front()));
}

Status ObjectChecks::put(const ObjectCheck& check) {
  auto parameters = parameters_of(check.object);
  for (auto& more :
       {amount(check.size_bytes), Parameter::of(check.verified_at),
        Parameter::of(check.sealed_sha256), Parameter::of(to_text(check.state)),
        Parameter::of(check.damage), Parameter::of(check.found_at),
        Parameter::of(check.repaired_at), Parameter::of(check.repaired_from),
        Parameter::of(check.looked_at)})
    parameters.push_back(more);
  return tx_.connection().execute(
      "UPDATE object_checks SET size_bytes = $4, verified_at = $5, sealed_sha256 = $6, state = $7, "
      "damage = $8, found_at = $9, repaired_at = $10, repaired_from = $11, "
      "looked_at = $12 "
      "WHERE class = $1 AND object_name = $2 AND object_version = $3",
      parameters);
}

Status ObjectChecks::forget(const ObjectName& object) {
  return tx_.connection().execute(
      "DELETE FROM object_checks WHERE class = $1 AND object_name = $2 AND object_version = $3",
      parameters_of(object));
}

Status ObjectChecks::suspect(const ObjectName& object, Timestamp now) {
  auto parameters = parameters_of(object);
  parameters.push_back(Parameter::of(now));
  return tx_.connection().execute(
      "INSERT INTO object_checks AS c (class, object_name, object_version, size_bytes, "
      "first_seen_at, state) VALUES ($1, $2, $3, 0, $4, 'suspect') "
      "ON CONFLICT (tenant_id, class, object_name, object_version) DO UPDATE SET state = 'suspect', "
      "looked_at = NULL WHERE c.state IN ('unverified', 'good')",
      parameters);
}

Result<std::optional<ObjectHolder>> ObjectChecks::holder(const ObjectName& object) {
  const std::string sql = fmt::format(
      "SELECT kind, id FROM {} n WHERE class = $1 AND object_name = $2 AND object_version = $3 "
      "ORDER BY place, id LIMIT 1",
      kNamed);
  OA_ASSIGN(const Rows rows, tx_.connection().query(sql.c_str(), parameters_of(object)));
  if (rows.count() == 0) return std::optional<ObjectHolder>();
  RowReader row(rows, 0);
  ObjectHolder holder{object, row.text(), {}};
  holder.id = row.optional_uuid();
  return std::optional(std::move(holder));
}

Result<std::vector<ObjectCheck>> ObjectChecks::in_state(ObjectState state, std::size_t limit) {
  return read_checks(tx_,
                     "WHERE state = $1 ORDER BY class, object_name, object_version LIMIT $2",
                     {Parameter::of(to_text(state)), amount(limit)});
}

Result<ObjectTotals> ObjectChecks::totals(Timestamp since) {
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query(
          "SELECT count(*) FILTER (WHERE live), coalesce(sum(size_bytes) FILTER (WHERE live), "
          "0)::bigint, count(*) FILTER (WHERE fresh), coalesce(sum(size_bytes) FILTER (WHERE "
          "fresh), 0)::bigint, count(*) FILTER (WHERE state = 'damaged'), "
          "count(*) FILTER (WHERE state = 'locked'), count(*) FILTER (WHERE state = 'shredded'), "
          "count(repaired_at), min(coalesce(verified_at, first_seen_at)) FILTER (WHERE live) "
          "FROM (SELECT *, state <> 'shredded' AS live, state IN ('good', 'locked') AND "
          "verified_at >= $1 AS fresh FROM object_checks) c",
          {Parameter::of(since)}));
  RowReader row(rows, 0);
  const auto next = [&row] { return static_cast<std::uint64_t>(row.bigint()); };
  ObjectTotals totals;
  totals.versions = next();
  totals.bytes = next();
  totals.verified_versions = next();
  totals.verified_bytes = next();
  totals.damaged = next();
  totals.locked = next();
  totals.shredded = next();
  totals.repaired = next();
  totals.oldest = row.optional_timestamp();
  return totals;
}

namespace {

constexpr std::size_t kRecordPage = 200;

Bytes hash_of(ByteView previous, std::string_view body) {
  Sha256 hash;
  hash.update(previous);
  hash.update(as_bytes(body));
  const auto digest = hash.finish();
  return {digest.begin(), digest.end()};
}

Result<std::vector<DurabilityRecord>> read_records(Database& database, const char* rest,
                                                   const std::vector<Parameter>& parameters) {
  OA_ASSIGN(auto access, database.as_operator());
  const std::string sql = fmt::format(
      "SELECT number, kind, made_at, body, previous, hash FROM durability_records {}", rest);
  OA_ASSIGN(const Rows rows, access.connection().query(sql.c_str(), parameters));
  std::vector<DurabilityRecord> records;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    DurabilityRecord record;
    record.number = row.bigint();
    OA_ASSIGN(record.kind, row.enumerator<DurabilityKind>());
    record.made_at = row.timestamp();
    record.body = row.text();
    record.previous = row.bytes();
    record.hash = row.bytes();
    records.push_back(std::move(record));
  }
  return records;
}

std::optional<DurabilityRecord> first_of(std::vector<DurabilityRecord> records) {
  if (records.empty()) return std::nullopt;
  return std::move(records.front());
}

}  // namespace

Result<DurabilityRecord> DurabilityRecords::append(DurabilityKind kind, Timestamp now,
                                                   const json::value& body) {
  constexpr int kAttempts = 20;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    OA_ASSIGN(auto newest, read_records(database_, "ORDER BY number DESC LIMIT 1", {}));
    DurabilityRecord record;
    record.number = newest.empty() ? 1 : newest[0].number + 1;
    record.kind = kind;
    record.made_at = now;
    record.previous = newest.empty() ? Bytes(32) : newest[0].hash;
    json::object document = body.as_object();
    document["number"] = record.number;
    document["kind"] = json::string(to_text(kind));
    document["made_at"] = now.rfc3339();
    record.body = canonical_json(document);
    record.hash = hash_of(record.previous, record.body);
    OA_ASSIGN(auto access, database_.as_operator());
    OA_ASSIGN(const Rows added,
              access.connection().query(
                  "INSERT INTO durability_records (number, kind, made_at, body, previous, hash) "
                  "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING number",
                  {Parameter::of(record.number), Parameter::of(to_text(kind)), Parameter::of(now),
                   Parameter::of(record.body), Parameter::of(record.previous),
                   Parameter::of(record.hash)}));
    if (added.count() == 1) return record;
  }
  return make_error(ErrorCode::kBusy, "durability.record", "others add records all the time");
}

Result<std::optional<DurabilityRecord>> DurabilityRecords::last(DurabilityKind kind) {
  OA_ASSIGN(auto found, read_records(database_, "WHERE kind = $1 ORDER BY number DESC LIMIT 1",
                                     {Parameter::of(to_text(kind))}));
  return first_of(std::move(found));
}

Result<std::vector<DurabilityRecord>> DurabilityRecords::list(std::int64_t after,
                                                              std::size_t limit) {
  return read_records(database_, "WHERE number > $1 ORDER BY number LIMIT $2",
                      {Parameter::of(after), amount(limit)});
}

Result<std::uint64_t> DurabilityRecords::verify() {
  std::uint64_t seen = 0;
  Bytes previous(32);
  for (;;) {
    OA_ASSIGN(const auto page, list(static_cast<std::int64_t>(seen), kRecordPage));
    for (const auto& record : page) {
      const auto document = parse_json(record.body);
      const json::object* fields = document.ok() ? document->if_object() : nullptr;
      const auto says = [&](const char* name, const json::value& value) {
        return fields != nullptr && fields->contains(name) && fields->at(name) == value;
      };
      const bool whole = record.number == static_cast<std::int64_t>(seen) + 1 &&
                         record.previous == previous &&
                         record.hash == hash_of(previous, record.body) &&
                         says("number", record.number) &&
                         says("kind", json::string(to_text(record.kind))) &&
                         says("made_at", json::string(record.made_at.rfc3339()));
      if (!whole) {
        return make_error(ErrorCode::kDatabase, "durability.verify",
                          fmt::format("the chain of records breaks at number {}", seen + 1))
            .with_hint("somebody changed the table durability_records; compare with a backup");
      }
      previous = record.hash;
      ++seen;
    }
    if (page.size() < kRecordPage) return seen;
  }
}

}  // namespace oa::catalog
