// Facts out of trees as a kernel shows them, and out of folders of this machine.
#include "oa/doctor/gather.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bucket.h"
#include "oa/crypto/secret.h"
#include "oa/doctor/checks.h"

namespace oa::doctor {
namespace {

namespace fs = std::filesystem;

class GatherTest : public testing::Test {
 protected:
  GatherTest() {
    char name[] = "/tmp/oa-doctor-XXXXXX";
    root_ = ::mkdtemp(name);
    place_.data_folder = root_ / "data";
    place_.deployment = &deployment_;
    write("proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n");
    write("proc/swaps", "Filename Type Size Used Priority\n");
    device("vda", "254:0");
  }
  ~GatherTest() override { fs::remove_all(root_); }
  void write(const std::string& path, std::string_view text, mode_t mode = 0600) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
    ::chmod((root_ / path).c_str(), mode);
  }
  void device(const std::string& name, const std::string& numbers) {
    write("sys/devices/" + name + "/dev", numbers + "\n");
    for (const auto& [folder, link] :
         {std::pair{"dev/block", numbers}, std::pair{"class/block", name}}) {
      fs::create_directories(root_ / "sys" / folder);
      fs::create_directory_symlink(root_ / "sys/devices" / name, root_ / "sys" / folder / link);
    }
  }
  Facts gather() { return gather_host(place_, {root_.string(), {}}); }
  static const FileFact* file(const Facts& facts, const std::string& name) {
    for (const auto& each : facts.files)
      if (each.name == name) return &each;
    return nullptr;
  }

  fs::path root_;
  instance::Deployment deployment_;
  Place place_;
};

TEST_F(GatherTest, SwapOnAPartitionInAFileAndInMemory) {
  device("vdb", "254:16");
  device("zram0", "251:0");
  write("sys/devices/zram0/backing_dev", "none\n");
  device("dm-3", "253:3");
  write("sys/devices/dm-3/dm/uuid", "CRYPT-PLAIN-swap\n");
  write("proc/swaps",
        "Filename\tType\tSize\tUsed\tPriority\n/dev/vdb partition 1 0 -2\n/swapfile file 1 0 -3\n"
        "/dev/zram0 partition 1 0 100\n/dev/dm-3 partition 1 0 -4\n");
  const auto host = gather().host;
  ASSERT_EQ(host.swaps.size(), 4u);
  EXPECT_TRUE(host.swaps_known);
  EXPECT_EQ(host.swaps[0].volume.kind, instance::VolumeEncryption::kNone);
  EXPECT_EQ(host.swaps[1].volume.kind, instance::VolumeEncryption::kNone);
  EXPECT_TRUE(host.swaps[2].in_memory);
  EXPECT_EQ(host.swaps[3].volume.kind, instance::VolumeEncryption::kOtherCrypt);
  write("sys/devices/zram0/backing_dev", "/dev/vdb\n");
  EXPECT_EQ(gather().host.swaps[2].volume.kind, instance::VolumeEncryption::kNone);
  fs::remove(root_ / "proc/swaps");
  EXPECT_FALSE(gather().host.swaps_known);
}

TEST_F(GatherTest, HibernationNeedsAnOfferAndADevice) {
  EXPECT_FALSE(gather().host.hibernation.possible);
  write("sys/power/state", "freeze mem disk\n");
  write("sys/power/disk", "[platform] shutdown\n");
  write("sys/power/resume", "0:0\n");
  EXPECT_FALSE(gather().host.hibernation.possible);
  write("sys/power/resume", "254:0\n");
  EXPECT_TRUE(gather().host.hibernation.possible);
  EXPECT_EQ(gather().host.hibernation.volume.kind, instance::VolumeEncryption::kNone);
  write("sys/power/disk", "[disabled]\n");
  EXPECT_FALSE(gather().host.hibernation.possible);
}

TEST_F(GatherTest, TheLimitOfPostgresIsReadWhereItRuns) {
  EXPECT_FALSE(gather().host.core_dumps.server_limit.has_value());
  const std::string pid = std::to_string(::getpid());
  write("data/postgres/data/postmaster.pid", pid + "\n/x\n");
  write("proc/" + pid + "/limits",
        "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max core file size        unlimited            unlimited            bytes\n");
  EXPECT_GT(gather().host.core_dumps.server_limit.value_or(0), 0u);
  write("proc/" + pid + "/limits", "Max core file size        0            0       bytes\n");
  EXPECT_EQ(gather().host.core_dumps.server_limit, 0u);
  write("proc/sys/kernel/core_pattern", "|/x\n");
  EXPECT_EQ(gather().host.core_dumps.pattern, "|/x");
}

TEST_F(GatherTest, OurOwnDumpsAreThoseOfThisProcess) {
  forbid_core_dumps();
  const auto dumps = gather().host.core_dumps;
  EXPECT_EQ(dumps.own_limit, 0u);
  EXPECT_FALSE(dumps.own_dumpable);
}

TEST_F(GatherTest, FilesOfAnInstanceAndSecretsThatTheDeploymentFileNames) {
  write("data/oneanalytics-instance", "x");
  write("data/keys/root.key", "x", 0640);
  write("secrets/s3.json", "{}", 0604);
  write("oa.json",
        R"({"objects":{"credentials_file":")" + (root_ / "secrets/s3.json").string() +
            R"("},"nodes":[{"passfile":"/no/such"}]})",
        0620);
  place_.config_file = root_ / "oa.json";
  const auto facts = gather();
  const auto broken = [&](const char* name) {
    const auto* found = file(facts, name);
    return found != nullptr && check_file(*found).severity == Severity::kBroken;
  };
  for (const char* name :
       {"root-key", "keystore", "secret-credentials_file", "secret-passfile", "deployment"})
    EXPECT_TRUE(broken(name)) << name;
  EXPECT_EQ(file(facts, "operator-token"), nullptr);
}

TEST_F(GatherTest, NothingNeedsToBeThere) {
  const auto facts = gather();
  EXPECT_EQ(facts.host.folders.size(), 5u);
  EXPECT_EQ(facts.host.folders[0].volume.kind, instance::VolumeEncryption::kNone);
  EXPECT_EQ(facts.spaces.size(), 2u);
  EXPECT_TRUE(facts.files.empty());
}

TEST(HttpDateTest, OneFormAlone) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")->unix_us, 784111777LL * 1'000'000);
  for (const char* bad : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "x"})
    EXPECT_FALSE(parse_http_date(bad).has_value()) << bad;
}

}  // namespace
}  // namespace oa::doctor
