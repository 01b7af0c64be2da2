#include "frame.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "entry_layout.h"

namespace oa::archive {
namespace {

constexpr std::uint8_t kSingleSegmentSize4 =
    0xA0;  // frame header descriptor: content size in 4 bytes, no window
constexpr std::size_t kSampleSize = std::size_t{16} << 10;

struct DecompressContext {
  ZSTD_DCtx* raw = ZSTD_createDCtx();
  ~DecompressContext() { ZSTD_freeDCtx(raw); }
};

void put_le(std::uint8_t* out, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::size_t block_at(std::size_t index) {
  return kRawFrameHeaderSize + index * (kBlockHeaderSize + kRawBlockSize);
}

std::size_t raw_block_count(std::size_t plain_size) {
  return plain_size == 0 ? 1 : (plain_size + kRawBlockSize - 1) / kRawBlockSize;
}

std::size_t block_size(std::size_t plain_size, std::size_t index) {
  return std::min(kRawBlockSize, plain_size - index * kRawBlockSize);
}

std::size_t block_header(std::size_t plain_size, std::size_t index) {
  const bool last = index + 1 == raw_block_count(plain_size);
  return block_size(plain_size, index) << 3 | (last ? 1 : 0);
}

}  // namespace

RawFrame::RawFrame(std::size_t plain_size, Bytes buffer)
    : plain_size_(plain_size), bytes_(std::move(buffer)) {
  OA_ASSERT(plain_size <= UINT32_MAX);
  bytes_.resize(raw_frame_size(plain_size));
  put_le(bytes_.data(), 4, kZstdMagic);
  bytes_[4] = kSingleSegmentSize4;
  put_le(&bytes_[5], 4, plain_size);
  for (std::size_t i = 0; i < block_count(); ++i) {
    put_le(&bytes_[block_at(i)], kBlockHeaderSize, block_header(plain_size, i));
  }
}

std::size_t RawFrame::block_count() const { return raw_block_count(plain_size_); }

ByteView RawFrame::block(std::size_t index) const {
  return ByteView(bytes_).subspan(block_at(index) + kBlockHeaderSize,
                                  block_size(plain_size_, index));
}

std::size_t RawFrame::append(ByteView bytes) {
  const std::size_t taken = std::min(bytes.size(), plain_size_ - filled_);
  for (std::size_t done = 0; done < taken;) {
    const std::size_t in_block = filled_ % kRawBlockSize;
    const std::size_t piece = std::min(taken - done, kRawBlockSize - in_block);
    std::uint8_t* slot =
        bytes_.data() + block_at(filled_ / kRawBlockSize) + kBlockHeaderSize + in_block;
    std::memcpy(slot, bytes.data() + done, piece);
    done += piece;
    filled_ += piece;
  }
  return taken;
}

std::optional<std::vector<ByteView>> raw_frame_blocks(ByteView frame) {
  if (frame.size() < raw_frame_size(0)) return std::nullopt;
  const std::size_t plain_size = read_le<std::uint32_t>(frame.subspan(5));
  if (read_le<std::uint32_t>(frame) != kZstdMagic || frame[4] != kSingleSegmentSize4 ||
      raw_frame_size(plain_size) != frame.size()) {
    return std::nullopt;
  }
  std::vector<ByteView> blocks;
  for (std::size_t i = 0; i < raw_block_count(plain_size); ++i) {
    std::uint8_t header[kBlockHeaderSize];
    put_le(header, kBlockHeaderSize, block_header(plain_size, i));
    if (!std::ranges::equal(header, frame.subspan(block_at(i), kBlockHeaderSize)))
      return std::nullopt;
    blocks.push_back(frame.subspan(block_at(i) + kBlockHeaderSize, block_size(plain_size, i)));
  }
  return blocks;
}

std::optional<Bytes> decode_raw_frame(ByteView frame) {
  const auto blocks = raw_frame_blocks(frame);
  if (!blocks) return std::nullopt;
  Bytes plain;
  plain.reserve(frame.size());
  for (const auto block : *blocks) plain.insert(plain.end(), block.begin(), block.end());
  return plain;
}

FrameCompressor::FrameCompressor(int level) : context_(ZSTD_createCCtx()), level_(level) {
  OA_ASSERT(context_ != nullptr);
}

FrameCompressor::~FrameCompressor() { ZSTD_freeCCtx(context_); }

Result<std::size_t> FrameCompressor::try_compress(ByteView plain, int level) {
  packed_.resize(std::max(packed_.size(), ZSTD_compressBound(plain.size())));
  ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
  const auto size =
      ZSTD_compress2(context_, packed_.data(), packed_.size(), plain.data(), plain.size());
  if (ZSTD_isError(size)) {
    return make_error(ErrorCode::kInternal, "archive.compress", "a frame could not be compressed")
        .with_cause(ZSTD_getErrorName(size));
  }
  return size;
}

Result<Bytes> FrameCompressor::compress(ByteView plain) {
  OA_ASSIGN(const std::size_t size, try_compress(plain, level_));
  if (size < raw_frame_size(plain.size()) && plain.size() <= size * kMaxWrittenExpansion) {
    return Bytes(packed_.begin(), packed_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  RawFrame stored(plain.size());
  stored.append(plain);
  return stored.take();
}

bool FrameCompressor::sample_shrinks(const RawFrame& chunk) {
  std::size_t sampled = 0, packed = 0;
  for (const std::size_t index :
       {std::size_t{0}, chunk.block_count() / 2, chunk.block_count() - 1}) {
    const auto sample = chunk.block(index).first(std::min(kSampleSize, chunk.block(index).size()));
    const auto size = try_compress(sample, 1);
    if (!size.ok()) return false;
    sampled += sample.size();
    packed += *size;
  }
  return packed < sampled - sampled / 32;
}

Result<std::optional<Bytes>> FrameCompressor::compress_chunk(const RawFrame& chunk) {
  OA_ASSERT(chunk.full());
  if (!sample_shrinks(chunk)) return std::optional<Bytes>();
  plain_.clear();
  for (std::size_t i = 0; i < chunk.block_count(); ++i) {
    plain_.insert(plain_.end(), chunk.block(i).begin(), chunk.block(i).end());
  }
  OA_ASSIGN(const std::size_t size, try_compress(plain_, level_));
  if (size >= chunk.frame().size() || plain_.size() > size * kMaxWrittenExpansion)
    return std::optional<Bytes>();
  return std::optional<Bytes>(
      Bytes(packed_.begin(), packed_.begin() + static_cast<std::ptrdiff_t>(size)));
}

std::optional<std::uint64_t> window_of_frame(ByteView frame) {
  constexpr std::uint8_t kUnwanted = 0x0F;  // dictionary id, checksum, reserved bit
  if (frame.size() < 6 || read_le<std::uint32_t>(frame) != kZstdMagic) return std::nullopt;
  const std::uint8_t descriptor = frame[4], window = frame[5];
  if ((descriptor & kUnwanted) != 0) return std::nullopt;
  const auto content_size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (content_size == ZSTD_CONTENTSIZE_UNKNOWN || content_size == ZSTD_CONTENTSIZE_ERROR)
    return std::nullopt;
  constexpr std::uint8_t kSingleSegment = 0x20;
  if ((descriptor & kSingleSegment) != 0) return content_size;
  return (std::uint64_t{1024} << (window >> 3)) / 8 * (8 + (window & 7u));  // RFC 8878, 3.1.1.1.2
}

bool decompress_frame(ByteView frame, std::size_t plain_size, Bytes& plain) {
  if (!window_of_frame(frame)) return false;
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != plain_size) return false;
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) return false;
  thread_local const DecompressContext context;
  OA_ASSERT(context.raw != nullptr);
  plain.resize(plain_size);
  return ZSTD_decompressDCtx(context.raw, plain.data(), plain.size(), frame.data(), frame.size()) ==
         plain_size;
}

void append_skippable_header(Bytes& out, std::uint32_t magic, std::size_t payload_size) {
  OA_ASSERT(payload_size <= UINT32_MAX);
  append_le(out, magic);
  append_le(out, static_cast<std::uint32_t>(payload_size));
}

std::optional<ByteView> skippable_payload(ByteView frame, std::uint32_t magic) {
  if (frame.size() < kSkippableHeaderSize || read_le<std::uint32_t>(frame) != magic ||
      read_le<std::uint32_t>(frame.subspan(4)) != frame.size() - kSkippableHeaderSize) {
    return std::nullopt;
  }
  return frame.subspan(kSkippableHeaderSize);
}

}  // namespace oa::archive
