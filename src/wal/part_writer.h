// Writes one part file of the sealed log.
#pragma once

#include "descriptor.h"
#include "part_format.h"

namespace oa::wal {

/// After an error a part is written no further: its last frame may be there in part, and its number
/// must not be sealed twice under one key. The log goes on in the segment's next part.
class PartWriter {
 public:
  /// Makes the file with a data key of its own; it appears whole and durable. kDiskFull, kIo,
  /// errors of the key service.
  static Result<PartWriter> create(const std::string& folder, PartHeader header, KeyService& keys,
                                   TenantId cell);

  const SegmentName& segment() const { return name_.segment; }
  /// Where in the segment the next frame belongs.
  std::uint32_t offset() const { return offset_; }
  /// One frame, durable on return. At most kMaxFramePlain bytes, and no more than the segment still
  /// takes.
  Status append(ByteView plain);
  /// The finish mark, durable on return. Every byte of the segment must be there.
  Status finish();

 private:
  PartWriter(Descriptor file, const PartHeader& header, const Bytes& encoded, FrameCipher cipher,
             TenantId cell);
  Status write_frame(ByteView plain);

  Descriptor file_;
  PartName name_;
  std::uint64_t file_size_;
  std::uint32_t offset_;
  std::uint32_t next_number_ = 0;
  FrameCipher cipher_;
  FrameBinding binding_;
  Bytes frame_;
};

}  // namespace oa::wal
