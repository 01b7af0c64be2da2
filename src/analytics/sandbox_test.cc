#include "sandbox.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace oa::analytics {
namespace {

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-sandbox-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    std::ofstream(folder_ + "/bait.csv") << "a,b\n1,2\n";
    sandbox_ = *Sandbox::create(&input_, &output_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return sql_literal(folder_ + "/" + name); }
  void expect_refused(const std::string& sql) {
    EXPECT_FALSE(sandbox_->run(sql, no_progress()).ok()) << sql;
  }

  std::string folder_;
  MemorySource input_{Bytes{'a', '\n', '1', '\n'}};
  MemorySink output_;
  std::unique_ptr<Sandbox> sandbox_;
};

TEST_F(SandboxTest, ReachesItsOwnStreams) {
  const auto answer = sandbox_->run("SELECT * FROM read_csv('oa://in/0')", no_progress());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->at(0).at(0), "1");
  ASSERT_TRUE(sandbox_
                  ->run("COPY (SELECT 1 AS a) TO 'oa://out/0' (FORMAT parquet, USE_TMP_FILE false)",
                        no_progress())
                  .ok());
  EXPECT_EQ(output_.bytes().size(), sandbox_->bytes_written());
  EXPECT_EQ(as_text(output_.bytes()).substr(0, 4), "PAR1");
}

TEST_F(SandboxTest, RefusesEveryOtherPath) {
  for (const std::string& file :
       {path("bait.csv"), sql_literal("/etc/passwd"), sql_literal("bait.csv"),
        sql_literal("file://" + folder_ + "/bait.csv"), sql_literal("oa://in/../../etc/passwd"),
        sql_literal("oa://in/1"), sql_literal("oa://in/*"), sql_literal("/proc/self/environ"),
        sql_literal("https://localhost/x.csv"), sql_literal("s3://bucket/x.csv")}) {
    for (const char* reader :
         {"read_csv", "read_text", "read_blob", "read_parquet", "read_json", "glob", "sniff_csv"}) {
      const auto answer =
          sandbox_->run("SELECT * FROM " + std::string(reader) + "(" + file + ")", no_progress());
      EXPECT_TRUE(!answer.ok() || answer->empty()) << reader << file;
    }
  }
  const auto refused =
      sandbox_->run("SELECT * FROM read_csv(" + path("bait.csv") + ")", no_progress());
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(SandboxTest, WritesNoFile) {
  expect_refused("COPY (SELECT 1) TO " + path("out.csv"));
  expect_refused("COPY (SELECT 1) TO " + path("out.parquet") + " (FORMAT parquet)");
  expect_refused("COPY (SELECT 1 AS a, 2 AS b) TO " + path("parts") +
                 " (FORMAT parquet, PARTITION_BY (a))");
  expect_refused("COPY (SELECT 1) TO 'oa://in/0'");
  expect_refused("EXPORT DATABASE " + path("export"));
  expect_refused("ATTACH " + path("x.db"));
  expect_refused("PRAGMA enable_profiling='json'; PRAGMA profiling_output=" + path("profile"));
  expect_refused("CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'k', SECRET 's')");
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::recursive_directory_iterator(folder_))
    ++files;
  EXPECT_EQ(files, 1u) << "the bait alone";
}

TEST_F(SandboxTest, LoadsNothingAndCannotBeUnlocked) {
  expect_refused("INSTALL httpfs");
  expect_refused("LOAD httpfs");
  expect_refused("LOAD " + path("x.duckdb_extension"));
  expect_refused("SELECT getenv('HOME')");
  for (const char* setting :
       {"enable_external_access=true", "lock_configuration=false", "temp_directory='/tmp'",
        "disabled_filesystems=''", "allowed_paths=['/etc/passwd']", "allowed_directories=['/']",
        "memory_limit='100GB'", "home_directory='/tmp'", "autoload_known_extensions=true",
        "extension_directory='/tmp'"}) {
    expect_refused("SET " + std::string(setting));
    expect_refused("RESET " + std::string(setting).substr(0, std::string(setting).find('=')));
  }
  const auto folder = sandbox_->run("SELECT current_setting('temp_directory')", no_progress());
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(folder->at(0).at(0).value_or(""), "");
}

TEST_F(SandboxTest, SpillsNothing) {
  const auto answer = sandbox_->run(
      "SELECT count(*) FROM (SELECT range AS a, repeat('x', 200) || range AS b FROM "
      "range(20000000) ORDER BY b)",
      no_progress());
  EXPECT_EQ(answer.error().code, ErrorCode::kLimitExceeded);
}

TEST_F(SandboxTest, ErrorsDoNotQuoteValues) {
  const auto answer = sandbox_->run("SELECT CAST('canary-7431' AS BIGINT)", no_progress());
  ASSERT_FALSE(answer.ok());
  const Error& error = answer.error();
  EXPECT_EQ((error.message + error.hint + error.cause).find("canary"), std::string::npos);
}

TEST(SandboxSql, LiteralHoldsAnyText) {
  EXPECT_EQ(sql_literal("it's"), "'it''s'");
  EXPECT_EQ(sql_literal("'); COPY x"), "'''); COPY x'");
}

}  // namespace
}  // namespace oa::analytics
