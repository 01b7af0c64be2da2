// Sealed objects that someone tampered with: every one must be refused, and nothing unverified may
// come out.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "seal_testkit.h"

namespace oa {
namespace {

// True when `sealed` is refused, by open() or by reading all of it.
bool refused(Bytes sealed) {
  auto source = unseal(std::move(sealed));
  if (!source.ok()) return source.error().code == ErrorCode::kSealCorrupt;
  const auto plain = read_all(**source, 1 << 30);
  return !plain.ok() && plain.error().code == ErrorCode::kSealCorrupt;
}

TEST(SealHostile, EveryFlippedBitOfASmallObjectIsRefused) {
  const Bytes sealed = seal(pattern(40));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes damaged = sealed;
      damaged[i] ^= static_cast<std::uint8_t>(1 << bit);
      EXPECT_TRUE(refused(damaged)) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(SealHostile, EveryTruncationAndExtensionOfASmallObjectIsRefused) {
  const Bytes sealed = seal(pattern(40));
  for (std::size_t length = 0; length < sealed.size(); ++length) {
    EXPECT_TRUE(
        refused(Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(length))))
        << length;
  }
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_TRUE(refused(longer));
  longer.insert(longer.end(), sealed.begin(), sealed.end());
  EXPECT_TRUE(refused(longer));
}

TEST(SealHostile, TruncationAtAndAroundEveryChunkBorderIsRefused) {
  for (const std::size_t tail : {0u, 1u, 500u}) {
    const Bytes sealed = seal(pattern(5 * kSealChunkSize + tail));
    const std::size_t header = header_size(sealed);
    for (std::size_t chunk = 0; chunk <= 5; ++chunk) {
      for (const std::size_t beyond : {0u, 1u, 15u, 16u, 17u}) {
        const std::size_t length = header + chunk * kTestSealedChunk + beyond;
        if (length >= sealed.size()) continue;
        EXPECT_TRUE(
            refused(Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(length))))
            << length;
      }
    }
  }
}

RC_GTEST_PROP(SealHostile, AFlippedBitAnywhereInALargeObjectIsRefused, ()) {
  Bytes sealed = seal(pattern(3 * kSealChunkSize + *rc::gen::inRange<std::size_t>(0, 100)));
  const auto at = *rc::gen::inRange<std::size_t>(0, sealed.size());
  sealed[at] ^= static_cast<std::uint8_t>(1 << *rc::gen::inRange(0, 8));
  RC_ASSERT(refused(sealed));
}

TEST(SealHostile, SwappedRepeatedAndDroppedChunksAreRefused) {
  const Bytes sealed = seal(pattern(4 * kSealChunkSize));
  const auto chunk = [header = header_size(sealed)](Bytes& bytes, std::size_t index) {
    return bytes.begin() + static_cast<std::ptrdiff_t>(header + index * kTestSealedChunk);
  };
  Bytes swapped = sealed;
  std::swap_ranges(chunk(swapped, 0), chunk(swapped, 1), chunk(swapped, 1));
  EXPECT_TRUE(refused(swapped));
  Bytes last_first = sealed;
  std::swap_ranges(chunk(last_first, 0), chunk(last_first, 1), chunk(last_first, 3));
  EXPECT_TRUE(refused(last_first));
  Bytes repeated = sealed;
  std::copy(chunk(repeated, 1), chunk(repeated, 2), chunk(repeated, 2));
  EXPECT_TRUE(refused(repeated));
  Bytes dropped = sealed;
  dropped.erase(chunk(dropped, 1), chunk(dropped, 2));
  EXPECT_TRUE(refused(dropped));
}

TEST(SealHostile, ChunksOfAnotherObjectOfTheSameKeyAreRefused) {
  const Bytes one = seal(pattern(2 * kSealChunkSize));
  Bytes other = seal(pattern(2 * kSealChunkSize));
  const auto from = static_cast<std::ptrdiff_t>(header_size(one));
  std::copy(one.begin() + from, one.begin() + from + static_cast<std::ptrdiff_t>(kTestSealedChunk),
            other.begin() + from);
  EXPECT_TRUE(refused(other));
}

TEST(SealHostile, AnEmptyLastChunkBehindFullOnesIsRefused) {
  Bytes sealed = seal(pattern(kSealChunkSize));
  sealed.insert(sealed.end(), 16, 0);
  EXPECT_EQ(unseal(sealed).error().message, "the last chunk is cut off");
}

TEST(SealHostile, AnUnfinishedStreamDoesNotOpen) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, std::size_t{40} * kSealChunkSize}) {
    MemorySink sink;
    {
      auto writer = *SealWriter::create(sink, {"k", {}}, test_key(), kTestContext);
      ASSERT_TRUE(writer->write(pattern(size)).ok());
    }
    EXPECT_TRUE(refused(sink.take()));
  }
}

TEST(SealHostile, AnotherContextOrKeyDoesNotOpen) {
  const Bytes sealed = seal(pattern(100));
  EXPECT_EQ(unseal(sealed, test_key(), "oa-object:v1:other").error().code, ErrorCode::kSealCorrupt);
  EXPECT_EQ(unseal(sealed, test_key(), "").error().code, ErrorCode::kSealCorrupt);
  EXPECT_EQ(unseal(sealed, test_key(8)).error().code, ErrorCode::kSealCorrupt);
  EXPECT_EQ(unseal(sealed, SecretBytes(31)).error().code, ErrorCode::kInvalidArgument);
}

// A failed read leaves zeroes: neither the bad chunk's bytes nor those of good chunks before it.
TEST(SealHostile, AFailedReadReleasesNothing) {
  Bytes sealed = seal(Bytes(4 * kSealChunkSize, 0x55));
  sealed[header_size(sealed) + 2 * kTestSealedChunk + 5] ^= 1;
  auto source = *unseal(std::move(sealed));
  for (const std::size_t offset :
       {std::size_t{0}, std::size_t{100}, std::size_t{2} * kSealChunkSize,
        std::size_t{2} * kSealChunkSize + 9}) {
    Bytes out(3 * kSealChunkSize - offset, 0xee);
    EXPECT_EQ(source->read_at(offset, out).error().code, ErrorCode::kSealCorrupt);
    EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](std::uint8_t byte) { return byte == 0; }))
        << offset;
  }
  Bytes good(kSealChunkSize);
  EXPECT_TRUE(source->read_at(kSealChunkSize, good).ok());
  EXPECT_EQ(good, Bytes(kSealChunkSize, 0x55));
}

TEST(SealHostile, ErrorsOfTheSourcePassThrough) {
  class Failing final : public RangedSource {
   public:
    std::uint64_t size() const override { return 1000; }
    Status read_at(std::uint64_t, std::span<std::uint8_t>) const override {
      return make_error(ErrorCode::kIo, "test", "gone");
    }
  };
  EXPECT_EQ(SealedSource::open(std::make_unique<Failing>(), test_key(), "").error().code,
            ErrorCode::kIo);
}

}  // namespace
}  // namespace oa
