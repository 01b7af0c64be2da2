#include <gtest/gtest.h>

#include "restore_child.h"

int main(int argc, char** argv) {
  if (const auto status = oa::testkit::child_main(argc, argv)) return *status;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
