// UTF-8 into the encodings that imports read, for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oa/analytics/file_options.h"

namespace oa::analytics {

inline std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[at]);
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0x80 ? 1 : 0;
    char32_t point = more == 0 ? lead : lead & (0x3F >> more);
    for (int i = 1; i <= more; ++i) {
      point =
          point << 6 | (static_cast<std::uint8_t>(text[at + static_cast<std::size_t>(i)]) & 0x3F);
    }
    points += point;
    at += static_cast<std::size_t>(more) + 1;
  }
  return points;
}

inline std::string to_utf16(std::string_view text, TextEncoding encoding) {
  std::string out;
  const auto unit = [&](char32_t value) {
    const char high = static_cast<char>(value >> 8), low = static_cast<char>(value & 0xFF);
    out += encoding == TextEncoding::kUtf16Be ? high : low;
    out += encoding == TextEncoding::kUtf16Be ? low : high;
  };
  for (const char32_t point : code_points(text)) {
    if (point < 0x10000) {
      unit(point);
    } else {
      unit(0xD800 + ((point - 0x10000) >> 10));
      unit(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
  }
  return out;
}

/// Nothing when a character is not in ISO 8859-1.
inline std::optional<std::string> to_latin1(std::string_view text) {
  std::string out;
  for (const char32_t point : code_points(text)) {
    if (point > 0xFF || (point >= 0x80 && point < 0xA0)) return std::nullopt;
    out += static_cast<char>(point);
  }
  return out;
}

}  // namespace oa::analytics
