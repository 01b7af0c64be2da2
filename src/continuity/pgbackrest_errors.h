// What the errors of pgbackrest mean to us.
#pragma once

#include <string>
#include <string_view>

#include "oa/base/result.h"

namespace oa::continuity {

// Of its numbers (build/error/error.yaml), those that we give ourselves.
inline constexpr int kPgbackrestMalformed = 29, kPgbackrestCannotOpen = 41,
                     kPgbackrestNoRepository = 103;

/// By its number and by what it wrote; `cause` is left empty.
Error pgbackrest_error(int number, std::string_view text);
/// kRepositoryUnavailable, with a hint.
Error repository_unavailable(const std::string& what);

}  // namespace oa::continuity
