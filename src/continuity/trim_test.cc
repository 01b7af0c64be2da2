#include "oa/continuity/trim.h"

#include <gtest/gtest.h>

#include <set>

namespace oa::continuity {
namespace {

wal::SegmentName segment(std::uint32_t timeline, std::uint64_t number) {
  return {{timeline}, number, {}};
}

// Timeline 1 up to segment 9, of which 9 was never archived; then timeline 2 from 9 on.
class MayGo : public testing::Test {
 protected:
  bool may_go(const wal::SegmentName& name) const {
    const auto known = continuity::may_go(name, limits_, [this](const wal::SegmentName& asked) {
      return Result<bool>(archived_.contains(asked));
    });
    return known.value();
  }
  TrimLimits limits_{segment(2, 11), segment(1, 4).begin()};
  std::set<wal::SegmentName> archived_{segment(1, 7), segment(1, 8), segment(2, 9), segment(2, 11)};
};

TEST_F(MayGo, WhatTheArchiveHas) {
  EXPECT_TRUE(may_go(segment(2, 9)));
  EXPECT_TRUE(may_go(segment(2, 11)));
  EXPECT_FALSE(may_go(segment(2, 12)));
  EXPECT_FALSE(may_go(segment(2, 10)));  // archived elsewhere, whatever the server says
  EXPECT_TRUE(may_go(segment(1, 8)));
  EXPECT_FALSE(may_go(segment(1, 9)));  // its server died before it archived it
  EXPECT_FALSE(may_go(segment(1, 6)));
  EXPECT_FALSE(may_go(segment(3, 9)));
}

TEST_F(MayGo, WhatLiesBeforeEveryBackup) {
  EXPECT_TRUE(may_go(segment(1, 3)));
  EXPECT_FALSE(may_go(segment(1, 4)));
  limits_.oldest_backup.reset();
  EXPECT_FALSE(may_go(segment(1, 3)));
}

TEST_F(MayGo, NothingOnlyBecauseNothingIsKnown) {
  limits_.last_archived.reset();
  EXPECT_FALSE(may_go(segment(2, 9)));
  EXPECT_TRUE(may_go(segment(1, 3)));
  limits_.last_archived = segment(2, 11);
  const auto away = [](const wal::SegmentName&) -> Result<bool> {
    return make_error(ErrorCode::kRepositoryUnavailable, "test", "away");
  };
  EXPECT_FALSE(continuity::may_go(segment(1, 8), limits_, away).ok());
}

}  // namespace
}  // namespace oa::continuity
