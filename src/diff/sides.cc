#include "oa/diff/sides.h"

#include <boost/json.hpp>

namespace oa::diff {
namespace {

bool not_left_out(const json::object& options, std::string_view name) {
  const auto* value = options.if_contains(name);
  return value == nullptr || !value->is_bool() || value->get_bool();
}

}  // namespace

Scope scope_of(const JsonText& options) {
  Scope scope;
  const json::value value = options.value();
  const auto* object = value.if_object();
  if (object == nullptr) return scope;
  scope.rows = not_left_out(*object, "rows");
  scope.audit = not_left_out(*object, "audit");
  const auto* listed = object->if_contains("workspaces");
  const auto* workspaces = listed == nullptr ? nullptr : listed->if_array();
  if (workspaces == nullptr) return scope;
  scope.workspaces.emplace();
  for (const auto& item : *workspaces) {
    const auto* text = item.if_string();
    const auto id = WorkspaceId::parse(text == nullptr ? "" : std::string_view(*text));
    if (id.ok()) scope.workspaces->insert(*id);
  }
  return scope;
}

Scope ArchiveSide::scope() const {
  Scope scope = scope_of(reader_.manifest().content.options);
  scope.format_minor = reader_.manifest().format_minor;
  return scope;
}

Facts ArchiveSide::facts() const {
  const auto& content = reader_.manifest().content;
  return {content.tenant_id, content.tenant, content.counts};
}

Result<Facts> ArchiveSide::walk(const std::function<Status(const PassingEntry&)>& visit) {
  OA_TRY(reader_.for_each("", [&](const archive::EntryInfo& entry) -> Status {
    return visit({entry.path, entry.size, [&]() -> Result<Blake2bDigest> { return entry.digest; },
                  [&](std::size_t max_bytes) { return reader_.read(entry.path, max_bytes); }});
  }));
  return facts();
}

}  // namespace oa::diff
