#include "oa/continuity/repository.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "continuity_testkit.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

std::string first_segment() { return cluster().repository().info()->archives.back().min_segment; }

// A folder that the server's account may write.
std::string writable(const std::string& path) {
  const auto account = *postgres::server_account();
  fs::create_directory(path);
  OA_ASSERT(chown(path.c_str(), account.uid, account.gid) == 0);
  return path;
}

TEST(Repository, MadeTwiceIsMadeOnce) {
  ASSERT_OK(cluster().repository().create_stanza());
  ASSERT_OK(cluster().repository().check());
  const auto info = cluster().repository().info();
  ASSERT_OK(info);
  EXPECT_TRUE(info->stanza);
}

TEST(Repository, BackupsBuildOnEachOther) {
  Repository& repository = cluster().repository();
  RecordingProgress progress;
  const auto full = repository.backup(BackupType::kFull, progress);
  ASSERT_OK(full);
  EXPECT_EQ(progress.steps, std::vector<std::string>{"Backing up"});
  EXPECT_GT(progress.updates, 10);
  cluster().add(1);
  const auto diff = repository.backup(BackupType::kDifferential, no_progress());
  ASSERT_OK(diff);
  const auto incr = repository.backup(BackupType::kIncremental, no_progress());
  ASSERT_OK(incr);
  EXPECT_EQ(full->type, BackupType::kFull);
  EXPECT_EQ(diff->type, BackupType::kDifferential);
  EXPECT_EQ(incr->type, BackupType::kIncremental);
  EXPECT_EQ(diff->prior, full->label);
  EXPECT_EQ(incr->prior, diff->label);
  EXPECT_LT(full->stop_lsn, diff->start_lsn);
  EXPECT_LT(incr->read_bytes, full->read_bytes);
  EXPECT_GT(full->repository_bytes, 1u << 20);
  EXPECT_LE(full->started_at, full->stopped_at);
  EXPECT_LT(full->restorable_from(), Timestamp{Timestamp::now().unix_us + 2'000'000});
  const auto info = repository.info();
  ASSERT_OK(info);
  EXPECT_NE(info->find(incr->label), nullptr);
  EXPECT_EQ(info->archives.back().history_id, "15-1");
  const auto stored = repository.stored_bytes();
  ASSERT_OK(stored);
  EXPECT_GT(*stored, full->repository_bytes);
}

