// Archives whose signer lies or errs: everything is signed, the parts contradict each other or ask
// for too much.
#include <gtest/gtest.h>

#include <algorithm>

#include "archive_fixture.h"
#include "entry_layout.h"
#include "frame.h"
#include "seek_table.h"

namespace oa::archive {
namespace {

std::vector<ForgedEntry> three() { return {{.path = "a"}, {.path = "b"}, {.path = "c"}}; }

Forgery forgery() { return {.entries = three()}; }

std::string_view name_of(const Status& status) {
  return status.ok() ? "" : error_info(status.error().code).name;
}

void expect_refusal(const Forgery& made, std::string_view name, std::string_view mentions) {
  const Status status = open_and_verify(made.make(), false, {}, 1);
  EXPECT_EQ(name_of(status), name);
  if (!status.ok()) {
    EXPECT_NE(status.error().message.find(mentions), std::string::npos) << status.error().message;
  }
}

TEST(ForgeryTest, AnHonestOneIsAccepted) {
  auto honest = forgery();
  honest.edit_manifest = [](Manifest& manifest) { manifest.format_minor = kFormatMinor; };
  const Bytes forged = honest.make();
  EXPECT_EQ(refusal(forged, true), "");
  EXPECT_TRUE(forged == write_archive({{"a", {1, 2, 3}}, {"b", {1, 2, 3}}, {"c", {1, 2, 3}}}));
}

TEST(ForgeryTest, EntryMissing) {
  for (const std::size_t i : {0u, 1u, 2u}) {
    auto made = forgery();
    made.entries[i].in_tar = false;
    expect_refusal(made, "archive/entry-missing", quoted_path(made.entries[i].path));
  }
}

TEST(ForgeryTest, EntryUnlisted) {
  for (const std::size_t i : {0u, 1u, 2u}) {
    auto made = forgery();
    made.entries[i].in_index = false;
    expect_refusal(made, "archive/entry-unlisted", quoted_path(made.entries[i].path));
  }
}

TEST(ForgeryTest, EntryRenamed) {
  auto made = forgery();
  made.entries[1].tar_path = "bb";
  expect_refusal(made, "archive/entry-unlisted", "'bb'");
}

TEST(ForgeryTest, EntrySwappedOrTwice) {
  auto made = forgery();
  std::swap(made.entries[0].tar_path, made.entries[1].path);  // the tar calls them b, b, c
  made.entries[0].tar_path = "b";
  made.entries[1] = {.path = "b", .tar_path = "a"};
  expect_refusal(made, "archive/entry-missing", "'a'");
  made = forgery();
  made.entries.insert(made.entries.begin() + 1, {.path = "a", .in_index = false});
  expect_refusal(made, "archive/entry-unlisted", "'a'");
  made = forgery();
  made.entries.insert(made.entries.begin() + 1, {.path = "a"});
  expect_refusal(made, "archive/malformed", "do not ascend");
}

TEST(ForgeryTest, PathsThatLeaveTheFolder) {
  for (const char* path :
       {"../a", "/etc/passwd", "a/../../b", "signatures/a.sig", "manifest.json", "a\\b"}) {
    Forgery made;
    made.entries = {{.path = "!"}, {.path = path}};
    expect_refusal(made, "archive/malformed", "no valid path");
    made.entries = {{.path = "a"}, {.path = path, .in_index = false}};
    expect_refusal(made, "archive/entry-unlisted", path);
  }
}

TEST(ForgeryTest, PathsBelowAnotherEntry) {
  for (const char* below : {"f/1", "f/1/2", "f.sig/1"}) {
    const Forgery forgery{.entries = {{.path = "f"}, {.path = "f-x"}, {.path = below}}};
    EXPECT_EQ(refusal(forgery.make()), "archive/malformed");
  }
}

TEST(ForgeryTest, LinksAndDevices) {
  for (const char type : {'1', '2', '3', '4', '5', '6', '7', 'g', 'L'}) {
    auto made = forgery();
    made.entries[1].type = type;
    expect_refusal(made, "archive/malformed", "'b'");
    made.entries[1].in_index = false;
    expect_refusal(made, "archive/entry-unlisted", "'b'");
  }
}

TEST(ForgeryTest, ContentDiffersFromTheIndex) {
  auto made = forgery();
  made.edit_plain = [](Bytes& plain) { plain[kTarBlock] ^= 1; };
  expect_refusal(made, "archive/content-mismatch", "'a'");
  made.edit_plain = [](Bytes& plain) { plain[kTarBlock + 3] = 1; };
  expect_refusal(made, "archive/malformed", "padding");
  made.edit_plain = [](Bytes& plain) { plain.resize(plain.size() + kTarBlock); };
  expect_refusal(made, "archive/malformed", "more than its entries");
  made = forgery();
  made.edit_entry = [](EntryInfo& info) { info.size += info.path == "b" ? 1 : 0; };
  expect_refusal(made, "archive/malformed", "'b'");
}

TEST(ForgeryTest, ReadReturnsNothingThatDiffersFromItsDigest) {
  auto made = forgery();
  made.edit_plain = [](Bytes& plain) { plain[kTarBlock] ^= 1; };
  const MemorySource source(made.make());
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  EXPECT_EQ(reader->read("a", 10).error().code, ErrorCode::kArchiveContentMismatch);
  EXPECT_TRUE(reader->read("b", 10).ok());
}

TEST(ForgeryTest, FrameDigestAndBareFrames) {
  auto made = forgery();
  made.edit_frame = [](FrameRecord& frame) { frame.digest[5] ^= 1; };
  expect_refusal(made, "archive/content-mismatch", "damaged");
  made = forgery();
  made.with_bare_frame = true;
  expect_refusal(made, "archive/entry-unlisted", "holds nothing");
}

TEST(ForgeryTest, SignaturesOfEntries) {
  auto made = forgery();
  made.entries[1].signature_of = "c";
  EXPECT_EQ(refusal(made.make(), true), "archive/signature-invalid");
  made = forgery();
  made.entries[2].signed_by_other = true;
  const Bytes archive = made.make();
  EXPECT_EQ(refusal(archive, true), "archive/signature-invalid");
  EXPECT_EQ(refusal(archive, false), "") << "the manifest and every hash are right";
}

TEST(ForgeryTest, SignatureOfTheManifest) {
  auto made = forgery();
  made.key = 2;
  expect_refusal(made, "archive/signature-invalid", "first line");
  made.edit_signature = [](std::string& text) {
    text = untrusted_line(test_key(1).public_key()).append(text.substr(text.find('\n') + 1));
  };
  expect_refusal(made, "archive/signature-invalid", "another key");
  made = forgery();
  made.edit_signature = [](std::string& text) { text.replace(text.find("key "), 4, "kex "); };
  expect_refusal(made, "archive/signature-invalid", "first line");
  made.edit_signature = [](std::string& text) {
    text = test_key(1).sign(Blake2b::of({}), "archive=x size=0 path=manifest.json");
  };
  expect_refusal(made, "archive/signature-invalid", "does not verify");
  // Signed, but for another archive.
  std::string manifest_text;
  made.edit_manifest_text = [&](std::string& text) { manifest_text = text; };
  made.edit_signature = [&](std::string& text) {
    text = test_key(1).sign(Blake2b::of(as_bytes(manifest_text)),
                            trusted_comment(ArchiveId{}, kManifestPath, manifest_text.size()));
  };
  expect_refusal(made, "archive/signature-invalid", "another archive");
}

TEST(ForgeryTest, ManifestContradictsTheIndex) {
  auto made = forgery();
  made.edit_manifest = [](Manifest& manifest) { manifest.index_root[0] ^= 1; };
  expect_refusal(made, "archive/content-mismatch", "index");
  made.edit_manifest = [](Manifest& manifest) { manifest.content_hash[0] ^= 1; };
  expect_refusal(made, "archive/content-mismatch", "content hash");
  made.edit_manifest = [](Manifest& manifest) { ++manifest.entry_count; };
  expect_refusal(made, "archive/malformed", "count");
  made.edit_manifest = [](Manifest& manifest) { --manifest.content_bytes; };
  expect_refusal(made, "archive/malformed", "count");
}

std::function<void(std::string&)> replace(const std::string& from, const std::string& to) {
  return [=](std::string& text) {
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
  };
}

TEST(ForgeryTest, Versions) {
  auto made = forgery();
  made.edit_manifest_text = replace(R"("major":1)", R"("major":2)");
  expect_refusal(made, "archive/version-unsupported", "2.0");
  made.edit_manifest_text = replace(R"("major":1)", R"("major":0)");
  expect_refusal(made, "archive/version-unsupported", "0.0");
  made.edit_manifest_text = replace(R"("minor":0)", R"("minor":7)");
  EXPECT_EQ(refusal(made.make()), "");
  made.edit_manifest_text = replace(R"("minor":0},)", R"("minor":7},"future":[1],)");
  EXPECT_EQ(refusal(made.make()), "");
  for (std::uint32_t minor = 0; minor <= kFormatMinor + 1; ++minor) {
    const std::string version = "\"minor\":" + std::to_string(minor);
    made.edit_manifest_text = replace(R"("minor":0)", version);
    EXPECT_EQ(refusal(made.make()), "") << version;
    made.edit_manifest_text = replace(R"("minor":0},)", version + R"(},"future":[1],)");
    if (minor <= kFormatMinor) {
      expect_refusal(made, "archive/malformed", "shape");
    } else {
      EXPECT_EQ(refusal(made.make()), "") << version;
    }
  }
}

TEST(ForgeryTest, ManifestsOfAnotherForm) {
  const std::pair<std::string, std::string> edits[] = {
      {"{", "{ "},                                    // not canonical
      {"{", "["},                                     // not JSON
      {R"("entry_count":3)", R"("entry_count":-3)"},  // not a number of entries
      {R"("entry_count":3,)", ""},
      {R"("datasets":1)", R"("datasets":1.5)"},
      {"2026-04-16T09:42:11.134000Z", "2026-04-16T09:42:11.134Z"},
      {"2026-04-16T09:42:11.134000Z", "1926-04-16T09:42:11.134000Z"},
      {R"("content_hash":")", R"("content_hash":"0)"},
      {R"("key_id":"01)", R"("key_id":"02)"},
      {R"("format":{"major":1,"minor":0},)", ""},
  };
  for (const auto& [from, to] : edits) {
    auto made = forgery();
    made.edit_manifest_text = replace(from, to);
    expect_refusal(made, "archive/malformed", "");
  }
}

TEST(ForgeryTest, ExpansionBombAndHugeSizes) {
  auto made = forgery();
  made.edit_frame = [](FrameRecord& frame) { frame.plain_size = std::uint32_t{15} << 20; };
  expect_refusal(made, "archive/limit", "expands");
  made.edit_frame = [](FrameRecord& frame) { frame.plain_size = std::uint32_t{3} << 30; };
  expect_refusal(made, "archive/limit", "larger than the limit");
  made.edit_frame = [](FrameRecord& frame) { frame.plain_size += 512; };
  expect_refusal(made, "archive/malformed", "decompress");
  made.edit_frame = [](FrameRecord& frame) { frame.stored_size -= 1; };
  expect_refusal(made, "archive/malformed", "");
  made = forgery();
  made.edit_entry = [](EntryInfo& info) { info.size = std::uint64_t{1} << 50; };
  expect_refusal(made, "archive/limit", "entry");
  made.edit_entry = [](EntryInfo& info) { info.size = std::uint64_t{1} << 40; };
  expect_refusal(made, "archive/malformed", "no such chunks");
}

TEST(ForgeryTest, LimitsOfTheReader) {
  const Bytes archive = forgery().make();
  const auto refused = [&](const Limits& limits) { return refusal(archive, false, limits); };
  EXPECT_EQ(refused({.max_entries = 2}), "archive/limit");
  EXPECT_EQ(refused({.max_entries = 3}), "");
  EXPECT_EQ(refused({.max_path_bytes = 0}), "archive/limit");
  EXPECT_EQ(refused({.max_entry_bytes = 2}), "archive/limit");
  EXPECT_EQ(refused({.max_manifest_bytes = 100}), "archive/limit");
  EXPECT_EQ(refused({.max_frame_bytes = 100}), "archive/limit");
  EXPECT_EQ(refused({.max_index_page_bytes = 100}), "archive/limit");
  EXPECT_EQ(refused({.max_expansion = 1}), "archive/limit");
}

// Whatever a signed index page says, decoding it neither crashes nor allocates beyond its own size.
TEST(ForgeryTest, DamagedIndexPagesAreDecodedSafely) {
  IndexBuilder builder;
  builder.add_frame({.stored_size = 5000, .plain_size = 9000}, true);
  for (const char* path : {"a/one", "a/two", "b"}) builder.add_small({path, 100, {}}, 1000);
  const Bytes page = *builder.finish_page();
  const Bytes payload(page.begin() + kSkippableHeaderSize, page.end());
  ASSERT_TRUE(decode_index_page(payload, 0, 5000, {}).ok());
  for (std::size_t size = 0; size < payload.size(); ++size) {
    EXPECT_FALSE(decode_index_page(ByteView(payload).first(size), 0, 5000, {}).ok());
  }
  for (std::size_t i = 0; i < payload.size(); ++i) {
    for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
      Bytes changed = payload;
      changed[i] = static_cast<std::uint8_t>(value);
      const auto decoded = decode_index_page(changed, 0, 5000, {});
      if (!decoded.ok()) continue;
      for (const auto& entry : decoded->entries)
        EXPECT_LE(entry.offset + entry.info.size, decoded->frames[0].plain_size);
    }
  }
  const Bytes root = builder.finish_root();
  const Bytes root_payload(root.begin() + kSkippableHeaderSize, root.end());
  ASSERT_TRUE(decode_index_root(root_payload, {}).ok());
  for (std::size_t size = 0; size < root_payload.size(); ++size) {
    EXPECT_FALSE(decode_index_root(ByteView(root_payload).first(size), {}).ok());
  }
}

Bytes payload_of(const Bytes& skippable) {
  return {skippable.begin() + kSkippableHeaderSize, skippable.end()};
}

TEST(ForgeryTest, RootNamesOnlyPathsThatAnEntryMayHave) {
  const auto code_for = [](const std::string& path, const Limits& limits) {
    const auto root =
        decode_index_root(encode_index_root({148, 1, 3, {{40, 100, {}, path}}}), limits);
    return root.ok() ? std::string_view() : error_info(root.error().code).name;
  };
  EXPECT_EQ(code_for("a", {}), "");
  for (const char* path : {"../a", "/a", "a\x1b[2J", "a\xff", "signatures/a.sig"})
    EXPECT_EQ(code_for(path, {}), "archive/malformed") << path;
  EXPECT_EQ(code_for("four", {.max_path_bytes = 3}), "archive/limit");
}

TEST(ForgeryTest, RootWhosePagesWrapAroundTheOffsets) {
  constexpr std::uint64_t kEnd = ~std::uint64_t{0};
  const IndexRoot root{kEnd, 2, 6, {{kEnd - 20, 28, {}, "a"}, {kEnd - 20, 12, {}, "b"}}};
  EXPECT_EQ(decode_index_root(encode_index_root(root), {}).error().code,
            ErrorCode::kArchiveMalformed);
}

TEST(ForgeryTest, PageHasOneEncodingOnly) {
  IndexBuilder builder;
  builder.add_frame({.stored_size = 5000, .plain_size = 9000}, true);
  for (const char* path : {"a/one", "a/two"}) builder.add_small({path, 100, {}}, 1000);
  Bytes payload = payload_of(*builder.finish_page());
  ASSERT_TRUE(decode_index_page(payload, 0, 5000, {}).ok());
  // The second entry: frame 0, offset in two bytes, 2 bytes shared, 3 more. Now 1 and 4.
  const Bytes second = {0, 0xe8, 7, 2, 3, 100, 't'};
  const auto found = std::ranges::search(payload, second).begin();
  ASSERT_NE(found, payload.end());
  found[3] = 1;
  found[4] = 4;
  payload.insert(found + 6, '/');
  const auto page = decode_index_page(payload, 0, 5000, {});
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code, ErrorCode::kArchiveMalformed);
}

