#include "value_forms.h"

#include "oa/base/assert.h"

namespace oa::analytics {
namespace {

constexpr std::size_t kExactDoubleDigits = 15;
constexpr std::size_t kGroupDigits = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

int to_number(std::string_view digits) {
  int number = 0;
  for (const char c : digits) number = number * 10 + (c - '0');
  return number;
}

bool is_date(int day, int month, int year) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[month - 1] + (leap && month == 2 ? 1 : 0);
}

FormSet date_forms(std::string_view text) {
  const std::string_view first = take_digits(text);
  if (first.empty() || first.size() > 2 || text.empty()) return 0;
  const char separator = text[0];
  if (separator != '.' && separator != '/') return 0;
  text.remove_prefix(1);
  const std::string_view second = take_digits(text);
  if (second.empty() || second.size() > 2 || !take(text, separator)) return 0;
  const std::string_view last = take_digits(text);
  if (last.size() != 4 || !text.empty()) return 0;
  const int year = to_number(last);
  const bool dmy = is_date(to_number(first), to_number(second), year);
  const bool mdy = is_date(to_number(second), to_number(first), year);
  if (separator == '.') return static_cast<FormSet>((dmy ? kDmyDot : 0) | (mdy ? kMdyDot : 0));
  return static_cast<FormSet>((dmy ? kDmySlash : 0) | (mdy ? kMdySlash : 0));
}

FormSet number_forms(std::string_view text) {
  take(text, '-');
  const bool leading_zero = text.size() > 1 && text[0] == '0' && is_digit(text[1]);
  const bool zero = text.starts_with('0');
  const std::size_t first_group = take_digits(text).size();
  std::size_t digits = first_group;
  if (leading_zero) return 0;
  const bool grouped = text.starts_with('.');
  if (grouped && (first_group == 0 || first_group > kGroupDigits || zero)) return 0;
  while (take(text, '.')) {
    if (take_digits(text).size() != kGroupDigits) return 0;
    digits += kGroupDigits;
  }
  if (digits > kExactDoubleDigits) return 0;
  if (text.empty()) return digits > 0 ? kCommaNumber | kCommaUnproven : 0;
  if (!take(text, ',')) return 0;
  const std::size_t decimals = take_digits(text).size();
  if (decimals == 0 || !text.empty()) return 0;
  const bool may_be_thousands = !grouped && !zero && first_group > 0 &&
                                first_group <= kGroupDigits && decimals == kGroupDigits;
  return static_cast<FormSet>(kCommaNumber | (may_be_thousands ? kCommaUnproven : 0));
}

// The one of two orders that the values and the caller allow, or 0.
FormSet date_form(FormSet forms, FormSet dmy, FormSet mdy, DateOrder order) {
  if (order != DateOrder::kNone) return forms & (order == DateOrder::kDmy ? dmy : mdy);
  const FormSet both = dmy | mdy;
  return (forms & both) == both ? FormSet{0} : static_cast<FormSet>(forms & both);
}

}  // namespace

FormSet forms_of(std::string_view text, TypeSet types) {
  if ((types & (kBoolean | kDate | kTimestamp | kTimestampTz)) != 0) return 0;
  if ((types & kBigint) != 0 && (types & kDouble) != 0) return kCommaNumber | kCommaUnproven;
  if (text.size() > kMaxTypedBytes) return 0;
  const FormSet dates = date_forms(text);
  if (dates != 0) return dates;
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return 0;
  return number_forms(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

bool proves_comma(TypeSet types, FormSet forms, const FormRules& rules) {
  return rules.enabled && rules.decimal_comma == Choice::kAuto && (types & kBigint) == 0 &&
         (forms & kCommaNumber) != 0 && (forms & kCommaUnproven) == 0;
}

ColumnReading reading_of(TypeSet types, FormSet forms, const FormRules& rules, bool comma_file) {
  if ((types & (kBoolean | kBigint)) != 0 || !rules.enabled) return {type_name(types), 0};
  if (proves_comma(types, forms, rules)) return {"DOUBLE", kCommaNumber};
  if (rules.decimal_comma == Choice::kYes) {
    if ((forms & kCommaNumber) != 0) return {"DOUBLE", kCommaNumber};
    types &= static_cast<TypeSet>(~kDouble);
  }
  if (comma_file && (types & kDouble) != 0 && (forms & kCommaNumber) != 0) return {};
  if (types != 0) return {type_name(types), 0};
  for (const FormSet form : {date_form(forms, kDmyDot, kMdyDot, rules.date_order),
                             date_form(forms, kDmySlash, kMdySlash, rules.date_order)}) {
    if (form != 0) return {"DATE", form};
  }
  return {};
}

std::string form_expression(FormSet form, const std::string& column) {
  const auto date = [&](std::string_view format) {
    return "CAST(strptime(" + column + ", '" + std::string(format) + "') AS DATE)";
  };
  switch (form) {
    case kCommaNumber:
      return "CAST(replace(replace(" + column + ", '.', ''), ',', '.') AS DOUBLE)";
    case kDmyDot:
      return date("%d.%m.%Y");
    case kMdyDot:
      return date("%m.%d.%Y");
    case kDmySlash:
      return date("%d/%m/%Y");
    case kMdySlash:
      return date("%m/%d/%Y");
    default:
      break;
  }
  OA_ASSERT(false);
  return column;
}

}  // namespace oa::analytics
