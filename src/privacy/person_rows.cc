#include "person_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit_redaction.h"
#include "like_patterns.h"
#include "oa/base/record_checker.h"
#include "oa/catalog/statements.h"
#include "oa/privacy/erased_user.h"
#include "oa/privacy/registry.h"

namespace oa::privacy {
namespace {

using catalog::SqlRow;
using catalog::SqlValue;
using catalog::Statements;

constexpr std::size_t kMaxFileNameBytes = 255;

struct TextColumn {
  const PersonalColumn* registered = nullptr;
  bool json = false;
};
// A table whose columns may mention somebody.
struct TextTable {
  std::string_view name;
  std::vector<TextColumn> columns;
};

bool may_mention(const PersonalColumn& column) {
  using enum OnErasure;
  return column.erased == kReplaced || column.erased == kAllReplaced ||
         column.erased == kItemRemoved || column.erased == kMentionRemoved;
}

class Rows {
 public:
  Rows(catalog::TenantTransaction& transaction, const PersonValues& person, Walk walk)
      : tx_(transaction), statements_(transaction), person_(person), erase_(walk == Walk::kErase) {
    for (const auto& needle : person.needles) patterns_.push_back(containing(needle));
  }

  Result<Counts> walk() {
    OA_TRY(blank_profile());
    OA_TRY(remove_own());
    OA_TRY(expire_exports());
    OA_TRY(replace_mentions());
    // Last: nobody appends an event while the head of the chain is locked.
    OA_ASSIGN(const auto events, erase_ ? redact_audit_events(tx_, person_)
                                        : count_audit_events(tx_, person_));
    add("audit_events", events);
    std::erase_if(counts_, [](const auto& one) { return one.second == 0; });
    return counts_;
  }

 private:
  void add(std::string_view effect, std::uint64_t count) { counts_[std::string(effect)] += count; }

  Status blank_profile() {
    const auto blank = erased_user(person_.id, {});
    const std::string still = " WHERE id = $1 AND (email <> $2 OR password_hash IS NOT NULL)";
    if (!erase_) {
      OA_ASSIGN(const auto found, statements_.number("SELECT count(*) FROM users" + still,
                                                     {person_.id.uuid(), blank.email}));
      add("profile", static_cast<std::uint64_t>(found));
      return {};
    }
    OA_ASSIGN(const auto changed,
              statements_.execute("UPDATE users SET email = $2, first_name = $3, last_name = $4, "
                                  "attributes = '{}', active = false, owner = false, "
                                  "password_hash = NULL" +
                                      still,
                                  {person_.id.uuid(), blank.email, blank.first_name,
                                   blank.last_name}));
    add("profile", changed);
    return {};
  }

  Status remove_own() {
    std::string_view last;
    for (const auto& column : registry()) {
      if (column.erased != OnErasure::kRowRemoved || column.table == last) continue;
      last = column.table;
      const std::string where = fmt::format("FROM {} WHERE {}", column.table, column.owner);
      const std::vector<SqlValue> values{person_.id.uuid()};
      if (erase_) {
        OA_ASSIGN(const auto removed, statements_.execute("DELETE " + where, values));
        add(column.effect, removed);
      } else {
        OA_ASSIGN(const auto found, statements_.number("SELECT count(*) " + where, values));
        add(column.effect, static_cast<std::uint64_t>(found));
      }
    }
    return {};
  }

  Status expire_exports() {
    const std::string where =
        " WHERE user_id = $1 AND removed_at IS NULL AND (expires_at IS NULL OR expires_at > "
        "clock_timestamp())";
    const std::vector<SqlValue> values{person_.id.uuid()};
    if (erase_) {
      OA_ASSIGN(const auto expired,
                statements_.execute("UPDATE personal_exports SET expires_at = clock_timestamp()" + where,
                                    values));
      add("exports", expired);
    } else {
      OA_ASSIGN(const auto found,
                statements_.number("SELECT count(*) FROM personal_exports" + where, values));
      add("exports", static_cast<std::uint64_t>(found));
    }
    return {};
  }

  Status replace_mentions() {
    if (patterns_.empty()) return {};
    std::vector<TextTable> tables;
    for (const auto& column : registry()) {
      if (!may_mention(column)) continue;
      auto table = std::ranges::find(tables, column.table, &TextTable::name);
      if (table == tables.end()) table = tables.insert(tables.end(), {column.table, {}});
      table->columns.push_back({&column, false});
    }
    for (auto& table : tables) {
      OA_TRY(find_types(table));
      OA_TRY(walk_table(table));
    }
    return {};
  }