TEST(ForgeryTest, PathsThatGrowFarBeyondTheirPage) {
  IndexBuilder builder;
  builder.add_frame({.stored_size = 5000, .plain_size = 9000}, true);
  const std::string prefix(1000, 'p');
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    builder.add_small({prefix + name, 1, {}}, 0);
  const Bytes payload = payload_of(*builder.finish_page());
  ASSERT_LT(payload.size(), 2000u);
  EXPECT_TRUE(decode_index_page(payload, 0, 5000, {}).ok());
  const auto page = decode_index_page(payload, 0, 5000, {.max_index_page_bytes = 4000});
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code, ErrorCode::kArchiveLimit);
}

TEST(ForgeryTest, LongUnlistedPathsAreWholeInTheMessage) {
  std::string path = "w";
  while (path.size() < 1101) path += "\u00e9";
  auto made = forgery();
  made.entries[0].tar_path = path;
  const Status status = open_and_verify(made.make(), false, {}, 1);
  ASSERT_EQ(name_of(status), "archive/entry-unlisted");
  EXPECT_TRUE(is_utf8(status.error().message));
  EXPECT_NE(status.error().message.find(quoted_path(path)), std::string::npos);
}

// A genuine archive with a seek table of 32 GiB behind it, as a sparse file would hold it.
class HugeTableSource final : public RangedSource {
 public:
  explicit HugeTableSource(Bytes archive) {
    const auto footer = *read_seek_footer(archive);
    const ByteView rows = ByteView(archive).last(kSeekFooterSize + 2 * kSeekEntrySize);
    tail_.assign(rows.begin(), rows.end());
    std::fill_n(tail_.begin() + 2 * kSeekEntrySize, 4, std::uint8_t{0xff});
    archive.resize(archive.size() - footer.table_size);
    head_ = std::move(archive);
  }
  std::uint64_t size() const override {
    return head_.size() + kSkippableHeaderSize + kSeekEntrySize * std::uint64_t{0xffffffff} +
           kSeekFooterSize;
  }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    const std::uint64_t tail_at = size() - tail_.size();
    for (auto& byte : out) {
      byte = offset < head_.size() ? head_[offset] : offset < tail_at ? 0 : tail_[offset - tail_at];
      ++offset;
    }
    return {};
  }

 private:
  Bytes head_, tail_;
};

TEST(ForgeryTest, SeekTableIsNotReadBeyondTheLengthItMustHave) {
  const HugeTableSource source(forgery().make());
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  const auto report = reader->verify({false, 1}, no_progress());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kArchiveMalformed);
}

TEST(ForgeryTest, SeekTableThatPointsElsewhere) {
  const Bytes archive = forgery().make();
  for (const std::uint32_t count : {0u, 1u, 2u, 100000u, 0xffffffffu}) {
    Bytes changed = archive;
    Bytes text;
    append_le(text, count);
    std::ranges::copy(text, changed.end() - kSeekFooterSize);
    EXPECT_TRUE(refusal(changed).starts_with("archive/")) << count;
  }
}

}  // namespace
}  // namespace oa::archive
