#include <gtest/gtest.h>

#include <mutex>

#include "archive_fixture.h"

namespace oa::archive {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

Contents mixed_contents() {
  Contents contents;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    contents["w/" + std::to_string(i % 7) + "/" + std::to_string(i) + ".json"] = noise(i % 900, i);
  }
  contents["w/3/large"] = noise(9 * kMiB + 5, 1);
  contents["w/3/large2"] = pattern(6 * kMiB);
  contents["z"] = {1};
  return contents;
}

struct Visited {
  Status status;
  Contents contents;
};

// Keeps what came out of each content, also when it then failed.
Visited visit_all(const ArchiveReader& reader, const std::vector<std::string>& prefixes,
                  unsigned threads) {
  Visited visited;
  std::mutex mutex;
  visited.status = reader.for_each_content(
      prefixes, threads, no_progress(),
      [&](const EntryInfo& entry, const EntryContent& content) -> Status {
        MemorySink sink;
        const Status copied = content(sink);
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(visited.contents.emplace(entry.path, sink.take()).second) << entry.path;
        return copied;
      });
  return visited;
}

Contents selected(const Contents& contents, const std::vector<std::string>& prefixes) {
  Contents out;
  for (const auto& [path, content] : contents) {
    if (prefixes.empty() || std::ranges::any_of(prefixes, [&](const std::string& prefix) {
          return path.starts_with(prefix);
        }))
      out[path] = content;
  }
  return out;
}

TEST(ContentVisits, SelectionsAreVisitedOnceWhateverTheThreads) {
  const Contents contents = mixed_contents();
  const MemorySource source(write_archive(contents));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  const std::vector<std::vector<std::string>> selections = {
      {},           {""},
      {"w/3/"},     {"w/3/large"},
      {"z", "w/1"}, {"w/5/1", "w/5/", "w/5/12", "w/6/33", "none"},
      {"a"},        {"zz"}};
  for (const auto& prefixes : selections) {
    for (const unsigned threads : {1u, 2u, 5u}) {
      const auto visited = visit_all(*reader, prefixes, threads);
      ASSERT_TRUE(visited.status.ok());
      EXPECT_TRUE(visited.contents == selected(contents, prefixes));
    }
  }
}

TEST(ContentVisits, AnEmptyArchiveHasNothingToVisit) {
  const MemorySource source(write_archive({}));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  EXPECT_TRUE(visit_all(*reader, {}, 2).status.ok());
}

TEST(ContentVisits, NothingDamagedGoesOutAndTheFirstFailureIsTold) {
  const Contents contents = mixed_contents();
  const Bytes archive = write_archive(contents);
  for (std::size_t at = 1000; at < archive.size() - 2000; at += archive.size() / 37) {
    Bytes damaged = archive;
    damaged[at] ^= 0x10;
    const MemorySource source(damaged);
    const auto reader = ArchiveReader::open(source, trust_key(1));
    if (!reader.ok()) continue;  // in the root
    std::string told;
    for (const unsigned threads : {1u, 3u}) {
      const auto visited = visit_all(**reader, {}, threads);
      ASSERT_FALSE(visited.status.ok()) << at;
      EXPECT_EQ(visited.status.error().code, ErrorCode::kArchiveContentMismatch);
      if (threads == 1) told = visited.status.error().message;
      EXPECT_EQ(visited.status.error().message, told);
      for (const auto& [path, content] : visited.contents) {
        const ByteView whole = contents.at(path);
        ASSERT_LE(content.size(), whole.size());
        EXPECT_TRUE(std::ranges::equal(content, whole.first(content.size()))) << path;
      }
    }
  }
}

TEST(ContentVisits, TheVisitorMaySkipAndMayStop) {
  const MemorySource source(write_archive(mixed_contents()));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  std::atomic<int> seen = 0;
  EXPECT_TRUE(reader
                  ->for_each_content({}, 3, no_progress(),
                                     [&](const EntryInfo&, const EntryContent&) -> Status {
                                       ++seen;
                                       return {};
                                     })
                  .ok());
  EXPECT_EQ(seen, 3003);
  const auto stopped = reader->for_each_content(
      {}, 3, no_progress(), [&](const EntryInfo& entry, const EntryContent&) -> Status {
        if (entry.path != "w/3/large") return {};
        return make_error(ErrorCode::kDiskFull, "test", "full");
      });
  EXPECT_EQ(stopped.error().code, ErrorCode::kDiskFull);
}

}  // namespace
}  // namespace oa::archive
