#include "oa/crypto/seal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <thread>

#include "oa/crypto/hash.h"
#include "seal_testkit.h"

namespace oa {
namespace {

// Sizes that fall on, before and behind the borders of chunks and of the writer's and reader's
// pieces.
std::size_t any_size() {
  const auto chunks = *rc::gen::element<std::size_t>(0, 1, 2, 3, 15, 16, 17, 33);
  const auto around = *rc::gen::inRange(-3, 4);
  const auto size = static_cast<std::int64_t>(chunks * kSealChunkSize) + around;
  const auto extra = *rc::gen::element<std::int64_t>(0, 0, 100, 4096);
  return static_cast<std::size_t>(std::max<std::int64_t>(0, size + extra));
}

RC_GTEST_PROP(Seal, RoundTripHoweverItIsCut, ()) {
  const Bytes plain = pattern(any_size());
  MemorySink sink;
  auto writer = *SealWriter::create(sink, {"k", {1, 2, 3}}, test_key(), kTestContext);
  for (ByteView rest = plain; !rest.empty();) {
    const auto piece = std::min<std::size_t>(
        rest.size(),
        *rc::gen::element<std::size_t>(1, 4095, 65535, 65536, 65537, 200'000, 1 << 20));
    // A piece of one byte over and over would take forever: write the rest of a chunk behind it.
    RC_ASSERT(writer->write(rest.first(piece)).ok());
    rest = rest.subspan(piece);
    const auto more = std::min<std::size_t>(rest.size(), 30'000);
    RC_ASSERT(writer->write(rest.first(more)).ok());
    rest = rest.subspan(more);
  }
  RC_ASSERT(writer->finish().ok());
  const std::size_t chunks =
      std::max<std::size_t>(1, (plain.size() + kSealChunkSize - 1) / kSealChunkSize);
  RC_ASSERT(sink.bytes().size() == header_size(sink.bytes()) + plain.size() + chunks * 16);
  auto source = *unseal(sink.take());
  RC_ASSERT(source->size() == plain.size());
  RC_ASSERT(*read_all(*source, 1 << 30) == plain);
}

RC_GTEST_PROP(Seal, AnyRangeReadsThePlaintext, ()) {
  const Bytes plain = pattern(any_size());
  auto source = *unseal(seal(plain));
  for (int i = 0; i < 20; ++i) {
    const auto offset = *rc::gen::inRange<std::size_t>(0, plain.size() + 1);
    const auto length = *rc::gen::inRange<std::size_t>(0, plain.size() - offset + 1);
    const bool small = *rc::gen::arbitrary<bool>();
    Bytes out(small ? std::min<std::size_t>(length, 5000) : length);
    RC_ASSERT(source->read_at(offset, out).ok());
    RC_ASSERT(
        std::equal(out.begin(), out.end(), plain.begin() + static_cast<std::ptrdiff_t>(offset)));
  }
}

TEST(Seal, SmallReadsInOrderReadEachSealedByteOnce) {
  class Counting final : public RangedSource {
   public:
    Counting(Bytes bytes, std::uint64_t& read) : inner_(std::move(bytes)), read_(read) {}
    std::uint64_t size() const override { return inner_.size(); }
    Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
      read_ += out.size();
      return inner_.read_at(offset, out);
    }

   private:
    MemorySource inner_;
    std::uint64_t& read_;
  };
  const Bytes plain = pattern(40 * kSealChunkSize + 17);
  std::uint64_t read = 0;
  auto source =
      *SealedSource::open(std::make_unique<Counting>(seal(plain), read), test_key(), kTestContext);
  Bytes out(1000);
  for (std::size_t at = 0; at + out.size() <= plain.size(); at += out.size()) {
    ASSERT_TRUE(source->read_at(at, out).ok());
    ASSERT_TRUE(
        std::equal(out.begin(), out.end(), plain.begin() + static_cast<std::ptrdiff_t>(at)));
  }
  EXPECT_LT(read, plain.size() + 2 * kTestSealedChunk);
}

TEST(Seal, RangesOutsideAreRefused) {
  auto source = *unseal(seal(pattern(10)));
  Bytes out(5);
  EXPECT_EQ(source->read_at(6, out).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(source->read_at(~std::uint64_t{0}, out).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(source->read_at(10, {}).ok());
}

TEST(Seal, ConcurrentReadersSeeThePlaintext) {
  const Bytes plain = pattern(50 * kSealChunkSize);
  const auto source = *unseal(seal(plain));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    readers.emplace_back([&, seed] {
      std::uint64_t state = seed;
      Bytes out;
      for (int i = 0; i < 200; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const auto offset = (state >> 33) % plain.size();
        out.resize(std::min<std::size_t>(plain.size() - offset, (state >> 20) % 300'000));
        if (!source->read_at(offset, out).ok() ||
            !std::equal(out.begin(), out.end(),
                        plain.begin() + static_cast<std::ptrdiff_t>(offset))) {
          ++wrong;
        }
      }
    });
  }
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Seal, HeaderNamesTheKey) {
  const SealHeader header = *read_seal_header(MemorySource(seal(pattern(1))));
  EXPECT_EQ(header.key_id, "local:test:1");
  EXPECT_EQ(header.wrapped_key, Bytes(60, 9));
}

TEST(Seal, LongestHeaderIsReadAndLongerIsRefused) {
  MemorySink sink;
  auto writer =
      *SealWriter::create(sink, {std::string(255, 'k'), Bytes(4096, 1)}, test_key(), kTestContext);
  ASSERT_TRUE(writer->finish().ok());
  EXPECT_EQ(read_seal_header(MemorySource(sink.bytes()))->wrapped_key.size(), 4096u);
  EXPECT_EQ((*unseal(sink.take()))->size(), 0u);

  MemorySink unused;
  EXPECT_EQ(SealWriter::create(unused, {std::string(256, 'k'), {}}, test_key(), "").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(SealWriter::create(unused, {"k", Bytes(4097)}, test_key(), "").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(SealWriter::create(unused, {"k", {}}, SecretBytes(31), "").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(unused.bytes().empty());
}

TEST(Seal, AFailedSinkEndsTheStream) {
  class Full final : public ByteSink {
   public:
    Status write(ByteView bytes) override {
      if (bytes.size() < 1000) return {};
      return make_error(ErrorCode::kDiskFull, "test", "full");
    }
  } full;
  auto writer = *SealWriter::create(full, {"k", {}}, test_key(), kTestContext);
  EXPECT_EQ(writer->write(pattern(3 << 20)).error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(writer->write(pattern(1)).error().code, ErrorCode::kPreconditionFailed);
  EXPECT_EQ(writer->finish().error().code, ErrorCode::kPreconditionFailed);
}

// Made by an independent implementation. If one of these changes, stored objects of the past no
// longer open.
TEST(SealGolden, FixedBytesOpen) {
  SecretBytes key(kDataKeySize);
  for (std::uint8_t i = 0; i < kDataKeySize; ++i) key.mutable_view()[i] = i;
  const std::string header =
      "4f415331010110000e000800101112131415166c6f63616c3a676f6c64656e3a31a0a1a2a3a4a5a6a7";
  const auto open = [&](Bytes sealed) {
    return unseal(std::move(sealed), key, "oa-object:v1:golden");
  };
  const Bytes text =
      *from_hex(header + "52a7a50e6afe87855fa947380b16172352f3e8dcb25dabeb28e94085992e55d773");
  EXPECT_EQ(as_text(*read_all(**open(text), 100)), "golden plaintext\n");
  EXPECT_EQ(read_seal_header(MemorySource(text))->key_id, "local:golden:1");
  EXPECT_EQ((*open(*from_hex(header + "b07ce245731334c5965092449de66c22")))->size(), 0u);
}

}  // namespace
}  // namespace oa
