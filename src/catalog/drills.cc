#include "oa/catalog/drills.h"

#include <fmt/format.h>

#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr const char* kColumns =
    "id, source, recovery, state, started_at, finished_at, number, keep_until, detail";

Result<DrillRow> read_drill(const Rows& rows, int index) {
  RowReader row(rows, index);
  DrillRow drill;
  drill.id = row.uuid();
  drill.source = row.id<TenantId>();
  if (const auto recovery = row.optional_uuid()) drill.recovery = TenantId(*recovery);
  drill.state = row.text();
  drill.started_at = row.timestamp();
  drill.finished_at = row.optional_timestamp();
  if (const auto number = row.optional_text())  // as text, since there is no optional bigint
    drill.number = std::stoull(*number);
  drill.keep_until = row.optional_timestamp();
  OA_ASSIGN(drill.detail, row.json());
  return drill;
}

Result<std::vector<DrillRow>> read_drills(Database& database, const std::string& rest,
                                          const std::vector<Parameter>& parameters) {
  OA_ASSIGN(auto access, database.as_operator());
  const std::string sql =
      fmt::format("SELECT id, source, recovery, state, started_at, finished_at, number::text, "
                  "keep_until, detail FROM drills {}",
                  rest);
  OA_ASSIGN(const Rows rows, access.connection().query(sql.c_str(), parameters));
  std::vector<DrillRow> drills;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(auto drill, read_drill(rows, i));
    drills.push_back(std::move(drill));
  }
  return drills;
}

std::vector<Parameter> parameters_of(const DrillRow& drill) {
  std::optional<std::int64_t> number;
  if (drill.number.has_value()) number = static_cast<std::int64_t>(*drill.number);
  std::optional<Uuid> recovery;
  if (drill.recovery.has_value()) recovery = drill.recovery->uuid();
  return {Parameter::of(drill.id),          Parameter::of(drill.source),
          Parameter::of(recovery),          Parameter::of(drill.state),
          Parameter::of(drill.started_at),  Parameter::of(drill.finished_at),
          Parameter::of(number),            Parameter::of(drill.keep_until),
          Parameter::of(drill.detail)};
}

}  // namespace

Result<DrillConsent> DrillConsents::get() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT takes_part, changed_at, changed_by FROM drill_consents"));
  DrillConsent consent;
  if (rows.count() == 0) return consent;
  RowReader row(rows, 0);
  consent.takes_part = row.boolean();
  consent.changed_at = row.timestamp();
  if (const auto by = row.optional_uuid()) consent.changed_by = UserId(*by);
  return consent;
}

Status DrillConsents::put(bool takes_part, std::optional<UserId> by) {
  std::optional<Uuid> user;
  if (by.has_value()) user = by->uuid();
  return tx_.connection().execute(
      "INSERT INTO drill_consents (takes_part, changed_at, changed_by) VALUES ($1, "
      "clock_timestamp(), $2) ON CONFLICT (tenant_id) DO UPDATE SET takes_part = "
      "excluded.takes_part, changed_at = excluded.changed_at, changed_by = excluded.changed_by",
      {Parameter::of(takes_part), Parameter::of(user)});
}

Result<std::vector<TenantId>> tenants_in_drills(Database& database) {
  OA_ASSIGN(auto access, database.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query(
                "SELECT tenant_id FROM drill_consents WHERE takes_part ORDER BY tenant_id"));
  std::vector<TenantId> tenants;
  for (int i = 0; i < rows.count(); ++i) tenants.push_back(RowReader(rows, i).id<TenantId>());
  return tenants;
}

Status Drills::add(const DrillRow& drill) {
  OA_ASSIGN(auto access, database_.as_operator());
  return access.connection().execute(
      fmt::format("INSERT INTO drills ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", kColumns)
          .c_str(),
      parameters_of(drill));
}

Status Drills::update(const DrillRow& drill) {
  OA_ASSIGN(auto access, database_.as_operator());
  return access.connection().execute(
      "UPDATE drills SET source = $2, recovery = $3, state = $4, started_at = $5, finished_at = $6, "
      "number = $7, keep_until = $8, detail = $9 WHERE id = $1",
      parameters_of(drill));
}

Result<DrillRow> Drills::get(Uuid id) {
  OA_ASSIGN(auto found, read_drills(database_, "WHERE id = $1", {Parameter::of(id)}));
  if (!found.empty()) return std::move(found.front());
  return make_error(ErrorCode::kNotFound, "drill", "there is no drill of this id")
      .with_hint("`oa-backup drill list` shows them");
}

Result<std::vector<DrillRow>> Drills::list(std::optional<Uuid> after, std::size_t limit) {
  return read_drills(database_,
                     "WHERE $1::uuid IS NULL OR (started_at, id) < (SELECT d.started_at, d.id FROM "
                     "drills d WHERE d.id = $1) ORDER BY started_at DESC, id DESC LIMIT $2",
                     {Parameter::of(after), Parameter::of(static_cast<std::int64_t>(limit))});
}

Result<std::vector<DrillRow>> Drills::of_tenant(TenantId source, std::size_t limit) {
  return read_drills(database_, "WHERE source = $1 ORDER BY started_at DESC, id DESC LIMIT $2",
                     {Parameter::of(source), Parameter::of(static_cast<std::int64_t>(limit))});
}

Result<std::vector<DrillRow>> Drills::with_recovery() {
  return read_drills(database_, "WHERE recovery IS NOT NULL ORDER BY started_at, id", {});
}

Result<bool> Drills::remove_recovery_tenant(TenantId tenant) {
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows, access.connection().query("SELECT oa.remove_recovery_tenant($1)",
                                                       {Parameter::of(tenant)}));
  return RowReader(rows, 0).bigint() == 1;
}

}  // namespace oa::catalog
