#include "oa/diff/compare.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <boost/json.hpp>

#include "memory_side.h"
#include "oa/archive/entry_paths.h"
#include "oa/archive/writer.h"

namespace oa::diff {
namespace {

std::string uuid(int n) {
  std::string digits = std::to_string(n);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}
WorkspaceId workspace(int n) { return *WorkspaceId::parse(uuid(n)); }

std::string report(const std::string& name, const std::string& title = "t") {
  return R"({"format":{"kind":"report","version":1},"name":")" + name +
         R"(","visuals":[{"id":"v1","title":")" + title + R"("},{"id":"v2","title":"x"}]})";
}
json::object person(int n, const std::string& email) {
  return {{"id", uuid(n)}, {"email", email}, {"active", true}};
}
std::string workspace_document(const std::string& name, json::array datasets = {},
                               json::array users = {}, json::array teams = {}) {
  return canonical_json(json::object{{"format", json::object{{"kind", "workspace"}}},
                                     {"workspace", json::object{{"name", name}}},
                                     {"datasets", std::move(datasets)},
                                     {"users", std::move(users)},
                                     {"teams", std::move(teams)}});
}
std::string report_path(int w, int r) {
  return archive::report_path(workspace(w), *ReportId::parse(uuid(r)));
}
std::string model_path(int w, int d) {
  return archive::model_path(workspace(w), *DatasetId::parse(uuid(d)));
}
std::string rows_path(int w, int d) {
  return archive::rows_path(workspace(w), *DatasetId::parse(uuid(d)));
}

Comparison compared(const MemorySide& before, MemorySide& after, const Limits& limits = {}) {
  auto result = compare(before, after, limits, no_progress());
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? std::move(result).value() : Comparison{};
}

std::string shared_report(const std::string& name, const std::string& grants) {
  std::string text = report(name);
  return text.replace(text.rfind('}'), 1, R"(,"grants":[)" + grants + "]}");
}

MemorySide small_tenant() {
  MemorySide side;
  side.entries[archive::workspace_path(workspace(1))] = workspace_document(
      "Sales", {json::object{{"id", uuid(20)}, {"name", "orders"}, {"row_count", 5}}},
      {person(90, "a@example.com"), person(91, "b@example.com")});
  side.entries[model_path(1, 20)] = "measures:\n  a: 1\n";
  side.entries[rows_path(1, 20)] = "PAR1";
  for (int i = 30; i < 35; ++i) side.entries[report_path(1, i)] = report("R" + std::to_string(i));
  side.entries[archive::workspace_path(workspace(2))] =
      workspace_document("HR", {}, {person(90, "a@example.com")});
  side.entries[archive::kAuditPath] = "1\n2\n";
  side.own_facts.tenant = *JsonText::parse(R"({"name":"T","plan":"growth","teams":[],"users":[]})");
  side.own_facts.counts["audit_events"] = 2;
  return side;
}

TEST(Compare, EqualSidesDifferInNothingAndNothingIsRead) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  const auto result = compared(before, after);
  EXPECT_TRUE(result.changes.empty());
  EXPECT_TRUE(result.rows_compared && result.audit_compared && !result.workspaces.has_value());
  EXPECT_TRUE(before.read_paths.empty());
  EXPECT_TRUE(after.read_paths.empty());
}

TEST(Compare, ReportsAddedRemovedAndChanged) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  after.entries.erase(report_path(1, 30));
  after.entries[report_path(1, 31)] = report("R31", "new title");
  after.entries[report_path(1, 39)] = report("R39");
  const auto changes = compared(before, after).changes;
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(
      changes[0],
      (AssetChange{AssetKind::kReport, uuid(30), "R30", workspace(1), Change::kRemoved, {}, 0}));
  EXPECT_EQ(
      changes[1],
      (AssetChange{AssetKind::kReport,
                   uuid(31),
                   "R31",
                   workspace(1),
                   Change::kChanged,
                   {{"visuals[v1].title", FieldChangeKind::kChanged, "\"t\"", "\"new title\""}},
                   0}));
  EXPECT_EQ(changes[2].change, Change::kAdded);
  EXPECT_EQ(changes[2].name, "R39");
}

