// What kind of file the released oa-archive is.
#include <gtest/gtest.h>

#include <filesystem>

#include "testkit/process.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using testkit::run;

TEST(ArchiveToolBinary, IsOneSmallFileThatNeedsNothing) {
  EXPECT_LT(fs::file_size(OA_ARCHIVE), 10'000'000u);
  const auto headers = run({"readelf", "--wide", "--program-headers", "--dynamic", OA_ARCHIVE});
  EXPECT_NE(headers.out.find("LOAD"), std::string::npos) << headers.err;
  EXPECT_EQ(headers.out.find("INTERP"), std::string::npos);
  EXPECT_EQ(headers.out.find("NEEDED"), std::string::npos);
}

}  // namespace
}  // namespace oa
