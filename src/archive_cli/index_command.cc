#include <fmt/format.h>

#include <boost/json.hpp>

#include "read_commands.h"

namespace oa::archive_cli {
namespace {

using archive::PartInfo;
using Kind = PartInfo::Kind;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kContentFrame:
      return "content";
    case Kind::kIndexPage:
      return "index page";
    case Kind::kIndexRoot:
      return "index root";
    case Kind::kManifest:
      return "manifest";
    case Kind::kSeekTable:
      return "seek table";
  }
  OA_ASSERT(false);
}

bool belongs_to_a_page(Kind kind) {
  return kind == Kind::kContentFrame || kind == Kind::kIndexPage;
}

struct Totals {
  std::uint64_t frames = 0, pages = 0;
  std::uint64_t content_stored = 0, content_plain = 0;  // frames of content
  std::uint64_t index_bytes = 0;                        // pages, root and seek table
  std::uint64_t file_bytes = 0, tar_bytes = 0;

  void add(const PartInfo& part) {
    file_bytes += part.stored_size;
    tar_bytes += part.plain_size;
    if (part.kind == Kind::kContentFrame) {
      ++frames;
      content_stored += part.stored_size;
      content_plain += part.plain_size;
    } else if (part.kind != Kind::kManifest) {
      index_bytes += part.stored_size;
      if (part.kind == Kind::kIndexPage) ++pages;
    }
  }
};

// How many plain bytes a stored byte stands for.
std::string expansion(std::uint64_t stored, std::uint64_t plain) {
  if (stored == 0 || plain == 0) return "";
  return fmt::format("{:.2f}", static_cast<double>(plain) / static_cast<double>(stored));
}

json::object to_json(const PartInfo& part) {
  json::object object{{"kind", name_of(part.kind)},
                      {"offset", part.offset},
                      {"stored_size", part.stored_size},
                      {"plain_size", part.plain_size}};
  if (belongs_to_a_page(part.kind)) {
    object["page"] = part.page;
    object["entries"] = part.entries;
  }
  return object;
}

std::vector<std::string> to_row(const PartInfo& part) {
  const bool paged = belongs_to_a_page(part.kind);
  return {std::to_string(part.offset),
          name_of(part.kind),
          std::to_string(part.stored_size),
          part.plain_size == 0 ? "" : std::to_string(part.plain_size),
          expansion(part.stored_size, part.plain_size),
          paged ? std::to_string(part.page) : "",
          paged ? std::to_string(part.entries) : ""};
}

}  // namespace

Status run_index(const archive::ArchiveReader& reader, const ReadOptions&,
                 const console::Output& output, Progress&) {
  Totals totals;
  json::array parts;
  std::vector<std::vector<std::string>> rows;
  OA_TRY(reader.for_each_part([&](const PartInfo& part) -> Status {
    totals.add(part);
    if (output.json()) {
      parts.push_back(to_json(part));
    } else {
      rows.push_back(to_row(part));
    }
    return {};
  }));
  const auto& manifest = reader.manifest();
  output.document(
      json::object{{"parts", std::move(parts)},
                   {"totals", json::object{{"pages", totals.pages},
                                           {"content_frames", totals.frames},
                                           {"entries", manifest.entry_count},
                                           {"content_bytes", manifest.content_bytes},
                                           {"content_frames_stored", totals.content_stored},
                                           {"content_frames_plain", totals.content_plain},
                                           {"index_bytes", totals.index_bytes},
                                           {"tar_bytes", totals.tar_bytes},
                                           {"file_bytes", totals.file_bytes}}}});
  output.table({"offset", "part", "stored", "plain", "expansion", "page", "entries"}, rows, "");
  output.line(fmt::format("{} entries, {} of content, in {} frames described by {} pages",
                          manifest.entry_count, format_size(manifest.content_bytes), totals.frames,
                          totals.pages));
  output.line(fmt::format("  frames {} for {} of tar ({}); index {}; file {}",
                          format_size(totals.content_stored), format_size(totals.content_plain),
                          expansion(totals.content_stored, totals.content_plain),
                          format_size(totals.index_bytes), format_size(totals.file_bytes)));
  return {};
}

}  // namespace oa::archive_cli
