// What the tests of the seal share.
#pragma once

#include <string_view>

#include "oa/crypto/seal.h"

namespace oa {

inline constexpr std::string_view kTestContext = "oa-object:v1:test";
inline constexpr std::size_t kTestSealedChunk = kSealChunkSize + 16;

inline SecretBytes test_key(std::uint8_t fill = 7) {
  return SecretBytes::copy_of(Bytes(kDataKeySize, fill));
}

inline Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 131 + i / 997);
  return bytes;
}

inline Bytes seal(ByteView plain, std::string_view context = kTestContext) {
  MemorySink sink;
  auto writer = *SealWriter::create(sink, {"local:test:1", Bytes(60, 9)}, test_key(), context);
  writer->write(plain).value();
  writer->finish().value();
  return sink.take();
}

inline Result<std::unique_ptr<SealedSource>> unseal(Bytes sealed,
                                                    const SecretBytes& key = test_key(),
                                                    std::string_view context = kTestContext) {
  return SealedSource::open(std::make_unique<MemorySource>(std::move(sealed)), key, context);
}

inline std::size_t header_size(const Bytes& sealed) {
  return 19u + read_le<std::uint16_t>(ByteView(sealed).subspan(8)) +
         read_le<std::uint16_t>(ByteView(sealed).subspan(10));
}

}  // namespace oa