TEST(Repository, NothingInsideTheWindowExpires) {
  const auto before = cluster().repository().info();
  ASSERT_OK(before);
  ASSERT_OK(cluster().repository().expire(1));
  const auto after = cluster().repository().info();
  ASSERT_OK(after);
  EXPECT_EQ(after->backups.size(), before->backups.size());
  EXPECT_EQ(after->archives.back().min_segment, before->archives.back().min_segment);
  EXPECT_EQ(code_of(cluster().repository().expire(0)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(cluster().repository().expire(3651)), ErrorCode::kInvalidArgument);
}

TEST(Repository, SoundAndSaysSo) {
  const auto report = cluster().repository().verify(no_progress());
  ASSERT_OK(report);
  EXPECT_TRUE(report->sound()) << report->problems[0].where << " " << report->problems[0].what;
  EXPECT_GT(report->segments, 0u);
  EXPECT_GT(report->backups, 0u);
  EXPECT_GT(report->files, 100u);
}

TEST(Repository, DamagedBackup) {
  const TestFolder folder;
  copy_repository(folder.path() + "/r");
  auto repository = repository_at(folder.path() + "/r", passphrase());
  const std::string label = repository.info()->backups.front().label;
  damage(find_file(folder.path() + "/r/backup/main/" + label, "bundle"));
  const auto report = repository.verify(no_progress());
  ASSERT_OK(report);
  ASSERT_FALSE(report->sound());
  EXPECT_EQ(report->problems[0].where, label);
  EXPECT_EQ(code_of(repository.restore({.target = folder.path() + "/data", .label = label},
                                       no_progress())),
            ErrorCode::kRepositoryDamaged);
}

TEST(Repository, DamagedSegmentIsNotHandedOut) {
  const TestFolder folder;
  copy_repository(folder.path() + "/r");
  auto repository = repository_at(folder.path() + "/r", passphrase());
  const std::string segment = first_segment(), target = writable(folder.path() + "/wal") + "/x";
  const auto sound = repository.archive_get(segment, target);
  ASSERT_OK(sound);
  EXPECT_EQ(*sound, Fetched::kFound);
  EXPECT_EQ(fs::file_size(target), 16u << 20);
  fs::remove(target);
  damage(find_file(folder.path() + "/r/archive", segment));
  EXPECT_EQ(code_of(repository.archive_get(segment, target)), ErrorCode::kRepositoryDamaged);
  EXPECT_FALSE(fs::exists(target));
  const auto report = repository.verify(no_progress());
  ASSERT_OK(report);
  ASSERT_FALSE(report->sound());
  EXPECT_EQ(report->problems[0].where, "15-1");
}

TEST(Repository, MissingSegment) {
  const TestFolder folder;
  for (int i = 0; i < 3; ++i) cluster().archive();
  copy_repository(folder.path() + "/r");
  auto repository = repository_at(folder.path() + "/r", passphrase());
  const auto last = wal::SegmentName::parse(repository.info()->archives.back().max_segment, {});
  ASSERT_OK(last);
  auto missing = *last;
  --missing.number;
  fs::remove(find_file(folder.path() + "/r/archive", missing.str()));
  const auto fetched =
      repository.archive_get(missing.str(), writable(folder.path() + "/wal") + "/x");
  ASSERT_OK(fetched);
  EXPECT_EQ(*fetched, Fetched::kNotFound);
  const auto report = repository.verify(no_progress());
  ASSERT_OK(report);
  EXPECT_FALSE(report->sound());
}

TEST(Repository, OnlyNamesOfTheLog) {
  for (const char* name :
       {"", "../backup.info", "00000001", "00000001000000000000000g", "x.history"})
    EXPECT_EQ(code_of(cluster().repository().archive_get(name, "/tmp/x")),
              ErrorCode::kInvalidArgument)
        << name;
}

TEST(Repository, AnotherPassphrase) {
  auto repository = repository_at(cluster().folder() + "/repository", SecretBytes::random(32));
  EXPECT_EQ(code_of(repository.info()), ErrorCode::kKeyWrong);
  EXPECT_EQ(code_of(repository.verify(no_progress())), ErrorCode::kKeyWrong);
  EXPECT_EQ(code_of(repository.backup(BackupType::kFull, no_progress())), ErrorCode::kKeyWrong);
  EXPECT_EQ(code_of(repository.expire(7)), ErrorCode::kKeyWrong);
  EXPECT_EQ(code_of(repository.create_stanza()), ErrorCode::kKeyWrong);
  const TestFolder folder;
  EXPECT_EQ(code_of(repository.restore({.target = folder.path() + "/data"}, no_progress())),
            ErrorCode::kKeyWrong);
  EXPECT_EQ(
      code_of(repository.archive_get(first_segment(), writable(folder.path() + "/wal") + "/x")),
      ErrorCode::kKeyWrong);
}

TEST(Repository, DamagedInfoFilesAreNotAnotherPassphrase) {
  const TestFolder folder;
  copy_repository(folder.path() + "/r");
  auto repository = repository_at(folder.path() + "/r", passphrase());
  damage(folder.path() + "/r/backup/main/backup.info");
  ASSERT_OK(repository.info());  // there is a copy
  damage(folder.path() + "/r/backup/main/backup.info.copy");
  EXPECT_EQ(code_of(repository.info()), ErrorCode::kRepositoryDamaged);
}

TEST(Repository, GoneOrForbidden) {
  const TestFolder folder;
  const std::string path = folder.path() + "/gone/r";
  auto repository = repository_at(path, passphrase());
  const auto all_fail = [&] {
    const auto started = Clock::now();
    for (const auto code :
         {code_of(repository.info()), code_of(repository.verify(no_progress())),
          code_of(repository.backup(BackupType::kFull, no_progress())),
          code_of(repository.expire(7)), code_of(repository.stored_bytes()),
          code_of(repository.restore({.target = folder.path() + "/data"}, no_progress())),
          code_of(repository.archive_get(first_segment(), folder.path() + "/x")),
          code_of(repository.create_stanza())})
      EXPECT_EQ(code, ErrorCode::kRepositoryUnavailable) << error_info(code).name;
    EXPECT_LT(Clock::now() - started, seconds(20));
  };
  all_fail();
  // Root may pass through all folders, but the server's account may not.
  fs::create_directory(folder.path() + "/gone");
  copy_repository(path);
  ASSERT_OK(repository.info());
  if (postgres::server_account()->other) {
    fs::permissions(folder.path() + "/gone", fs::perms::owner_all);
    EXPECT_EQ(code_of(repository.info()), ErrorCode::kRepositoryUnavailable);
    EXPECT_EQ(code_of(repository.backup(BackupType::kFull, no_progress())),
              ErrorCode::kRepositoryUnavailable);
  }
}

TEST(Repository, BusyWhileAnotherWrites) {
  const std::string lock = cluster().folder() + "/run/main-backup.lock";
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_GE(fd, 0);
  const auto account = *postgres::server_account();
  ASSERT_EQ(fchown(fd, account.uid, account.gid), 0);
  ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(code_of(cluster().repository().backup(BackupType::kIncremental, no_progress())),
            ErrorCode::kBusy);
  EXPECT_EQ(code_of(cluster().repository().expire(7)), ErrorCode::kBusy);
  unlink(lock.c_str());
  close(fd);
}

TEST(Repository, CancelledAndMadeAgain) {
  RecordingProgress progress;
  progress.cancel = [&] { return progress.updates > 0; };
  EXPECT_EQ(code_of(cluster().repository().backup(BackupType::kFull, progress)),
            ErrorCode::kCancelled);
  ASSERT_OK(cluster().repository().backup(BackupType::kFull, no_progress()));
}

TEST(Repository, NoServer) {
  auto settings = cluster().repository().settings();
  settings.socket_folder = cluster().folder() + "/nowhere";
  auto repository = Repository::open(settings, passphrase());
  ASSERT_OK(repository);
  EXPECT_EQ(code_of(repository->backup(BackupType::kFull, no_progress())),
            ErrorCode::kDatabaseUnavailable);
}

TEST(Repository, AnotherCluster) {
  const TestFolder folder;
  ArchivingCluster other(folder.path());
  auto settings = other.repository().settings();
  settings.folder = cluster().folder() + "/repository";
  auto repository = Repository::open(settings, passphrase());
  ASSERT_OK(repository);
  EXPECT_EQ(code_of(repository->create_stanza()), ErrorCode::kConflict);
  EXPECT_EQ(code_of(repository->backup(BackupType::kFull, no_progress())), ErrorCode::kConflict);
}

TEST(Repository, SettingsThatBreakTheConfiguration) {
  auto settings = cluster().repository().settings();
  settings.folder = "/tmp/a\nrepo1-cipher-type=none";
  EXPECT_EQ(code_of(Repository::open(settings, passphrase())), ErrorCode::kInvalidArgument);
  settings.folder = "relative";
  EXPECT_EQ(code_of(Repository::open(settings, passphrase())), ErrorCode::kInvalidArgument);
}

TEST(Repository, DiskFull) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make a small file system";
  const TestFolder folder;
  const SmallDisk disk(folder.path() + "/small", 8);
  ASSERT_TRUE(disk.mounted());
  ArchivingCluster live(folder.path(), folder.path() + "/small/repository");
  live.archive();  // the first segment is the largest
  disk.fill_up_to(256 << 10);
  const auto failed = live.repository().backup(BackupType::kFull, no_progress());
  EXPECT_EQ(code_of(failed), ErrorCode::kDiskFull) << failed.error().cause;
  disk.fill_up_to(0);
  live.add(1);
  live.value("SELECT pg_switch_wal()");
  live.await("SELECT failed_count > 0 FROM pg_stat_archiver");
  live.add(2);
  EXPECT_EQ(live.value("SELECT count(*) FROM numbers"), "2");
  disk.make_room();
  live.archive();
  ASSERT_OK(live.repository().backup(BackupType::kFull, no_progress()));
}

