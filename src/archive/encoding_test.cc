#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <zstd.h>

#include "archive_fixture.h"
#include "entry_layout.h"
#include "frame.h"
#include "manifest_codec.h"
#include "seek_table.h"
#include "tar.h"

namespace oa::archive {
namespace {

TEST(Tar, HeaderSizesAreAsAnnounced) {
  for (std::size_t size = 1; size <= kMaxPathSize + 20; ++size) {
    for (std::string path : {std::string(size, 'a'),
                             std::string(size / 2, 'd') + "/" + std::string(size / 2 + 1, 'f')}) {
      for (const std::uint64_t content : {std::uint64_t{0}, kMaxUstarNumber, kMaxUstarNumber + 1}) {
        Bytes header;
        append_tar_header(header, path, content, 7);
        ASSERT_EQ(header.size(), tar_header_size(path, content)) << path;
        const auto seen = look_at_tar_header(header);
        EXPECT_TRUE(seen.is_header);
        EXPECT_EQ(seen.path, path);
      }
    }
  }
}

TEST(Tar, DamagedHeadersAreNotTakenForHeaders) {
  Bytes header;
  append_tar_header(header, "a/b", 5, 7);
  for (std::size_t i = 0; i < header.size(); ++i) {
    Bytes changed = header;
    changed[i] ^= 0x10;
    const bool in_unused_checksum_byte = i == 154 || i == 155;
    EXPECT_EQ(look_at_tar_header(changed).is_header, in_unused_checksum_byte) << i;
  }
  EXPECT_FALSE(look_at_tar_header(ByteView(header).first(511)).is_header);
}

TEST(Frames, RawFramesAreZstandardFrames) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kRawBlockSize - 1, kRawBlockSize,
                                 kRawBlockSize + 1, kChunkSize - 1, kChunkSize}) {
    const Bytes plain = noise(size, 1);
    RawFrame frame(size, Bytes(100, 7));
    ByteView rest = plain;
    while (!rest.empty())
      rest = rest.subspan(frame.append(rest.first(std::min<std::size_t>(rest.size(), 99999))));
    ASSERT_TRUE(frame.full());
    EXPECT_EQ(frame.frame().size(), raw_frame_size(size));
    Bytes decoded(size);
    EXPECT_EQ(ZSTD_decompress(decoded.data(), size, frame.frame().data(), frame.frame().size()),
              size);
    EXPECT_TRUE(decoded == plain);
    EXPECT_TRUE(decode_raw_frame(frame.frame()) == plain);
    Bytes changed = frame.frame();
    changed.push_back(0);
    EXPECT_FALSE(decode_raw_frame(changed));
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{4}, std::size_t{6}, std::size_t{9}, std::size_t{11}}) {
      changed = frame.frame();
      changed[at] ^= 2;
      EXPECT_FALSE(decode_raw_frame(changed)) << size << " " << at;
    }
  }
}

TEST(Frames, CompressedAndBack) {
  FrameCompressor compressor(3);
  rc::check("decompressed is what was compressed", [&] {
    const std::size_t size = *rc::gen::inRange<std::size_t>(0, 3000000);
    const Bytes plain = *rc::gen::arbitrary<bool>() ? noise(size, 4) : pattern(size);
    const Bytes frame = *compressor.compress(plain);
    Bytes decoded;
    RC_ASSERT(decompress_frame(frame, size, decoded));
    RC_ASSERT(decoded == plain);
    RC_ASSERT(frame.size() <= raw_frame_size(size));
    RC_ASSERT(!decompress_frame(frame, size + 1, decoded));
    RC_ASSERT(!decompress_frame(ByteView(frame).first(frame.size() - 1), size, decoded));
  });
}

TEST(Frames, NothingExpandsLikeABomb) {
  FrameCompressor compressor(3);
  const Bytes zeros(kChunkSize, 0);
  EXPECT_GE((*compressor.compress(zeros)).size() * kMaxWrittenExpansion, zeros.size());
  RawFrame chunk(kChunkSize);
  chunk.append(zeros);
  EXPECT_FALSE(compressor.compress_chunk(chunk)->has_value());
}

TEST(Frames, ChunksThatDoNotCompressAreStored) {
  FrameCompressor compressor(3);
  RawFrame random(kChunkSize), text(kChunkSize);
  random.append(noise(kChunkSize, 1));
  text.append(pattern(kChunkSize));
  EXPECT_FALSE(compressor.compress_chunk(random)->has_value());
  EXPECT_LT((*compressor.compress_chunk(text))->size(), kChunkSize / 100);
}

