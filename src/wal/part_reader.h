// Reads one part file of the sealed log.
#pragma once

#include <functional>
#include <memory>

#include "part_format.h"

namespace oa::wal {

struct PartEnd {
  std::uint32_t offset = 0;  // in the segment, behind the last whole frame
  bool finished = false;     // the finish mark is there
};

class PartReader {
 public:
  /// Borrows `keys`. kSealCorrupt when the file is no part of the name `name` of this cell and
  /// cluster, kKeyWrong, kNotFound.
  static Result<PartReader> open(const std::string& path, const PartName& name, KeyService& keys,
                                 TenantId cell, const ClusterIdentity& cluster);

  const PartHeader& header() const { return header_; }
  std::uint64_t stored_bytes() const { return file_->size(); }
  /// The bytes of every whole frame, authenticated and in order. What is cut off at the end counts
  /// as never written; anything else that does not authenticate is kSealCorrupt.
  Result<PartEnd> read(const std::function<Status(ByteView)>& visit);
  /// Whether the file ends with a finish mark; looks at nothing else.
  Result<bool> ends_with_mark();

 private:
  PartReader(std::unique_ptr<FileSource> file, ParsedPartHeader parsed, FrameCipher cipher,
             TenantId cell);
  Status check_header();
  Result<ByteView> bytes_at(std::uint64_t position, std::size_t length);
  /// The plain bytes of the frame at `position`; none when what is there does not authenticate.
  Result<std::optional<ByteView>> open_frame(std::uint64_t position, const FrameHeader& frame);
  Result<bool> frame_follows(std::uint64_t position, const FrameHeader& expected);

  std::unique_ptr<FileSource> file_;
  PartHeader header_;
  std::uint64_t first_frame_;
  FrameCipher cipher_;
  FrameBinding binding_;
  Bytes window_;
  std::uint64_t window_at_ = 0;
  SecretBytes plain_;
};

}  // namespace oa::wal
