// Vectors whose signed index pages or index root are not in their form, or contradict the rest.
#include <algorithm>

#include "archive_vectors.h"
#include "frame.h"

namespace oa::archive {
namespace {

// Where things lie in the page of two_entries(): counts, one frame's row, then the entries `a` and
// `b/c`.
constexpr std::size_t kFrameCountAt = 0, kEntryCountAt = 4, kFirstEntryAt = 48;

Forgery with_page(const std::function<void(Bytes&)>& edit) {
  Forgery base = two_entries();
  base.edit_page = edit;
  return base;
}

void put_u32(Bytes& payload, std::size_t at, std::uint32_t value) {
  Bytes bytes;
  append_le(bytes, value);
  std::ranges::copy(bytes, payload.begin() + static_cast<std::ptrdiff_t>(at));
}

// Other bytes instead of the one-byte number at this place of the first entry.
Forgery with_number(std::size_t further, const Bytes& bytes) {
  return with_page([=](Bytes& payload) {
    const auto at = payload.begin() + static_cast<std::ptrdiff_t>(kFirstEntryAt + further);
    payload.insert(payload.erase(at), bytes.begin(), bytes.end());
  });
}

void numbers(VectorCatalog& c) {
  const Bytes most{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
  c.not_verified("page_number_not_shortest", "malformed",
                 "A number of a page is one byte longer than it needs.",
                 with_number(0, {0x80, 0x00}));
  c.not_verified("page_number_of_64_bits", "malformed", "A number of a page has 64 bits.",
                 with_number(5, {0x84, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}));
  c.not_verified("page_number_of_63_bits", "limit",
                 "The size of an entry is the largest number there is.", with_number(5, most));
  c.not_verified("page_frame_out_of_range", "malformed",
                 "An entry lies in a frame that the page does not have.", with_number(0, {1}));
  c.not_verified("page_frame_overflows", "malformed",
                 "The frame number of an entry is the largest number there is.",
                 with_number(0, most));
  c.not_verified("page_shared_too_long", "malformed",
                 "The first entry shares a byte with the path before it, which is empty.",
                 with_number(3, {1}));
  c.not_verified("page_suffix_past_the_end", "malformed", "A path has more bytes than the page.",
                 with_number(4, {0xff, 0x07}));
  c.not_verified("page_suffix_overflows", "malformed",
                 "The length of a path is the largest number there is.", with_number(4, most));
  Forgery shared{.entries = {{.path = "aa"}, {.path = "ab"}}};
  shared.edit_page = [](Bytes& payload) {
    const auto second = payload.begin() + kFirstEntryAt + 1 + 2 + 1 + 1 + 1 + 2 + 64;
    OA_ASSERT(second[3] == 1 && second[4] == 1 && second[6] == 'b');
    second[3] = 0;
    second[4] = 2;
    payload.insert(second + 6, 'a');
  };
  c.not_verified("page_shared_not_longest", "malformed",
                 "A path shares less with the one before it than it could.", shared);
}

void counts(VectorCatalog& c) {
  c.not_verified("page_counts_more_entries", "malformed",
                 "A page counts one entry more than it has.",
                 with_page([](Bytes& p) { put_u32(p, kEntryCountAt, 3); }));
  c.not_verified("page_counts_fewer_entries", "malformed",
                 "A page counts one entry less than it has.",
                 with_page([](Bytes& p) { put_u32(p, kEntryCountAt, 1); }));
  c.not_verified("page_counts_no_entries", "malformed", "A page counts no entries.",
                 with_page([](Bytes& p) { put_u32(p, kEntryCountAt, 0); }));
  c.not_verified("page_counts_all_entries", "malformed", "A page counts 4294967295 entries.",
                 with_page([](Bytes& p) { put_u32(p, kEntryCountAt, UINT32_MAX); }));
  c.not_verified("page_counts_all_frames", "malformed", "A page counts 4294967295 frames.",
                 with_page([](Bytes& p) { put_u32(p, kFrameCountAt, UINT32_MAX); }));
  c.not_verified("page_byte_behind", "malformed", "A page has a byte behind its last entry.",
                 with_page([](Bytes& p) { p.push_back(0); }));
  c.not_verified("page_too_short", "malformed", "A page ends within its last entry.",
                 with_page([](Bytes& p) { p.pop_back(); }));
  c.not_verified("page_of_no_bytes", "malformed", "A page has no payload.",
                 with_page([](Bytes& p) { p.clear(); }));
}

Forgery with_entry(const std::function<void(EntryInfo&)>& edit) {
  Forgery base = two_entries();
  base.edit_entry = [=](EntryInfo& info) {
    if (info.path == "b/c") edit(info);
  };
  return base;
}

Forgery at_offset(std::size_t offset) {
  Forgery base = two_entries();
  base.edit_place = [=](EntryInfo& info, std::size_t& at) {
    if (info.path == "b/c") at = offset;
  };
  return base;
}

void entries(VectorCatalog& c) {
  c.not_verified("index_digest_differs", "content-mismatch",
                 "The digest of an entry is not that of its content.",
                 with_entry([](EntryInfo& info) { info.digest[7] ^= 1; }));
  c.not_verified("index_size_less", "malformed",
                 "The size of an entry is one less than in the tar stream.",
                 with_entry([](EntryInfo& info) { --info.size; }));
  c.not_verified("index_size_more", "malformed",
                 "The size of an entry is one more than in the tar stream.",
                 with_entry([](EntryInfo& info) { ++info.size; }));
  c.not_verified("index_size_past_frame", "entry-missing",
                 "A small entry has more bytes than its frame.",
                 with_entry([](EntryInfo& info) { info.size = 1000000; }));
  c.not_verified("index_size_without_chunks", "malformed",
                 "An entry is large, but there are no chunks.",
                 with_entry([](EntryInfo& info) { info.size = std::uint64_t{1} << 40; }));
  c.not_verified("index_size_past_limit", "limit", "An entry is larger than a reader allows.",
                 with_entry([](EntryInfo& info) { info.size = (std::uint64_t{1} << 42) + 1; }));
  c.not_verified("index_offset_beside", "malformed", "An entry begins one byte behind its place.",
                 at_offset(2561));
  c.not_verified("index_offset_of_other", "malformed",
                 "An entry begins where the one before it does.", at_offset(512));
  c.not_verified("index_offset_past_frame", "entry-missing",
                 "An entry begins behind the end of its frame.", at_offset(1000000));
  c.not_verified("index_offset_huge", "entry-missing",
                 "An entry begins so far behind that sums with it overflow.", at_offset(INT64_MAX));
  Forgery order{.entries = {{.path = "b"}, {.path = "a"}}};
  c.not_verified("index_paths_descend", "malformed",
                 "Entries do not come in the order of their paths.", order);
  order = {.entries = {{.path = "a"}, {.path = "a"}}};
  c.not_verified("index_path_twice", "malformed", "A path is there twice, in index and tar stream.",
                 order);
  Forgery across = two_pages();
  across.entries[2].path = "a/11";
  c.not_verified("index_paths_descend_across_pages", "malformed",
                 "The first path of a page is not behind the last of the page before.", across);
  Forgery large = with_large_entry();
  large.entries[1].chunk_size = std::size_t{3} << 20;
  c.not_verified("chunks_of_another_size", "malformed",
                 "A large entry is cut into chunks of 3 MiB.", large);
  large = with_large_entry();
  large.edit_entry = [](EntryInfo& info) {
    if (info.path == "rows") info.digest[0] ^= 1;
  };
  c.not_verified("large_digest_differs", "content-mismatch",
                 "Each chunk of a large entry has its digest, but the whole has another; the "
                 "chunks may be released.",
                 large);
  Forgery bare = two_entries();
  bare.with_bare_frame = true;
  c.not_verified("frame_of_nothing", "entry-unlisted",
                 "A frame at the end holds nothing that the index lists.", bare);
}

void root_forms(VectorCatalog& c) {
  const auto raw = [](const std::function<void(Bytes&)>& edit) {
    Forgery base = two_entries();
    base.edit_root_payload = edit;
    return base;
  };
  c.not_opened("root_of_another_form", "malformed", "The root begins with another tag.",
               raw([](Bytes& p) { p[7] = '2'; }));
  c.not_opened("root_byte_behind", "malformed", "The root has a byte behind its last page.",
               raw([](Bytes& p) { p.push_back(0); }));
  c.not_opened("root_too_short", "malformed", "The root ends within its last page.",
               raw([](Bytes& p) { p.pop_back(); }));
  c.not_opened("root_counts_all_pages", "malformed", "The root counts 4294967295 pages.",
               raw([](Bytes& p) { put_u32(p, 32, UINT32_MAX); }));
  Forgery junk = two_pages();
  const Bytes skippable{0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0};
  junk.edit_signed_parts = [=](ForgedParts& parts) {
    parts.insert(parts.begin() + 1, {PartKind::kContent, skippable, 0});
  };
  c.not_verified("signed_frame_between_frames", "malformed",
                 "A skippable frame lies between two content frames, and the root allows for it.",
                 junk);
  junk.edit_signed_parts = [=](ForgedParts& parts) {
    parts.push_back({PartKind::kContent, skippable, 0});
  };
  c.not_opened(
      "signed_frame_before_root", "malformed",
      "A skippable frame lies between the last page and the root, and the root allows for it.",
      junk);
}

}  // namespace

std::vector<ArchiveVector> page_vectors() {
  VectorCatalog c(true);
  numbers(c);
  counts(c);
  entries(c);
  return c.take();
}

std::vector<ArchiveVector> root_vectors() {
  VectorCatalog c(true);
  const auto with = [](const std::function<void(IndexRoot&)>& edit, Forgery base = two_pages()) {
    base.edit_root = edit;
    return base;
  };
  c.not_opened("root_offset_less", "malformed", "The root names another offset of its own frame.",
               with([](IndexRoot& r) { --r.root_offset; }));
  c.not_opened("root_offset_huge", "malformed", "The root names the largest offset.",
               with([](IndexRoot& r) { r.root_offset = UINT64_MAX; }));
  c.not_verified("root_counts_more", "malformed",
                 "Root and manifest count one entry more than the pages.",
                 with([](IndexRoot& r) { ++r.entry_count; }));
  c.not_verified("root_sums_more", "malformed",
                 "Root and manifest have a larger sum of sizes than the pages.",
                 with([](IndexRoot& r) { ++r.content_bytes; }));
  c.not_opened("root_counts_past_limit", "limit",
               "Root and manifest count more entries than a reader allows.",
               with([](IndexRoot& r) { r.entry_count = 50'000'001; }));
  c.not_opened("root_sums_past_53_bits", "malformed",
               "Root and manifest have a sum of sizes that JSON cannot hold exactly.",
               with([](IndexRoot& r) { r.content_bytes = UINT64_MAX; }));
  c.not_opened("root_without_pages", "malformed",
               "The root lists no pages, although there are some.",
               with([](IndexRoot& r) { r.pages.clear(); }));
  c.not_opened("root_lists_page_less", "malformed", "The root does not list the last page.",
               with([](IndexRoot& r) { r.pages.pop_back(); }));
  c.not_opened("root_lists_page_twice", "malformed", "The root lists a page twice.",
               with([](IndexRoot& r) { r.pages.push_back(r.pages[1]); }));
  c.not_opened("root_pages_exchanged", "malformed", "The root lists its pages in the wrong order.",
               with([](IndexRoot& r) { std::swap(r.pages[0], r.pages[1]); }));
  c.not_opened("root_page_offset_huge", "malformed",
               "A page lies at an offset with which sums overflow.",
               with([](IndexRoot& r) { r.pages[1].offset = UINT64_MAX - 8; }));
  c.not_opened("root_page_size_past_limit", "limit", "A page is larger than a reader allows.",
               with([](IndexRoot& r) { r.pages[1].payload_size = (64u << 20) + 1; }));
  c.not_verified("root_page_offset_beside", "malformed",
                 "The first page lies one byte beside where the root says.",
                 with([](IndexRoot& r) { --r.pages[0].offset; }));
  c.not_verified("root_page_digest_differs", "content-mismatch",
                 "The root has another digest of a page.",
                 with([](IndexRoot& r) { r.pages[1].digest[3] ^= 1; }));
  c.not_verified("root_first_path_differs", "malformed",
                 "The root has another first path of a page.",
                 with([](IndexRoot& r) { r.pages[1].first_path = "b"; }));
  c.not_opened("root_first_path_invalid", "malformed",
               "The path of a page's first entry, as the root has it, breaks the line.",
               with([](IndexRoot& r) { r.pages[1].first_path = "b\n1"; }));
  c.not_opened("root_first_path_too_long", "limit",
               "The path of a page's first entry, as the root has it, is longer than 1024 bytes.",
               with([](IndexRoot& r) { r.pages[1].first_path = std::string(1025, 'b'); }));
  c.not_opened("root_first_paths_descend", "malformed",
               "The first paths in the root do not ascend.",
               with([](IndexRoot& r) { r.pages[1].first_path = "A"; }));
  root_forms(c);
  return c.take();
}

}  // namespace oa::archive
