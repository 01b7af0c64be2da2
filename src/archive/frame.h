// Zstandard frames (RFC 8878): compressed ones through libzstd, stored and skippable ones by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "oa/base/bytes.h"

struct ZSTD_CCtx_s;

namespace oa::archive {

inline constexpr std::size_t kRawBlockSize = std::size_t{128} << 10;
inline constexpr std::size_t kRawFrameHeaderSize = 9;
inline constexpr std::size_t kBlockHeaderSize = 3;
inline constexpr std::size_t kSkippableHeaderSize = 8;
inline constexpr std::uint32_t kZstdMagic = 0xFD2FB528;
inline constexpr std::uint32_t kIndexPageMagic = 0x184D2A5A;
inline constexpr std::uint32_t kIndexRootMagic = 0x184D2A5B;
inline constexpr std::uint32_t kSeekTableMagic = 0x184D2A5E;

constexpr std::size_t raw_frame_size(std::size_t plain_size) {
  const std::size_t blocks = plain_size == 0 ? 1 : (plain_size + kRawBlockSize - 1) / kRawBlockSize;
  return kRawFrameHeaderSize + blocks * kBlockHeaderSize + plain_size;
}

/// A frame of stored blocks, filled in place: what was appended is the frame, without another copy.
class RawFrame {
 public:
  /// Exactly `plain_size` bytes must be appended. `buffer` is memory to reuse.
  explicit RawFrame(std::size_t plain_size, Bytes buffer = {});
  /// Takes as much of `bytes` as fits and returns how much that was.
  std::size_t append(ByteView bytes);
  bool full() const { return filled_ == plain_size_; }
  std::size_t plain_size() const { return plain_size_; }
  std::size_t block_count() const;
  /// The plain bytes of one block.
  ByteView block(std::size_t index) const;
  const Bytes& frame() const { return bytes_; }
  Bytes take() { return std::move(bytes_); }

 private:
  std::size_t plain_size_;
  std::size_t filled_ = 0;
  Bytes bytes_;
};

/// The blocks of a frame exactly as RawFrame writes it, where they lie; nullopt for any other
/// bytes.
std::optional<std::vector<ByteView>> raw_frame_blocks(ByteView frame);
/// The same, copied together.
std::optional<Bytes> decode_raw_frame(ByteView frame);

/// Compresses whole frames with one libzstd context. Not thread-safe.
class FrameCompressor {
 public:
  explicit FrameCompressor(int level);
  ~FrameCompressor();
  FrameCompressor(const FrameCompressor&) = delete;
  FrameCompressor& operator=(const FrameCompressor&) = delete;
  /// One frame with content size and without checksum. Stored where compression gains nothing, or
  /// where it gains so much that a reader would take the frame for an expansion bomb.
  Result<Bytes> compress(ByteView plain);
  /// The same for a chunk: nullopt when it is to be stored as it is. Looks at samples before it
  /// tries the whole.
  Result<std::optional<Bytes>> compress_chunk(const RawFrame& chunk);

 private:
  Result<std::size_t> try_compress(ByteView plain, int level);
  bool sample_shrinks(const RawFrame& chunk);
  ZSTD_CCtx_s* context_;
  int level_;
  Bytes plain_;
  Bytes packed_;
};

/// The window that a decoder needs for `frame`; nullopt when it does not begin like a content
/// frame: content size in the header, no dictionary, no checksum.
std::optional<std::uint64_t> window_of_frame(ByteView frame);
/// Decompresses one content frame that must fill `frame` and have exactly `plain_size` bytes; false
/// when it does not.
bool decompress_frame(ByteView frame, std::size_t plain_size, Bytes& plain);

/// Appends the header of a skippable frame.
void append_skippable_header(Bytes& out, std::uint32_t magic, std::size_t payload_size);
/// The payload when `frame` is exactly one skippable frame with that magic.
std::optional<ByteView> skippable_payload(ByteView frame, std::uint32_t magic);

}  // namespace oa::archive
