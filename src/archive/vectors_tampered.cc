// Vectors of archives that somebody without the signer's key changed, byte by byte.
#include "archive_vectors.h"
#include "frame.h"
#include "seek_table.h"

namespace oa::archive {
namespace {

// One bit of a part, `at` bytes behind its beginning or, when negative, before its end.
Forgery flipped(Forgery base, PartKind kind, std::ptrdiff_t at, int bit = 0) {
  base.edit_parts = [=](ForgedParts& parts) {
    Bytes& bytes = part_of(parts, kind).bytes;
    const auto index = at >= 0 ? at : std::ssize(bytes) + at;
    bytes[static_cast<std::size_t>(index)] ^= static_cast<std::uint8_t>(1 << bit);
  };
  return base;
}

// One bit of a byte behind `text` in the manifest frame.
Forgery flipped_behind(const std::string& text, int bit = 0, std::size_t further = 0) {
  Forgery base = two_entries();
  base.edit_parts = [=](ForgedParts& parts) {
    Bytes& bytes = part_of(parts, PartKind::kManifest).bytes;
    const auto at = as_text(bytes).find(text);
    OA_ASSERT(at != std::string_view::npos);
    bytes[at + text.size() + further] ^= static_cast<std::uint8_t>(1 << bit);
  };
  return base;
}

Forgery flip(PartKind kind, std::ptrdiff_t at, int bit = 0) {
  return flipped(two_entries(), kind, at, bit);
}

void flips_of_content(VectorCatalog& c) {
  using enum PartKind;
  c.not_verified("flip_frame_magic", "content-mismatch",
                 "A bit of a content frame's magic is flipped.", flip(kContent, 0));
  c.not_verified("flip_frame_header", "content-mismatch",
                 "A bit of a content frame's header is flipped.", flip(kContent, 4, 2));
  c.not_verified("flip_frame_body", "content-mismatch", "A bit within a content frame is flipped.",
                 flip(kContent, 300));
  c.not_verified("flip_frame_end", "content-mismatch",
                 "A bit of a content frame's last byte is flipped.", flip(kContent, -1));
  Forgery chunk = with_large_entry();
  chunk.edit_parts = [](ForgedParts& parts) { parts[2].bytes[200] ^= 1; };
  c.not_verified(
      "flip_second_chunk", "content-mismatch",
      "A bit in the second chunk of a large entry is flipped; the first may be released.", chunk);
  c.not_verified("flip_page_magic", "malformed", "A bit of an index page's magic is flipped.",
                 flip(kPage, 0));
  c.not_verified("flip_page_size", "malformed", "A bit of an index page's size field is flipped.",
                 flip(kPage, 4));
  c.not_verified("flip_page_payload", "content-mismatch",
                 "A bit of an index page's payload is flipped.", flip(kPage, 20));
  c.not_verified("flip_page_end", "content-mismatch",
                 "A bit of an index page's last byte is flipped.", flip(kPage, -1, 7));
}

void flips_of_root_and_manifest(VectorCatalog& c) {
  using enum PartKind;
  c.not_opened("flip_root_magic", "malformed", "A bit of the index root's magic is flipped.",
               flip(kRoot, 0));
  c.not_opened("flip_root_size", "malformed", "A bit of the index root's size field is flipped.",
               flip(kRoot, 4));
  c.not_opened("flip_root_payload", "content-mismatch",
               "A bit of the index root's payload is flipped.", flip(kRoot, 40));
  c.not_opened("flip_manifest_frame_magic", "malformed",
               "A bit of the manifest frame's magic is flipped.", flip(kManifest, 0));
  c.not_opened("flip_manifest_frame_size", "malformed",
               "A bit of the manifest frame's content size is flipped.", flip(kManifest, 5));
  c.not_opened("flip_manifest_block_header", "malformed",
               "A bit of the manifest frame's block header is flipped.", flip(kManifest, 9, 1));
  c.not_opened("flip_manifest_tar_header", "malformed",
               "A bit of the mode in the manifest's tar header is flipped.",
               flip(kManifest, 12 + 106));
  c.not_opened("flip_manifest_text", "signature-invalid",
               "A letter of the tenant's name in the manifest is another.",
               flipped_behind(R"("name":"E)"));
  c.not_opened("flip_manifest_padding", "malformed", "The padding behind the manifest is not zero.",
               flip(kManifest, -2100));
  c.not_opened("flip_signature_first_line", "signature-invalid",
               "The untrusted comment of the manifest's signature, which no signature covers, has "
               "another key id.",
               flipped_behind("oa-backup key "));
  c.not_opened("flip_signature_second_line", "signature-invalid",
               "The manifest's signature has another bit.", flipped_behind("0101010101\n", 1, 50));
  c.not_opened("flip_signature_third_line", "signature-invalid",
               "The manifest's trusted comment names another path.",
               flipped_behind("path=manifest.jso"));
  c.not_opened("flip_signature_fourth_line", "signature-invalid",
               "The signature of the manifest's trusted comment has another bit.",
               flipped_behind("path=manifest.json\n", 1, 20));
  c.not_opened("flip_end_of_tar", "malformed",
               "The zero bytes that end the tar stream are not all zero.", flip(kManifest, -1));
}

void flips_of_table(VectorCatalog& c) {
  using enum PartKind;
  c.not_verified("flip_table_magic", "malformed",
                 "A bit of the seek table's skippable magic is flipped.", flip(kSeekTable, 0));
  c.not_verified("flip_table_size", "malformed", "A bit of the seek table's size field is flipped.",
                 flip(kSeekTable, 4));
  c.not_verified("flip_table_row", "malformed",
                 "The seek table gives the first frame another stored size.", flip(kSeekTable, 8));
  c.not_verified("flip_table_plain_size", "malformed",
                 "The seek table gives the first frame another plain size.", flip(kSeekTable, 12));
  c.not_opened("flip_table_root_size", "malformed",
               "The seek table gives the index root another stored size.", flip(kSeekTable, -25));
  c.not_verified("flip_table_root_plain_size", "malformed",
                 "The seek table says that the index root has plain bytes.", flip(kSeekTable, -21));
  c.not_opened("flip_table_manifest_size", "malformed",
               "The seek table gives the manifest frame another stored size.",
               flip(kSeekTable, -17));
  c.not_verified("flip_table_manifest_plain_size", "malformed",
                 "The seek table gives the manifest frame another plain size.",
                 flip(kSeekTable, -13));
  c.not_opened("flip_table_count", "malformed", "The seek table counts one row more than it has.",
               flip(kSeekTable, -9, 0));
  c.not_opened("flip_table_descriptor", "malformed",
               "The seek table's descriptor promises checksums.", flip(kSeekTable, -5, 7));
  c.not_opened("flip_table_footer_magic", "truncated",
               "A bit of the magic at the end of the file is flipped.", flip(kSeekTable, -1));
}

Forgery cut(std::size_t whole_parts, std::ptrdiff_t further) {
  Forgery base = two_entries();
  base.edit_parts = [=](ForgedParts& parts) {
    if (further != 0) {
      Bytes& last = parts[whole_parts].bytes;
      last.resize(static_cast<std::size_t>(further > 0 ? further : std::ssize(last) + further));
    }
    parts.resize(whole_parts + (further != 0 ? 1 : 0));
  };
  return base;
}

void truncations(VectorCatalog& c) {
  c.not_opened("cut_to_nothing", "truncated", "A file of no bytes.", cut(0, 0));
  c.not_opened("cut_to_three_bytes", "truncated", "A file of three bytes.", cut(0, 3));
  c.not_opened("cut_in_frame", "truncated", "The file ends within the first content frame.",
               cut(0, 100));
  c.not_opened("cut_behind_frame", "truncated", "The file ends behind the content frame.",
               cut(1, 0));
  c.not_opened("cut_in_page", "truncated", "The file ends within the index page.", cut(1, 50));
  c.not_opened("cut_behind_page", "truncated", "The file ends behind the index page.", cut(2, 0));
  c.not_opened("cut_in_root", "truncated", "The file ends within the index root.", cut(2, 30));
  c.not_opened("cut_behind_root", "truncated", "The file ends behind the index root.", cut(3, 0));
  c.not_opened("cut_in_manifest", "truncated", "The file ends within the manifest frame.",
               cut(3, 1000));
  c.not_opened("cut_behind_manifest", "truncated", "The file ends behind the manifest frame.",
               cut(4, 0));
  c.not_opened("cut_in_table", "truncated", "The file ends within the seek table.", cut(4, 20));
  c.not_opened("cut_last_byte", "truncated", "The last byte is missing.", cut(4, -1));
  Forgery front = two_entries();
  front.edit_file = [](Bytes& file) { file.erase(file.begin()); };
  c.not_opened("cut_first_byte", "malformed", "The first byte is missing.", front);
  front.edit_file = [](Bytes& file) { file.erase(file.begin(), file.end() - 300); };
  c.not_opened("cut_all_but_the_end", "truncated",
               "Only the last 300 bytes are there, fewer than the seek table speaks of.", front);
}

Bytes skippable(std::uint32_t magic, const Bytes& payload) {
  Bytes frame;
  append_skippable_header(frame, magic, payload.size());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

Forgery with_part_before(std::size_t index, const Bytes& bytes, std::size_t plain_size = 0) {
  Forgery base = two_entries();
  base.edit_parts = [=](ForgedParts& parts) {
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(index),
                 {PartKind::kContent, bytes, plain_size});
    fit_seek_table(parts);
  };
  return base;
}

void surroundings(VectorCatalog& c) {
  const Bytes junk = skippable(0x184D2A50, {'j', 'u', 'n', 'k'});
  c.not_opened("byte_in_front", "malformed", "A byte is in front of the archive.",
               {.entries = two_entries().entries,
                .edit_file = [](Bytes& file) { file.insert(file.begin(), 0); }});
  c.not_opened(
      "byte_behind", "truncated", "A byte is behind the archive.",
      {.entries = two_entries().entries, .edit_file = [](Bytes& file) { file.push_back(0); }});
  c.not_opened("frame_in_front", "malformed",
               "A skippable frame is in front of the archive, and the seek table has a row for it.",
               with_part_before(0, junk));
  c.not_opened("frame_before_page", "malformed", "A skippable frame is between content and page.",
               with_part_before(1, junk));
  c.not_opened("frame_before_root", "malformed", "A skippable frame is between page and root.",
               with_part_before(2, junk));
  c.not_opened("frame_before_manifest", "malformed",
               "A skippable frame is between root and manifest.", with_part_before(3, junk));
  c.not_opened("frame_before_table", "malformed",
               "A skippable frame is between manifest and seek table.", with_part_before(4, junk));
  c.not_opened("frame_behind", "truncated", "A skippable frame is behind the seek table.",
               {.entries = two_entries().entries, .edit_file = [=](Bytes& file) {
                  file.insert(file.end(), junk.begin(), junk.end());
                }});
  Forgery twice = two_entries();
  twice.edit_parts = [](ForgedParts& parts) { parts.push_back(parts.back()); };
  c.not_opened("two_seek_tables", "malformed", "The seek table is there twice.", twice);
  twice.edit_parts = [](ForgedParts& parts) {
    parts.insert(parts.begin() + 2, parts[2]);
    fit_seek_table(parts);
  };
  c.not_opened("two_roots", "malformed", "The index root is there twice.", twice);
  twice.edit_parts = {};
  twice.edit_file = [](Bytes& file) {
    const Bytes copy = file;
    file.insert(file.end(), copy.begin(), copy.end());
  };
  c.not_opened("two_archives", "malformed",
               "An archive is behind another, as `cat` would join them.", twice);
}

void other_files(VectorCatalog& c) {
  const std::string text = "This is no archive, but a letter.\n";
  c.not_opened("not_an_archive", "malformed", "A text file.",
               {.entries = two_entries().entries,
                .edit_file = [=](Bytes& file) { file.assign(text.begin(), text.end()); }});
  c.not_opened("a_plain_tar_zst", "truncated",
               "A Zstandard file with a tar stream, without index and seek table.",
               {.entries = two_entries().entries, .edit_parts = [](ForgedParts& parts) {
                  parts = {parts[0], parts[3]};
                }});
  Forgery compressed = two_entries();
  compressed.edit_parts = [](ForgedParts& parts) {
    Bytes& frame = part_of(parts, PartKind::kManifest).bytes;
    frame = *FrameCompressor(3).compress(*decode_raw_frame(frame));
    fit_seek_table(parts);
  };
  c.not_opened("manifest_frame_compressed", "malformed",
               "The manifest frame is not a stored frame.", compressed);
  compressed.edit_parts = [](ForgedParts& parts) {
    Bytes& frame = part_of(parts, PartKind::kManifest).bytes;
    const Bytes plain = *decode_raw_frame(frame);
    const Bytes head(frame.begin(), frame.begin() + 9);
    frame = head;
    for (const std::size_t at : {std::size_t{0}, std::size_t{1024}}) {
      const std::size_t size = at == 0 ? 1024 : plain.size() - 1024;
      const std::size_t header = size << 3 | (at == 0 ? 0 : 1);
      for (int i = 0; i < 3; ++i) frame.push_back(static_cast<std::uint8_t>(header >> (8 * i)));
      frame.insert(frame.end(), plain.begin() + static_cast<std::ptrdiff_t>(at),
                   plain.begin() + static_cast<std::ptrdiff_t>(at + size));
    }
    fit_seek_table(parts);
  };
  c.not_opened("manifest_frame_in_other_blocks", "malformed",
               "The manifest frame is stored, but in blocks of another size.", compressed);
}

}  // namespace

std::vector<ArchiveVector> tampered_vectors() {
  VectorCatalog c(false);
  flips_of_content(c);
  flips_of_root_and_manifest(c);
  flips_of_table(c);
  truncations(c);
  surroundings(c);
  other_files(c);
  return c.take();
}

}  // namespace oa::archive
