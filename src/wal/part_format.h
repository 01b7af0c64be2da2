// The layout of the sealed write-ahead log's part files (docs/format.md, "The write-ahead log,
// sealed"), shared by their writer and their reader.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "oa/crypto/frame_cipher.h"
#include "oa/keys/key_service.h"
#include "oa/wal/sealed_wal.h"

namespace oa::wal {

inline constexpr std::size_t kFrameHeaderSize = 12;
inline constexpr std::size_t kFrameOverhead = kFrameHeaderSize + kFrameTagSize;
inline constexpr std::size_t kMaxFramePlain = 1 << 20;
inline constexpr std::uint32_t kMaxParts = 1 << 20;
/// Whoever the folder lets in may read what is sealed: see open_local_wal().
inline constexpr unsigned kSealedMode = 0640;

/// Which part of which segment a file is; its name says it, and its header again.
struct PartName {
  SegmentName segment;
  std::uint32_t number = 0;

  std::string str() const;
  static std::optional<PartName> parse(std::string_view text, SegmentSize size);
  auto operator<=>(const PartName&) const = default;
};

struct PartHeader {
  std::uint64_t system_identifier = 0;
  PartName name;
  std::uint32_t start = 0;  // offset in the segment of the first frame
  bool continues = false;   // the segment before was whole in this log when this one began
  WrappedKey key;
};

/// kInvalidArgument when the key's id or blob is too long.
Result<Bytes> encode_part_header(const PartHeader& header);
/// With the exact bytes that it had.
struct ParsedPartHeader {
  PartHeader header;
  Bytes encoded;
};
/// kSealCorrupt when `file` does not begin with one.
Result<ParsedPartHeader> parse_part_header(const RangedSource& file);

/// What goes before the sealed bytes of a frame. A frame of no bytes at the segment's end is the
/// finish mark.
struct FrameHeader {
  std::uint32_t length = 0;  // plain bytes
  std::uint32_t offset = 0;  // in the segment
  std::uint32_t number = 0;  // in the part
};
using EncodedFrameHeader = std::array<std::uint8_t, kFrameHeaderSize>;
EncodedFrameHeader encode_frame_header(const FrameHeader& header);
FrameHeader decode_frame_header(ByteView bytes);

/// The nonce's number of the tag behind a part's header; frames count from 0.
inline constexpr std::uint64_t kHeaderNumber = ~std::uint64_t{0};

/// Associated data: SHA-256 of cell and part header, then the frame's header.
class FrameBinding {
 public:
  FrameBinding(TenantId cell, ByteView encoded_part_header);
  ByteView with(const EncodedFrameHeader& header);
  ByteView alone() const { return ByteView(bytes_).first(32); }  // for the part's header itself

 private:
  std::array<std::uint8_t, 32 + kFrameHeaderSize> bytes_{};
};

Error log_corrupt(const std::string& file, const std::string& what);

}  // namespace oa::wal