TEST(Compare, WhomAReportIsSharedWith) {
  MemorySide before = small_tenant(), after = small_tenant();
  const std::string kept = R"({"kind":"team","principal":"t1","role":"viewer"})";
  before.entries[report_path(1, 30)] =
      shared_report("R30", R"({"kind":"user","principal":"u1","role":"viewer"},)" + kept);
  after.entries[report_path(1, 30)] =
      shared_report("R30", R"({"kind":"user","principal":"u2","role":"viewer"},)" + kept);
  before.entries[report_path(1, 31)] = shared_report("R31", kept);
  after.entries[report_path(1, 31)] =
      shared_report("R31", R"({"kind":"team","principal":"t1","role":"editor"})");
  const auto changes = compared(before, after).changes;
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].fields,
            (std::vector<FieldChange>{{"grants[principal=u2]",
                                       FieldChangeKind::kAdded,
                                       {},
                                       R"({"kind":"user","principal":"u2","role":"viewer"})"},
                                      {"grants[principal=u1]",
                                       FieldChangeKind::kRemoved,
                                       R"({"kind":"user","principal":"u1","role":"viewer"})",
                                       {}}}));
  EXPECT_EQ(changes[1].fields,
            (std::vector<FieldChange>{{"grants[principal=t1].role", FieldChangeKind::kChanged,
                                       R"("viewer")", R"("editor")"}}));
}

TEST(Compare, ReportsOfAnOlderVersionAreSharedWithNobody) {
  MemorySide before = small_tenant(), after = small_tenant();
  before.made_for.format_minor = 0;
  for (int i = 30; i < 35; ++i)
    after.entries[report_path(1, i)] = shared_report("R" + std::to_string(i), "");
  after.entries[report_path(1, 31)] =
      shared_report("R31", R"({"kind":"team","principal":"t1","role":"viewer"})");
  after.entries[report_path(1, 32)] = shared_report("Renamed", "");
  before.entries[report_path(1, 33)] = shared_report("R33", "7");  // which 1.0 does not know
  before.entries["a.json"] = R"({"a":1})";
  after.entries["a.json"] = R"({ "a":1})";
  const auto changes = compared(before, after).changes;
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[0].fields.at(0).path, "grants[principal=t1]");
  EXPECT_EQ(changes[1].fields.at(0).path, "name");
  EXPECT_EQ(changes[2].name, "R33");
  EXPECT_EQ(changes[2].fields.at(0).kind, FieldChangeKind::kContent);
  EXPECT_EQ(changes[3].kind, AssetKind::kFile);
  const auto back = compared(after, before).changes;
  EXPECT_EQ(back.size(), changes.size());
}

TEST(Compare, AWorkspaceDocumentIsSpreadOverItsAssets) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  after.entries[archive::workspace_path(workspace(1))] = workspace_document(
      "Sales 2",
      {json::object{{"id", uuid(20)}, {"name", "orders"}, {"row_count", 6}},
       json::object{{"id", uuid(21)}, {"name", "customers"}}},
      {person(90, "changed@example.com")},
      {json::object{{"id", uuid(80)}, {"name", "Analysts"}, {"members", json::array{}}}});
  after.entries[archive::workspace_path(workspace(2))] =
      workspace_document("HR", {}, {person(90, "changed@example.com")});
  after.entries[model_path(1, 21)] = "new";
  after.entries[rows_path(1, 20)] = "PAR1PAR1";
  const auto changes = compared(before, after).changes;
  ASSERT_EQ(changes.size(), 6u);
  EXPECT_EQ(changes[0].kind, AssetKind::kTeam);
  EXPECT_EQ(changes[0].name, "Analysts");
  EXPECT_EQ(changes[1].kind, AssetKind::kUser);  // once, though two documents changed for it
  EXPECT_EQ(changes[1].fields.at(0).path, "email");
  EXPECT_EQ(changes[2].name, "b@example.com");
  EXPECT_EQ(changes[2].change, Change::kRemoved);
  EXPECT_EQ(changes[3].kind, AssetKind::kWorkspace);
  EXPECT_EQ(
      changes[3].fields,
      (std::vector<FieldChange>{{"name", FieldChangeKind::kChanged, "\"Sales\"", "\"Sales 2\""}}));
  EXPECT_EQ(changes[4].name, "orders");
  EXPECT_EQ(changes[4].fields,
            (std::vector<FieldChange>{
                {"row_count", FieldChangeKind::kChanged, "5", "6"},
                {"rows", FieldChangeKind::kContent, R"({"bytes":4})", R"({"bytes":8})"}}));
  EXPECT_EQ(changes[5].name, "customers");
  EXPECT_EQ(changes[5].change, Change::kAdded);
}

