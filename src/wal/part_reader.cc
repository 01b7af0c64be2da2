#include "part_reader.h"

#include <algorithm>

#include "oa/crypto/seal.h"

namespace oa::wal {
namespace {

constexpr std::size_t kWindow = 2 << 20;
static_assert(kWindow >= kMaxFramePlain + kFrameOverhead);

}  // namespace

PartReader::PartReader(std::unique_ptr<FileSource> file, ParsedPartHeader parsed,
                       FrameCipher cipher, TenantId cell)
    : file_(std::move(file)),
      header_(std::move(parsed.header)),
      first_frame_(parsed.encoded.size() + kFrameTagSize),
      cipher_(std::move(cipher)),
      binding_(cell, parsed.encoded) {}

Result<PartReader> PartReader::open(const std::string& path, const PartName& name, KeyService& keys,
                                    TenantId cell, const ClusterIdentity& cluster) {
  OA_ASSIGN(auto file, FileSource::open(path));
  OA_ASSIGN(auto parsed, parse_part_header(*file));
  const PartHeader& header = parsed.header;
  if (header.name != name || header.system_identifier != cluster.system_identifier ||
      header.start > name.segment.size.bytes()) {
    return log_corrupt(name.str(), "its header is that of another file");
  }
  OA_ASSIGN(const SecretBytes key, keys.unwrap(cell, KeyPurpose::kWal, header.key));
  OA_ASSIGN(auto cipher, FrameCipher::create(key));
  PartReader reader(std::move(file), std::move(parsed), std::move(cipher), cell);
  OA_TRY(reader.check_header());
  return reader;
}

// A part appears with its whole header, so that this never fails for a crash.
Status PartReader::check_header() {
  const std::uint64_t tag_at = first_frame_ - kFrameTagSize;
  if (file_->size() >= first_frame_) {
    OA_ASSIGN(const ByteView tag, bytes_at(tag_at, kFrameTagSize));
    if (cipher_.open(kHeaderNumber, binding_.alone(), tag, {})) return {};
  }
  return log_corrupt(header_.name.str(), "its header does not authenticate");
}

// The range must lie in the file, as long as it was when it was opened.
Result<ByteView> PartReader::bytes_at(std::uint64_t position, std::size_t length) {
  OA_ASSERT(length <= kWindow && position + length <= file_->size());
  if (position < window_at_ || position + length > window_at_ + window_.size()) {
    window_.resize(std::min<std::uint64_t>(kWindow, file_->size() - position));
    window_at_ = position;
    OA_TRY(file_->read_at(position, window_));
  }
  return ByteView(window_).subspan(position - window_at_, length);
}

Result<std::optional<ByteView>> PartReader::open_frame(std::uint64_t position,
                                                       const FrameHeader& frame) {
  OA_ASSIGN(const ByteView sealed,
            bytes_at(position + kFrameHeaderSize, frame.length + kFrameTagSize));
  if (plain_.empty()) plain_ = SecretBytes(kMaxFramePlain);
  const auto plain = plain_.mutable_view().first(frame.length);
  if (!cipher_.open(frame.number, binding_.with(encode_frame_header(frame)), sealed, plain))
    return std::optional<ByteView>();
  return std::optional<ByteView>(plain);
}

// True when a frame that was written later than the one expected at `position` is there or behind
// it: then that one was whole once, since each is made durable before the next is written.
Result<bool> PartReader::frame_follows(std::uint64_t position, const FrameHeader& expected) {
  const std::uint32_t segment_bytes = header_.name.segment.size.bytes();
  for (std::uint64_t at = position; at + kFrameOverhead <= file_->size(); ++at) {
    OA_ASSIGN(const ByteView bytes, bytes_at(at, kFrameHeaderSize));
    const FrameHeader frame = decode_frame_header(bytes);
    if (frame.length > kMaxFramePlain || frame.offset <= expected.offset ||
        frame.offset > segment_bytes || frame.number <= expected.number ||
        frame.number - expected.number > file_->size() / kFrameOverhead ||
        at + kFrameOverhead + frame.length > file_->size()) {
      continue;
    }
    OA_ASSIGN(const auto plain, open_frame(at, frame));
    if (plain) return true;
  }
  return false;
}

Result<PartEnd> PartReader::read(const std::function<Status(ByteView)>& visit) {
  const std::uint32_t segment_bytes = header_.name.segment.size.bytes();
  std::uint64_t position = first_frame_;
  FrameHeader expected{0, header_.start, 0};
  while (position < file_->size()) {
    std::optional<ByteView> plain;
    FrameHeader frame;
    if (position + kFrameOverhead <= file_->size()) {
      OA_ASSIGN(const ByteView bytes, bytes_at(position, kFrameHeaderSize));
      frame = decode_frame_header(bytes);
      if (frame.offset == expected.offset && frame.number == expected.number &&
          frame.length <= std::min<std::size_t>(kMaxFramePlain, segment_bytes - frame.offset) &&
          position + kFrameOverhead + frame.length <= file_->size()) {
        OA_ASSIGN(plain, open_frame(position, frame));
      }
    }
    if (!plain) {
      OA_ASSIGN(const bool damaged, frame_follows(position, expected));
      if (damaged) return log_corrupt(header_.name.str(), "a frame does not authenticate");
      break;
    }
    if (frame.length == 0) {
      if (frame.offset != segment_bytes) return log_corrupt(header_.name.str(), "an empty frame");
      return PartEnd{segment_bytes, true};
    }
    OA_TRY(visit(*plain));
    position += kFrameOverhead + frame.length;
    expected.offset += frame.length;
    ++expected.number;
  }
  return PartEnd{expected.offset, false};
}

Result<bool> PartReader::ends_with_mark() {
  if (file_->size() < first_frame_ + kFrameOverhead) return false;
  const std::uint64_t position = file_->size() - kFrameOverhead;
  OA_ASSIGN(const ByteView bytes, bytes_at(position, kFrameHeaderSize));
  const FrameHeader frame = decode_frame_header(bytes);
  if (frame.length != 0 || frame.offset != header_.name.segment.size.bytes()) return false;
  OA_ASSIGN(const auto plain, open_frame(position, frame));
  return plain.has_value();
}

}  // namespace oa::wal