TEST(SeekTableTest, LeadsToEveryFrame) {
  const Contents contents{
      {"a", pattern(700000)}, {"b", noise(9000000, 1)}, {"c", pattern(900000)}, {"d", {1}}};
  const Bytes archive = write_archive(contents);
  const auto footer = *read_seek_footer(archive);
  const std::size_t table = archive.size() - footer.table_size;
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < footer.frame_count; ++i) {
    const auto row = ByteView(archive).subspan(table + kSkippableHeaderSize + i * kSeekEntrySize);
    const auto stored = read_le<std::uint32_t>(row), plain = read_le<std::uint32_t>(row.subspan(4));
    EXPECT_EQ(ZSTD_findFrameCompressedSize(&archive[at], archive.size() - at), stored);
    Bytes out(plain);
    EXPECT_EQ(ZSTD_decompress(out.data(), plain, &archive[at], stored), plain);
    at += stored;
  }
  EXPECT_EQ(at, table);
}

TEST(Index, PagesAreCutAndFoundAgain) {
  IndexBuilder builder;
  std::vector<Bytes> pages;
  std::vector<EntryInfo> entries;
  const auto keep = [&](std::optional<Bytes> page) {
    if (page) pages.push_back(std::move(*page));
  };
  for (int f = 0; f < 40; ++f) {
    keep(builder.add_frame({.stored_size = 1000, .plain_size = 1 << 20}, true));
    for (int e = 0; e < 400; ++e) {
      const std::string path = "w/" + std::to_string(1000 + f) + "/" + std::to_string(1000 + e);
      entries.push_back({path, static_cast<std::uint64_t>(e), Blake2b::of(as_bytes(path))});
      builder.add_small(entries.back(), static_cast<std::size_t>(e) * 2048);
    }
    // A large entry behind every second frame.
    if (f % 2 == 1) continue;
    entries.push_back({"w/" + std::to_string(1000 + f) + "/x", kChunkSize + 1, {}});
    keep(builder.add_frame({.stored_size = 3000, .plain_size = kChunkSize}, false));
    keep(builder.add_frame({.stored_size = 10, .plain_size = 1}, false));
    builder.add_large(entries.back());
  }
  keep(builder.finish_page());
  EXPECT_GT(pages.size(), 3u);
  const Bytes root_frame = builder.finish_root();
  const auto root = *decode_index_root(ByteView(root_frame).subspan(kSkippableHeaderSize), {});
  ASSERT_EQ(root.pages.size(), pages.size());
  EXPECT_EQ(root.entry_count, entries.size());
  auto expected = entries.begin();
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto payload = ByteView(pages[i]).subspan(kSkippableHeaderSize);
    EXPECT_EQ(blake3(payload), root.pages[i].digest);
    const auto page = *decode_index_page(payload, begin, root.pages[i].offset, {});
    EXPECT_EQ(page.entries.front().info.path, root.pages[i].first_path);
    for (const auto& entry : page.entries) {
      EXPECT_EQ(entry.info.path, expected->path);
      EXPECT_EQ(entry.info.size, expected->size);
      EXPECT_EQ(entry.info.digest, expected->digest);
      ++expected;
    }
    begin = root.pages[i].offset + pages[i].size();
  }
  EXPECT_EQ(expected, entries.end());
}

TEST(ManifestCodec, RoundTrip) {
  Manifest manifest;
  manifest.archive_id = test_options().archive_id;
  manifest.snapshot_time = test_options().snapshot_time;
  manifest.content = test_manifest();
  manifest.signer = test_key(1).public_key();
  manifest.entry_count = 1234567890123456u;
  manifest.content_bytes = std::uint64_t{1} << 53;
  manifest.content_hash.fill(0xab);
  const std::string text = encode_manifest(manifest);
  const auto decoded = decode_manifest(text);
  ASSERT_TRUE(decoded.ok()) << decoded.error().cause;
  EXPECT_EQ(encode_manifest(*decoded), text);
  EXPECT_EQ(decoded->content_bytes, manifest.content_bytes);
  EXPECT_EQ(decoded->content_hash, manifest.content_hash);
  ++manifest.content_bytes;
  EXPECT_FALSE(decode_manifest(encode_manifest(manifest)).ok()) << "no double holds this number";
}

TEST(EntryLayout, SizesAreThoseOfTheTexts) {
  const auto key = test_key(1);
  const auto options = test_options();
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{10}, std::uint64_t{123456789012}}) {
    for (const std::string path : {"a", "some/longer/path.json"}) {
      const auto text = key.sign(Blake2bDigest{}, trusted_comment(options.archive_id, path, size));
      EXPECT_EQ(text.size(), signature_size(path, size));
      EXPECT_TRUE(text.starts_with(untrusted_line(key.public_key())));
    }
  }
}

}  // namespace
}  // namespace oa::archive
