#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <thread>

#include "archive_fixture.h"
#include "entry_layout.h"
#include "frame.h"
#include "manifest_codec.h"

namespace oa::archive {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

Contents read_all_entries(const ArchiveReader& reader) {
  Contents contents;
  EXPECT_TRUE(reader
                  .for_each("",
                            [&](const EntryInfo& entry) -> Status {
                              OA_ASSIGN(contents[entry.path], reader.read(entry.path, 64 * kMiB));
                              EXPECT_EQ(entry.size, contents[entry.path].size());
                              return {};
                            })
                  .ok());
  return contents;
}

void expect_round_trip(const Contents& contents) {
  const MemorySource source(write_archive(contents));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  EXPECT_TRUE(reader->signer_trusted());
  EXPECT_EQ(reader->manifest().entry_count, contents.size());
  EXPECT_TRUE(read_all_entries(*reader) == contents);
  const auto report = reader->verify({.every_signature = true, .threads = 2}, no_progress());
  ASSERT_TRUE(report.ok()) << report.error().message << " " << report.error().cause;
  EXPECT_EQ(report->entries, contents.size());
  EXPECT_EQ(report->archive_bytes, source.size());
  EXPECT_EQ(report->signatures_checked, contents.size() + 1);
}

// Bytes of the tar stream: every entry, the manifest, and the two blocks at the end.
std::uint64_t tar_size_of(const Contents& contents, const ArchiveReader& reader) {
  const std::string manifest = encode_manifest(reader.manifest());
  std::uint64_t size = tar_size(kManifestPath, manifest.size()) + 2 * kTarBlock;
  for (const auto& [path, content] : contents) size += tar_size(path, content.size());
  return size;
}

TEST(RoundTrip, Empty) { expect_round_trip({}); }

TEST(RoundTrip, SizesAroundEveryBorder) {
  Contents contents;
  std::uint32_t seed = 0;
  for (const std::size_t border :
       {std::size_t{0}, kTarBlock, kRawBlockSize, kPackSize, kChunkSize, 2 * kChunkSize}) {
    for (const int step : {-1, 0, 1}) {
      if (border == 0 && step < 0) continue;
      const std::size_t size = border + static_cast<std::size_t>(step);
      const std::string name = std::to_string(size);
      contents["n/" + name] = noise(size, ++seed);
      contents["p/" + name] = pattern(size);
      contents["z/" + name] = Bytes(size, 0);
    }
  }
  expect_round_trip(contents);
}

TEST(Parts, FollowEachOtherAndHoldEverything) {
  for (const std::size_t large_size : {std::size_t{0}, kPackSize + 1, 2 * kChunkSize}) {
    Contents contents;
    for (int i = 0; i < 3000; ++i)
      contents["a/" + std::to_string(i) + std::string(100, 'n')] = noise(200, 1);
    if (large_size > 0) contents["b"] = noise(large_size, 2);
    const Bytes archive = write_archive(contents);
    const MemorySource source(archive);
    const auto reader = *ArchiveReader::open(source, trust_key(1));
    std::uint64_t end = 0, plain = 0, begin_in_frames = 0, listed = 0, pages = 0;
    std::vector<PartInfo::Kind> last;
    const Status walked = reader->for_each_part([&](const PartInfo& part) -> Status {
      EXPECT_EQ(part.offset, end);
      end += part.stored_size;
      plain += part.plain_size;
      const auto magic = read_le<std::uint32_t>(ByteView(archive).subspan(part.offset));
      const bool frame =
          part.kind == PartInfo::Kind::kContentFrame || part.kind == PartInfo::Kind::kManifest;
      EXPECT_EQ(magic == kZstdMagic, frame);
      EXPECT_EQ(part.plain_size > 0, frame);
      if (part.kind == PartInfo::Kind::kContentFrame) begin_in_frames += part.entries;
      if (part.kind == PartInfo::Kind::kIndexPage) {
        listed += part.entries;
        EXPECT_EQ(part.page, pages++);
      }
      last.push_back(part.kind);
      return {};
    });
    ASSERT_TRUE(walked.ok()) << walked.error().message;
    EXPECT_EQ(end, archive.size());
    EXPECT_EQ(begin_in_frames, contents.size());
    EXPECT_EQ(listed, contents.size());
    EXPECT_GE(pages, 2u);
    ASSERT_GE(last.size(), 3u);
    EXPECT_EQ(std::vector(last.end() - 3, last.end()),
              (std::vector{PartInfo::Kind::kIndexRoot, PartInfo::Kind::kManifest,
                           PartInfo::Kind::kSeekTable}));
    // The whole tar stream: what zstd would unpack.
    std::uint64_t tar = tar_size_of(contents, *reader);
    EXPECT_EQ(plain, tar);
  }
}

TEST(RoundTrip, OneLargeEntryAlone) { expect_round_trip({{"only", noise(kPackSize + 1, 7)}}); }

TEST(RoundTrip, PathsOfEveryLength) {
  Contents contents;
  for (std::size_t size = 90; size <= kMaxPathSize; size += size < 290 ? 1 : 61) {
    contents[std::string(size, 'n')] = {1};
    contents["d/" + std::string(size - 2, 'n')] = {2};
    std::string deep;
    while (deep.size() + 10 < size) deep += "folder-é/";
    contents[deep + std::string(size - deep.size(), 'x')] = {3};
  }
  expect_round_trip(contents);
}

TEST(RoundTrip, AnyContents) {
  rc::check("what was written is read", [] {
    Contents contents;
    const auto count = *rc::gen::inRange(0, 60);
    for (int i = 0; i < count; ++i) {
      const auto kind = *rc::gen::inRange(0, 12);
      const std::size_t size = *rc::gen::inRange<std::size_t>(0, kind == 0  ? 5 * kMiB
                                                                 : kind < 4 ? 300000
                                                                            : 3000);
      const auto path =
          *rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcXYZ019-_. ~")));
      const std::string name = "w/" + std::to_string(*rc::gen::inRange(0, 5)) + "/x" + path;
      contents[name] =
          *rc::gen::arbitrary<bool>() ? noise(size, static_cast<std::uint32_t>(i)) : pattern(size);
    }
    const MemorySource source(write_archive(contents));
    const auto reader = *ArchiveReader::open(source, trust_key(1));
    RC_ASSERT(read_all_entries(*reader) == contents);
    RC_ASSERT(reader->verify({.every_signature = true, .threads = 2}, no_progress()).ok());
  });
}

Contents many_entries() {
  Contents contents;
  for (std::uint32_t i = 0; i < 10000; ++i) {
    const auto id = std::to_string(100000 + i);
    contents["workspaces/" + id.substr(0, 4) + "/reports/" + id + ".json"] = pattern(100 + i % 800);
  }
  contents["workspaces/rows.parquet"] = noise(9 * kMiB, 3);
  return contents;
}

TEST(RoundTrip, SameBytesWhateverTheThreads) {
  const Contents contents = many_entries();
  const Bytes one = write_archive(contents, test_options(1));
  EXPECT_TRUE(one == write_archive(contents, test_options(2)));
  EXPECT_TRUE(one == write_archive(contents, test_options(4)));
}

class CountingSource final : public RangedSource {
 public:
  explicit CountingSource(Bytes bytes) : memory_(std::move(bytes)) {}
  std::uint64_t size() const override { return memory_.size(); }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    ++reads;
    bytes_read += out.size();
    return memory_.read_at(offset, out);
  }
  mutable std::size_t reads = 0;
  mutable std::size_t bytes_read = 0;