TEST(Repository, PassphraseIsOnNoDisk) {
  const std::string text = to_base64(passphrase().view());
  for (const auto& entry : fs::recursive_directory_iterator(cluster().folder())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(content.find(text), std::string::npos) << entry.path();
  }
}

// The archive goes away while the live server commits.
TEST(Repository, ArchiveThatFailsHarmsNobody) {
  const TestFolder folder;
  ArchivingCluster live(folder.path());
  live.add(1);
  live.archive();
  const std::string repository = folder.path() + "/repository", away = folder.path() + "/away";
  fs::rename(repository, away);
  live.add(2);
  const std::string kept = live.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
  live.value("SELECT pg_switch_wal()");
  live.await("SELECT failed_count > 0 FROM pg_stat_archiver");
  live.add(3);
  EXPECT_EQ(live.value("SELECT count(*) FROM numbers"), "3");
  EXPECT_TRUE(fs::exists(folder.path() + "/postgres/data/pg_wal/" + kept));
  fs::remove_all(repository);
  fs::rename(away, repository);
  live.archive();
  const auto fetched = live.repository().archive_get(kept, writable(folder.path() + "/wal") + "/x");
  ASSERT_OK(fetched);
  EXPECT_EQ(*fetched, Fetched::kFound);
}

}  // namespace
}  // namespace oa::continuity
