#include "oa/diff/render.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace oa::diff {
namespace {

TEST(Render, NothingDiffers) {
  EXPECT_EQ(to_lines({}), std::vector<std::string>{"no differences"});
  EXPECT_EQ(canonical_json(to_json(Comparison{})),
            R"({"changes":[],"compared":{"audit":true,"rows":true},)"
            R"("counts":{"added":0,"changed":0,"removed":0}})");
}

Comparison some() {
  const auto workspace = *WorkspaceId::parse("00000000-0000-4000-8000-000000000001");
  Comparison comparison;
  comparison.changes = {{AssetKind::kReport,
                         "r1",
                         "Sales",
                         workspace,
                         Change::kChanged,
                         {{"name", FieldChangeKind::kChanged, "\"a\"", "\"b\""},
                          {"filters.x", FieldChangeKind::kAdded, std::nullopt, "1"},
                          {"filters.y", FieldChangeKind::kRemoved, "2", std::nullopt},
                          {"visuals", FieldChangeKind::kMoved, R"(["p","q"])", R"(["q","p"])"}},
                         2},
                        {AssetKind::kFile, "a/b", "", std::nullopt, Change::kAdded, {}, 0}};
  comparison.rows_compared = false;
  comparison.audit_compared = false;
  comparison.workspaces = {workspace};
  return comparison;
}

TEST(Render, Lines) {
  EXPECT_EQ(to_lines(some()),
            (std::vector<std::string>{
                "changed  report     r1  Sales",
                "    name: \"a\" -> \"b\"",
                "    filters.x added: 1",
                "    filters.y removed: 2",
                "    visuals in another order: [\"p\",\"q\"] -> [\"q\",\"p\"]",
                "    and 2 more fields",
                "added    file       a/b",
                "2 assets differ: 1 added, 0 removed, 1 changed",
                "rows were not compared: a side was made without them",
                "audit events were not compared",
                "only 1 workspace was compared, and the people that both sides have",
            }));
}

TEST(Render, Json) {
  EXPECT_EQ(
      canonical_json(to_json(some())),
      R"({"changes":[{"change":"changed","fields":[)"
      R"({"after":"\"b\"","before":"\"a\"","change":"changed","path":"name"},)"
      R"({"after":"1","change":"added","path":"filters.x"},)"
      R"({"before":"2","change":"removed","path":"filters.y"},)"
      R"({"after":"[\"q\",\"p\"]","before":"[\"p\",\"q\"]","change":"moved","path":"visuals"}],)"
      R"("fields_left_out":2,"id":"r1","kind":"report","name":"Sales",)"
      R"("workspace_id":"00000000-0000-4000-8000-000000000001"},)"
      R"({"change":"added","id":"a/b","kind":"file"}],)"
      R"("compared":{"audit":false,"rows":false,)"
      R"("workspaces":["00000000-0000-4000-8000-000000000001"]},)"
      R"("counts":{"added":1,"changed":1,"removed":0}})");
}

TEST(Render, NoErrorHasTheExitStatusOfDifferences) {
  for (const auto& row : error_table())
    EXPECT_NE(row.exit_status, kDifferentExitStatus) << row.name;
}

}  // namespace
}  // namespace oa::diff
