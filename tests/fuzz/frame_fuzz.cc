// The Zstandard layer: stored frames have one form, decompression gives the size that was asked for
// or nothing, and what is compressed comes back.
#include <algorithm>

#include "entry_layout.h"
#include "frame.h"
#include "fuzz_input.h"
#include "index_cursor.h"

namespace oa::archive {
namespace {

constexpr std::size_t kMaxPlain = std::size_t{1} << 18;

void take_apart(ByteView frame) {
  const auto plain = decode_raw_frame(frame);
  if (!plain) return;
  RawFrame again(plain->size());
  OA_ASSERT(again.append(*plain) == plain->size() && again.full());
  OA_ASSERT(std::ranges::equal(again.frame(), frame));
  Bytes decompressed;
  OA_ASSERT(decompress_frame(frame, plain->size(), decompressed) && decompressed == *plain);
}

void decompress(ByteView frame, std::size_t plain_size) {
  Bytes plain;
  const bool whole = decompress_frame(frame, plain_size, plain);
  OA_ASSERT(plain.size() <= plain_size);
  if (!whole) return;
  OA_ASSERT(plain.size() == plain_size);
  Bytes longer(frame.begin(), frame.end());
  longer.push_back(0);
  OA_ASSERT(!decompress_frame(longer, plain_size, plain));
  OA_ASSERT(!decompress_frame(frame.first(frame.size() - 1), plain_size, plain));
  OA_ASSERT(!decompress_frame(frame, plain_size + 1, plain));
}

void compress(ByteView plain) {
  static FrameCompressor compressor(1);
  const Bytes frame = *compressor.compress(plain);
  OA_ASSERT(frame.size() <= raw_frame_size(plain.size()));
  OA_ASSERT(plain.size() <= frame.size() * kMaxWrittenExpansion);
  Bytes again;
  OA_ASSERT(decompress_frame(frame, plain.size(), again));
  OA_ASSERT(std::ranges::equal(again, plain));
  RawFrame chunk(plain.size());
  chunk.append(plain);
  const auto packed = *compressor.compress_chunk(chunk);
  if (!packed) return;
  OA_ASSERT(packed->size() < chunk.frame().size());
  OA_ASSERT(decompress_frame(*packed, plain.size(), again) && std::ranges::equal(again, plain));
}

void skip(ByteView frame) {
  const auto payload = skippable_payload(frame, kIndexPageMagic);
  if (!payload) return;
  Bytes again;
  append_skippable_header(again, kIndexPageMagic, payload->size());
  again.insert(again.end(), payload->begin(), payload->end());
  OA_ASSERT(std::ranges::equal(again, frame));
}

}  // namespace
}  // namespace oa::archive

// One byte of what to do: bit 0 to compress, else to take a frame apart, which has the size that
// its own header says, or the one in the three bytes that follow (bit 1).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oa::archive;
  IndexCursor input(oa::ByteView(data, size));
  const auto what = input.fixed<std::uint8_t>();
  if (what % 2 != 0) {
    // The second byte makes the plain bytes longer than the input.
    const unsigned times = 1 + input.fixed<std::uint8_t>();
    const auto piece = input.bytes(input.left());
    oa::Bytes plain;
    for (unsigned i = 0; i < times && plain.size() + piece.size() <= kMaxPlain; ++i)
      plain.insert(plain.end(), piece.begin(), piece.end());
    compress(plain);
    return 0;
  }
  const bool named = (what & 2) != 0;
  const std::size_t named_size =
      named ? input.fixed<std::uint8_t>() << 16 | input.fixed<std::uint16_t>() : 0;
  const auto frame = input.bytes(input.left());
  const std::size_t own_size = frame.size() >= 9 ? oa::read_le<std::uint32_t>(frame.subspan(5)) : 0;
  take_apart(frame);
  skip(frame);
  for (const std::size_t plain_size : {named_size, own_size, own_size & 0xff})
    decompress(frame, std::min(plain_size, kMaxPlain));
  return 0;
}
