#include "oa/workbooks/zip_reader.h"

#include <gtest/gtest.h>

#include "test_zip.h"

namespace oa::workbooks {
namespace {

Result<std::string> read_entry(const std::string& zip, std::string_view name,
                               const ZipLimits& limits = {}, std::size_t piece = 1000) {
  const MemorySource file(Bytes(zip.begin(), zip.end()));
  OA_ASSIGN(const ZipArchive archive, ZipArchive::open(file, limits));
  const ZipEntry* entry = archive.find(name);
  if (entry == nullptr) return make_error(ErrorCode::kNotFound, "test", "no entry");
  OA_ASSIGN(const auto stream, archive.read(*entry));
  Bytes out(piece);
  std::string text;
  for (std::size_t count = 1; count > 0;) {
    OA_ASSIGN(count, stream->read(out));
    text += as_text(ByteView(out).first(count));
  }
  EXPECT_EQ(stream->position(), entry->packed_bytes);
  return text;
}

std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 300000; ++i) text += std::to_string(i * 7919) + ",";
  return text;
}

ErrorCode code_of(const Result<std::string>& read) {
  return read.ok() ? ErrorCode::kInternal : read.error().code;
}

TEST(ZipReader, AllForms) {
  const std::string text = long_text();
  for (const bool stored : {false, true}) {
    for (const bool zip64 : {false, true}) {
      for (const bool descriptor : {false, true}) {
        const std::string zip =
            TestZip::of({{"a", ""}, {"Folder/B", text}, {"c", "x"}},
                        {.stored = stored, .zip64 = zip64, .data_descriptor = descriptor});
        for (const std::size_t piece : {1000, 7, 100000, 1000000})
          EXPECT_TRUE(*read_entry(zip, "Folder/B", {}, piece) == text);
        EXPECT_EQ(*read_entry(zip, "a"), "");
        EXPECT_EQ(*read_entry(zip, "c"), "x");
        EXPECT_TRUE(read_entry(zip, "folder/b").ok()) << "names of parts have no case";
      }
    }
  }
}

TEST(ZipReader, CommentBehindTheEnd) {
  std::string zip = TestZip::of({{"a", "x"}});
  zip[zip.size() - 2] = 3;
  EXPECT_EQ(*read_entry(zip + "PK\5", "a"), "x");
  EXPECT_FALSE(read_entry(zip, "a").ok());
}

TEST(ZipReader, WhatItDeclaresMustBeSo) {
  const std::string text = long_text();
  for (const std::int64_t lie : {-1, 1, -100000, 100000}) {
    for (const bool stored : {false, true}) {
      const auto read =
          read_entry(TestZip::of({{"a", text}}, {.stored = stored, .size_lie = lie}), "a");
      EXPECT_EQ(code_of(read), ErrorCode::kImportRejected) << lie;
    }
  }
  EXPECT_EQ(code_of(read_entry(TestZip::of({{"a", text}}, {.crc_lie = 1}), "a")),
            ErrorCode::kImportRejected);
  const auto encrypted = read_entry(TestZip::of({{"a", text}}, {.encrypted = true}), "a");
  ASSERT_FALSE(encrypted.ok());
  EXPECT_EQ(encrypted.error().message, "The workbook is encrypted");
}

TEST(ZipReader, Bombs) {
  const std::string zeros(std::size_t{20} << 20, '\0');
  const std::string zip = TestZip::of({{"a", zeros}, {"b", zeros}});
  EXPECT_EQ(code_of(read_entry(zip, "a")), ErrorCode::kLimitExceeded) << "ratio";
  EXPECT_TRUE(read_entry(zip, "a", {.max_expansion = 2000}).ok());
  EXPECT_EQ(
      code_of(read_entry(zip, "a", {.max_expanded_bytes = zeros.size(), .max_expansion = 2000})),
      ErrorCode::kLimitExceeded)
      << "all entries together";
  // Declared small, it ends where it was declared to.
  const auto lying = read_entry(
      TestZip::of({{"a", zeros}}, {.size_lie = 100 - static_cast<std::int64_t>(zeros.size())}),
      "a");
  EXPECT_EQ(code_of(lying), ErrorCode::kImportRejected);
}

TEST(ZipReader, TooManyEntries) {
  std::vector<TestFile> files(10001, TestFile{"x", ""});
  EXPECT_EQ(code_of(read_entry(TestZip::of(files), "x")), ErrorCode::kLimitExceeded);
  files.pop_back();
  EXPECT_TRUE(read_entry(TestZip::of(files), "x").ok());
}

TEST(ZipReader, CutAnywhereItIsRefused) {
  for (const bool zip64 : {false, true}) {
    const std::string zip = TestZip::of({{"a", "some text"}, {"b", "more"}}, {.zip64 = zip64});
    for (std::size_t size = 0; size < zip.size(); ++size)
      EXPECT_FALSE(read_entry(zip.substr(0, size), "a").ok()) << size;
  }
}

TEST(ZipReader, AnyByteChangedGivesTheTextOrAnError) {
  for (const bool zip64 : {false, true}) {
    const std::string zip = TestZip::of({{"a", "some text, some text"}}, {.zip64 = zip64});
    for (std::size_t at = 0; at < zip.size(); ++at) {
      for (const int flip : {1, 0x80, 0xFF}) {
        std::string changed = zip;
        changed[at] = static_cast<char>(changed[at] ^ flip);
        const auto read = read_entry(changed, "a");
        if (read.ok()) {
          EXPECT_EQ(*read, "some text, some text") << at;
        }
      }
    }
  }
}

}  // namespace
}  // namespace oa::workbooks
