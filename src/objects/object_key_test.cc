#include "object_key.h"

#include <gtest/gtest.h>

namespace oa {
namespace {

TEST(VersionIds, SortByTimeAndParseBack) {
  const VersionId early = make_version(Timestamp{999});
  const VersionId late = make_version(Timestamp{1000});
  EXPECT_LT(early, late);
  EXPECT_EQ(parse_version(early.value), Timestamp{999});
  EXPECT_NE(make_version(Timestamp{5}), make_version(Timestamp{5}));
}

TEST(VersionIds, OtherTextsAreNone) {
  const std::string good = make_version(Timestamp{1}).value;
  for (const std::string& bad :
       {std::string(), good + "0", good.substr(1), "-" + good.substr(1), "x" + good.substr(1),
        std::string("99999999999999999999-00000000"), good.substr(0, 20) + "_" + good.substr(21),
        good.substr(0, 21) + "ABCDEF01", good.substr(0, 21) + "../../.."}) {
    EXPECT_FALSE(parse_version(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace oa
