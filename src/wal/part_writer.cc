#include "part_writer.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace oa::wal {
namespace {

constexpr const char* kOp = "wal.append";

Status write_at(int fd, std::uint64_t position, ByteView bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error(errno, kOp, "cannot write " + name);
    position += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

PartWriter::PartWriter(Descriptor file, const PartHeader& header, const Bytes& encoded,
                       FrameCipher cipher, TenantId cell)
    : file_(std::move(file)),
      name_(header.name),
      file_size_(encoded.size() + kFrameTagSize),
      offset_(header.start),
      cipher_(std::move(cipher)),
      binding_(cell, encoded) {}

Result<PartWriter> PartWriter::create(const std::string& folder, PartHeader header,
                                      KeyService& keys, TenantId cell) {
  OA_ASSIGN(DataKey key, keys.generate_data_key(cell, KeyPurpose::kWal));
  header.key = std::move(key.wrapped);
  OA_ASSIGN(const Bytes encoded, encode_part_header(header));
  OA_ASSIGN(auto cipher, FrameCipher::create(key.plaintext));
  const std::string path = folder + "/" + header.name.str();
  OA_ASSIGN(const auto sink, AtomicFileSink::create(path, false, kSealedMode));
  Bytes tag(kFrameTagSize);
  cipher.seal(kHeaderNumber, FrameBinding(cell, encoded).alone(), {}, tag);
  OA_TRY(sink->write(encoded));
  OA_TRY(sink->write(tag));
  OA_TRY(sink->commit());
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return errno_error(errno, kOp, "cannot open " + header.name.str());
  return PartWriter(std::move(file), header, encoded, std::move(cipher), cell);
}

Status PartWriter::write_frame(ByteView plain) {
  const FrameHeader header{static_cast<std::uint32_t>(plain.size()), offset_, next_number_};
  const auto encoded = encode_frame_header(header);
  frame_.resize(plain.size() + kFrameOverhead);
  std::ranges::copy(encoded, frame_.begin());
  cipher_.seal(next_number_, binding_.with(encoded), plain,
               std::span(frame_).subspan(kFrameHeaderSize));
  ++next_number_;
  OA_TRY(write_at(file_.get(), file_size_, frame_, name_.str()));
  if (::fdatasync(file_.get()) != 0)
    return errno_error(errno, kOp, "cannot make " + name_.str() + " durable");
  file_size_ += frame_.size();
  offset_ += header.length;
  return {};
}

Status PartWriter::append(ByteView plain) {
  OA_ASSERT(!plain.empty() && plain.size() <= kMaxFramePlain &&
            plain.size() <= name_.segment.size.bytes() - offset_);
  return write_frame(plain);
}

Status PartWriter::finish() {
  OA_ASSERT(offset_ == name_.segment.size.bytes());
  return write_frame({});
}

}  // namespace oa::wal
