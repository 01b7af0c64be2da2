#include "key_table.h"

#include <gtest/gtest.h>

namespace oa {
namespace {

TEST(KeyTable, EncodesAndDecodesEverything) {
  KeyTable table;
  const TenantId a = TenantId::random();
  const TenantId b = TenantId::random();
  const TenantId c = TenantId::random();
  table.add(a, Timestamp{1});
  table.add(b, Timestamp{2});
  table.add(c, Timestamp{-3});
  table.add_version(*table.find(a));
  table.find(b)->enabled = false;
  table.find(b)->destroy_at = Timestamp{100};
  table.find(c)->destroy_at = Timestamp{50};
  const std::string kek = to_hex(table.kek(*table.find(a), 2).view());
  EXPECT_NE(kek, to_hex(table.kek(*table.find(a), 1).view()));
  EXPECT_FALSE(table.any_due(Timestamp{49}));
  EXPECT_TRUE(table.any_due(Timestamp{50}));
  EXPECT_TRUE(table.erase_due(Timestamp{50}));
  EXPECT_FALSE(table.erase_due(Timestamp{50}));

  const SecretBytes bytes = table.encode();
  KeyTable again = *KeyTable::decode(bytes.view());
  EXPECT_EQ(to_hex(again.encode().view()), to_hex(bytes.view()));
  EXPECT_EQ(to_hex(again.kek(*again.find(a), 2).view()), kek);
  EXPECT_EQ(again.find(a)->created_at, Timestamp{1});
  EXPECT_FALSE(again.find(b)->enabled);
  EXPECT_EQ(again.find(b)->destroy_at, Timestamp{100});
  EXPECT_TRUE(again.find(c)->destroyed);
  EXPECT_EQ(again.find(c)->created_at, Timestamp{-3});
  EXPECT_EQ(again.find(TenantId::random()), nullptr);
}

TEST(KeyTable, ErasedKeysAreInNoEncoding) {
  KeyTable table;
  const TenantId tenant = TenantId::random();
  table.add(tenant, Timestamp{});
  const std::string kek = to_hex(table.kek(*table.find(tenant), 1).view());
  EXPECT_NE(to_hex(table.encode().view()).find(kek), std::string::npos);
  table.find(tenant)->destroy_at = Timestamp{};
  table.erase_due(Timestamp{});
  EXPECT_EQ(to_hex(table.encode().view()).find(kek), std::string::npos);
}

TEST(KeyTable, RefusesWhatItDidNotEncode) {
  KeyTable table;
  table.add(TenantId::random(), Timestamp{});
  const SecretBytes encoded = table.encode();
  const Bytes good(encoded.view().begin(), encoded.view().end());
  ASSERT_TRUE(KeyTable::decode(good).ok());
  const auto refused = [](const Bytes& bytes) {
    const auto table_or = KeyTable::decode(bytes);
    return !table_or.ok() && table_or.error().code == ErrorCode::kSealCorrupt;
  };
  for (std::size_t length = 1; length < good.size(); ++length) {
    EXPECT_TRUE(refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))));
  }
  Bytes twice = good;
  twice.insert(twice.end(), good.begin(), good.end());
  EXPECT_TRUE(refused(twice));
  Bytes flags = good;
  flags[16] = 8;
  EXPECT_TRUE(refused(flags));
  flags[16] = 4;
  EXPECT_TRUE(refused(flags)) << "destroyed, but with a key";
  Bytes versions = good;
  versions[33] = 0xff;
  versions[36] = 0xff;
  EXPECT_TRUE(refused(versions));
  EXPECT_TRUE(KeyTable::decode({}).ok());
}

}  // namespace
}  // namespace oa
