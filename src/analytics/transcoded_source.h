// Text in another encoding, seen as UTF-8.
#pragma once

#include <memory>

#include "oa/analytics/file_options.h"
#include "oa/base/progress.h"
#include "piecewise_source.h"

namespace oa::analytics {

/// A file in Windows-1252 or UTF-16, read as UTF-8 without a byte order mark. What is not valid
/// UTF-16 (a lone surrogate, half a unit at the end) becomes bytes that are not valid UTF-8, on the
/// same line. Bytes of Windows-1252 that have no character become the control characters U+0081 …
/// as in browsers (WHATWG Encoding). Memory: under 2 MiB and 16 bytes per 256 KiB of the file.
class TranscodedSource final : public PiecewiseSource {
 public:
  /// Reads the file once to learn where what lies. Borrows `file`. Errors: kCancelled, those of
  /// `file`. `encoding` is not kAuto or kUtf8.
  static Result<std::unique_ptr<TranscodedSource>> create(const RangedSource& file,
                                                          TextEncoding encoding,
                                                          Progress& progress);

 private:
  TranscodedSource(const RangedSource& file, TextEncoding encoding)
      : PiecewiseSource(file), encoding_(encoding) {}
  void convert(std::size_t piece, ByteView raw, std::string& text) const override;

  const TextEncoding encoding_;
};

/// Which UTF-16 a file that begins so is in, by its byte order mark or its NULs; kAuto: none.
TextEncoding utf16_of(ByteView look);

/// The encoding of the file's first `look_bytes` bytes, as TextEncoding::kAuto says.
Result<TextEncoding> detect_encoding(const RangedSource& file, std::uint64_t look_bytes);

}  // namespace oa::analytics
