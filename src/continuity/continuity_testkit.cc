#include "continuity_testkit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "oa/wal/restore_server.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class SharedCluster : public testing::Environment {
 public:
  void SetUp() override {
    cluster_ = std::make_unique<ArchivingCluster>(folder_.path());
    ASSERT_OK(cluster_->repository().backup(BackupType::kFull, no_progress()));
  }
  void TearDown() override { cluster_.reset(); }
  TestFolder folder_;
  std::unique_ptr<ArchivingCluster> cluster_;
};

SharedCluster* shared = nullptr;

RepositorySettings repository_settings(const std::string& folder, const std::string& repository) {
  return {.folder = repository,
          .run_folder = folder + "/run",
          .data_folder = folder + "/postgres/data",
          .socket_folder = folder + "/postgres/socket",
          .account = *postgres::server_account()};
}

}  // namespace

// pgbackrest waits for the disk a thousand times a restore; in memory these tests take a fourth of
// the time.
TestFolder::TestFolder() {
  constexpr std::uintmax_t kEnough = std::uintmax_t{4} << 30;
  std::error_code error;
  const auto memory = fs::space("/dev/shm", error);
  path_ = !error && memory.available >= kEnough ? "/dev/shm/oa-cell-XXXXXX" : "/tmp/oa-cell-XXXXXX";
  OA_ASSERT(mkdtemp(path_.data()) != nullptr && chmod(path_.c_str(), 0711) == 0);
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

SmallDisk::SmallDisk(std::string path, unsigned mib) : path_(std::move(path)) {
  fs::create_directory(path_);
  mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", 0,
                   fmt::format("size={}m,mode=0711", mib).c_str()) == 0;
}
SmallDisk::~SmallDisk() {
  if (mounted_) umount2(path_.c_str(), MNT_DETACH);
}
void SmallDisk::fill_up_to(std::uintmax_t free) const {
  std::ofstream file(path_ + "/filler", std::ios::binary | std::ios::app);
  const std::string piece(4096, 'x');
  while (fs::space(path_).available > free && file.write(piece.data(), 4096).flush()) continue;
}
void SmallDisk::make_room() const { fs::remove(path_ + "/filler"); }

const SecretBytes& passphrase() {
  static const SecretBytes bytes = SecretBytes::random(32);
  return bytes;
}

ArchivingCluster::ArchivingCluster(const std::string& folder, const std::string& repository)
    : folder_(folder) {
  auto opened = Repository::open(repository_settings(folder, repository), passphrase());
  OA_ASSERT(opened.ok());
  repository_ = std::make_unique<Repository>(std::move(opened).value());
  start();
  repository_->create_stanza().value();
}

ArchivingCluster::~ArchivingCluster() = default;

void ArchivingCluster::start() {
  const auto files = repository_->files();
  auto started = catalog::EmbeddedPostgres::start(
      folder_ + "/postgres", catalog::ServerUse::kRun,
      {.settings = {"archive_mode=on", "archive_command=" + repository_->archive_command(),
                    "archive_timeout=60"},
       .files = files});
  server_ = std::move(started).value();
  settings_ = server_->settings();
  session().command("CREATE TABLE IF NOT EXISTS numbers (n bigint)").value();
}

SqlSession ArchivingCluster::session() const {
  return SqlSession::open(settings(), "postgres", settings().database).value();
}

std::string ArchivingCluster::value(const std::string& sql) const {
  return session().value(sql).value();
}

Timestamp ArchivingCluster::add(int number) const {
  session().command(fmt::format("INSERT INTO numbers VALUES ({})", number)).value();
  std::this_thread::sleep_for(milliseconds(2));
  const Timestamp moment = Timestamp::now();
  std::this_thread::sleep_for(milliseconds(2));
  return moment;
}

void ArchivingCluster::archive() const {
  value("SELECT pg_logical_emit_message(true, 'test', '')");  // a segment without a record is not
                                                              // ended
  const std::string segment = value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
  value("SELECT pg_switch_wal()");
  await("SELECT coalesce(last_archived_wal, '') >= '" + segment + "' FROM pg_stat_archiver");
}

void ArchivingCluster::await(const std::string& sql) const {
  auto watching = session();
  for (int i = 0; i < 3000; ++i) {
    if (watching.value(sql).value() == "t") return;
    std::this_thread::sleep_for(milliseconds(10));
  }
  OA_ASSERT(false);
}

ArchivingCluster& cluster() { return *shared->cluster_; }

Repository repository_at(const std::string& folder, const SecretBytes& key) {
  return Repository::open(repository_settings(cluster().folder(), folder), key).value();
}

void copy_repository(const std::string& target) {
  const std::string command = fmt::format("cp -a {}/repository {}", cluster().folder(), target);
  OA_ASSERT(system(command.c_str()) == 0);
}

void damage(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR);
  OA_ASSERT(fd >= 0);
  const off_t middle = lseek(fd, 0, SEEK_END) / 2;
  std::uint8_t byte = 0;
  OA_ASSERT(pread(fd, &byte, 1, middle) == 1);
  byte ^= 0x20;
  OA_ASSERT(pwrite(fd, &byte, 1, middle) == 1);
  close(fd);
}

std::string find_file(const std::string& folder, const std::string& part) {
  std::string found;
  std::uintmax_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().string().find(part) == std::string::npos) continue;
    if (!found.empty() && entry.file_size() <= size) continue;
    found = entry.path();
    size = entry.file_size();
  }
  OA_ASSERT(!found.empty());
  return found;
}

}  // namespace oa::continuity

// `restore-wal --socket PATH FILE TARGET` is what recovering servers start, as in oa-backup.
int main(int argc, char** argv) {
  if (argc == 6 && std::strcmp(argv[1], "restore-wal") == 0) {
    const auto answer = oa::wal::restore_wal(argv[3], argv[4], argv[5]);
    if (!answer.ok()) return oa::wal::kRestoreTrouble;
    return *answer == oa::wal::RestoreAnswer::kFound ? oa::wal::kRestoreFound
                                                     : oa::wal::kRestoreNotThere;
  }
  testing::InitGoogleTest(&argc, argv);
  oa::continuity::shared = new oa::continuity::SharedCluster;  // GoogleTest owns it
  testing::AddGlobalTestEnvironment(oa::continuity::shared);
  return RUN_ALL_TESTS();
}
