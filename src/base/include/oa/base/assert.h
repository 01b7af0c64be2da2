// Invariants that hold in release builds too: a backup tool that goes on with a broken invariant
// destroys data.
#pragma once

namespace oa {

/// Prints the broken invariant with its place and aborts. Never returns. Prints no data, only
/// source text.
[[noreturn]] void invariant_broken(const char* expression, const char* file, int line);

}  // namespace oa

#define OA_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::oa::invariant_broken(#expression, __FILE__, __LINE__))
