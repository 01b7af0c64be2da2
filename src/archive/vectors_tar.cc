// Vectors whose signed tar stream is not what the signed index implies.
#include <algorithm>

#include "archive_vectors.h"
#include "entry_layout.h"
#include "tar.h"

namespace oa::archive {
namespace {

// Another header in front of the content of `b/c`; its checksum is fitted.
Forgery with_field(std::size_t at, std::string value) {
  Forgery base = two_entries();
  base.entries[1].edit_header = [=](Bytes& header) {
    std::ranges::copy(value, header.begin() + static_cast<std::ptrdiff_t>(at));
    fit_tar_checksum(header, 0);
  };
  return base;
}

// A pax header with these records before the header of `b/c`.
Forgery with_pax(const std::string& records) {
  Forgery base = two_entries();
  base.entries[1].edit_header = [=](Bytes& header) {
    Bytes extended;
    append_tar_file(extended, "PaxHeader", as_bytes(records),
                    static_cast<std::uint64_t>(test_options().snapshot_time.unix_seconds()));
    extended[156] = 'x';
    fit_tar_checksum(extended, 0);
    header.insert(header.begin(), extended.begin(), extended.end());
  };
  return base;
}

void header_fields(VectorCatalog& c) {
  const std::pair<const char*, const char*> types[] = {
      {"1", "a hard link"},        {"2", "a symbolic link"},
      {"3", "a character device"}, {"4", "a block device"},
      {"5", "a folder"},           {"6", "a FIFO"},
      {"7", "a contiguous file"},  {"g", "a pax global header"},
      {"K", "a GNU long link"},    {"L", "a GNU long name"},
      {"S", "a GNU sparse file"}};
  for (const auto& [type, what] : types) {
    c.not_verified(std::string("tar_type_") + type, "malformed",
                   std::string("The header of a listed entry is of the type of ") + what + ".",
                   with_field(156, type));
  }
  const std::string number_256{'\x80', 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x58};
  const std::tuple<const char*, const char*, std::size_t, std::string> fields[] = {
      {"type_nul", "Its type is NUL, as in old tar files.", 156, std::string(1, '\0')},
      {"mode", "Its mode has the set-user-id bit.", 100, "0004755"},
      {"uid", "Its user id is not 0.", 108, "0001750"},
      {"gid", "Its group id is not 0.", 116, "0001750"},
      {"uname", "It has a user name.", 265, "root"},
      {"gname", "It has a group name.", 297, "root"},
      {"device", "It has a device number.", 329, "0000001"},
      {"mtime", "Its time is not that of the snapshot.", 136, "00000000000"},
      {"size_less", "Its size is less than the index says.", 124, "00000001127"},
      {"size_more", "Its size is more than the index says.", 124, "00000001131"},
      {"size_huge", "Its size is the largest of eleven octal digits.", 124, "77777777777"},
      {"size_base_256", "Its size is the right one, but a binary number as GNU tar writes it.", 124,
       number_256},
      {"size_with_blanks", "Its size is the right one, but padded with blanks.", 124,
       "       1130"},
      {"size_not_octal", "Its size has the digit 8.", 124, "00000001138"},
      {"link_name", "It has a link name.", 157, "/etc/passwd"},
      {"magic_of_gnu", "Its magic is that of GNU tar.", 257, std::string("ustar  \0", 8)},
      {"end_of_block", "The bytes behind the prefix field are not zero.", 511, "x"}};
  for (const auto& [name, scenario, at, value] : fields) {
    c.not_verified(std::string("tar_") + name, "malformed",
                   std::string("The header of a listed entry differs: ") + scenario,
                   with_field(at, value));
  }
  Forgery sum = two_entries();
  sum.entries[1].edit_header = [](Bytes& header) { header[153] ^= 1; };
  c.not_verified("tar_checksum", "malformed", "The header of a listed entry has a wrong checksum.",
                 sum);
}

void pax_headers(VectorCatalog& c) {
  c.not_verified("pax_not_needed", "malformed",
                 "A pax header gives a path that the header holds as well.",
                 with_pax("12 path=b/c\n"));
  c.not_verified("pax_size_differs", "malformed",
                 "A pax header gives a size that is not the header's.", with_pax("10 size=4\n"));
  c.not_verified("pax_unknown_key", "malformed",
                 "A pax header has a record that the format does not know.",
                 with_pax("23 comment=any comment\n"));
  c.not_verified("pax_path_differs", "entry-unlisted",
                 "A pax header gives the entry another path than the index.",
                 with_pax("20 path=/etc/passwd\n"));
  Forgery twice{.entries = {{.path = std::string(101, 'n')}}};
  twice.entries[0].edit_header = [](Bytes& header) {
    const std::string more = "13 path=evil\n";
    std::ranges::copy(more, header.begin() + static_cast<std::ptrdiff_t>(kTarBlock + 111));
    std::ranges::copy(std::string("174"), header.begin() + 124 + 8);
    fit_tar_checksum(header, 0);
  };
  c.not_verified("pax_path_twice", "malformed",
                 "A pax header has a second path, which tar would take.", twice);
  twice.entries[0].edit_header = [](Bytes& header) { header[kTarBlock + 2] = '2'; };
  c.not_verified("pax_length_lies", "malformed",
                 "The length of a pax record is longer than the record.", twice);
}

void entries(VectorCatalog& c) {
  const auto three = [] {
    return Forgery{.entries = {{.path = "a"}, {.path = "b"}, {.path = "c"}}};
  };
  auto made = three();
  made.entries[0].in_tar = false;
  c.not_verified("entry_missing_first", "entry-missing",
                 "The first listed entry is not in the tar stream.", made);
  made = three();
  made.entries[2].in_tar = false;
  c.not_verified("entry_missing_last", "entry-missing",
                 "The last listed entry is not in the tar stream.", made);
  made = three();
  made.entries[1].in_tar = false;
  made.entries[1].signature_file = test_key(1).sign(
      Blake2b::of(made.entries[1].content), trusted_comment(test_options().archive_id, "b", 3));
  c.not_verified("entry_missing_but_signed", "entry-missing",
                 "A listed entry is not in the tar stream, but its signature is.", made);
  made = three();
  made.entries[1].in_index = false;
  c.not_verified("entry_unlisted", "entry-unlisted",
                 "An entry is in the tar stream that is not listed.", made);
  made = three();
  made.entries.insert(made.entries.begin() + 1, {.path = "a", .content = {9}, .in_index = false});
  c.not_verified("entry_twice", "entry-unlisted",
                 "A listed entry is in the tar stream a second time, with other content.", made);
  made = three();
  made.entries[1].tar_path = "bb";
  c.not_verified("entry_renamed", "entry-unlisted",
                 "A listed entry has another name in the tar stream.", made);
  made = three();
  made.entries[0].tar_path = "b";
  made.entries[1].tar_path = "a";
  c.not_verified("entries_exchanged", "entry-missing",
                 "Two entries have each other's names in the tar stream.", made);
  made = three();
  made.entries[1].with_signature = false;
  c.not_verified("signature_missing", "entry-missing", "An entry has no signature.", made);
  made = three();
  made.entries[2].with_signature = false;
  c.not_verified("signature_missing_last", "entry-missing", "The last entry has no signature.",
                 made);
  made = three();
  made.entries[1].signature_in_new_frame = true;
  c.not_verified("signature_in_next_frame", "entry-missing",
                 "The signature of a small entry lies in the next frame.", made);
  made = three();
  made.entries[1].edit_signature_file = [](std::string& text) { text.append("\n"); };
  c.not_verified("signature_too_long", "malformed",
                 "A signature file has a byte more than its form allows.", made);
  for (const auto& [name, path] : std::initializer_list<std::pair<const char*, const char*>>{
           {"absolute", "/etc/passwd"}, {"dotdot", "../../evil"}, {"manifest", "manifest.json"}}) {
    c.not_verified(
        std::string("entry_unlisted_") + name, "entry-unlisted",
        std::string("An entry that is not listed is in the tar stream: ") + path + ".",
        {.entries = {{.path = "a"}, {.path = path, .in_index = false, .signature_file = "x\n"}}});
  }
}

void plain_bytes(VectorCatalog& c) {
  const auto with = [](const std::function<void(Bytes&)>& edit) {
    Forgery base{.entries = {{.path = "a"}, {.path = "b"}}};
    base.edit_plain = edit;
    return base;
  };
  c.not_verified("content_differs", "content-mismatch",
                 "The content of an entry is not what the index says.",
                 with([](Bytes& plain) { plain[kTarBlock] ^= 1; }));
  c.not_verified("padding_of_content", "malformed", "The padding behind a content is not zero.",
                 with([](Bytes& plain) { plain[kTarBlock + 3] = 1; }));
  c.not_verified("padding_of_signature", "malformed", "The padding behind a signature is not zero.",
                 with([](Bytes& plain) { plain.back() = 1; }));
  c.not_verified("zero_block_in_frame", "malformed", "A frame ends with a block of zeros.",
                 with([](Bytes& plain) { plain.resize(plain.size() + kTarBlock); }));
  c.not_verified("zero_block_in_front", "malformed",
                 "A frame begins with a block of zeros, where old tars would stop.",
                 with([](Bytes& plain) { plain.insert(plain.begin(), kTarBlock, 0); }));
  c.not_verified("byte_behind_last_entry", "malformed", "A frame has a byte more than its entries.",
                 with([](Bytes& plain) { plain.push_back(0); }));
  Forgery swapped{
      .entries = {{.path = "a", .content = {1, 1, 1}}, {.path = "b", .content = {2, 2, 2}}}};
  swapped.edit_plain = [](Bytes& plain) {
    const std::size_t b = tar_size("a", 3) + kTarBlock;
    std::swap_ranges(plain.begin() + kTarBlock, plain.begin() + kTarBlock + 3,
                     plain.begin() + static_cast<std::ptrdiff_t>(b));
  };
  c.not_verified("contents_exchanged", "content-mismatch", "Two entries have each other's content.",
                 swapped);
}

}  // namespace

std::vector<ArchiveVector> tar_vectors() {
  VectorCatalog c(true);
  header_fields(c);
  pax_headers(c);
  entries(c);
  plain_bytes(c);
  return c.take();
}

std::vector<ArchiveVector> path_vectors() {
  VectorCatalog c(true);
  const std::tuple<const char*, const char*, std::string> paths[] = {
      {"absolute", "is absolute", "/etc/passwd"},
      {"dotdot", "leaves its folder", "a/../../b"},
      {"dot", "has a segment '.'", "a/./b"},
      {"empty_segment", "has an empty segment", "a//b"},
      {"trailing_slash", "ends with a slash", "a/"},
      {"backslash", "has a backslash", "..\\a"},
      {"line_break", "breaks the line", "a\nb"},
      {"nul", "has a NUL", std::string("a\0b", 3)},
      {"escape", "has a terminal's control sequence", "a\x1b[2J"},
      {"del", "has a DEL", "a\x7f"},
      {"not_utf8", "is not UTF-8", "a\xff"},
      {"cut_utf8", "ends within a character", "a\xe2\x82"},
      {"overlong_utf8", "has an overlong slash",
       "a\xc0\xaf"
       "b"},
      {"surrogate", "has an encoded surrogate", "a\xed\xa0\x80"},
      {"past_unicode", "has a character past U+10FFFF", "a\xf4\x90\x80\x80"},
      {"signatures", "lies in the folder of signatures", "signatures/a.sig"},
      {"signatures_itself", "is the folder of signatures", "signatures"},
      {"manifest", "is that of the manifest", "manifest.json"}};
  for (const auto& [name, what, path] : paths) {
    c.not_verified(std::string("path_") + name, "malformed",
                   std::string("The path of a listed entry ") + what + ".",
                   {.entries = {{.path = "!"}, {.path = path}}});
  }
  c.not_verified(
      "path_of_1025_bytes", "limit", "The path of a listed entry is longer than 1024 bytes.",
      {.entries = {{.path = "!"}, {.path = std::string(512, 'p') + "/" + std::string(512, 'n')}}});
  c.not_verified("path_is_a_folder", "malformed",
                 "An entry's path is a folder of another's, so that both cannot be unpacked.",
                 {.entries = {{.path = "a"}, {.path = "a-b"}, {.path = "a/b"}}});
  c.not_verified("path_is_a_folder_across_pages", "malformed",
                 "An entry's path is a folder of another's, which lies on the next page.",
                 {.entries = {{.path = "a"}, {.path = "a/b", .begins = Begins::kOnNewPage}}});
  c.not_verified("signature_path_is_a_folder", "malformed",
                 "The path of an entry's signature is a folder of another's.",
                 {.entries = {{.path = "a"}, {.path = "a.sig/b"}}});
  c.not_verified("path_below_manifest", "malformed",
                 "The manifest's path is a folder of an entry's.",
                 {.entries = {{.path = "!"}, {.path = "manifest.json/a"}}});
  c.not_verified(
      "path_below_manifest_signature", "malformed",
      "The path of the manifest's signature is a folder of that of an entry's signature.",
      {.entries = {{.path = "!"}, {.path = "manifest.json.sig/a"}}});
  return c.take();
}

}  // namespace oa::archive
