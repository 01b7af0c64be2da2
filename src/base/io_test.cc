#include "oa/base/io.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace oa {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-io-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(FileTest, AtomicFileAppearsWholeOrNotAtAll) {
  const std::string path = folder_ + "/f";
  {
    auto sink = *AtomicFileSink::create(path, false, 0600);
    ASSERT_TRUE(sink->write(as_bytes("half")).ok());
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  auto sink = *AtomicFileSink::create(path, false, 0600);
  ASSERT_TRUE(sink->write(as_bytes("whole")).ok());
  ASSERT_TRUE(sink->write(Bytes(3 << 20, 7)).ok());
  ASSERT_TRUE(sink->commit().ok());
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(info.st_size, 5 + (3 << 20));
  EXPECT_EQ(AtomicFileSink::create(path, false, 0600).error().code, ErrorCode::kAlreadyExists);
}

// Large files go to the device in aligned pieces where the file system can, else through the page
// cache.
TEST_F(FileTest, LargeFilesAreWhatWasWrittenOnDiskAndInMemory) {
  char memory_folder[] = "/dev/shm/oa-io-XXXXXX";
  ASSERT_NE(mkdtemp(memory_folder), nullptr);
  Bytes content((std::size_t{9} << 20) + 12345);
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  for (const std::size_t size : {std::size_t{4} << 20, std::size_t{8} << 20, content.size()}) {
    for (const std::string& folder : {folder_, std::string(memory_folder)}) {
      const std::string path = folder + "/" + std::to_string(size);
      auto sink = *AtomicFileSink::create(path, false, 0600);
      const auto expected = ByteView(content).first(size);
      for (std::size_t at = 0; at < size;) {
        const std::size_t piece = std::min<std::size_t>(size - at, 1'000'003);
        ASSERT_TRUE(sink->write(expected.subspan(at, piece)).ok());
        at += piece;
      }
      ASSERT_TRUE(sink->commit().ok());
      const auto written = *read_file(path, content.size());
      EXPECT_TRUE(std::ranges::equal(written, expected)) << path;
    }
  }
  std::filesystem::remove_all(memory_folder);
}

TEST_F(FileTest, NobodysFileIsReplacedUnlessAsked) {
  const std::string path = folder_ + "/f";
  std::ofstream(path + ".partial") << "somebody's";
  auto first = *AtomicFileSink::create(path, false, 0600);
  auto second = *AtomicFileSink::create(path, false, 0600);
  ASSERT_TRUE(first->write(as_bytes("first")).ok());
  ASSERT_TRUE(second->write(as_bytes("second")).ok());
  ASSERT_TRUE(second->commit().ok());
  EXPECT_EQ(first->commit().error().code, ErrorCode::kAlreadyExists);
  first.reset();
  EXPECT_EQ(as_text(*read_file(path, 100)), "second");
  EXPECT_EQ(as_text(*read_file(path + ".partial", 100)), "somebody's");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 2);
}

TEST_F(FileTest, OneSuccessorAtATime) {
  const std::string path = folder_ + "/f";
  auto first = *AtomicFileSink::create(path, true, 0600);
  EXPECT_EQ(AtomicFileSink::create(path, true, 0600).error().code, ErrorCode::kBusy);
  ASSERT_TRUE(first->write(as_bytes("first")).ok());
  ASSERT_TRUE(first->commit().ok());
  auto second = *AtomicFileSink::create(path, true, 0600);
  ASSERT_TRUE(second->write(as_bytes("2nd")).ok());
  ASSERT_TRUE(second->commit().ok());
  EXPECT_EQ(as_text(*read_file(path, 100)), "2nd");
  EXPECT_EQ(AtomicFileSink::create("/dev/null", true, 0600).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(FileTest, SourceReadsRangesAndRefusesOthers) {
  const std::string path = folder_ + "/f";
  auto sink = *AtomicFileSink::create(path, false, 0600);
  ASSERT_TRUE(sink->write(as_bytes("0123456789")).ok());
  ASSERT_TRUE(sink->commit().ok());
  auto source = *FileSource::open(path);
  Bytes out(4);
  ASSERT_TRUE(source->read_at(6, out).ok());
  EXPECT_EQ(as_text(out), "6789");
  EXPECT_FALSE(source->read_at(7, out).ok());
  EXPECT_FALSE(source->read_at(~0ULL, out).ok());
  EXPECT_EQ(read_all(*source, 9).error().code, ErrorCode::kLimitExceeded);
  MemorySink copy;
  ASSERT_TRUE(copy_all(*source, copy).ok());
  EXPECT_EQ(as_text(copy.bytes()), "0123456789");
}

TEST_F(FileTest, MissingFilesAndFoldersAreNamed) {
  EXPECT_EQ(FileSource::open(folder_ + "/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(FileSource::open(folder_).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(AtomicFileSink::create(folder_ + "/no/such", false, 0600).error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace oa
