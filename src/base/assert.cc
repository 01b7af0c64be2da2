#include "oa/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace oa {

void invariant_broken(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "invariant broken: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace oa
