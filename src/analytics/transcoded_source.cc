#include "transcoded_source.h"

#include <algorithm>

#include "oa/base/utf8.h"

namespace oa::analytics {
namespace {

constexpr std::uint64_t kLookBytes = std::uint64_t{256} << 10;
constexpr char kHalfUnit = '\xFF';  // never valid UTF-8
// One NUL in so many units tells UTF-16: line breaks and delimiters alone are more.
constexpr std::size_t kUnitsPerNul = 50;

// WHATWG windows-1252, 0x80 to 0x9F.
constexpr char16_t kWindows1252[] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

bool is_utf16(TextEncoding encoding) {
  return encoding == TextEncoding::kUtf16Le || encoding == TextEncoding::kUtf16Be;
}

char16_t unit_at(ByteView bytes, std::size_t at, TextEncoding encoding) {
  const std::size_t high = encoding == TextEncoding::kUtf16Be ? at : at + 1;
  const std::size_t low = encoding == TextEncoding::kUtf16Be ? at + 1 : at;
  return static_cast<char16_t>(bytes[high] << 8 | bytes[low]);
}

void append_windows_1252(std::string& out, ByteView bytes) {
  for (const std::uint8_t byte : bytes) {
    if (byte < 0x80) {
      out += static_cast<char>(byte);
    } else {
      append_utf8(out, byte < 0xA0 ? kWindows1252[byte - 0x80] : byte);
    }
  }
}

void append_utf16(std::string& out, ByteView bytes, TextEncoding encoding) {
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) {
    const char16_t unit = unit_at(bytes, at, encoding);
    if (is_high_surrogate(unit) && at + 3 < bytes.size()) {
      const char16_t next = unit_at(bytes, at + 2, encoding);
      if (is_low_surrogate(next)) {
        append_utf8(out, from_surrogates(unit, next));
        at += 2;
        continue;
      }
    }
    append_utf8(out, unit);
  }
  if (at < bytes.size()) out += kHalfUnit;
}

void append_text(std::string& out, ByteView bytes, TextEncoding encoding) {
  if (is_utf16(encoding)) {
    append_utf16(out, bytes, encoding);
  } else {
    append_windows_1252(out, bytes);
  }
}

bool has_mark(ByteView bytes, TextEncoding encoding) {
  return bytes.size() >= 2 && unit_at(bytes, 0, encoding) == 0xFEFF;
}

// Length of the UTF-8 sequence at the front of `text`, 0 when there is none; SIZE_MAX when `text`
// ends in it.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  const std::size_t length = lead > 0xF4    ? 0
                             : lead >= 0xF0 ? 4
                             : lead >= 0xE0 ? 3
                             : lead >= 0xC2 ? 2
                                            : 0;
  const std::string_view sequence = text.substr(0, length);
  const bool continued = std::all_of(sequence.begin() + (length > 0 ? 1 : 0), sequence.end(),
                                     [](char c) { return (c & 0xC0) == 0x80; });
  if (length == 0 || !continued) return 0;
  if (text.size() < length) return SIZE_MAX;
  return is_utf8(sequence) ? length : 0;
}

// UTF-8 unless bytes above 127 are there and no sequence of them is UTF-8.
class Utf8Evidence {
 public:
  void feed(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      if (static_cast<std::uint8_t>(text[at]) < 0x80) {
        ++at;
        continue;
      }
      const std::size_t length = sequence_length(text.substr(at));
      if (length == SIZE_MAX) return;
      (length == 0 ? invalid_ : valid_) = true;
      at += std::max<std::size_t>(length, 1);
    }
  }
  TextEncoding encoding() const {
    return invalid_ && !valid_ ? TextEncoding::kLatin1 : TextEncoding::kUtf8;
  }

 private:
  bool valid_ = false;
  bool invalid_ = false;
};

