#include "oa/continuity/patroni.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "testkit/patroni_nodes.h"

#define ASSERT_OK(expression)                                                                     \
  do {                                                                                            \
    const auto& oa_status = (expression);                                                         \
    ASSERT_TRUE(oa_status.ok()) << oa_status.error().message << " | " << oa_status.error().cause; \
  } while (false)

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testkit::PatroniNodes;

template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

bool eventually(const std::function<bool()>& condition) {
  return PatroniNodes::eventually(condition);
}

class TwoNodes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    nodes_ = std::make_unique<PatroniNodes>();
    nodes_->start_both();
  }
  static void TearDownTestSuite() { nodes_.reset(); }
  static Patroni patroni(const std::string& password = "right") {
    return nodes_->patroni(password);
  }
  static bool streaming() { return nodes_->streaming(); }

  static inline std::unique_ptr<PatroniNodes> nodes_;
};

TEST_F(TwoNodes, ClusterAsItIs) {
  const auto now = patroni().cluster();
  ASSERT_OK(now);
  EXPECT_EQ(now->members.size(), 2u);
  EXPECT_FALSE(now->paused);
  ASSERT_NE(now->leader(), nullptr);
  EXPECT_EQ(now->leader()->host, "127.0.0.1");
  EXPECT_GT(now->leader()->port, 0);
  const auto conninfo = patroni().primary_conninfo();
  ASSERT_OK(conninfo);
  EXPECT_TRUE(conninfo->starts_with("host=127.0.0.1,127.0.0.1 port=")) << *conninfo;
}

TEST_F(TwoNodes, ArchivingIsSetForAllNodes) {
  const PatroniArchiving archiving{.archive_command = "pgbackrest archive-push %p",
                                   .slot = "oa_receiver"};
  EXPECT_EQ(code_of(patroni("wrong").configure(archiving)), ErrorCode::kPermissionDenied);
  auto driver = patroni();
  const auto configured = driver.configure(archiving);
  ASSERT_OK(configured);
  EXPECT_NE(configured->configuration.find("archive-push"), std::string::npos);
  const auto has_slot = [](const std::string& node) {
    return fs::exists(nodes_->scratch() + "/" + node + "/data/pg_replslot/oa_receiver");
  };
  const auto now = driver.cluster();
  ASSERT_OK(now);
  EXPECT_TRUE(eventually([&] { return has_slot(now->leader()->name); }));
  // archive_mode holds after a restart, which is the operator's to choose.
  EXPECT_TRUE(eventually([&] {
    const auto pending = driver.configure(archiving);
    return pending.ok() && pending->pending_restart;
  }));
  ASSERT_OK(driver.unconfigure(archiving));
  EXPECT_TRUE(eventually([&] { return !has_slot(now->leader()->name); }));
}

TEST_F(TwoNodes, SwitchoverBeginsATimeline) {
  auto driver = patroni();
  const auto before = driver.cluster();
  ASSERT_OK(before);
  std::string other;
  for (const auto& member : before->members)
    if (member.role != "leader") other = member.name;
  ASSERT_OK(driver.switchover(other, seconds(40)));
  EXPECT_TRUE(eventually([] { return streaming(); }));
  const auto after = driver.cluster();
  ASSERT_OK(after);
  ASSERT_NE(after->leader(), nullptr);
  EXPECT_EQ(after->leader()->name, other);
  EXPECT_EQ(after->leader()->timeline.value, before->leader()->timeline.value + 1);
  EXPECT_TRUE(eventually([&] {
    const auto history = driver.history();
    return history.ok() && !history->empty() &&
           history->back().timeline == before->leader()->timeline && history->back().end.value > 0;
  }));
  EXPECT_EQ(code_of(driver.switchover("nobody", seconds(5))), ErrorCode::kInvalidArgument);
}

TEST(PatroniSettings, WhatCannotBe) {
  const auto open = [](const std::string& url) {
    PatroniSettings settings;
    if (!url.empty()) settings.urls = {url};
    settings.user = "orch";
    return code_of(Patroni::open(std::move(settings)));
  };
  for (const char* url : {"", "ftp://x", "10.0.0.1:8008", "https://x:1/", "http://10.0.0.1:8008"})
    EXPECT_EQ(open(url), ErrorCode::kInvalidArgument) << url;
  EXPECT_EQ(open("https://10.0.0.1:8008"), ErrorCode::kInternal);
}

TEST(PatroniSettings, NobodyAnswers) {
  PatroniSettings settings;
  settings.urls = {fmt::format("http://127.0.0.1:{}", testkit::free_ports(1)[0])};
  auto driver = Patroni::open(std::move(settings));
  ASSERT_OK(driver);
  EXPECT_EQ(code_of(driver->cluster()), ErrorCode::kDatabaseUnavailable);
  EXPECT_EQ(code_of(driver->primary_conninfo()), ErrorCode::kDatabaseUnavailable);
}

}  // namespace
}  // namespace oa::continuity
