#include "fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

namespace oa::api {

std::string bounded_text(ObjectReader& reader, std::string_view name, std::size_t least,
                         std::size_t most) {
  auto text = reader.text(name);
  const auto begins_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  };
  const auto characters =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
  if (characters < least || characters > most)
    reader.fail(name, fmt::format("has {} to {} characters", least, most));
  return text;
}

std::vector<WorkspaceId> read_workspaces(ObjectReader& reader) {
  if (reader.find("workspace_ids") == nullptr) return {};
  std::set<WorkspaceId> ids;
  for (const auto& element : reader.array("workspace_ids")) {
    const auto id = element.is_string() ? WorkspaceId::parse(std::string_view(element.as_string()))
                                        : Result<WorkspaceId>(Error{});
    if (!id.ok())
      reader.fail("workspace_ids", "holds what is no UUID");
    else if (!ids.insert(*id).second)
      reader.fail("workspace_ids", "names a workspace twice");
  }
  if (ids.size() > 1000) reader.fail("workspace_ids", "names more than 1000 workspaces");
  return {ids.begin(), ids.end()};
}

}  // namespace oa::api
