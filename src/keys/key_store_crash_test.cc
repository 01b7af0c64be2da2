// Several processes on one key store, and processes that die in the middle of a change.
#include <signal.h>

#include <fstream>

#include "keys_testkit.h"
#include "oa/base/io.h"

namespace oa {
namespace {

using KeyStoreProcesses = KeyStoreTest;

TEST_F(KeyStoreProcesses, TenantsMadeByTwoProcessesAtOnceAreAllThere) {
  create();
  std::vector<std::vector<TenantId>> tenants(2, std::vector<TenantId>(40));
  std::vector<pid_t> children;
  for (auto& mine : tenants) {
    for (TenantId& tenant : mine) tenant = TenantId::random();
    children.push_back(in_child([&] {
      const auto keys = open();
      for (const TenantId& tenant : mine) {
        if (!keys->create_tenant_key(tenant).ok()) return 1;
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(exit_status_of(child), 0);
  const auto keys = open();
  for (const auto& mine : tenants) {
    for (const TenantId& tenant : mine) EXPECT_TRUE(keys->describe(tenant).ok());
  }
}

TEST_F(KeyStoreProcesses, OfTwoThatCreateOneStoreOneWinsAndBothCanOpenIt) {
  for (int round = 0; round < 10; ++round) {
    std::filesystem::remove(store_);
    std::filesystem::remove(root_.key_file);
    std::vector<pid_t> children;
    for (int i = 0; i < 2; ++i) {
      children.push_back(in_child([&] {
        const auto made = LocalKeyService::create(store_, root_);
        if (!made.ok() && made.error().code != ErrorCode::kAlreadyExists) return 2;
        if (!LocalKeyService::open(store_, root_).ok()) return 3;
        return made.ok() ? 1 : 0;
      }));
    }
    EXPECT_EQ(exit_status_of(children[0]) + exit_status_of(children[1]), 1);
  }
}

// A child changes the store in a loop and is killed somewhere: the store opens and has every change
// it confirmed.
TEST_F(KeyStoreProcesses, AKillInTheMiddleLosesNoConfirmedChange) {
  const auto keys = create();
  const TenantId tenant = TenantId::random();
  ASSERT_TRUE(keys->create_tenant_key(tenant).ok());
  for (int round = 0; round < 15; ++round) {
    const std::uint32_t before = keys->describe(tenant)->current_version;
    int confirmed_pipe[2];
    ASSERT_EQ(pipe(confirmed_pipe), 0);
    const pid_t child = in_child([&] {
      const auto mine = open();
      while (mine->rotate(tenant).ok() && write(confirmed_pipe[1], "x", 1) == 1) {
      }
      return 1;
    });
    close(confirmed_pipe[1]);
    char byte = 0;
    ASSERT_EQ(read(confirmed_pipe[0], &byte, 1), 1);
    usleep(static_cast<useconds_t>(round * 137));
    kill(child, SIGKILL);
    EXPECT_EQ(exit_status_of(child), -1);
    std::uint32_t confirmed = 1;
    while (read(confirmed_pipe[0], &byte, 1) == 1) ++confirmed;
    close(confirmed_pipe[0]);
    const auto again = LocalKeyService::open(store_, root_);
    ASSERT_TRUE(again.ok());
    EXPECT_GE((*again)->describe(tenant)->current_version, before + confirmed);
    EXPECT_LE((*again)->describe(tenant)->current_version, before + confirmed + 1);
  }
}

TEST_F(KeyStoreProcesses, AHalfWrittenSuccessorDoesNoHarm) {
  const auto keys = create();
  const TenantId tenant = TenantId::random();
  ASSERT_TRUE(keys->create_tenant_key(tenant).ok());
  std::ofstream(store_ + ".partial") << "half";
  EXPECT_TRUE(open()->describe(tenant).ok());
  EXPECT_TRUE(keys->rotate(tenant).ok());
  EXPECT_FALSE(std::filesystem::exists(store_ + ".partial"));
}

TEST_F(KeyStoreProcesses, AChangeThatCannotBeWrittenChangesNothing) {
  const auto keys = create();
  const TenantId tenant = TenantId::random();
  ASSERT_TRUE(keys->create_tenant_key(tenant).ok());
  const Bytes before = *read_file(store_, 1 << 20);
  std::filesystem::create_directory(store_ + ".partial");
  EXPECT_FALSE(keys->rotate(tenant).ok());
  EXPECT_EQ(*read_file(store_, 1 << 20), before);
  EXPECT_EQ(keys->describe(tenant)->current_version, 1u);
  std::filesystem::remove(store_ + ".partial");
  EXPECT_TRUE(keys->rotate(tenant).ok());
  EXPECT_EQ(keys->describe(tenant)->current_version, 2u);
}

}  // namespace
}  // namespace oa