TEST(Compare, AModelThatChangedAloneIsNamedAfterItsDataset) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  after.entries[model_path(1, 20)] = "measures:\n  a: 2\n  b: 1\n";
  const auto changes = compared(before, after).changes;
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].name, "orders");
  EXPECT_EQ(changes[0].fields,
            (std::vector<FieldChange>{{"model", FieldChangeKind::kContent,
                                       R"({"bytes":17,"lines":2,"lines_only_here":1})",
                                       R"({"bytes":24,"lines":3,"lines_only_here":2})"}}));
  after.entries[model_path(1, 20)] = "  a: 1\nmeasures:\n";  // the same lines in another order
  const auto moved = compared(before, after).changes.at(0).fields.at(0);
  EXPECT_NE(moved.before, moved.after);
}

TEST(Compare, WhoStandsInADocumentThatDidNotChangeIsStillThere) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  // User 90 leaves workspace 1, and stands in 2 as before; 91 moves to the tenant's own list.
  after.entries[archive::workspace_path(workspace(1))] = workspace_document(
      "Sales", {json::object{{"id", uuid(20)}, {"name", "orders"}, {"row_count", 5}}});
  after.own_facts.tenant = JsonText::of(json::object{{"name", "T"},
                                                     {"plan", "growth"},
                                                     {"teams", json::array{}},
                                                     {"users", {person(91, "b@example.com")}}});
  EXPECT_TRUE(compared(before, after).changes.empty());
}

TEST(Compare, TheTenantItself) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  after.own_facts.tenant = *JsonText::parse(R"({"name":"T","plan":"scale","teams":[],"users":[]})");
  const auto changes = compared(before, after).changes;
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, AssetKind::kTenant);
  EXPECT_EQ(changes[0].fields.at(0).path, "plan");
}

TEST(Compare, TheAuditChainByItsEvents) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  after.entries[archive::kAuditPath] = "1\n2\n3\n";
  after.own_facts.counts["audit_events"] = 3;
  const auto changes = compared(before, after).changes;
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, AssetKind::kAudit);
  EXPECT_EQ(changes[0].fields.at(0), (FieldChange{"events", FieldChangeKind::kChanged, "2", "3"}));
}

TEST(Compare, WhatASideWasMadeWithoutIsNotRemoved) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  after.made_for = {std::nullopt, false, false};
  after.entries.erase(rows_path(1, 20));
  after.entries.erase(archive::kAuditPath);
  const auto result = compared(before, after);
  EXPECT_TRUE(result.changes.empty());
  EXPECT_FALSE(result.rows_compared);
  EXPECT_FALSE(result.audit_compared);
}

TEST(Compare, OnlyWorkspacesThatBothSidesWereMadeFor) {
  MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  before.made_for.workspaces = {workspace(1)};
  before.entries.erase(archive::workspace_path(workspace(2)));
  before.own_facts.tenant = after.own_facts.tenant;
  after.entries[archive::workspace_path(workspace(1))] = workspace_document(
      "Sales", {json::object{{"id", uuid(20)}, {"name", "orders"}, {"row_count", 5}}},
      {person(90, "new@example.com")});
  const auto result = compared(before, after);
  ASSERT_EQ(result.changes.size(), 1u) << "nobody counts as removed, workspace 2 not as added";
  EXPECT_EQ(result.changes[0].kind, AssetKind::kUser);
  EXPECT_EQ(result.workspaces, (std::set<WorkspaceId>{workspace(1)}));
}

