#include "oa/privacy/personal_exports.h"

#include <algorithm>
#include <charconv>

#include "oa/catalog/statements.h"

namespace oa::privacy {
namespace {

const std::string kSelect = R"(
  SELECT id::text, user_id::text, requested_by::text, (extract(epoch FROM requested_at) * 1000000)::bigint::text,
    CASE WHEN removed_at IS NOT NULL OR expires_at <= clock_timestamp() THEN 'expired' WHEN made_at IS NOT NULL THEN 'ready'
         WHEN EXISTS (SELECT FROM jobs j WHERE j.id = e.id AND j.state IN ('queued', 'running')) THEN 'preparing'
         ELSE 'failed' END,
    object_name, object_version, size_bytes::text, encode(digest, 'hex'), counts::text,
    (extract(epoch FROM made_at) * 1000000)::bigint::text, (extract(epoch FROM expires_at) * 1000000)::bigint::text,
    downloads::text, (extract(epoch FROM last_download_at) * 1000000)::bigint::text
  FROM personal_exports e )";

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<Timestamp> moment(const std::optional<std::string>& text) {
  if (!text.has_value()) return std::nullopt;
  return Timestamp{number(*text)};
}

Result<PersonalExport> read(const catalog::SqlRow& row) {
  PersonalExport record;
  OA_ASSIGN(record.id, Uuid::parse(row.at(0).value_or("")));
  OA_ASSIGN(record.user, UserId::parse(row.at(1).value_or("")));
  if (row.at(2).has_value()) {
    OA_ASSIGN(record.requested_by, UserId::parse(*row.at(2)));
  }
  record.requested_at = moment(row.at(3)).value_or(Timestamp{});
  for (const auto state : {ExportState::kPreparing, ExportState::kReady, ExportState::kFailed,
                           ExportState::kExpired})
    if (to_text(state) == row.at(4)) record.state = state;
  if (row.at(7).has_value()) record.size_bytes = static_cast<std::uint64_t>(number(*row.at(7)));
  record.digest = row.at(8);
  if (row.at(5).has_value() && row.at(6).has_value()) {
    ExportObject object{*row.at(5), *row.at(6), record.size_bytes.value_or(0), {}};
    OA_ASSIGN(const auto digest, from_hex(record.digest.value_or("")));
    if (digest.size() == object.digest.size())
      std::copy(digest.begin(), digest.end(), object.digest.begin());
    record.object = std::move(object);
  }
  OA_ASSIGN(record.counts, JsonText::parse(row.at(9).value_or("{}")));
  record.made_at = moment(row.at(10));
  record.expires_at = moment(row.at(11));
  record.downloads = static_cast<std::uint64_t>(number(row.at(12).value_or("0")));
  record.last_download_at = moment(row.at(13));
  return record;
}

Result<std::vector<PersonalExport>> select(catalog::TenantTransaction& transaction,
                                           const std::string& rest,
                                           const std::vector<catalog::SqlValue>& values) {
  OA_ASSIGN(const auto rows, catalog::Statements(transaction).rows(kSelect + rest, values));
  std::vector<PersonalExport> records;
  for (const auto& row : rows) {
    OA_ASSIGN(auto record, read(row));
    records.push_back(std::move(record));
  }
  return records;
}

catalog::SqlValue uuid_or_null(const std::optional<UserId>& id) {
  return id.has_value() ? std::optional<Uuid>(id->uuid()) : std::optional<Uuid>();
}

}  // namespace

std::string_view to_text(ExportState state) {
  switch (state) {
    case ExportState::kPreparing:
      return "preparing";
    case ExportState::kReady:
      return "ready";
    case ExportState::kFailed:
      return "failed";
    case ExportState::kExpired:
      return "expired";
  }
  return "";
}

Status PersonalExports::add(Uuid id, UserId user, const std::optional<UserId>& requested_by) {
  const auto added = catalog::Statements(tx_).execute(
      "INSERT INTO personal_exports (id, user_id, requested_by, requested_at) "
      "VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT DO NOTHING",
      {id, user.uuid(), uuid_or_null(requested_by)});
  return added.ok() ? Status() : Status(added.error());
}

