#include "received_record.h"

#include <boost/json.hpp>

namespace oa::operations {

catalog::ArchiveRecord received_record(const archive::Manifest& manifest) {
  catalog::ArchiveRecord record;
  record.snapshot_time = manifest.snapshot_time;
  const json::value options = manifest.content.options.value();
  ObjectReader reader(options, "options");
  record.with_rows = reader.boolean("rows");
  record.with_audit = reader.boolean("audit");
  // A list that is empty or does not decode says nothing of what is in the archive.
  if (const json::value* named = reader.find("workspaces"); named != nullptr && named->is_array()) {
    std::vector<WorkspaceId> workspaces;
    for (const auto& element : named->as_array()) {
      const auto id = element.is_string()
                          ? WorkspaceId::parse(std::string_view(element.as_string()))
                          : Result<WorkspaceId>(Error{});
      if (id.ok()) workspaces.push_back(*id);
    }
    if (!workspaces.empty() && workspaces.size() == named->as_array().size())
      record.workspaces = std::move(workspaces);
  }
  json::object counts;
  for (const auto& [name, count] : manifest.content.counts) counts[name] = count;
  record.counts = JsonText::of(counts);
  record.content_hash = to_hex(manifest.content_hash);
  record.signer = manifest.signer.fingerprint();
  record.origin = catalog::ArchiveOrigin::kUploaded;
  return record;
}

}  // namespace oa::operations