  Status find_types(TextTable& table) {
    for (auto& column : table.columns) {
      OA_ASSIGN(const auto json,
                statements_.number("SELECT count(*) FROM pg_attribute WHERE attrelid = $1::regclass AND "
                                   "attname = $2 AND atttypid = 'json'::regtype",
                                   {"oa." + std::string(table.name),
                                    std::string(column.registered->column)}));
      column.json = json == 1;
    }
    return {};
  }

  Status walk_table(const TextTable& table) {
    std::string words, texts, escaped;
    for (const auto& column : table.columns) {
      const auto name = std::string(column.registered->column) + "::text";
      words += ", " + name;
      texts += ", " + name;
      if (column.json) escaped += fmt::format(" OR strpos({}, '\\') > 0", name);
    }
    // One by one, so that memory holds one; a row that was found stays as it is until the end.
    OA_ASSIGN(const auto found,
              statements_.rows(fmt::format("SELECT ctid::text FROM {} WHERE (lower(concat_ws(E'\\n'{}) "
                                           "COLLATE \"C\") LIKE ANY ($1){}) AND ($2 OR NOT coalesce({}, "
                                           "false)){}",
                                           table.name, words, escaped, counted_already(table.name),
                                           erase_ ? " FOR UPDATE" : ""),
                               {patterns_, erase_, person_.id.uuid()}));
    for (const auto& place : found) {
      OA_ASSIGN(const auto rows,
                statements_.rows(fmt::format("SELECT ctid::text{} FROM {} WHERE ctid = $1::tid", texts,
                                             table.name),
                                 {place.at(0).value()}));
      for (const auto& row : rows) OA_TRY(change_row(table, row));
    }
    return {};
  }

  // Rows of a table that are theirs go as such, and are then not there any more.
  static std::string counted_already(std::string_view table) {
    for (const auto& column : registry()) {
      if (column.table != table || column.erased != OnErasure::kRowRemoved) continue;
      std::string owner(column.owner);
      owner.replace(owner.find("$1"), 2, "$3");
      return owner;
    }
    return "$3::uuid IS NULL";
  }

  Status change_row(const TextTable& table, const SqlRow& row) {
    std::string assignments;
    std::vector<SqlValue> values{row.at(0).value()};
    std::string_view effect;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      const auto& old = row.at(i + 1);
      if (!old.has_value()) continue;
      const PersonalColumn& registered = *column.registered;
      if (registered.erased == OnErasure::kMentionRemoved) {
        if (!mentioned(*old, column.json)) continue;
        return remove_row(table, registered, row.at(0).value());
      }
      OA_ASSIGN(const auto changed, without(column, *old));
      if (changed == *old) continue;
      effect = registered.effect;
      assignments += fmt::format("{}{} = ${}{}", assignments.empty() ? "" : ", ", registered.column,
                                 values.size() + 1, column.json ? "::json" : "");
      values.push_back(changed);
    }
    if (assignments.empty()) return {};
    add(effect, 1);
    if (!erase_) return {};
    OA_ASSIGN(const auto updated,
              statements_.execute(fmt::format("UPDATE {} SET {} WHERE ctid = $1::tid", table.name,
                                              assignments),
                                  values));
    OA_ASSERT(updated == 1);
    return {};
  }

  Status remove_row(const TextTable& table, const PersonalColumn& column, const std::string& place) {
    add(column.effect, 1);
    if (!erase_) return {};
    const auto removed = statements_.execute(
        fmt::format("DELETE FROM {} WHERE ctid = $1::tid", table.name), {place});
    return removed.ok() ? Status() : Status(removed.error());
  }

  bool mentioned(const std::string& text, bool json) const {
    if (!json) return mentions(text, people());
    const auto document = JsonText::parse(text);
    return document.ok() && mentions(*document, people());
  }

  Result<std::string> without(const TextColumn& column, const std::string& old) const {
    const auto& registered = *column.registered;
    if (column.json) {
      OA_ASSIGN(const auto document, JsonText::parse(old));
      const auto changed = registered.erased == OnErasure::kItemRemoved
                               ? without_items(document, people())
                               : without_mentions(document, people());
      return changed == document ? old : changed.str();
    }
    if (registered.erased == OnErasure::kAllReplaced)
      return mentions(old, people()) ? person_.tombstone.substr(0, kMaxFileNameBytes) : old;
    if (registered.column == "model_yaml") return without_mentions(old, people());
    return name_without_mentions(old, people());
  }

  std::span<const PersonValues> people() const { return {&person_, 1}; }

  catalog::TenantTransaction& tx_;
  Statements statements_;
  const PersonValues& person_;
  const bool erase_;
  std::vector<std::string> patterns_;
  Counts counts_;
};

}  // namespace

Result<Counts> walk_rows(catalog::TenantTransaction& transaction, const PersonValues& person,
                         Walk walk) {
  return Rows(transaction, person, walk).walk();
}

}  // namespace oa::privacy
