// The one spelling of a tar header that an archive may use: POSIX.1-2017 "pax interchange format",
// ustar header blocks, with an extended header only where a path or a size does not fit.
#pragma once

#include <string_view>

#include "oa/base/bytes.h"

namespace oa::archive {

/// Largest mtime and size that a ustar field of eleven octal digits holds.
inline constexpr std::uint64_t kMaxUstarNumber = 077777777777;

/// Appends the header of a regular file. `mtime` is in seconds and at most kMaxUstarNumber.
void append_tar_header(Bytes& out, std::string_view path, std::uint64_t size, std::uint64_t mtime);

/// Bytes that append_tar_header() appends.
std::size_t tar_header_size(std::string_view path, std::uint64_t size);

/// Appends zero bytes up to the next block border behind content of `size` bytes.
void append_padding(Bytes& out, std::uint64_t size);

/// Appends one small file: header, content, padding.
void append_tar_file(Bytes& out, std::string_view path, ByteView content, std::uint64_t mtime);

/// What a header block that is not the expected one says, for the text of a refusal.
struct SeenHeader {
  bool is_header = false;  // magic and checksum are right
  char type = 0;
  std::string path;  // empty when it is in an extended header that is malformed
};
/// Looks at the header at the start of `bytes`, following one extended header.
SeenHeader look_at_tar_header(ByteView bytes);

}  // namespace oa::archive
