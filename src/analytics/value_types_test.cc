#include "value_types.h"

#include <gtest/gtest.h>

#include <string>

namespace oa::analytics {
namespace {

TEST(ValueTypes, TakeWhatComesBackUnchanged) {
  EXPECT_EQ(types_of("0"), kBigint | kDouble);
  EXPECT_EQ(types_of("-42"), kBigint | kDouble);
  EXPECT_EQ(types_of(" 7 "), kBigint | kDouble);
  EXPECT_EQ(types_of("999999999999999"), kBigint | kDouble);
  EXPECT_EQ(types_of("999999999999999999"), kBigint) << "a DOUBLE would round it";
  for (const char* text : {"1.5", "-0", ".5", "-.5", "1e3", "2.5E-7", "nan", "-inf", "0.10"}) {
    EXPECT_EQ(types_of(text), kDouble) << text;
  }
  EXPECT_EQ(types_of("True"), kBoolean);
  EXPECT_EQ(types_of("2024-02-29"), kDate | kTimestamp);
  for (const char* text :
       {"2024-02-29 12:30", "2024-02-29T12:30:15", "2024-02-29 12:30:15.123456"}) {
    EXPECT_EQ(types_of(text), kTimestamp) << text;
  }
  for (const char* text :
       {"2024-02-29T12:30:15Z", "2024-02-29 12:30:00+02", "2024-02-29 12:30:00-05:30"}) {
    EXPECT_EQ(types_of(text), kTimestampTz) << text;
  }
}

TEST(ValueTypes, LeaveAsTextWhatACastWouldChange) {
  for (const char* text : {"00501",
                           "-007",
                           "00.5",
                           "+4930123",
                           "0x1F",
                           "1_000",
                           "1234567890123456789",
                           "12345678901234567890",
                           "1234567890123456.5",
                           "1e999",
                           "1.",
                           ".",
                           "-",
                           "e5",
                           "1e",
                           "1,5",
                           "01/02/2024",
                           "2023-02-29",
                           "2024-13-01",
                           "0000-01-01",
                           "2024-2-3",
                           "2024-02-29 24:00",
                           "2024-02-29 12",
                           "2024-02-29 12:30:15.1234567",
                           "2024-02-29T12:30:15 Europe/Berlin",
                           "t",
                           "yes",
                           "--5",
                           "infinite",
                           " ",
                           "00M",
                           "12:30",
                           " true",
                           " 2024-02-29",
                           "2024-02-29 ",
                           "2024-02-29 12:30Z",
                           "2024-02-29 12:30:15+15",
                           "2024-02-29 12:30:15 Z",
                           "1900-02-29"}) {
    EXPECT_EQ(types_of(text), 0) << text;
  }
  EXPECT_EQ(types_of("20240229"), kBigint | kDouble) << "a number, not a date";
  EXPECT_EQ(types_of(std::string(kMaxTypedBytes + 1, '1')), 0);
}

TEST(ValueTypes, NarrowestTypeNamesTheColumn) {
  EXPECT_EQ(type_name(kBigint | kDouble), "BIGINT");
  EXPECT_EQ(type_name(kDouble), "DOUBLE");
  EXPECT_EQ(type_name(kDate | kTimestamp), "DATE");
  EXPECT_EQ(type_name(kTimestampTz), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(type_name(0), "VARCHAR");
}

}  // namespace
}  // namespace oa::analytics
