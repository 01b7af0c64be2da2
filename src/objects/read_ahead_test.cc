#include "read_ahead.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace oa {
namespace {

constexpr std::uint64_t kSize = (std::uint64_t{40} << 20) + 12'345;

std::uint8_t byte_at(std::uint64_t offset) {
  return static_cast<std::uint8_t>(offset * 31 + offset / 4096);
}

// A slow source that counts what it is asked for.
class ReadAheadTest : public testing::Test {
 protected:
  Status fetch(std::uint64_t offset, std::span<std::uint8_t> out,
               const std::atomic<bool>* cancelled) {
    ++fetches_;
    fetched_ += out.size();
    for (std::uint64_t i = 0; i < out.size(); ++i) {
      if (offset + i == bad_at_) return make_error(ErrorCode::kIo, "test", "bad");
      if (cancelled != nullptr && cancelled->load())
        return make_error(ErrorCode::kCancelled, "test", "cancelled");
      out[i] = byte_at(offset + i);
    }
    while (stuck_ && cancelled != nullptr && !cancelled->load()) usleep(100);
    return {};
  }
  bool right(std::uint64_t offset, std::size_t length) {
    Bytes out(length);
    if (!ahead_->read(offset, out).ok()) return false;
    for (std::size_t i = 0; i < length; ++i)
      if (out[i] != byte_at(offset + i)) return false;
    return true;
  }

  std::atomic<int> fetches_ = 0;
  std::atomic<std::uint64_t> fetched_ = 0;
  std::atomic<std::uint64_t> bad_at_ = ~std::uint64_t{0};
  std::atomic<bool> stuck_ = false;
  std::unique_ptr<ReadAhead> ahead_ = std::make_unique<ReadAhead>(
      kSize, [this](std::uint64_t offset, std::span<std::uint8_t> out,
                    const std::atomic<bool>* cancelled) { return fetch(offset, out, cancelled); });
};

TEST_F(ReadAheadTest, ReadsInOrderAreFewFetches) {
  constexpr std::size_t kStep = 300'000;
  for (std::uint64_t offset = 0; offset < kSize; offset += kStep)
    ASSERT_TRUE(right(offset, std::min<std::uint64_t>(kStep, kSize - offset)));
  EXPECT_LT(fetches_, 20);
  EXPECT_LT(fetched_, kSize + 1'000'000);
}

TEST_F(ReadAheadTest, ReadsAtRandomFetchWhatTheyNeed) {
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(right((static_cast<std::uint64_t>(i) * 7'777'777) % (kSize - 70'000), 70'000));
  EXPECT_EQ(fetches_, 50);
  EXPECT_EQ(fetched_, 50u * 70'000u);
}

TEST_F(ReadAheadTest, AReaderThatGoesElsewhereIsFollowed) {
  for (const std::uint64_t begin : {std::uint64_t{0}, kSize / 2, std::uint64_t{1'000'000}})
    for (std::uint64_t offset = begin; offset < begin + 4'000'000; offset += 100'000)
      ASSERT_TRUE(right(offset, 100'000));
}

TEST_F(ReadAheadTest, AnErrorIsToldAndOthersReadOn) {
  bad_at_ = 3'000'000;
  int failed = 0;
  for (std::uint64_t offset = 0; offset < 8'000'000; offset += 200'000) {
    Bytes out(200'000);
    const Status read = ahead_->read(offset, out);
    if (read.ok()) continue;
    EXPECT_EQ(read.error().message, "bad");
    EXPECT_EQ(offset, 3'000'000u);
    ++failed;
  }
  EXPECT_EQ(failed, 1);
}

TEST_F(ReadAheadTest, EndingCancelsWhatIsUnderWay) {
  for (std::uint64_t offset = 0; offset < 600'000; offset += 100'000)
    ASSERT_TRUE(right(offset, 100'000));
  stuck_ = true;
  ahead_.reset();  // must not wait for ever
}

TEST_F(ReadAheadTest, ManyReadersGetTheirBytes) {
  std::vector<std::thread> readers;
  std::atomic<int> wrong = 0;
  for (int reader = 0; reader < 4; ++reader) {
    readers.emplace_back([&, reader] {
      for (std::uint64_t offset = static_cast<std::uint64_t>(reader) * 999'999;
           offset + 150'000 < kSize; offset += 150'000)
        if (!right(offset, 150'000)) ++wrong;
    });
  }
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace oa
