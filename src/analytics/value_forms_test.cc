#include "value_forms.h"

#include <gtest/gtest.h>

namespace oa::analytics {
namespace {

FormSet forms(std::string_view text) { return forms_of(text, types_of(text)); }

TEST(ValueForms, NumbersWithDecimalComma) {
  for (const char* text : {"12,5", "-0,25", "1.234,56", "1.234,567", "12.345.678,9", ",5", "0,123",
                           "1234,567", " 7,25 ", "123456789012345,5", "-,5"}) {
    EXPECT_EQ(forms(text), kCommaNumber) << text;
  }
  for (const char* text : {"7", "-7", "0", "-0", "1.234", "12.345.678", "1,234", "-12,345"}) {
    EXPECT_EQ(forms(text), kCommaNumber | kCommaUnproven) << text;
  }
  for (const char* text : {"1,2,3",    "1.23,4", "007,5", "0.123,4",    "1.2345,6",
                           "12,",      ",",      "-",     ".",          "1e3",
                           "1,5e3",    "+1,5",   "12.5",  "1234.567,8", "1234567890123456,5",
                           "12,5 EUR", "x",      " ",     "",           "1..234,5",
                           ".123,4",   "1 234,5"}) {
    EXPECT_EQ(forms(text), 0) << text;
  }
}

TEST(ValueForms, DatesInEitherOrder) {
  EXPECT_EQ(forms("01.02.2024"), kDmyDot | kMdyDot);
  EXPECT_EQ(forms("1/2/2024"), kDmySlash | kMdySlash);
  EXPECT_EQ(forms("31.12.2024"), kDmyDot);
  EXPECT_EQ(forms("12/31/2024"), kMdySlash);
  EXPECT_EQ(forms("29/02/2024"), kDmySlash);
  EXPECT_EQ(forms("29.02.2000"), kDmyDot);
  for (const char* text : {"29/02/2023", "29.02.1900", "32.01.2024", "13.13.2024", "00.01.2024",
                           "1.2.24", "1.2/2024", "1/2/2024 ", " 1/2/2024", "1/2/2024 10:00",
                           "2024/01/02", "1-2-2024", "001.02.2024", "01.02.0000", "1.2."}) {
    EXPECT_EQ(forms(text), 0) << text;
  }
}

TEST(ValueForms, ReadingOfAColumn) {
  const FormRules automatic;
  EXPECT_EQ(reading_of(0, kCommaNumber, automatic, false), (ColumnReading{"DOUBLE", kCommaNumber}));
  EXPECT_EQ(reading_of(0, kCommaNumber | kCommaUnproven, automatic, false), ColumnReading());
  EXPECT_EQ(reading_of(kDouble, kCommaNumber | kCommaUnproven, automatic, false),
            (ColumnReading{"DOUBLE", 0}));
  EXPECT_EQ(reading_of(kDouble, kCommaNumber | kCommaUnproven, automatic, true), ColumnReading())
      << "1.234 beside 12,5";
  EXPECT_EQ(reading_of(kBigint | kDouble, kCommaNumber | kCommaUnproven, automatic, true),
            (ColumnReading{"BIGINT", 0}));
  EXPECT_EQ(reading_of(kDouble, 0, automatic, true), (ColumnReading{"DOUBLE", 0}));
  const FormRules comma{.decimal_comma = Choice::kYes};
  EXPECT_EQ(reading_of(kDouble, kCommaNumber | kCommaUnproven, comma, false),
            (ColumnReading{"DOUBLE", kCommaNumber}));
  EXPECT_EQ(reading_of(kDouble, 0, comma, false), ColumnReading()) << "12.5";
  const FormRules never{.decimal_comma = Choice::kNo};
  EXPECT_EQ(reading_of(0, kCommaNumber, never, false), ColumnReading());

  EXPECT_EQ(reading_of(0, kDmyDot | kMdyDot, automatic, false), ColumnReading());
  EXPECT_EQ(reading_of(0, kMdySlash, automatic, false), (ColumnReading{"DATE", kMdySlash}));
  const FormRules dmy{.date_order = DateOrder::kDmy};
  EXPECT_EQ(reading_of(0, kDmyDot | kMdyDot, dmy, false), (ColumnReading{"DATE", kDmyDot}));
  EXPECT_EQ(reading_of(0, kMdySlash, dmy, false), ColumnReading());
  EXPECT_EQ(reading_of(0, kAllForms, FormRules{.enabled = false}, false), ColumnReading());
}

}  // namespace
}  // namespace oa::analytics
