// An archive that somebody changed on its way, without the signer's key.
#include <gtest/gtest.h>

#include "archive_fixture.h"
#include "entry_layout.h"
#include "frame.h"

namespace oa::archive {
namespace {

Bytes small_archive() {
  return write_archive({{"a", {}},
                        {"audit/events.ndjson", pattern(700)},
                        {"workspaces/1/metadata.json", noise(40, 1)}});
}

// Refused with an error that stands for a refused archive, whoever opens and verifies it.
void expect_refused(const Bytes& archive, const std::string& what) {
  const Status status = open_and_verify(archive, false, {}, 1);
  ASSERT_FALSE(status.ok()) << what;
  const auto name = error_info(status.error().code).name;
  EXPECT_TRUE(name.starts_with("archive/"))
      << what << ": " << name << " " << status.error().message;
}

void expect_every_flip_refused(const Bytes& archive, int masks) {
  Bytes changed = archive;
  for (std::size_t i = 0; i < archive.size(); ++i) {
    for (int m = 0; m < masks; ++m) {
      changed[i] ^=
          static_cast<std::uint8_t>(1u << ((i * 3 + static_cast<std::size_t>(m) * 5) % 8));
      expect_refused(changed, "byte " + std::to_string(i));
      changed[i] = archive[i];
    }
  }
}

TEST(Tamper, EveryFlippedByteOfSmallEntries) { expect_every_flip_refused(small_archive(), 3); }

TEST(Tamper, EveryFlippedByteAroundALargeEntry) {
  expect_every_flip_refused(
      write_archive({{"a", {1}}, {"b", pattern(kPackSize + 700)}, {"c", {2}}}), 1);
}

TEST(Tamper, StoredChunksAreCovered) {
  const Bytes archive = write_archive({{"rows", noise(2 * kChunkSize + 5, 1)}});
  Bytes changed = archive;
  for (std::size_t i = 1; i < archive.size(); i += 99991) {
    changed[i] ^= 0x40;
    const Status status = open_and_verify(changed, false, {}, 2);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kArchiveContentMismatch);
    EXPECT_NE(status.error().message.find("rows"), std::string::npos) << status.error().message;
    changed[i] = archive[i];
  }
}

TEST(Tamper, EveryTruncation) {
  const Bytes archive = small_archive();
  for (std::size_t size = 0; size < archive.size(); ++size) {
    EXPECT_EQ(refusal(Bytes(archive.begin(), archive.begin() + static_cast<std::ptrdiff_t>(size))),
              "archive/truncated")
        << size;
  }
}

TEST(Tamper, TruncationThatEndsInAnotherArchive) {
  // An archive stored within an archive ends like one, too.
  const Bytes inner = write_archive({{"x", noise(kPackSize + 1, 1)}});
  Bytes content = inner;
  const Bytes behind = noise(2 * kRawBlockSize, 2);  // so that the chunk is stored as it is
  content.insert(content.end(), behind.begin(), behind.end());
  const Bytes outer = write_archive({{"a", noise(kRawBlockSize, 2)}, {"inner", content}});
  const auto end = std::search(outer.begin(), outer.end(), inner.end() - 400, inner.end());
  ASSERT_NE(end, outer.end());
  EXPECT_EQ(refusal(Bytes(outer.begin(), end + 400)), "archive/malformed");
  EXPECT_EQ(refusal(outer), "");
}

TEST(Tamper, SomethingAround) {
  const Bytes archive = small_archive();
  Bytes changed = archive;
  changed.push_back(0);
  EXPECT_EQ(refusal(changed), "archive/truncated");
  changed = archive;
  changed.insert(changed.begin(), {0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0});
  EXPECT_EQ(refusal(changed), "archive/malformed");
  EXPECT_EQ(refusal(Bytes(5000, 'x')), "archive/malformed");
  EXPECT_EQ(refusal({}), "archive/truncated");
}

TEST(Tamper, NothingDamagedIsEverReturned) {
  const Contents contents{
      {"a", pattern(3000)}, {"rows", noise(2 * kChunkSize, 3)}, {"z", pattern(500)}};
  const Bytes archive = write_archive(contents);
  Bytes changed = archive;
  for (std::size_t i = 0; i < archive.size(); i += i < 4000 ? 7 : 65003) {
    changed[i] ^= 1;
    const MemorySource source(changed);
    const auto reader = ArchiveReader::open(source, trust_key(1));
    for (const auto& [path, content] : contents) {
      if (!reader.ok()) break;
      MemorySink out;
      const Status copied = (*reader)->copy(path, out);
      // What came out before an error is the beginning of the true content.
      ASSERT_LE(out.bytes().size(), content.size());
      EXPECT_TRUE(std::equal(out.bytes().begin(), out.bytes().end(), content.begin()));
      EXPECT_EQ(copied.ok(), out.bytes().size() == content.size()) << path;
    }
    changed[i] = archive[i];
  }
}

TEST(Tamper, FramesSwapped) {
  const Contents contents{{"a", noise(900000, 1)}, {"b", noise(900000, 2)}};
  const Bytes archive = write_archive(contents);
  const std::size_t frame = raw_frame_size(tar_size("a", 900000));
  Bytes changed(archive.begin() + static_cast<std::ptrdiff_t>(frame),
                archive.begin() + static_cast<std::ptrdiff_t>(2 * frame));
  changed.insert(changed.end(), archive.begin(),
                 archive.begin() + static_cast<std::ptrdiff_t>(frame));
  changed.insert(changed.end(), archive.begin() + static_cast<std::ptrdiff_t>(2 * frame),
                 archive.end());
  ASSERT_EQ(changed.size(), archive.size());
  EXPECT_EQ(refusal(changed), "archive/content-mismatch");
}

TEST(Trust, ForeignSigners) {
  const Bytes bytes = small_archive();
  const MemorySource source(bytes);
  const auto refused = ArchiveReader::open(source, trust_key(2));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kArchiveUntrustedSigner);
  EXPECT_NE(refused.error().hint.find(test_key(1).public_key().fingerprint()), std::string::npos);
  EXPECT_EQ(ArchiveReader::open(source, {}).error().code, ErrorCode::kArchiveUntrustedSigner);
  const auto accepted = *ArchiveReader::open(source, {{test_key(2).public_key()}, true});
  EXPECT_FALSE(accepted->signer_trusted());
  EXPECT_TRUE(accepted->verify({}, no_progress()).ok());
  // A damaged archive of an unknown signer is called damaged, not unknown.
  Bytes changed = bytes;
  changed.pop_back();
  EXPECT_EQ(ArchiveReader::open(MemorySource(changed), {}).error().code,
            ErrorCode::kArchiveTruncated);
}

}  // namespace
}  // namespace oa::archive
