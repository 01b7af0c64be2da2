#include <gtest/gtest.h>

#include <set>

#include "oa/base/bytes.h"
#include "oa/base/clock.h"
#include "oa/base/error.h"
#include "oa/base/ids.h"
#include "oa/base/result.h"

namespace oa {
namespace {

TEST(ErrorTable, NamesAreUniqueAndStatusesAreInRange) {
  std::set<std::string_view> names;
  for (const auto& info : error_table()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_GT(info.exit_status, 0);
    EXPECT_LT(info.exit_status, 256);
    EXPECT_GE(info.http_status, 400);
    EXPECT_LT(info.http_status, 600);
    EXPECT_FALSE(info.summary.empty());
  }
}

TEST(ErrorTable, FullDiskIsItsOwnCode) {
  EXPECT_EQ(errno_error(ENOSPC, "x", "y").code, ErrorCode::kDiskFull);
  EXPECT_EQ(errno_error(ENOENT, "x", "y").code, ErrorCode::kNotFound);
  EXPECT_EQ(errno_error(EACCES, "x", "y").code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(errno_error(EIO, "x", "y").code, ErrorCode::kIo);
}

Result<int> half(int n) {
  if (n % 2 != 0) return make_error(ErrorCode::kInvalidArgument, "half", "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  OA_ASSIGN(const int h, half(n));
  OA_ASSIGN(const int q, half(h));
  return q;
}

TEST(ResultTest, AssignPassesValuesAndErrorsOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(ResultDeathTest, ValueOfAnErrorAborts) { EXPECT_DEATH((void)*half(1), "invariant broken"); }

TEST(BytesTest, HexAndBase64RoundTrip) {
  Bytes bytes;
  for (int n = 0; n < 70; ++n) {
    EXPECT_EQ(*from_hex(to_hex(bytes)), bytes);
    EXPECT_EQ(*from_base64(to_base64(bytes)), bytes);
    bytes.push_back(static_cast<std::uint8_t>(n * 37));
  }
  EXPECT_EQ(to_base64(as_bytes("foobar")), "Zm9vYmFy");
}

TEST(BytesTest, BadTextIsRefused) {
  for (const char* text : {"0", "0g", "  "}) EXPECT_FALSE(from_hex(text).ok()) << text;
  for (const char* text : {"Zg=", "Zg", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9*"}) {
    EXPECT_FALSE(from_base64(text).ok()) << text;
  }
}

TEST(BytesTest, Utf8) {
  EXPECT_TRUE(is_utf8("São Paulo \xF0\x9F\x98\x80"));
  for (const char* text :
       {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xFF"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(IdsTest, ParseAndPrint) {
  const char* text = "01234567-89ab-4def-8123-456789abcdef";
  EXPECT_EQ(Uuid::parse(text)->str(), text);
  for (const char* bad :
       {"", "01234567-89ab-4def-8123-456789abcde", "01234567x89ab-4def-8123-456789abcdef",
        "0123456789ab4def8123456789abcdef", "g1234567-89ab-4def-8123-456789abcdef"}) {
    EXPECT_FALSE(Uuid::parse(bad).ok()) << bad;
  }
  EXPECT_NE(Uuid::random(), Uuid::random());
  EXPECT_EQ(Uuid::random().str()[14], '4');
}

TEST(ClockTest, Rfc3339RoundTrip) {
  EXPECT_EQ(Timestamp::parse("2026-04-16T09:42:11.134Z")->rfc3339(), "2026-04-16T09:42:11.134000Z");
  EXPECT_EQ(Timestamp::parse("2026-04-16T11:42:11+02:00")->rfc3339(),
            "2026-04-16T09:42:11.000000Z");
  EXPECT_EQ(Timestamp::parse("1969-12-31T23:59:59.999999Z")->unix_us, -1);
  EXPECT_EQ(Timestamp{-1}.rfc3339(), "1969-12-31T23:59:59.999999Z");
  const Timestamp now = Timestamp::now();
  EXPECT_EQ(*Timestamp::parse(now.rfc3339()), now);
}

TEST(ClockTest, BadMomentsAreRefused) {
  for (const char* bad :
       {"", "2026-04-16", "2026-02-30T00:00:00Z", "2026-04-16T24:00:00Z", "2026-04-16T09:42:11",
        "2026-04-16T09:42:11.Z", "2026-04-16T09:42:11Zx", "2026-04-16T09:42:11.1234567Z"}) {
    EXPECT_FALSE(Timestamp::parse(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace oa
