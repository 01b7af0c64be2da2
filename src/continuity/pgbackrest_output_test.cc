#include "pgbackrest_output.h"

#include <fmt/format.h>

#include "continuity_testkit.h"

namespace oa::continuity {
namespace {

constexpr const char* kBackup =
    R"({{"archive":{{"start":"{}","stop":"000000020000000000000003"}},"error":false,)"
    R"("info":{{"delta":10,"repository":{{"delta":3,"size":4}},"size":20}},"label":"20261123-133925F",)"
    R"("lsn":{{"start":"0/2000028","stop":"{}"}},"prior":null,"timestamp":{{"start":1795441165,"stop":{}}},)"
    R"("type":"{}"}})";

std::string info_of(const std::string& backup, int code = 0) {
  return fmt::format(
      R"([{{"archive":[{{"id":"15-1","max":null,"min":null}}],"backup":[{}],"name":"main","status":{{"code":{},"message":"x"}}}}])",
      backup, code);
}

std::string backup_of(const char* start = "000000020000000000000002",
                      const char* stop_lsn = "0/3000050", const char* stop = "1795441166",
                      const char* type = "full") {
  return fmt::format(kBackup, start, stop_lsn, stop, type);
}

TEST(Info, Read) {
  const auto info = parse_info(info_of(backup_of()), "main");
  ASSERT_OK(info);
  ASSERT_EQ(info->backups.size(), 1u);
  const BackupInfo& backup = info->backups[0];
  EXPECT_EQ(backup.timeline.value, 2u);
  EXPECT_EQ(backup.stop_lsn.str(), "0/3000050");
  EXPECT_EQ(backup.restorable_from().unix_us, 1'795'441'167'000'000);
  EXPECT_EQ(backup.repository_bytes, 4u);
  EXPECT_EQ(backup.added_bytes, 3u);
  EXPECT_TRUE(backup.prior.empty());
  EXPECT_EQ(info->find("20261123-133925F"), &info->backups[0]);
  EXPECT_EQ(info->find("x"), nullptr);
}

TEST(Info, NotYetThere) {
  const auto info = parse_info(info_of("", 1), "main");
  ASSERT_OK(info);
  EXPECT_FALSE(info->stanza);
}

TEST(Info, WhatIsNotUnderstoodIsAnError) {
  const std::vector<std::string> hostile = {
      "",
      "[]",
      "{}",
      "[1]",
      "no JSON",
      info_of(backup_of("00000000000000000000000G")),
      info_of(backup_of("000000000000000000000002")),
      info_of(backup_of("2")),
      info_of(backup_of("000000020000000000000002", "16")),
      info_of(backup_of("000000020000000000000002", "0/3000050", "-1")),
      info_of(backup_of("000000020000000000000002", "0/3000050", "99999999999999")),
      info_of(backup_of("000000020000000000000002", "0/3000050", "\"1\"")),
      info_of(backup_of("000000020000000000000002", "0/3000050", "1795441166", "partial")),
      info_of("{}"),
      info_of("", 99),
  };
  for (const auto& text : hostile)
    EXPECT_EQ(code_of(parse_info(text, "main")), ErrorCode::kRepositoryDamaged) << text;
  EXPECT_EQ(code_of(parse_info(info_of(backup_of()), "other")), ErrorCode::kRepositoryDamaged);
}

Result<VerifyReport> verified(std::string_view text) {
  VerifyParser parser;
  while (!text.empty()) {
    const auto end = text.find('\n');
    parser.line(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parser.finish();
}

constexpr const char* kSound =
    "P00   INFO: verify command begin 2.45: --stanza=main\n"
    "P00 DETAIL: archiveId: 15-1, wal start: 000000010000000000000001, wal stop: "
    "000000010000000000000005\n"
    "P00   INFO: stanza: main\n"
    "            status: ok\n"
    "stanza: main\n"
    "status: ok\n"
    "  archiveId: 15-1, total WAL checked: 5, total valid WAL: 5\n"
    "    missing: 0, checksum invalid: 0, size invalid: 0, other: 0\n"
    "  backup: 20261123-133925F, status: valid, total files checked: 964, total valid files: 964\n"
    "    missing: 0, checksum invalid: 0, size invalid: 0, other: 0\n"
    "P00   INFO: verify command end: completed successfully (224ms)\n";

std::string changed(const std::string& from, const std::string& to) {
  std::string text = kSound;
  text.replace(text.rfind(from), from.size(), to);
  return text;
}

TEST(Verify, Sound) {
  const auto report = verified(kSound);
  ASSERT_OK(report);
  EXPECT_TRUE(report->sound());
  EXPECT_EQ(report->segments, 5u);
  EXPECT_EQ(report->backups, 1u);
  EXPECT_EQ(report->files, 964u);
}

TEST(Verify, EveryDoubtIsAProblem) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"status: valid", "status: invalid"},
      {"status: valid", "status: manifest missing"},
      {"checksum invalid: 0", "checksum invalid: 1"},
      {"status: ok", "status: error"},
      {"P00   INFO: verify command end",
       "P01   INFO: invalid checksum '15-1/0000000100000000/0000000100000000000000AA-00.zst'\n"
       "P00   INFO: verify command end"},
      {"P00   INFO: verify command end",
       "P00 DETAIL: something that a later version says\nP00   INFO: verify command end"},
      {"wal stop: 000000010000000000000005",
       "wal stop: 000000010000000000000003\nP00 DETAIL: archiveId: 15-1, wal start: "
       "000000010000000000000005, wal stop: 000000010000000000000005"},
  };
  for (const auto& [from, to] : changes) {
    const auto report = verified(changed(from, to));
    ASSERT_OK(report);
    EXPECT_FALSE(report->sound()) << to;
    ASSERT_EQ(report->problems.size(), report->problem_count);
  }
}

TEST(Verify, AnotherTimelineIsNoGap) {
  const auto report = verified(
      changed("wal stop: 000000010000000000000005",
              "wal stop: 000000010000000000000005\nP00 DETAIL: archiveId: 15-1, wal start: "
              "000000020000000000000005, wal stop: 000000020000000000000009"));
  ASSERT_OK(report);
  EXPECT_TRUE(report->sound());
}

TEST(Verify, WhatIsNotUnderstoodIsAnError) {
  for (const auto& text :
       {std::string(), std::string("stanza: main\n"), changed("status: ok", "status: fine"),
        changed("total files checked: 964", "files: 964"),
        changed("total WAL checked: 5", "total WAL checked: many"),
        changed("  backup: ", "  bundle: "), changed("missing: 0", "lost: 0")})
    EXPECT_EQ(code_of(verified(text)), ErrorCode::kRepositoryDamaged) << text;
}

TEST(Output, Percent) {
  EXPECT_EQ(percent_of("P01 DETAIL: backup file /d/base/1/2 (8KB, 12.34%) checksum abc"), 12u);
  EXPECT_EQ(percent_of("P01 DETAIL: restore file /d (bundle 1/48, 8KB, 100.00%) checksum a"), 100u);
  for (const char* line : {"", "%) checksum", "x (8KB, y%) checksum", "x (8KB, 101%) checksum"})
    EXPECT_EQ(percent_of(line), std::nullopt) << line;
}

TEST(Output, Error) {
  EXPECT_EQ(error_number("a\nP00  ERROR: [055]: x\nP00  ERROR: [104]: y"), 55);
  EXPECT_EQ(error_number("ERROR: [x]"), std::nullopt);
  EXPECT_EQ(error_number("fine"), std::nullopt);
  EXPECT_EQ(error_text("P00  ERROR: [055]: \x01\xff"), "ERROR: [055]: ??");
}

}  // namespace
}  // namespace oa::continuity
