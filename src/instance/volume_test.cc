#include "oa/instance/volume.h"

#include <gtest/gtest.h>

namespace oa::instance {
namespace {

TEST(VolumeTest, PseudoFileSystemsAreUnknown) {
  EXPECT_EQ(volume_encryption("/proc"), VolumeEncryption::kUnknown);
}

TEST(VolumeTest, EveryAnswerHasItsSentence) {
  for (const auto answer :
       {VolumeEncryption::kLuks2, VolumeEncryption::kLuks1, VolumeEncryption::kOtherCrypt,
        VolumeEncryption::kNone, VolumeEncryption::kUnknown}) {
    EXPECT_NE(describe(answer).find("volume"), std::string::npos);
  }
}

}  // namespace
}  // namespace oa::instance
