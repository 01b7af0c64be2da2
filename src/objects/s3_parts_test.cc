// Names, lists of segments and XML of the s3 driver: pure parts.
#include <gtest/gtest.h>

#include <algorithm>

#include "s3_index.h"
#include "s3_names.h"
#include "s3_xml.h"

namespace oa {
namespace {

const ObjectKey kKey{*TenantId::parse("11111111-2222-4333-8444-555555555555"), RetentionClass::kWal,
                     "a/b-c.d"};
const S3Version kVersion{{1'790'000'000'123'456}, "0123456789abcdef", 0x1234, true};

TEST(S3NamesTest, AreAsDocumented) {
  const S3Names names("backup/");
  EXPECT_EQ(names.version_key(kKey, kVersion),
            "backup/objects/11111111-2222-4333-8444-555555555555/wal/a/b-c.d"
            "!09221582036854652351-0123456789abcdef-1234-s");
  EXPECT_EQ(names.segment_key(kKey, "0123456789abcdef", 7),
            "backup/segments/11111111-2222-4333-8444-555555555555/wal/a/b-c.d"
            "!0123456789abcdef/00000007");
  EXPECT_EQ(to_version_id(kVersion).value, "00001790000000123456-0123456789abcdef-1234-s");
}

TEST(S3NamesTest, WhatIsWrittenIsRead) {
  const S3Names names("backup/");
  const auto named = names.parse_version_key(names.version_key(kKey, kVersion));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->key, kKey);
  EXPECT_EQ(named->version, kVersion);
  EXPECT_EQ(parse_version_id(to_version_id(kVersion).value), kVersion);
  const auto upload = names.parse_upload_prefix(names.upload_prefix(kKey, kVersion.upload));
  ASSERT_TRUE(upload);
  EXPECT_EQ(upload->key, kKey);
  EXPECT_EQ(upload->upload, kVersion.upload);
  EXPECT_FALSE(S3Names("").parse_version_key(names.version_key(kKey, kVersion)));
  EXPECT_FALSE(S3Names("other/").parse_version_key(names.version_key(kKey, kVersion)));
}

TEST(S3NamesTest, EveryOtherTextIsNoVersion) {
  const std::string good = to_version_id(kVersion).value;
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(parse_version_id(good.substr(0, i))) << i;
    std::string bad = good;
    bad[i] = '!';
    EXPECT_FALSE(parse_version_id(bad)) << i;
  }
  for (const std::string& bad :
       {good + "x", std::string("-0001790000000123456-0123456789abcdef-1234-s"),
        std::string("00001790000000123456-0123456789abcdef-01234-s"),
        std::string("00001790000000123456-0123456789abcdef--s"),
        std::string("00001790000000123456-0123456789ABCDEF-1234-s"),
        std::string("00001790000000123456-0123456789abcdef-1ffffffffffffffff-s"),
        std::string("99999999999999999999-0123456789abcdef-1-s")})
    EXPECT_FALSE(parse_version_id(bad)) << bad;
}

TEST(S3NamesTest, KeysSortByNameAndThenNewestFirst) {
  const S3Names names("");
  std::vector<std::string> all = {"a", "a-b", "a.b", "a/b", "a/b-", "a0", "a/B", "A", "a_", "0"};
  std::ranges::sort(all);
  std::vector<std::string> keys;
  for (const std::string& name : all) {
    for (const int age : {0, 1, 1'000'000}) {
      S3Version version = kVersion;
      version.created_at.unix_us -= age;
      keys.push_back(names.version_key({kKey.tenant, kKey.retention_class, name}, version));
    }
    keys.push_back(names.after_name(kKey.tenant, kKey.retention_class, name));
  }
  EXPECT_TRUE(std::ranges::is_sorted(keys));
}

TEST(S3NamesTest, VersionIdsSortByTime) {
  S3Version later = kVersion;
  later.created_at.unix_us += 1;
  later.upload = "0000000000000000";
  EXPECT_LT(to_version_id(kVersion), to_version_id(later));
}

TEST(S3IndexTest, WhatIsWrittenIsRead) {
  const S3Index index{250, 100, {"v1", std::string(1024, 'x'), "v3"}};
  EXPECT_EQ(*decode_s3_index(*encode_s3_index(index)), index);
  EXPECT_FALSE(encode_s3_index({250, 100, {"v1", "", "v3"}}).ok());
  EXPECT_FALSE(encode_s3_index({250, 100, {"v1", std::string(1025, 'x'), "v3"}}).ok());
}

TEST(S3IndexTest, DamageIsRefused) {
  const Bytes good = *encode_s3_index({250, 100, {"v1", "v2", "v3"}});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_s3_index(ByteView(good).first(size)).ok()) << size;
  for (const std::size_t at : {0u, 4u, 9u, 16u, 24u}) {
    Bytes bad = good;
    bad[at] ^= 0x80;
    EXPECT_FALSE(decode_s3_index(bad).ok()) << at;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(decode_s3_index(longer).ok());
  Bytes no_size = good;
  std::fill_n(no_size.begin() + 16, 8, 0);
  EXPECT_FALSE(decode_s3_index(no_size).ok());
}

TEST(S3XmlTest, ReadsElements) {
  const auto root = *parse_xml(as_bytes(
      "<?xml version='1.0'?><r:a xmlns:r='x'> <b>1 &amp; <![CDATA[<2>]]></b><b>3</b></r:a>"));
  EXPECT_EQ(root.name, "a");
  EXPECT_EQ(root.text_of("b"), "1 & <2>");
  EXPECT_EQ(root.children.size(), 2u);
  EXPECT_EQ(root.text_of("c"), "");
  EXPECT_EQ(root.child("c"), nullptr);
  EXPECT_EQ(xml_escaped("a<b>&c"), "a&lt;b&gt;&amp;c");
}

TEST(S3XmlTest, RefusesWhatItShouldNotRead) {
  for (const char* bad : {"", "x", "<a>", "<a></b>", "<a/><b/>", "<!DOCTYPE a><a/>", "<a>\x01</a>"})
    EXPECT_EQ(parse_xml(as_bytes(bad)).error().code, ErrorCode::kIo) << bad;
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "<a>";
  for (int i = 0; i < 17; ++i) deep += "</a>";
  EXPECT_FALSE(parse_xml(as_bytes(deep)).ok());
}

}  // namespace
}  // namespace oa
