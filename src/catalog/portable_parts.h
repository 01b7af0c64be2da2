// The pieces of the portable form that the database's documents share with archives.
#pragma once

#include "oa/base/json_writer.h"
#include "oa/catalog/records.h"

namespace oa::catalog {

/// Deeper than any valid entry, see kMaxJsonDepth.
constexpr JsonLimits kEntryLimits{std::size_t{256} << 20, 32};

void append_bookmarks(ObjectWriter& out, const Report& report);
void append_visuals(ObjectWriter& out, const Report& report);
/// Members bookmarks, filters, layout and visuals of `reader` into `report`.
Status read_report_content(ObjectReader& reader, Report& report);

/// As `roles` of a workspace and `grants` of a report.
void append_grants(ObjectWriter& out, std::string_view name, const std::vector<RoleGrant>& grants);
Result<std::vector<RoleGrant>> read_grants(ObjectReader& reader, std::string_view name);

std::string columns_to_json(const std::vector<Column>& columns);
Result<std::vector<Column>> columns_from_json(const json::value& value, const std::string& path);

/// Reads each item of the array `name` of `reader` with read(item, path).
template <class Item, class ReadItem>
Result<std::vector<Item>> read_array(ObjectReader& reader, std::string_view name, ReadItem read) {
  const json::array& array = reader.array(name);
  std::vector<Item> items;
  items.reserve(array.size());
  const std::string path = reader.path() + "." + std::string(name);
  for (std::size_t i = 0; i < array.size(); ++i) {
    OA_ASSIGN(Item item, read(array[i], path + "[" + std::to_string(i) + "]"));
    items.push_back(std::move(item));
  }
  return items;
}

/// The member `name` as one of the enum's texts; a mismatch is recorded in `reader`.
template <class Enum>
Enum read_enum(ObjectReader& reader, std::string_view name) {
  const auto parsed = parse_text<Enum>(reader.text(name));
  if (parsed.ok()) return *parsed;
  reader.fail(name, parsed.error().message);
  return Enum{};
}

}  // namespace oa::catalog
