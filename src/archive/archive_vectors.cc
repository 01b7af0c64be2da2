#include "archive_vectors.h"

#include <algorithm>

#include "frame.h"

namespace oa::archive {

Forgery two_entries() {
  return {.entries = {{.path = "a", .content = {'o', 'n', 'e', '\n'}},
                      {.path = "b/c", .content = Bytes(600, 'c')}}};
}

Forgery with_large_entry() {
  return {.entries = {{.path = "a", .content = {'o', 'n', 'e', '\n'}},
                      {.path = "rows", .content = pattern((std::size_t{4} << 20) + 700)}}};
}

Forgery two_pages() {
  return {.entries = {{.path = "a/1"},
                      {.path = "a/2", .begins = Begins::kInNewFrame},
                      {.path = "b/1", .begins = Begins::kOnNewPage},
                      {.path = "b/2", .begins = Begins::kInNewFrame}}};
}

std::function<void(std::string&)> replaced(std::string from, std::string to) {
  return [=](std::string& text) {
    const auto at = text.find(from);
    OA_ASSERT(at != std::string::npos);
    text.replace(at, from.size(), to);
  };
}

ForgedPart& part_of(ForgedParts& parts, PartKind kind) {
  const auto found = std::ranges::find(parts, kind, &ForgedPart::kind);
  OA_ASSERT(found != parts.end());
  return *found;
}

std::vector<ArchiveVector> good_vectors() {
  VectorCatalog c(false);
  c.accepted("empty", "No content entries: only index root, manifest and seek table.", {});
  c.accepted("one_entry", "One small entry.", {.entries = {{.path = "a"}}});
  c.accepted("two_entries", "Two small entries in one frame.", two_entries());
  c.accepted("zero_bytes", "An entry of no bytes.", {.entries = {{.path = "a", .content = {}}}});
  c.accepted("one_mebibyte", "The largest small entry.",
             {.entries = {{.path = "a", .content = pattern(1048576)}}});
  c.accepted("one_mebibyte_and_one", "The smallest large entry: one chunk.",
             {.entries = {{.path = "a", .content = pattern(1048577)}}});
  c.accepted("large_entry", "A large entry in two chunks behind a small one.", with_large_entry());
  c.accepted(
      "large_between_small", "A large entry between two small ones.",
      {.entries = {{.path = "a"}, {.path = "b", .content = pattern(1048577)}, {.path = "c"}}});
  c.accepted("two_large", "Two large entries, one behind the other.",
             {.entries = {{.path = "a", .content = pattern(1048577)},
                          {.path = "b", .content = pattern(1048577)}}});
  c.accepted("several_frames_and_pages", "Four entries in four frames on two pages.", two_pages());
  c.accepted("large_entry_ends_page",
             "The signature of a page's last large entry begins the frame of the next page.",
             {.entries = {{.path = "a", .content = pattern(1048577)},
                          {.path = "b", .begins = Begins::kOnNewPage}}});
  c.accepted("path_of_100_bytes", "A path that just fits the name field.",
             {.entries = {{.path = std::string(100, 'n')}}});
  c.accepted("path_with_prefix", "A path of 220 bytes that is split into prefix and name.",
             {.entries = {{.path = std::string(140, 'p') + "/" + std::string(79, 'n')}}});
  c.accepted("path_in_pax_header", "A name of 101 bytes without a place to split it: a pax header.",
             {.entries = {{.path = std::string(101, 'n')}}});
  c.accepted("path_of_1024_bytes", "The longest path.",
             {.entries = {{.path = std::string(511, 'p') + "/" + std::string(512, 'n')}}});
  c.accepted("names_of_all_kinds",
             "UTF-8 of one to four bytes, blanks, names like options and like our own.",
             {.entries = {{.path = "-rf"},
                          {.path = "..."},
                          {.path = "a b*?\"'$;"},
                          {.path = "m/manifest.json"},
                          {.path = "m/signatures/a.sig"},
                          {.path = "signatures.sig"},
                          {.path = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x97\x84"},
                          {.path = "\xf4\x8f\xbf\xbf"}}});
  c.accepted(
      "minor_version_1", "Format 1.1.",
      {.entries = {{.path = "a"}}, .edit_manifest_text = replaced(R"("minor":0)", R"("minor":1)")});
  c.accepted("newer_minor_with_unknown_members",
             "A newer minor version whose manifest has members that nobody knows.",
             {.entries = {{.path = "a"}}, .edit_manifest_text = [](std::string& text) {
                replaced(R"("minor":0},)", R"("minor":7},"future":[1],)")(text);
                replaced(R"(","public_key":)", R"(","of":{"x":1},"public_key":)")(text);
              }});
  c.accepted("escaped_nul_in_manifest",
             "A string of the manifest holds an escaped NUL, which JSON allows.",
             {.entries = {{.path = "a"}},
              .edit_manifest_text = replaced("\"Example\"", "\"Exam\\u0000le\"")});
  return c.take();
}

std::vector<ArchiveVector> archive_vectors() {
  std::vector<ArchiveVector> all;
  for (const auto& make :
       {good_vectors, tampered_vectors, spliced_vectors, tar_vectors, path_vectors, frame_vectors,
        page_vectors, root_vectors, manifest_vectors, signature_vectors}) {
    for (auto& vector : make()) all.push_back(std::move(vector));
  }
  return all;
}

}  // namespace oa::archive