// Text in a language of any script has ASCII line breaks, delimiters and digits, whose high bytes
// are NUL; a low byte that is NUL is rare. Text in bytes with NULs astray has line breaks without.
bool looks_like_utf16(ByteView look, TextEncoding encoding) {
  std::size_t high_nuls = 0, low_nuls = 0, breaks = 0, high_breaks = 0, good_breaks = 0;
  const auto is_break = [](unsigned byte) { return byte == '\n' || byte == '\r'; };
  for (std::size_t at = 0; at + 1 < look.size(); at += 2) {
    const char16_t unit = unit_at(look, at, encoding);
    const unsigned high = unit >> 8, low = unit & 0xFF;
    high_nuls += high == 0 ? 1 : 0;
    low_nuls += low == 0 ? 1 : 0;
    high_breaks += is_break(high) ? 1 : 0;
    breaks += is_break(low) ? 1 : 0;
    good_breaks += is_break(low) && high == 0 ? 1 : 0;
  }
  return high_nuls > 1 && high_nuls * kUnitsPerNul > look.size() / 2 && low_nuls * 8 <= high_nuls &&
         high_breaks * 8 <= high_nuls && good_breaks * 4 >= breaks * 3;
}

}  // namespace

TextEncoding utf16_of(ByteView look) {
  for (const auto test : {has_mark, looks_like_utf16}) {
    for (const TextEncoding encoding : {TextEncoding::kUtf16Le, TextEncoding::kUtf16Be}) {
      if (test(look, encoding)) return encoding;
    }
  }
  return TextEncoding::kAuto;
}

Result<std::unique_ptr<TranscodedSource>> TranscodedSource::create(const RangedSource& file,
                                                                   TextEncoding encoding,
                                                                   Progress& progress) {
  OA_ASSERT(encoding != TextEncoding::kAuto && encoding != TextEncoding::kUtf8);
  std::unique_ptr<TranscodedSource> source(new TranscodedSource(file, encoding));
  progress.begin("decode", file.size(), "bytes");
  Piece next;
  Bytes raw;
  std::string text;
  for (bool first = true; next.in < file.size(); first = false) {
    if (progress.cancelled()) {
      return make_error(ErrorCode::kCancelled, "analytics.import", "The import was cancelled");
    }
    raw.resize(std::min(kPieceBytes, file.size() - next.in));
    OA_TRY(file.read_at(next.in, raw));
    if (first && is_utf16(encoding) && has_mark(raw, encoding)) {
      raw.erase(raw.begin(), raw.begin() + 2);
      next.in += 2;
    }
    const bool last = next.in + raw.size() == file.size();
    const std::size_t units_end = raw.size() & ~std::size_t{1};
    if (is_utf16(encoding) && !last) {
      // The pair of surrogates that would be cut belongs to the next piece.
      const bool cut = is_high_surrogate(unit_at(raw, units_end - 2, encoding));
      raw.resize(cut ? units_end - 2 : units_end);
    }
    source->pieces_.push_back(next);
    text.clear();
    append_text(text, raw, encoding);
    next.in += raw.size();
    next.out += text.size();
    progress.update(next.in);
  }
  source->pieces_.push_back(next);
  return source;
}

void TranscodedSource::convert(std::size_t, ByteView raw, std::string& text) const {
  append_text(text, raw, encoding_);
}

Result<TextEncoding> detect_encoding(const RangedSource& file, std::uint64_t look_bytes) {
  Bytes piece;
  Utf8Evidence evidence;
  const std::uint64_t end = std::min(file.size(), look_bytes);
  for (std::uint64_t at = 0; at < end;) {
    piece.resize(std::min(kLookBytes, end - at));
    OA_TRY(file.read_at(at, piece));
    if (at == 0) {
      const TextEncoding encoding = utf16_of(piece);
      if (encoding != TextEncoding::kAuto) return encoding;
    }
    evidence.feed(as_text(piece));
    // A sequence that this piece cuts is whole in the next.
    at += piece.size() > 4 && at + piece.size() < end ? piece.size() - 4 : piece.size();
  }
  return evidence.encoding();
}

}  // namespace oa::analytics
