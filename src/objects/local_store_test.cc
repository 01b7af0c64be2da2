// The local driver: the conformance suite, and what only files can show.
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "object_store_conformance.h"

namespace oa {
namespace {

namespace fs = std::filesystem;

class LocalStorage final : public StorageUnderTest {
 public:
  LocalStorage() {
    char folder[] = "/tmp/oa-objects-XXXXXX";
    OA_ASSERT(mkdtemp(folder) != nullptr);
    folder_ = folder;
  }
  ~LocalStorage() override { fs::remove_all(folder_); }
  std::unique_ptr<ObjectStore> open() override { return *open_local_store(root()); }
  std::string root() const { return folder_ + "/new/store"; }

 private:
  std::string folder_;
};

INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreConformance,
                         testing::Values(StoreFactory{
                             "local", [] { return std::make_unique<LocalStorage>(); }}),
                         [](const auto& tested) { return tested.param.name; });

class LocalStoreTest : public testing::Test {
 protected:
  std::size_t temporaries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(storage_.root() + "/tmp"), {}));
  }
  std::unique_ptr<ObjectWriter> write_some(ObjectStore& store, std::size_t size = 100) const {
    auto writer = *store.put(key_);
    EXPECT_TRUE(writer->write(Bytes(size, 1)).ok());
    return writer;
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    return info.st_mode & 0777;
  }

  LocalStorage storage_;
  const ObjectKey key_{TenantId::random(), RetentionClass::kArchives, "a/b"};
};

TEST_F(LocalStoreTest, ModesDoNotDependOnTheUmask) {
  for (const mode_t mask : {0000u, 0777u}) {
    const ObjectKey key{TenantId::random(), RetentionClass::kArchives, "a/b"};
    const mode_t before = umask(mask);
    const auto store = storage_.open();
    const auto writer = *store->put(key);
    const bool committed = writer->commit().ok();
    umask(before);
    ASSERT_TRUE(committed);
  }
  for (const auto& entry : fs::recursive_directory_iterator(storage_.root())) {
    EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? 0700u : 0600u) << entry.path();
  }
  EXPECT_EQ(mode_of(storage_.root()), 0700u);
}

TEST_F(LocalStoreTest, ADroppedWriterLeavesNoFile) {
  const auto store = storage_.open();
  auto writer = write_some(*store);
  EXPECT_EQ(temporaries(), 1u);
  writer.reset();
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(LocalStoreTest, OpeningSweepsWhatTheDeadLeftAndSparesTheLiving) {
  const auto store = storage_.open();
  const auto living = write_some(*store);
  int started[2];
  ASSERT_EQ(pipe(started), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto mine = storage_.open();
    const auto writer = write_some(*mine, 5 << 20);
    if (write(started[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(started[0], &byte, 1), 1);
  close(started[0]);
  close(started[1]);
  storage_.open();
  EXPECT_EQ(temporaries(), 2u);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(temporaries(), 2u);
  storage_.open();
  EXPECT_EQ(temporaries(), 1u);
  EXPECT_TRUE(living->commit().ok());
  EXPECT_TRUE(store->head(key_).ok());
}

// Writers are killed anywhere: whatever is visible afterwards is whole.
TEST_F(LocalStoreTest, AKilledWriterLeavesWholeVersionsOnly) {
  const auto store = storage_.open();
  for (int round = 0; round < 10; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      const auto mine = storage_.open();
      for (;;) {
        const auto writer = write_some(*mine, 300'000);
        if (!writer->commit().ok()) _exit(1);
      }
    }
    const auto before = store->list_versions(key_)->size();
    while (store->list_versions(key_)->size() == before) usleep(500);
    usleep(static_cast<useconds_t>(round * 211));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  const auto versions = *store->list_versions(key_);
  EXPECT_GE(versions.size(), 10u);
  for (const auto& version : versions) EXPECT_EQ(version.size_bytes, 300'000u);
  storage_.open();
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(LocalStoreTest, NewVersionsSortBehindOnesFromTheFuture) {
  const auto store = storage_.open();
  const VersionId first = *write_some(*store)->commit();
  const fs::path folder = fs::path(storage_.root()) / key_.tenant.str() / "archives" / "a" / "b@";
  const std::string future = "00009000000000000000-00000000";
  fs::copy_file(folder / first.value, folder / future);
  const VersionId second = *write_some(*store)->commit();
  EXPECT_LT(future, second.value);
  EXPECT_EQ(store->head(key_)->version, second);
}

TEST_F(LocalStoreTest, ForeignFilesAreNoVersions) {
  const auto store = storage_.open();
  ASSERT_TRUE(write_some(*store)->commit().ok());
  const fs::path folder = fs::path(storage_.root()) / key_.tenant.str() / "archives" / "a";
  std::ofstream(folder / "b@" / "notes.txt") << "x";
  std::ofstream(folder / "stray") << "x";
  fs::create_directory(folder / "empty@");
  EXPECT_EQ(store->list_versions(key_)->size(), 1u);
  EXPECT_EQ(store->list(key_.tenant, RetentionClass::kArchives, "", 10)->size(), 1u);
}

TEST_F(LocalStoreTest, RemovingTheLastVersionRemovesEmptyFolders) {
  const auto store = storage_.open();
  const VersionId version = *write_some(*store)->commit();
  ASSERT_TRUE(store->remove(key_, version).ok());
  EXPECT_TRUE(fs::is_empty(fs::path(storage_.root()) / key_.tenant.str() / "archives"));
}

TEST_F(LocalStoreTest, AWriteThatFailsEndsTheWriterAndLeavesNothing) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const auto store = storage_.open();
    auto writer = *store->put(key_);
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    if (writer->write(Bytes(5000, 1)).ok()) _exit(1);
    if (writer->write(Bytes(1, 1)).ok() || writer->commit().ok()) _exit(2);
    writer.reset();
    _exit(store->list_versions(key_)->empty() && temporaries() == 0 ? 0 : 3);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(LocalStoreTest, AnUnusableRootIsRefused) {
  EXPECT_EQ(open_local_store("").error().code, ErrorCode::kInvalidArgument);
  storage_.open();
  const std::string file = storage_.root() + "/file";
  std::ofstream(file) << "x";
  EXPECT_FALSE(open_local_store(file).ok());
}

}  // namespace
}  // namespace oa
