// Which ways of writing numbers and dates, that DuckDB's casts do not take, a text fits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "oa/analytics/file_options.h"
#include "value_types.h"

namespace oa::analytics {

/// A set of forms, one bit each. A column keeps what all of its values have.
using FormSet = std::uint8_t;
inline constexpr FormSet kCommaNumber = 1;    // 1.234,56; as exact as kDouble is
inline constexpr FormSet kCommaUnproven = 2;  // could do without a decimal comma: 1.234, 7; 1,234
inline constexpr FormSet kDmyDot = 4;         // 31.12.2024, 1.2.2024
inline constexpr FormSet kMdyDot = 8;         // 12.31.2024
inline constexpr FormSet kDmySlash = 16;      // 31/12/2024
inline constexpr FormSet kMdySlash = 32;      // 12/31/2024
inline constexpr FormSet kAllForms = 63;

/// The forms that `text` (not empty) fits. `types`: types_of(text), which saves looking, or 0.
FormSet forms_of(std::string_view text, TypeSet types);

/// Which forms columns may take on; the defaults are FileOptions'.
struct FormRules {
  bool enabled = true;
  Choice decimal_comma = Choice::kAuto;
  DateOrder date_order = DateOrder::kNone;
};

/// How a column's texts become values: `form` is 0 for a plain cast to `type`, else one form.
struct ColumnReading {
  std::string_view type = "VARCHAR";
  FormSet form = 0;
  bool operator==(const ColumnReading&) const = default;
};

/// The reading of a column whose values all fit `types` and `forms`. `comma_file`: another column
/// has decimal commas for sure, so that 1.234 may mean 1234.
ColumnReading reading_of(TypeSet types, FormSet forms, const FormRules& rules, bool comma_file);
/// Whether the values have decimal commas for sure.
bool proves_comma(TypeSet types, FormSet forms, const FormRules& rules);

/// The SQL expression that reads `column` (a quoted identifier of texts) by `form`.
std::string form_expression(FormSet form, const std::string& column);

}  // namespace oa::analytics
