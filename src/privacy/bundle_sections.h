// What each section of the bundle holds: where registry.h says that personal data is exported to.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oa/catalog/records.h"
#include "oa/catalog/statements.h"

namespace oa::privacy {

struct BundleSection {
  std::string_view name;
  bool single = false;  // one object instead of an array
  std::string rows;     // a statement with one column: a JSON object as text
  std::string count;    // how many there must be, found in another way
};

/// In the order of the bundle. Every statement takes section_values().
const std::vector<BundleSection>& bundle_sections();

/// $1: id, $2: e-mail address, $3: first and last name ("" unless both are known), $4: what links
/// begin with.
std::vector<catalog::SqlValue> section_values(const catalog::User& person,
                                              const std::string& base_url);

}  // namespace oa::privacy
