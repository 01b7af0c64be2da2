#include "oa/archive/format_version.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace oa::archive {
namespace {

Bytes bytes_of(std::string_view text) { return Bytes(text.begin(), text.end()); }

std::string migrated_text(EntryKind kind, std::uint32_t minor, std::string_view text) {
  const auto result = migrated(kind, minor, bytes_of(text));
  return result.ok() ? std::string(as_text(*result))
                     : std::string(error_info(result.error().code).name);
}

TEST(FormatVersion, EachOlderVersionSaysWhatBecomesOfIt) {
  ASSERT_EQ(migrations_from(0)->size(), 1u);
  EXPECT_NE(migrations_from(0)->front().find("1.0 is read as 1.1"), std::string::npos);
  EXPECT_TRUE(migrations_from(kFormatMinor)->empty());
}

TEST(FormatVersion, DocumentsOfANewerOneAreNotDecoded) {
  const auto newer = migrations_from(kFormatMinor + 1);
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().code, ErrorCode::kArchiveVersionUnsupported);
  EXPECT_NE(newer.error().message.find("1." + std::to_string(kFormatMinor + 1)), std::string::npos);
  EXPECT_FALSE(newer.error().hint.empty());
}

TEST(FormatVersion, AReportOf10IsSharedWithNobody) {
  const char* old_report = R"({"format":{"kind":"report"},"id":"x","name":"\u0001é"})";
  EXPECT_EQ(migrated_text(EntryKind::kReport, 0, old_report),
            R"({"format":{"kind":"report"},"grants":[],"id":"x","name":"\u0001é"})");
  EXPECT_EQ(migrated_text(EntryKind::kReport, 0, R"({"grants":[]})"), "archive/malformed");
  EXPECT_EQ(migrated_text(EntryKind::kReport, 0, "{"), "archive/malformed");
  EXPECT_EQ(migrated_text(EntryKind::kReport, 0, "[]"), "[]") << "whoever decodes it says so";
}

TEST(FormatVersion, WhatDidNotChangeKeepsItsBytes) {
  for (const std::uint32_t minor : {kFormatMinor, kFormatMinor + 1})
    EXPECT_EQ(migrated_text(EntryKind::kReport, minor, "{ }"), "{ }");
  for (const EntryKind kind :
       {EntryKind::kWorkspace, EntryKind::kModel, EntryKind::kRows, EntryKind::kAlert})
    EXPECT_EQ(migrated_text(kind, 0, "{ }"), "{ }");
}

}  // namespace
}  // namespace oa::archive
