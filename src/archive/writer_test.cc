#include <gtest/gtest.h>

#include "archive_fixture.h"
#include "entry_layout.h"

namespace oa::archive {
namespace {

class WriterTest : public testing::Test {
 protected:
  std::unique_ptr<ArchiveWriter> make(ByteSink& sink) {
    return *ArchiveWriter::create(test_options(), key_, sink);
  }
  static ErrorCode code(const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code;
  }
  const SigningKey key_ = test_key(1);
  MemorySink sink_;
};

TEST_F(WriterTest, RefusesBadPaths) {
  const std::string long_path(kMaxPathSize + 1, 'a');
  for (const std::string path : {"",
                                 "/a",
                                 "a/",
                                 "a//b",
                                 ".",
                                 "..",
                                 "a/../b",
                                 "./a",
                                 "a/.",
                                 "a\\b",
                                 "a\nb",
                                 "a\x7f",
                                 "\xff",
                                 "manifest.json",
                                 "manifest.json/a",
                                 "manifest.json.sig/a",
                                 "signatures",
                                 "signatures/a.sig",
                                 "signatures/x/y",
                                 long_path.c_str()}) {
    EXPECT_EQ(code(make(sink_)->add(path, {})), ErrorCode::kInvalidArgument) << path;
  }
  EXPECT_EQ(code(make(sink_)->add(std::string("a\0b", 3), {})), ErrorCode::kInvalidArgument);
  for (const std::string path :
       {"a", "...", "..a", "x/manifest.json", "signatures.txt", "é/日本", ".hidden"}) {
    EXPECT_TRUE(make(sink_)->add(path, {}).ok()) << path;
  }
}

TEST_F(WriterTest, PathsMustAscend) {
  auto writer = make(sink_);
  ASSERT_TRUE(writer->add("b", {}).ok());
  EXPECT_EQ(code(writer->add("b", {})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(writer->add("c", {})), ErrorCode::kInvalidArgument) << "unusable after an error";
  EXPECT_FALSE(writer->finish(test_manifest()).ok());
  writer = make(sink_);
  ASSERT_TRUE(writer->add("b", {}).ok());
  EXPECT_EQ(code(writer->add("a", {})), ErrorCode::kInvalidArgument);
}

TEST_F(WriterTest, NoPathIsAFolderOfAnother) {
  const std::vector<std::vector<std::string>> refused = {{"a", "a/b"},
                                                         {"a", "a-b", "a/b"},
                                                         {"a", "a.b", "a.b/c/d"},
                                                         {"a/b", "a/b/c"},
                                                         {"a", "a.sig/b"}};
  for (const auto& paths : refused) {
    auto writer = *ArchiveWriter::create(test_options(), key_, sink_);
    for (std::size_t i = 0; i + 1 < paths.size(); ++i) ASSERT_TRUE(writer->add(paths[i], {}).ok());
    EXPECT_EQ(writer->add(paths.back(), {}).error().code, ErrorCode::kInvalidArgument)
        << paths.back();
  }
  auto writer = *ArchiveWriter::create(test_options(), key_, sink_);
  for (const char* path : {"a", "a-b", "a.b/c", "ab/c", "ab/cd"})
    EXPECT_TRUE(writer->add(path, {}).ok()) << path;
}

TEST_F(WriterTest, StreamsMustKeepTheirWord) {
  for (const std::uint64_t size :
       {std::uint64_t{10}, std::uint64_t{kPackSize + 10}, std::uint64_t{3 * kChunkSize}}) {
    for (const int difference : {-1, 1}) {
      auto writer = make(sink_);
      const Bytes bytes(size + static_cast<std::uint64_t>(difference), 'x');
      EXPECT_EQ(
          code(writer->add_stream("a", size, [&](ByteSink& out) { return out.write(bytes); })),
          ErrorCode::kInvalidArgument);
    }
  }
}

TEST_F(WriterTest, StreamInPiecesEqualsWhole) {
  const Bytes content = noise(2 * kChunkSize + 12345, 5);
  auto writer = make(sink_);
  ASSERT_TRUE(writer->add("a", Bytes{1}).ok());
  ASSERT_TRUE(writer
                  ->add_stream("b", content.size(),
                               [&](ByteSink& out) -> Status {
                                 for (std::size_t at = 0; at < content.size(); at += 77777) {
                                   OA_TRY(out.write(ByteView(content).subspan(
                                       at, std::min<std::size_t>(77777, content.size() - at))));
                                 }
                                 return {};
                               })
                  .ok());
  ASSERT_TRUE(writer->add_stream("c", 3,
                                 [](ByteSink& out) {
                                   return out.write(Bytes{1, 2, 3});
                                 })
                  .ok());
  ASSERT_TRUE(writer->finish(test_manifest()).ok());
  EXPECT_TRUE(sink_.bytes() == write_archive({{"a", {1}}, {"b", content}, {"c", {1, 2, 3}}}));
}

TEST_F(WriterTest, ErrorsOfProducerAndSinkComeThrough) {
  const auto fails = [](ByteSink&) -> Status {
    return make_error(ErrorCode::kTimeout, "test", "no answer");
  };
  EXPECT_EQ(code(make(sink_)->add_stream("a", 5, fails)), ErrorCode::kTimeout);
  EXPECT_EQ(code(make(sink_)->add_stream("a", 3 * kChunkSize, fails)), ErrorCode::kTimeout);

  struct FullSink final : ByteSink {
    Status write(ByteView bytes) override {
      if (bytes.size() > left) return make_error(ErrorCode::kDiskFull, "test", "full");
      left -= bytes.size();
      return {};
    }
    std::size_t left = 0;
  };
  const Contents contents{
      {"a", noise(500000, 1)}, {"b", noise(3 * kChunkSize, 2)}, {"c", noise(700000, 3)}};
  const std::size_t whole = write_archive(contents).size();
  for (std::size_t space = 0; space < whole; space += whole / 23) {
    FullSink full;
    full.left = space;
    auto writer = *ArchiveWriter::create(test_options(), key_, full);
    Status status;
    for (const auto& [path, content] : contents) {
      if (status.ok()) status = writer->add(path, content);
    }
    if (status.ok()) {
      const auto summary = writer->finish(test_manifest());
      status = summary.ok() ? Status() : Status(summary.error());
    }
    EXPECT_EQ(code(status), ErrorCode::kDiskFull) << space;
  }
}

TEST_F(WriterTest, DroppedInTheMiddleLeavesNoArchive) {
  for (int entries = 0; entries < 4; ++entries) {
    MemorySink sink;
    {
      auto writer = make(sink);
      for (int i = 0; i < entries; ++i) {
        ASSERT_TRUE(
            writer->add(std::to_string(i), noise(2 * kChunkSize, static_cast<std::uint32_t>(i)))
                .ok());
      }
    }
    EXPECT_EQ(refusal(sink.bytes()), "archive/truncated");
  }
}

TEST_F(WriterTest, SummaryIsTheManifest) {
  auto writer = make(sink_);
  ASSERT_TRUE(writer->add("a", {1, 2, 3}).ok());
  const auto summary = *writer->finish(test_manifest());
  EXPECT_FALSE(writer->finish(test_manifest()).ok());
  const MemorySource source(sink_.take());
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  const Manifest& manifest = reader->manifest();
  EXPECT_EQ(manifest.archive_id, test_options().archive_id);
  EXPECT_EQ(manifest.snapshot_time, test_options().snapshot_time);
  EXPECT_EQ(manifest.content.tenant, test_manifest().tenant);
  EXPECT_EQ(manifest.content.counts, test_manifest().counts);
  EXPECT_EQ(manifest.signer, key_.public_key());
  EXPECT_EQ(manifest.entry_count, 1u);
  EXPECT_EQ(manifest.content_bytes, 3u);
  EXPECT_EQ(manifest.content_hash, summary.manifest.content_hash);
  EXPECT_EQ(manifest.index_root, summary.manifest.index_root);
  EXPECT_EQ(to_hex(manifest.content_hash),
            to_hex(Blake2b::of(as_bytes(to_hex(Blake2b::of(Bytes{1, 2, 3})) + " 3 a\n"))));
}

TEST_F(WriterTest, RefusesOptionsOutOfRange) {
  auto options = test_options();
  options.snapshot_time = *Timestamp::parse("1969-12-31T23:59:59Z");
  EXPECT_FALSE(ArchiveWriter::create(options, key_, sink_).ok());
  options.snapshot_time = *Timestamp::parse("2300-01-01T00:00:00Z");
  EXPECT_FALSE(ArchiveWriter::create(options, key_, sink_).ok());
  options = test_options();
  options.compression_level = 0;
  EXPECT_FALSE(ArchiveWriter::create(options, key_, sink_).ok());
}

}  // namespace
}  // namespace oa::archive
