#include <algorithm>
#include <array>

#include "oa/accounts/accounts.h"

namespace oa::accounts {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 6> kTexts{"read",   "reports", "datasets",
                                                 "backup", "restore", "admin"};

}  // namespace

std::string_view to_text(Scope scope) { return kTexts.at(static_cast<std::size_t>(scope)); }

Result<Scope> parse_scope(std::string_view text) {
  const auto* const found = std::ranges::find(kTexts, text);
  if (found != kTexts.end()) return static_cast<Scope>(found - kTexts.begin());
  return make_error(ErrorCode::kInvalidArgument, "accounts.scope", "there is no such scope")
      .with_hint("scopes are read, reports, datasets, backup, restore and admin");
}

}  // namespace oa::accounts
