#include "even_lines.h"

#include <algorithm>

#include "oa/base/bytes.h"

namespace oa::analytics {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

// `differs` becomes true at a record that ends otherwise than in line_break_.
void EvenLines::append(ByteView raw, Place& place, bool& differs, std::string& text) const {
  using enum Place::In;
  for (const std::uint8_t byte : raw) {
    if (place.after_return) {
      place.after_return = false;
      differs = differs || line_break_ != (byte == '\n' ? "\r\n" : "\r");
      if (byte == '\n') continue;
    }
    if ((byte == '\n' || byte == '\r') && place.in != kQuoted) {
      place = {kStart, byte == '\r'};
      differs = differs || (byte == '\n' && line_break_ != "\n");
      text += line_break_;
      continue;
    }
    text += static_cast<char>(byte);
    if (place.in == kQuoted) {
      if (byte == '"') place.in = kQuoteSeen;
    } else if (byte == delimiter_) {
      place.in = kStart;
    } else if (byte == '"' && place.in != kPlain) {
      place.in = kQuoted;  // it opens the value, or is the second of two inside of it
    } else if (byte != ' ' || place.in != kStart) {
      place.in = kPlain;  // blanks before an opening quote are no part of the value
    }
  }
}

void EvenLines::convert(std::size_t piece, ByteView raw, std::string& text) const {
  Place place = places_[piece];
  bool differs = false;
  append(raw, place, differs, text);
}

Result<std::unique_ptr<EvenLines>> EvenLines::create(const RangedSource& csv, char delimiter,
                                                     std::string_view line_break,
                                                     Progress& progress) {
  std::unique_ptr<EvenLines> lines(new EvenLines(csv, delimiter, line_break));
  progress.begin("look at line breaks", csv.size(), "bytes");
  Bytes raw;
  std::string text;
  Place place;
  bool differs = false;
  Piece next;
  while (next.in < csv.size()) {
    if (progress.cancelled()) {
      return make_error(ErrorCode::kCancelled, "analytics.import", "The import was cancelled");
    }
    raw.resize(std::min(kPieceBytes, csv.size() - next.in));
    OA_TRY(csv.read_at(next.in, raw));
    // A piece of its own, so that a quote behind it opens a value.
    const bool mark = next.in == 0 && as_text(raw).starts_with(kByteOrderMark);
    if (mark) raw.resize(kByteOrderMark.size());
    lines->pieces_.push_back(next);
    lines->places_.push_back(place);
    text.clear();
    lines->append(raw, place, differs, text);
    if (mark) place = {};
    next.in += raw.size();
    next.out += text.size();
    progress.update(next.in);
  }
  lines->pieces_.push_back(next);
  differs = differs || (place.after_return && line_break != "\r");
  if (!differs) lines.reset();
  return lines;
}

}  // namespace oa::analytics
