#include "received_record.h"

#include <gtest/gtest.h>

namespace oa::operations {
namespace {

constexpr const char* kOne = "11111111-1111-4111-8111-111111111111";
constexpr const char* kOther = "22222222-2222-4222-8222-222222222222";

catalog::ArchiveRecord record_with(const std::string& options) {
  archive::Manifest manifest;
  manifest.content.options = JsonText::parse(options).value();
  return received_record(manifest);
}

std::string with_workspaces(const std::string& list) {
  return R"({"audit":false,"rows":true,"workspaces":)" + list + "}";
}

TEST(ReceivedRecord, NamesItsWorkspaces) {
  const auto record =
      record_with(with_workspaces(std::string("[\"") + kOne + "\",\"" + kOther + "\"]"));
  EXPECT_EQ(record.workspaces, (std::vector{WorkspaceId::parse(kOne).value(),
                                            WorkspaceId::parse(kOther).value()}));
  EXPECT_TRUE(record.with_rows);
  EXPECT_FALSE(record.with_audit);
  EXPECT_EQ(record.origin, catalog::ArchiveOrigin::kUploaded);
}

// An Admin who manages all of no workspaces must not see what nobody knows the content of.
TEST(ReceivedRecord, AListThatSaysNothingIsNone) {
  const std::string one = std::string("\"") + kOne + "\"";
  for (const std::string& list : {std::string("[]"), std::string("null"), std::string("\"all\""),
                                  std::string("{}"), std::string("[\"Sales\"]"), std::string("[1]"),
                                  "[" + one + ",\"Sales\"]", "[null," + one + "]", one}) {
    EXPECT_FALSE(record_with(with_workspaces(list)).workspaces.has_value()) << list;
  }
  EXPECT_FALSE(record_with(R"({"packed_from":"folder"})").workspaces.has_value());
  EXPECT_FALSE(record_with("[]").workspaces.has_value());
}

}  // namespace
}  // namespace oa::operations
