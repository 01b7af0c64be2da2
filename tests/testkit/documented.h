// What docs/operations.md shows, so that a test runs it as it is written there.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <string>

#include "testkit/process.h"

namespace oa::testkit {

/// The block of `document` that begins with ```<head>.
inline std::string documented(const std::string& document, const std::string& head) {
  std::istringstream lines(contents_of(document));
  std::string found;
  bool on = false;
  for (std::string line; std::getline(lines, line);) {
    if (on && line == "```") return found;
    if (on) found += line + "\n";
    on = on || line == "```" + head;
  }
  throw std::runtime_error("no block " + head);
}

/// `to` for the first `from`, which must be there.
inline std::string replaced(std::string whole, const std::string& from, const std::string& to) {
  const auto at = whole.find(from);
  EXPECT_NE(at, whole.npos) << from;
  return at == whole.npos ? whole : whole.replace(at, from.size(), to);
}

}  // namespace oa::testkit
