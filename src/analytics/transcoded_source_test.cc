#include "transcoded_source.h"

#include <gtest/gtest.h>

#include "test_encodings.h"

namespace oa::analytics {
namespace {

using namespace std::string_view_literals;

std::string decoded(std::string_view bytes, TextEncoding encoding, std::size_t piece = 1 << 20) {
  const MemorySource file(Bytes(bytes.begin(), bytes.end()));
  const auto source = TranscodedSource::create(file, encoding, no_progress());
  EXPECT_TRUE(source.ok());
  std::string out((*source)->size(), '\0');
  for (std::size_t at = 0; at < out.size(); at += piece) {
    const std::size_t count = std::min(piece, out.size() - at);
    EXPECT_TRUE(
        (*source)->read_at(at, {reinterpret_cast<std::uint8_t*>(out.data()) + at, count}).ok());
  }
  return out;
}

TEST(TranscodedSource, Windows1252) {
  EXPECT_EQ(decoded("Z\xFCrich \x80 \x81 \x9F", TextEncoding::kLatin1), "Zürich € \u0081 Ÿ");
  EXPECT_EQ(decoded("", TextEncoding::kLatin1), "");
}

TEST(TranscodedSource, Utf16WithAndWithoutMark) {
  const std::string text = "Zürich, 東京, 😀\n";
  for (const TextEncoding encoding : {TextEncoding::kUtf16Le, TextEncoding::kUtf16Be}) {
    const std::string bytes = to_utf16(text, encoding);
    EXPECT_EQ(decoded(bytes, encoding), text);
    EXPECT_EQ(decoded(to_utf16("\uFEFF", encoding) + bytes, encoding), text);
    for (std::size_t piece = 1; piece < 8; ++piece)
      EXPECT_EQ(decoded(bytes, encoding, piece), text);
  }
}

TEST(TranscodedSource, WhatIsNotValidBecomesInvalidUtf8) {
  EXPECT_FALSE(is_utf8(decoded("a\0\xD8\0"sv, TextEncoding::kUtf16Be))) << "half a unit";
  EXPECT_EQ(decoded("\x00\xD8\x0A\x00"sv, TextEncoding::kUtf16Le), "\xED\xA0\x80\n")
      << "a lone high surrogate leaves the line break";
  EXPECT_FALSE(is_utf8(decoded("\x00\xDC\x61\x00"sv, TextEncoding::kUtf16Le)));
}

TEST(TranscodedSource, PairsOfSurrogatesAcrossPieces) {
  std::string text = "x";
  while (text.size() < (std::size_t{3} << 20)) text += "😀";
  for (const std::string& shifted : {text, "y" + text}) {
    for (const TextEncoding encoding : {TextEncoding::kUtf16Le, TextEncoding::kUtf16Be}) {
      const std::string bytes = to_utf16(shifted, encoding);
      ASSERT_TRUE(decoded(bytes, encoding) == shifted);
      ASSERT_TRUE(decoded(to_utf16("\uFEFF", encoding) + bytes, encoding, 999) == shifted);
    }
  }
}

TEST(TranscodedSource, ReadsAnywhere) {
  std::string text;
  for (int i = 0; text.size() < (std::size_t{2} << 20); ++i) text += std::to_string(i) + "ü,";
  const std::string latin = *to_latin1(text);
  const MemorySource file(Bytes(latin.begin(), latin.end()));
  const auto source = *TranscodedSource::create(file, TextEncoding::kLatin1, no_progress());
  ASSERT_EQ(source->size(), text.size());
  std::uint32_t state = 7;
  for (int round = 0; round < 200; ++round) {
    const std::size_t from = (state = state * 1664525 + 1013904223) % text.size();
    const std::size_t count = std::min<std::size_t>(text.size() - from, state % 600000);
    Bytes out(count);
    ASSERT_TRUE(source->read_at(from, out).ok());
    ASSERT_TRUE(as_text(out) == std::string_view(text).substr(from, count));
  }
  Bytes out(2);
  EXPECT_FALSE(source->read_at(text.size() - 1, out).ok());
}

TEST(DetectEncoding, ByContent) {
  const auto detect = [](std::string_view bytes) {
    return *detect_encoding(MemorySource(Bytes(bytes.begin(), bytes.end())), 1 << 20);
  };
  const std::string table = "id,städte,x\n1,Zürich,2\n";
  EXPECT_EQ(detect(""), TextEncoding::kUtf8);
  EXPECT_EQ(detect("a,b\n1,2\n"), TextEncoding::kUtf8);
  EXPECT_EQ(detect(table), TextEncoding::kUtf8);
  EXPECT_EQ(detect(*to_latin1(table)), TextEncoding::kLatin1);
  EXPECT_EQ(detect(table + "\xFC"), TextEncoding::kUtf8) << "one bad byte does not change it";
  for (const TextEncoding encoding : {TextEncoding::kUtf16Le, TextEncoding::kUtf16Be}) {
    EXPECT_EQ(detect(to_utf16(table, encoding)), encoding);
    EXPECT_EQ(detect(to_utf16("\uFEFF東京\n", encoding)), encoding);
    EXPECT_EQ(detect(to_utf16("都市;人口\n東京;14047594\n大阪;2753862\n", encoding)), encoding);
  }
  EXPECT_EQ(detect("a,b\n1,\0\n"sv), TextEncoding::kUtf8) << "a stray NUL is no UTF-16";
}

TEST(DetectEncoding, LooksAtTheWholeFileWhenTold) {
  for (const std::size_t padding : {262143, 262140, 524281, 524284}) {
    const std::string ascii(padding, 'x');
    const std::string utf8 = ascii + "東", latin = ascii + "\xFC,";
    const auto detect = [](const std::string& text) {
      const MemorySource file(Bytes(text.begin(), text.end()));
      return *detect_encoding(file, file.size());
    };
    EXPECT_EQ(detect(utf8), TextEncoding::kUtf8) << padding;
    EXPECT_EQ(detect(latin), TextEncoding::kLatin1) << padding;
  }
}

}  // namespace
}  // namespace oa::analytics
