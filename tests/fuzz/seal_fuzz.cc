// Sealed objects: whatever was done to the sealed bytes, what is released is what was sealed, at
// its place.
#include <algorithm>
#include <cstring>
#include <map>

#include "fuzz_input.h"
#include "oa/crypto/seal.h"

namespace oa {
namespace {

constexpr std::string_view kContext = "oa-object:v1:fuzz";
constexpr std::size_t kSealedChunk = kSealChunkSize + 16;
constexpr std::size_t kSizes[] = {0, 1, 100, 65535, 65536, 65537, 131072, 131073, 196608, 200000};

const SecretBytes& data_key() {
  static const SecretBytes key = SecretBytes::copy_of(Bytes(kDataKeySize, 7));
  return key;
}

ByteView plain_of(std::size_t size) {
  static const Bytes longest = [] {
    Bytes plain(*std::ranges::max_element(kSizes));
    for (std::size_t i = 0; i < plain.size(); ++i)
      plain[i] = static_cast<std::uint8_t>(i * 131 + i / 997);
    return plain;
  }();
  return ByteView(longest).first(size);
}

Bytes seal(ByteView plain, std::string_view context) {
  MemorySink sink;
  const auto writer = SealWriter::create(sink, {"local:fuzz:1", Bytes(60, 9)}, data_key(), context);
  writer.value()->write(plain).value();
  writer.value()->finish().value();
  return sink.take();
}

// One of the sealed objects that inputs start from, sealed once.
const Bytes& sealed(std::size_t size, bool other_context) {
  static std::map<std::pair<std::size_t, bool>, Bytes> made;
  auto& bytes = made[{size, other_context}];
  if (bytes.empty()) bytes = seal(plain_of(size), other_context ? "oa-object:v1:other" : kContext);
  return bytes;
}

class Script {
 public:
  explicit Script(ByteView bytes) : bytes_(bytes) {}
  bool done() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  // Below `limit`; 0 when that is 0.
  std::size_t below(std::size_t limit) {
    const std::size_t value = byte() | byte() << 8 | byte() << 16;
    return limit == 0 ? 0 : value % limit;
  }

 private:
  ByteView bytes_;
};

void swap_chunks(Bytes& bytes, std::size_t a, std::size_t b, std::size_t header) {
  const std::size_t end = header + (std::max(a, b) + 1) * kSealedChunk;
  if (a == b || end > bytes.size()) return;
  const auto at = [&](std::size_t chunk) {
    return bytes.begin() + static_cast<std::ptrdiff_t>(header + chunk * kSealedChunk);
  };
  std::swap_ranges(at(a), at(a) + kSealedChunk, at(b));
}

void edit(Bytes& bytes, Script& script) {
  constexpr std::size_t kHeader = 19 + 12 + 60;
  const auto cut = [&](std::size_t from, std::size_t size) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, bytes.size() - from)));
  };
  switch (script.byte() % 7) {
    case 0:
      if (!bytes.empty()) bytes[script.below(bytes.size())] ^= script.byte();
      break;
    case 1:  // in the header
      if (!bytes.empty()) bytes[script.byte() % bytes.size()] ^= script.byte();
      break;
    case 2:
      bytes.resize(script.below(bytes.size() + 1));
      break;
    case 3:
      bytes.resize(bytes.size() + script.below(kSealedChunk * 2));
      break;
    case 4: {
      const std::size_t from = script.below(bytes.size() + 1);
      cut(from, script.below(kSealedChunk * 2));
      break;
    }
    case 5:  // a whole chunk
      cut(std::min(bytes.size(), kHeader + script.byte() % 4 * kSealedChunk), kSealedChunk);
      break;
    default: {
      const std::size_t a = script.byte() % 4;
      swap_chunks(bytes, a, script.byte() % 4, kHeader);
    }
  }
}

// Reads ranges of what opened; each is `plain` at its place, or an error and nothing.
void read_ranges(const SealedSource& source, ByteView plain, Script& script) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t offset = i == 0 ? 0 : script.below(plain.size() + 1);
    const std::size_t size = i == 0 ? plain.size() : script.below(plain.size() - offset + 1);
    Bytes out(size, 0x5a);
    const Status status = source.read_at(offset, out);
    if (fuzz::accepted(status)) {
      OA_ASSERT(size == 0 || std::memcmp(out.data(), plain.data() + offset, size) == 0);
    } else {
      OA_ASSERT(status.error().code == ErrorCode::kSealCorrupt);
      OA_ASSERT(std::ranges::all_of(out, [](auto byte) { return byte == 0; }));
    }
  }
  Bytes one(1);
  OA_ASSERT(!source.read_at(source.size(), one).ok());
}

void open_any(Bytes bytes) {
  const auto header = read_seal_header(MemorySource(bytes));
  if (fuzz::accepted(header)) {
    OA_ASSERT(header->key_id.size() <= 255 && header->wrapped_key.size() <= 4096);
  }
  const auto opened =
      SealedSource::open(std::make_unique<MemorySource>(std::move(bytes)), data_key(), kContext);
  OA_ASSERT(!fuzz::accepted(opened));
}

void edit_and_open(Script script) {
  const std::size_t size = kSizes[script.byte() % std::size(kSizes)];
  const bool other_context = script.byte() % 8 == 7;
  const Bytes& original = sealed(size, other_context);
  Bytes bytes = original;
  for (unsigned edits = script.byte() % 4; edits > 0; --edits) edit(bytes, script);
  const bool whole = bytes == original && !other_context;
  const auto opened =
      SealedSource::open(std::make_unique<MemorySource>(std::move(bytes)), data_key(), kContext);
  OA_ASSERT(fuzz::accepted(opened) || !whole);
  if (!opened.ok()) return;
  OA_ASSERT(!other_context && opened.value()->size() == size);
  read_ranges(*opened.value(), plain_of(size), script);
}

}  // namespace
}  // namespace oa

// First byte 0: sealed bytes (of nobody, so they must not open); else a script of edits and reads.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (*data == 0) {
    oa::open_any(oa::Bytes(data + 1, data + size));
  } else {
    oa::edit_and_open(oa::Script({data + 1, size - 1}));
  }
  return 0;
}