Result<PersonalExport> PersonalExports::get(Uuid id) {
  OA_ASSIGN(auto records, select(tx_, "WHERE id = $1", {id}));
  if (!records.empty()) return std::move(records.front());
  return make_error(ErrorCode::kNotFound, "privacy.export", "there is no export of this id");
}

Result<std::vector<PersonalExport>> PersonalExports::page(const std::optional<UserId>& user,
                                                          const std::optional<After>& after,
                                                          std::size_t limit) {
  const std::optional<Timestamp> moment =
      after.has_value() ? std::optional(after->requested_at) : std::nullopt;
  const Uuid id = after.has_value() ? after->id : Uuid{};
  return select(tx_,
                "WHERE ($1::uuid IS NULL OR user_id = $1) AND ($2::timestamptz IS NULL OR "
                "(requested_at, id) < ($2, $3)) ORDER BY requested_at DESC, id DESC LIMIT $4",
                {uuid_or_null(user), moment, id, static_cast<std::int64_t>(limit)});
}

Status PersonalExports::set_made(Uuid id, const ExportObject& object, const JsonText& counts) {
  OA_ASSIGN(const auto changed,
            catalog::Statements(tx_).execute(
                "UPDATE personal_exports SET object_name = $2, object_version = $3, size_bytes = "
                "$4, digest = $5, counts = $6, made_at = clock_timestamp(), expires_at = "
                "clock_timestamp() + $7 * interval '1 day' "
                "WHERE id = $1 AND made_at IS NULL AND expires_at IS NULL",
                {id, object.name, object.version, static_cast<std::int64_t>(object.size_bytes),
                 Bytes(object.digest.begin(), object.digest.end()), counts,
                 std::int64_t{kExportDays}}));
  if (changed == 1) return {};
  return make_error(ErrorCode::kConflict, "privacy.export",
                    "the export was made already, or the person was erased meanwhile");
}

Status PersonalExports::add_download(Uuid id) {
  OA_ASSIGN(const auto changed,
            catalog::Statements(tx_).execute(
                "UPDATE personal_exports SET downloads = downloads + 1, last_download_at = "
                "clock_timestamp() WHERE id = $1 AND removed_at IS NULL AND made_at IS NOT NULL "
                "AND expires_at > clock_timestamp()",
                {id}));
  if (changed == 1) return {};
  return make_error(ErrorCode::kGone, "privacy.export", "the export is not offered any more")
      .with_hint("ask for another");
}

Result<std::uint64_t> PersonalExports::expire_of(UserId user) {
  return catalog::Statements(tx_).execute(
      "UPDATE personal_exports SET expires_at = clock_timestamp() WHERE user_id = $1 AND "
      "(expires_at IS NULL OR expires_at > clock_timestamp())",
      {user.uuid()});
}

Result<std::vector<PersonalExport>> PersonalExports::to_remove() {
  return select(tx_,
                "WHERE expires_at <= clock_timestamp() AND removed_at IS NULL AND object_name IS "
                "NOT NULL ORDER BY expires_at LIMIT 1000",
                {});
}

Status PersonalExports::set_removed(Uuid id) {
  const auto changed = catalog::Statements(tx_).execute(
      "UPDATE personal_exports SET removed_at = clock_timestamp(), object_name = NULL, "
      "object_version = NULL WHERE id = $1 AND removed_at IS NULL",
      {id});
  return changed.ok() ? Status() : Status(changed.error());
}

Result<std::vector<ExportObject>> PersonalExports::kept() {
  OA_ASSIGN(const auto rows,
            catalog::Statements(tx_).rows("SELECT object_name, object_version FROM "
                                          "personal_exports WHERE object_name IS NOT NULL"));
  std::vector<ExportObject> objects;
  for (const auto& row : rows)
    objects.push_back({row.at(0).value_or(""), row.at(1).value_or(""), 0, {}});
  return objects;
}

}  // namespace oa::privacy
