#include "oa/archive/format_version.h"

#include <algorithm>
#include <boost/json.hpp>

namespace oa::archive {
namespace {

Status add_no_grants(json::object& report) {
  if (report.emplace("grants", json::array()).second) return {};
  return make_error(ErrorCode::kArchiveMalformed, "archive.migrate",
                    "a report of format 1.0 has the member \"grants\" of a later one");
}

struct Migration {
  std::uint32_t minor;  // what it leads to, from the one before
  EntryKind kind;
  const char* meaning;
  Status (*apply)(json::object& document);
};

// In order of `minor`.
constexpr Migration kMigrations[] = {
    {1, EntryKind::kReport, "format 1.0 is read as 1.1: its reports carry no sharing grants",
     add_no_grants}};

bool concerns(EntryKind kind, std::uint32_t minor) {
  return std::ranges::any_of(kMigrations,
                             [&](const Migration& m) { return m.minor > minor && m.kind == kind; });
}

}  // namespace

Result<std::vector<std::string>> migrations_from(std::uint32_t minor) {
  if (minor > kFormatMinor) {
    return make_error(ErrorCode::kArchiveVersionUnsupported, "archive.migrate",
                      "the archive's documents have format version 1." + std::to_string(minor) +
                          ", this program understands them up to 1." + std::to_string(kFormatMinor))
        .with_hint("use a newer release; this one can verify, list and extract the archive");
  }
  std::vector<std::string> meanings;
  for (const auto& migration : kMigrations) {
    if (migration.minor > minor) meanings.emplace_back(migration.meaning);
  }
  return meanings;
}

Result<bool> migrate(EntryKind kind, std::uint32_t minor, json::value& document) {
  auto* object = document.if_object();
  if (object == nullptr) return false;  // whoever decodes it says so
  bool changed = false;
  for (const auto& migration : kMigrations) {
    if (migration.minor <= minor || migration.kind != kind) continue;
    OA_TRY(migration.apply(*object));
    changed = true;
  }
  return changed;
}

Result<Bytes> migrated(EntryKind kind, std::uint32_t minor, Bytes content) {
  if (!concerns(kind, minor)) return content;
  auto document = parse_json(as_text(content), {.max_bytes = content.size()});
  if (!document.ok()) {
    return make_error(ErrorCode::kArchiveMalformed, "archive.migrate",
                      "a document of the archive is not valid JSON")
        .with_cause(document.error().message);
  }
  OA_TRY(migrate(kind, minor, *document));
  const std::string text = canonical_json(*document);
  return Bytes(text.begin(), text.end());
}

}  // namespace oa::archive