TEST(Compare, WhatIsNoDocumentIsComparedAsContent) {
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  for (const std::string& other :
       {std::string("not JSON"), std::string("\xff\xfe"), deep, std::string("[1,2]"),
        std::string("{\"a\":1,\"a\":2}"), std::string(), report("R30") + " "}) {
    const MemorySide before = small_tenant();
    MemorySide after = small_tenant();
    after.entries[report_path(1, 30)] = other;
    const auto changes = compared(before, after).changes;
    ASSERT_EQ(changes.size(), 1u) << other;
    EXPECT_EQ(changes[0].fields.at(0).path, "content") << other;
    EXPECT_EQ(changes[0].fields.at(0).kind, FieldChangeKind::kContent);
    MemorySide broken = small_tenant();
    broken.entries[archive::workspace_path(workspace(1))] = other;
    EXPECT_EQ(compared(before, broken).changes.at(0).kind, AssetKind::kWorkspace) << other;
    EXPECT_EQ(compared(broken, after).changes.size(), 2u) << other;
  }
}

TEST(Compare, PastTheLimits) {
  const MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  after.entries[report_path(1, 30)] = report("other");
  after.entries[report_path(1, 31)] = report("other", "other");
  EXPECT_EQ(compared(before, after, {.max_document_bytes = 10}).changes.at(0).fields.at(0).path,
            "content");
  const auto change = compared(before, after, {.max_fields = 1}).changes.at(1);
  EXPECT_EQ(change.fields.size(), 1u);
  EXPECT_EQ(change.fields_left_out, 1u);
  const auto refused = compare(before, after, {.max_changes = 1}, no_progress());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_FALSE(refused.error().hint.empty());
}

TEST(Compare, ErrorsOfASideEndItAndHoldNoValues) {
  MemorySide before = small_tenant();
  MemorySide after = small_tenant();
  class Stop final : public Progress {
   public:
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void update(std::uint64_t) override {}
    bool cancelled() const override { return true; }
  } stop;
  EXPECT_EQ(compare(before, after, {}, stop).error().code, ErrorCode::kCancelled);
}

TEST(Compare, AnyFolderInAnArchiveIsComparedByFile) {
  const auto make = [](const std::map<std::string, std::string>& files) {
    const auto key = *SigningKey::from_seed(SecretBytes::copy_of(Bytes(SigningKey::kSeedSize, 1)));
    MemorySink sink;
    archive::WriterOptions options;
    options.archive_id = ArchiveId::random();
    options.snapshot_time = Timestamp::now();
    auto writer = archive::ArchiveWriter::create(options, key, sink).value();
    for (const auto& [path, text] : files)
      EXPECT_TRUE(writer->add(path, Bytes(text.begin(), text.end())).ok());
    EXPECT_TRUE(writer->finish({}).ok());
    return sink.take();
  };
  const MemorySource old_bytes(make({{"a.txt", "1"}, {"b/c.json", R"({"x":1})"}, {"gone", ""}}));
  const MemorySource new_bytes(make({{"a.txt", "2"}, {"b/c.json", R"({"x":2})"}, {"z", "new"}}));
  const archive::TrustPolicy trust{{}, true};
  const auto old_reader = archive::ArchiveReader::open(old_bytes, trust).value();
  const auto new_reader = archive::ArchiveReader::open(new_bytes, trust).value();
  const ArchiveSide before(*old_reader);
  ArchiveSide after(*new_reader);
  const auto result = compare(before, after, {}, no_progress());
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->changes.size(), 4u);
  for (const auto& change : result->changes) EXPECT_EQ(change.kind, AssetKind::kFile);
  EXPECT_EQ(result->changes[0].fields.at(0).path, "content");
  EXPECT_NE(result->changes[0].fields.at(0).before, result->changes[0].fields.at(0).after);
  EXPECT_EQ(result->changes[1].fields.at(0).path, "x");
  EXPECT_EQ(result->changes[2].change, Change::kRemoved);
  EXPECT_EQ(result->changes[3].change, Change::kAdded);
  ArchiveSide same(*old_reader);
  EXPECT_TRUE(compare(before, same, {}, no_progress())->changes.empty());
}

