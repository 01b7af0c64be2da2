#include "portable_parts.h"

#include <limits>

namespace oa::catalog {
namespace {

std::uint32_t read_version(ObjectReader& reader, std::string_view name) {
  const std::uint64_t version = reader.unsigned_integer(name);
  if (version > std::numeric_limits<std::uint32_t>::max()) reader.fail(name, "is out of range");
  return static_cast<std::uint32_t>(version);
}

Result<Visual> read_visual(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Visual visual;
  visual.id = reader.id<VisualId>("id");
  visual.kind = read_enum<VisualKind>(reader, "kind");
  visual.title = reader.text("title");
  visual.dataset_id = reader.id<DatasetId>("dataset_id");
  visual.dataset_version = read_version(reader, "dataset_version");
  visual.query = reader.raw("query");
  visual.options = reader.raw("options");
  OA_TRY(reader.finish());
  return visual;
}

Result<Bookmark> read_bookmark(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Bookmark bookmark;
  bookmark.id = reader.id<BookmarkId>("id");
  bookmark.name = reader.text("name");
  bookmark.state = reader.raw("state");
  OA_TRY(reader.finish());
  return bookmark;
}

Result<RoleGrant> read_grant(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  RoleGrant grant;
  grant.kind = read_enum<PrincipalKind>(reader, "kind");
  grant.principal = reader.id<UserId>("principal").uuid();
  grant.role = read_enum<Role>(reader, "role");
  OA_TRY(reader.finish());
  return grant;
}

}  // namespace

void append_bookmarks(ObjectWriter& out, const Report& report) {
  out.array("bookmarks", report.bookmarks, [](std::string& text, const Bookmark& bookmark) {
    ObjectWriter item(text);
    item.id("id", bookmark.id);
    item.text("name", bookmark.name);
    item.json("state", bookmark.state);
    item.close();
  });
}

void append_visuals(ObjectWriter& out, const Report& report) {
  out.array("visuals", report.visuals, [](std::string& text, const Visual& visual) {
    ObjectWriter item(text);
    item.id("dataset_id", visual.dataset_id);
    item.number("dataset_version", visual.dataset_version);
    item.id("id", visual.id);
    item.text("kind", to_text(visual.kind));
    item.json("options", visual.options);
    item.json("query", visual.query);
    item.text("title", visual.title);
    item.close();
  });
}

Status read_report_content(ObjectReader& reader, Report& report) {
  OA_ASSIGN(report.bookmarks, read_array<Bookmark>(reader, "bookmarks", read_bookmark));
  report.filters = reader.raw("filters");
  report.layout = reader.raw("layout");
  OA_ASSIGN(report.visuals, read_array<Visual>(reader, "visuals", read_visual));
  return {};
}

void append_grants(ObjectWriter& out, std::string_view name, const std::vector<RoleGrant>& grants) {
  out.array(name, grants, [](std::string& text, const RoleGrant& grant) {
    ObjectWriter item(text);
    item.text("kind", to_text(grant.kind));
    item.text("principal", grant.principal.str());
    item.text("role", to_text(grant.role));
    item.close();
  });
}

Result<std::vector<RoleGrant>> read_grants(ObjectReader& reader, std::string_view name) {
  return read_array<RoleGrant>(reader, name, read_grant);
}

std::string columns_to_json(const std::vector<Column>& columns) {
  std::string out = "[";
  for (const auto& column : columns) {
    if (out.size() > 1) out.push_back(',');
    ObjectWriter item(out);
    item.text("name", column.name);
    item.text("type", column.type);
    item.close();
  }
  return out + "]";
}

Result<std::vector<Column>> columns_from_json(const json::value& value, const std::string& path) {
  std::vector<Column> columns;
  const auto* array = value.if_array();
  if (array == nullptr)
    return make_error(ErrorCode::kInvalidArgument, "json.decode", path + " is not an array");
  for (const auto& item : *array) {
    ObjectReader reader(item, path + "[" + std::to_string(columns.size()) + "]");
    columns.push_back({reader.text("name"), reader.text("type")});
    OA_TRY(reader.finish());
  }
  return columns;
}

}  // namespace oa::catalog