 private:
  MemorySource memory_;
};

TEST(RandomAccess, OneEntryOfTenThousandInFourReads) {
  const Contents contents = many_entries();
  const CountingSource source(write_archive(contents));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  const std::string path = "workspaces/1050/reports/105055.json";
  EXPECT_EQ(*reader->read(path, kMiB), contents.at(path));
  EXPECT_LE(source.reads, 4u);
  EXPECT_LT(source.bytes_read, source.size() / 4);
  // Neighbours come from the same frame.
  const std::size_t reads = source.reads;
  EXPECT_TRUE(reader->read("workspaces/1050/reports/105056.json", kMiB).ok());
  EXPECT_EQ(source.reads, reads);
}

TEST(RandomAccess, SmallArchiveInOneRead) {
  const CountingSource source(write_archive({{"a", {1}}, {"b", {2}}}));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  EXPECT_EQ(*reader->read("b", 10), Bytes{2});
  EXPECT_EQ(source.reads, 1u);
}

TEST(RandomAccess, ListAfterGoesThroughAllPages) {
  const Contents contents = many_entries();
  const MemorySource source(write_archive(contents));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  std::size_t calls = 0;
  std::string after;
  auto expected = contents.begin();
  for (;; ++calls) {
    const auto page = reader->list_after(after);
    ASSERT_TRUE(page.ok());
    if (page->empty()) break;
    for (const auto& entry : *page) EXPECT_EQ(entry.path, (expected++)->first);
    after = page->back().path;
  }
  EXPECT_TRUE(expected == contents.end());
  EXPECT_GT(calls, 2u);  // pages
  // From between two entries, whether or not the path is there.
  EXPECT_EQ(reader->list_after("workspaces/1099/reports/109900.json")->front().path,
            "workspaces/1099/reports/109901.json");
  EXPECT_EQ(reader->list_after("workspaces/1099/reports/109900.jso")->front().path,
            "workspaces/1099/reports/109900.json");
  EXPECT_TRUE(reader->list_after("zzz")->empty());
}