// --- for all tenants ---

json::array some_people() {
  json::array people;
  for (const int n : {90, 91, 92, 93}) {
    if (*rc::gen::arbitrary<bool>())
      people.push_back(person(n, *rc::gen::element<std::string>("a", "b")));
  }
  return people;
}

// Few ids and texts, so that two of them meet often. Somebody has one record in all of a side.
MemorySide any_tenant() {
  MemorySide side;
  const json::array everybody = some_people();
  const auto some = [&] {
    json::array chosen;
    for (const auto& one : everybody) {
      if (*rc::gen::arbitrary<bool>()) chosen.push_back(one);
    }
    return chosen;
  };
  for (const int w : {1, 2, 3}) {
    if (*rc::gen::arbitrary<bool>()) continue;
    json::array datasets;
    for (const int d : {20, 21}) {
      if (*rc::gen::arbitrary<bool>()) continue;
      datasets.push_back(json::object{{"id", uuid(d)}, {"n", *rc::gen::inRange(0, 2)}});
      side.entries[model_path(w, d)] = *rc::gen::element<std::string>("x", "y");
    }
    side.entries[archive::workspace_path(workspace(w))] = workspace_document("W", datasets, some());
    for (const int r : {30, 31, 32}) {
      if (*rc::gen::arbitrary<bool>())
        side.entries[report_path(w, r)] =
            *rc::gen::element<std::string>(report("a"), report("b"), report("a", "b"), "no JSON");
    }
  }
  side.own_facts.tenant =
      JsonText::of(json::object{{"name", "T"}, {"teams", json::array{}}, {"users", everybody}});
  return side;
}

TEST(CompareProperties, ATenantDoesNotDifferFromItself) {
  EXPECT_TRUE(rc::check([] {
    MemorySide side = any_tenant();
    RC_ASSERT(compared(side, side).changes.empty());
  }));
}

TEST(CompareProperties, SwappedSidesMirrorWhatWasAddedAndRemoved) {
  EXPECT_TRUE(rc::check([] {
    MemorySide before = any_tenant(), after = any_tenant();
    const auto there = compared(before, after).changes, back = compared(after, before).changes;
    RC_ASSERT(there.size() == back.size());
    for (std::size_t i = 0; i < there.size(); ++i) {
      RC_ASSERT((there[i].kind == back[i].kind && there[i].id == back[i].id));
      RC_ASSERT(there[i].fields.size() == back[i].fields.size());
      const auto mirrored = there[i].change == Change::kAdded     ? Change::kRemoved
                            : there[i].change == Change::kRemoved ? Change::kAdded
                                                                  : Change::kChanged;
      RC_ASSERT(back[i].change == mirrored);
    }
  }));
}

TEST(CompareProperties, EachAssetIsListedOnceAndExactlyWhenItDiffers) {
  EXPECT_TRUE(rc::check([] {
    MemorySide before = any_tenant(), after = any_tenant();
    std::set<std::string> listed;
    std::set<std::pair<AssetKind, std::string>> once;
    for (const auto& change : compared(before, after).changes) {
      const auto where = change.workspace.has_value() ? change.workspace->str() : "";
      RC_ASSERT(once.emplace(change.kind, where + change.id).second);
      if (change.kind == AssetKind::kReport)
        listed.insert(archive::report_path(*change.workspace, *ReportId::parse(change.id)));
    }
    std::set<std::string> differ;
    const auto reports = [](const MemorySide& side, const MemorySide& other, auto& out) {
      for (const auto& [path, text] : side.entries) {
        const auto found = other.entries.find(path);
        const bool same = found != other.entries.end() && found->second == text;
        if (path.find("/reports/") != path.npos && !same) out.insert(path);
      }
    };
    reports(before, after, differ);
    reports(after, before, differ);
    RC_ASSERT(listed == differ);
  }));
}

}  // namespace
}  // namespace oa::diff
