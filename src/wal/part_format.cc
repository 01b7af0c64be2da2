#include "part_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "oa/crypto/hash.h"

namespace oa::wal {
namespace {

constexpr std::array<std::uint8_t, 6> kMagic = {'O', 'A', 'W', '1', 1, 1};  // version, algorithm
constexpr std::size_t kFixedSize = 48;
constexpr std::size_t kMaxKeyId = 255;
constexpr std::size_t kMaxWrappedKey = 4096;
constexpr std::size_t kSegmentDigits = 24;
constexpr std::size_t kPartDigits = 8;

}  // namespace

Error log_corrupt(const std::string& file, const std::string& what) {
  return make_error(ErrorCode::kSealCorrupt, "wal.read", file + ": " + what)
      .with_hint(
          "the stored bytes, their name or their key are not what was sealed; restore from the "
          "repository alone, or from a copy of the folder");
}

std::string PartName::str() const { return fmt::format("{}.{:08x}", segment.str(), number); }

std::optional<PartName> PartName::parse(std::string_view text, SegmentSize size) {
  if (text.size() != kSegmentDigits + 1 + kPartDigits || text[kSegmentDigits] != '.')
    return std::nullopt;
  const auto segment = SegmentName::parse(text.substr(0, kSegmentDigits), size);
  if (!segment.ok()) return std::nullopt;
  PartName name{*segment, 0};
  const auto digits = text.substr(kSegmentDigits + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), name.number, 16);
  if (name.str() != text || name.number >= kMaxParts) return std::nullopt;
  return name;
}

Result<Bytes> encode_part_header(const PartHeader& header) {
  if (header.key.key_id.size() > kMaxKeyId || header.key.blob.size() > kMaxWrappedKey) {
    return make_error(ErrorCode::kInvalidArgument, "wal.append",
                      "key id or wrapped key is too long for a header");
  }
  Bytes bytes(kMagic.begin(), kMagic.end());
  bytes.push_back(header.continues ? 1 : 0);
  bytes.push_back(0);
  append_le(bytes, header.system_identifier);
  append_le(bytes, header.name.segment.number);
  append_le(bytes, header.name.segment.timeline.value);
  append_le(bytes, header.name.segment.size.bytes());
  append_le(bytes, header.name.number);
  append_le(bytes, header.start);
  append_le(bytes, std::uint32_t{0});
  append_le(bytes, static_cast<std::uint16_t>(header.key.key_id.size()));
  append_le(bytes, static_cast<std::uint16_t>(header.key.blob.size()));
  OA_ASSERT(bytes.size() == kFixedSize);
  bytes.insert(bytes.end(), header.key.key_id.begin(), header.key.key_id.end());
  bytes.insert(bytes.end(), header.key.blob.begin(), header.key.blob.end());
  return bytes;
}

Result<ParsedPartHeader> parse_part_header(const RangedSource& file) {
  const auto corrupt = [] { return log_corrupt("a part of the log", "it has no header"); };
  if (file.size() < kFixedSize) return corrupt();
  ParsedPartHeader parsed;
  Bytes& bytes = parsed.encoded;
  bytes.resize(kFixedSize);
  OA_TRY(file.read_at(0, bytes));
  const ByteView fixed(bytes);
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin()) || bytes[6] > 1 || bytes[7] != 0 ||
      read_le<std::uint32_t>(fixed.subspan(40)) != 0) {
    return corrupt();
  }
  const std::size_t key_id = read_le<std::uint16_t>(fixed.subspan(44));
  const std::size_t wrapped = read_le<std::uint16_t>(fixed.subspan(46));
  const auto size = SegmentSize::of(read_le<std::uint32_t>(fixed.subspan(28)));
  if (!size.ok() || key_id > kMaxKeyId || wrapped > kMaxWrappedKey ||
      file.size() < kFixedSize + key_id + wrapped) {
    return corrupt();
  }
  PartHeader& header = parsed.header;
  header.continues = bytes[6] == 1;
  header.system_identifier = read_le<std::uint64_t>(fixed.subspan(8));
  header.name.segment = {{read_le<std::uint32_t>(fixed.subspan(24))},
                         read_le<std::uint64_t>(fixed.subspan(16)),
                         *size};
  header.name.number = read_le<std::uint32_t>(fixed.subspan(32));
  header.start = read_le<std::uint32_t>(fixed.subspan(36));
  bytes.resize(kFixedSize + key_id + wrapped);
  OA_TRY(file.read_at(kFixedSize, std::span(bytes).subspan(kFixedSize)));
  const auto fields = bytes.begin() + kFixedSize;
  const auto blob = fields + static_cast<std::ptrdiff_t>(key_id);
  header.key.key_id.assign(fields, blob);
  header.key.blob.assign(blob, bytes.end());
  return parsed;
}

EncodedFrameHeader encode_frame_header(const FrameHeader& header) {
  EncodedFrameHeader bytes{};
  std::size_t at = 0;
  for (const std::uint32_t field : {header.length, header.offset, header.number})
    for (std::size_t i = 0; i < 4; ++i) bytes[at++] = static_cast<std::uint8_t>(field >> (8 * i));
  return bytes;
}

FrameHeader decode_frame_header(ByteView bytes) {
  return {read_le<std::uint32_t>(bytes), read_le<std::uint32_t>(bytes.subspan(4)),
          read_le<std::uint32_t>(bytes.subspan(8))};
}

FrameBinding::FrameBinding(TenantId cell, ByteView encoded_part_header) {
  Sha256 hash;
  hash.update(as_bytes("oa-wal:v1:"));
  hash.update(cell.uuid().raw());
  hash.update(encoded_part_header);
  const auto digest = hash.finish();
  std::ranges::copy(digest, bytes_.begin());
}

ByteView FrameBinding::with(const EncodedFrameHeader& header) {
  std::ranges::copy(header, bytes_.end() - kFrameHeaderSize);
  return bytes_;
}

}  // namespace oa::wal
