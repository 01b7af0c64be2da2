#include "oa/wal/position.h"

#include <gtest/gtest.h>

namespace oa::wal {
namespace {

const SegmentSize k16 = SegmentSize::of(16 << 20).value();

TEST(Lsn, HasOneTextFormAndReadsPostgresOnes) {
  for (const char* text : {"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "0/1000000"}) {
    const auto parsed = Lsn::parse(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->str(), text);
  }
  EXPECT_EQ(Lsn::parse("16/b374d848").value().value, 0x16b374d848u);
  for (const char* text : {"", "/", "1", "1/", "/1", "0x1/2", "1/2/3", "123456789/0", "-1/0",
                           "+1/0", " 1/2", "1/2 ", "g/0"}) {
    EXPECT_FALSE(Lsn::parse(text).ok()) << text;
  }
}

TEST(SegmentSize, IsAPowerOfTwoThatInitdbTakes) {
  for (const std::uint64_t bytes : {1u << 20, 16u << 20, 1u << 30})
    EXPECT_EQ(SegmentSize::of(bytes).value().bytes(), bytes);
  for (const std::uint64_t bytes : {0u, 1u, 1u << 19, (1u << 20) + 1, 3u << 20, 1u << 31})
    EXPECT_FALSE(SegmentSize::of(bytes).ok()) << bytes;
}

TEST(SegmentName, FollowsPostgres) {
  // SELECT pg_walfile_name('16/B374D848') on timeline 1
  const auto lsn = Lsn::parse("16/B374D848").value();
  const auto name = SegmentName::containing({1}, lsn, k16);
  EXPECT_EQ(name.str(), "0000000100000016000000B3");
  EXPECT_EQ(name.begin().str(), "16/B3000000");
  EXPECT_EQ(name.end().str(), "16/B4000000");
  EXPECT_EQ(SegmentName::parse(name.str(), k16).value(), name);
  const auto last = SegmentName::parse("0000000A00000000000000FF", k16).value();
  EXPECT_EQ(last.next().str(), "0000000A0000000100000000");
  // With segments of 1 GiB there are four to a high half, with those of 1 MiB 4096.
  const auto big = SegmentSize::of(1 << 30).value(), small = SegmentSize::of(1 << 20).value();
  EXPECT_EQ(SegmentName::containing({1}, lsn, big).str(), "000000010000001600000002");
  EXPECT_EQ(SegmentName::containing({1}, lsn, small).str(), "000000010000001600000B37");
}

TEST(SegmentName, RefusesOtherNames) {
  for (const char* text :
       {"", "0000000100000016000000B", "0000000100000016000000B30", "000000010000001600000100",
        "0000000000000016000000B3", "0000000100000016000000b3", "0000000100000016000000 3",
        "../../../../../../../etc", "00000002.history", "0000000100000016000000B3.partial"}) {
    EXPECT_FALSE(SegmentName::parse(text, k16).ok()) << text;
  }
}

TEST(HistoryName, IsThatOfTimelinesWithAncestors) {
  EXPECT_EQ(history_name({0x1f}), "0000001F.history");
  EXPECT_EQ(parse_history_name("0000001F.history"), Timeline{0x1f});
  for (const char* text : {"00000001.history", "00000000.history", "0000001f.history", ".history",
                           "2.history", "00000002.history.x", "0000000200000000000000FF"}) {
    EXPECT_EQ(parse_history_name(text), std::nullopt) << text;
  }
}

TEST(History, NamesAncestorsOldestFirst) {
  const auto parsed = parse_history(
      {5}, as_bytes("# a comment\n1\t0/3000158\tno recovery target specified\n\n  3 0/70000A0\t"
                    "before 2026-01-01 00:00:00+00\n4\t0/70000A0"));
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed->size(), 3u);
  EXPECT_EQ((*parsed)[0].timeline, Timeline{1});
  EXPECT_EQ((*parsed)[0].end.str(), "0/3000158");
  EXPECT_EQ((*parsed)[1].timeline, Timeline{3});
  EXPECT_EQ((*parsed)[2].end.str(), "0/70000A0");
  EXPECT_TRUE(parse_history({2}, {}).value().empty());
}

TEST(History, RefusesWhatIsNone) {
  for (const char* text :
       {"1", "1\t", "x\t0/1", "1\t0", "0\t0/1\tr", "1\t0/5\tr\n1\t0/6\tr", "2\t0/5\n1\t0/6",
        "1\t0/6\n2\t0/5", "5\t0/1", "6\t0/1", "4294967296\t0/1", "1x\t0/1", "-1\t0/1"}) {
    EXPECT_EQ(parse_history({5}, as_bytes(text)).ok(), false) << text;
  }
  EXPECT_FALSE(parse_history({5}, Bytes(kMaxHistorySize + 1, '#')).ok());
}

}  // namespace
}  // namespace oa::wal