TEST(RandomAccess, PrefixesStatAndLimits) {
  const Contents contents = many_entries();
  const MemorySource source(write_archive(contents));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  std::vector<std::string> seen;
  const auto collect = [&](const EntryInfo& entry) -> Status {
    seen.push_back(entry.path);
    return {};
  };
  ASSERT_TRUE(reader->for_each("workspaces/1099/", collect).ok());
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(seen.front(), "workspaces/1099/reports/109900.json");
  ASSERT_TRUE(reader->for_each("nothing/", collect).ok());
  ASSERT_TRUE(reader->for_each("zzz", collect).ok());
  EXPECT_EQ(seen.size(), 100u);
  const auto stop = [](const EntryInfo&) -> Status {
    return make_error(ErrorCode::kCancelled, "test", "enough");
  };
  EXPECT_EQ(reader->for_each("", stop).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(reader->stat("workspaces/rows.parquet")->size, 9 * kMiB);
  EXPECT_EQ(reader->stat("workspaces/1099/reports/109900.jso").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reader->read("a", kMiB).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reader->read("workspaces/rows.parquet", kMiB).error().code, ErrorCode::kLimitExceeded);
  MemorySink rows;
  ASSERT_TRUE(reader->copy("workspaces/rows.parquet", rows).ok());
  EXPECT_TRUE(rows.bytes() == contents.at("workspaces/rows.parquet"));
}

TEST(RandomAccess, ManyReadersAtOnce) {
  const Contents contents = many_entries();
  const MemorySource source(write_archive(contents));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 60; ++i) {
        auto entry = contents.begin();
        std::advance(entry, random() % contents.size());
        const auto content = reader->read(entry->first, 64 * kMiB);
        if (!content.ok() || *content != entry->second) ++wrong;
      }
      if (!reader->verify({.every_signature = false, .threads = 2}, no_progress()).ok()) ++wrong;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Verify, ReportsProgressAndStopsWhenCancelled) {
  struct Recorder final : Progress {
    void begin(std::string_view, std::uint64_t total, std::string_view) override {
      expected = total;
    }
    void update(std::uint64_t now) override {
      EXPECT_GE(now, done);
      done = now;
    }
    bool cancelled() const override { return cancel; }
    std::uint64_t expected = 0, done = 0;
    bool cancel = false;
  } progress;
  const MemorySource source(write_archive({{"a", noise(3 * kMiB, 1)}, {"b", noise(3 * kMiB, 2)}}));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  ASSERT_TRUE(reader->verify({.every_signature = false, .threads = 2}, progress).ok());
  EXPECT_EQ(progress.expected, source.size());
  EXPECT_EQ(progress.done, source.size());
  progress = {};
  progress.cancel = true;
  EXPECT_EQ(reader->verify({.every_signature = false, .threads = 1}, progress).error().code,
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace oa::archive
