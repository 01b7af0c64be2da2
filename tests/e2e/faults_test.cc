// What goes wrong on real machines, and what a person reads then.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using testkit::oa;
using testkit::oa_json;

std::string error_code_of(const testkit::Finished& finished) {
  const auto document = parse_json(finished.err.substr(0, finished.err.find('\n')));
  return document.ok() ? std::string(document->at("error").at("code").as_string())
                       : "no JSON: " + finished.err;
}
std::string hint_of(const testkit::Finished& finished) {
  const auto document = parse_json(finished.err.substr(0, finished.err.find('\n')));
  return document.ok() ? std::string(document->at("error").at("hint").as_string()) : "";
}

class FaultsTest : public testing::Test {
 protected:
  std::string data() const { return scratch_ / "data"; }
  void make_tenant() {
    oa_json({"tenant", "create", "Acme", "--plan", "growth", "--data", data()});
  }
  // The command fails with `code`, exit status `status`, and a next step.
  void expect_failure(std::vector<std::string> arguments, const std::string& code, int status) {
    arguments.insert(arguments.end(), {"--data", data(), "--json"});
    const auto finished = oa(arguments);
    EXPECT_EQ(error_code_of(finished), code);
    EXPECT_EQ(finished.status, status);
    EXPECT_FALSE(hint_of(finished).empty()) << "no hint for " << code;
  }
  testkit::Scratch scratch_;
};

TEST_F(FaultsTest, AWrongRootKeyIsToldFromAMissingStore) {
  make_tenant();
  const std::string root = data() + "/keys/root.key";
  const std::string key = testkit::contents_of(root);
  std::string other = key;
  other[5] ^= 1;
  std::ofstream(root, std::ios::binary) << other;
  expect_failure({"tenant", "list"}, "key/wrong", 7);
  std::ofstream(root, std::ios::binary) << key;
  EXPECT_EQ(oa({"tenant", "list", "--data", data()}).status, 0);
}

TEST_F(FaultsTest, AMissingKeyStoreIsNeverMadeAnewOverExistingData) {
  make_tenant();
  fs::rename(data() + "/keys/keystore", scratch_ / "kept");
  expect_failure({"tenant", "list"}, "key/store-missing", 7);
  expect_failure({"tenant", "create", "B"}, "key/store-missing", 7);
  EXPECT_FALSE(fs::exists(data() + "/keys/keystore"));
  fs::rename(scratch_ / "kept", data() + "/keys/keystore");
  fs::rename(data() + "/keys/root.key", scratch_ / "kept");
  expect_failure({"tenant", "create", "B"}, "key/store-missing", 7);
  fs::rename(scratch_ / "kept", data() + "/keys/root.key");
  EXPECT_EQ(oa({"tenant", "list", "--data", data()}).status, 0);
}

TEST_F(FaultsTest, ARootKeyThatOthersCanReadIsRefused) {
  make_tenant();
  fs::permissions(data() + "/keys/root.key", fs::perms(0644));
  expect_failure({"tenant", "list"}, "auth/permission-denied", 5);
}

TEST_F(FaultsTest, APassphraseOpensOnlyItsOwnStore) {
  std::ofstream(scratch_ / "good") << "correct horse battery staple\n";
  std::ofstream(scratch_ / "bad") << "wrong\n";
  oa_json({"tenant", "create", "Acme", "--data", data(), "--passphrase-file", scratch_ / "good"});
  EXPECT_FALSE(fs::exists(data() + "/keys/root.key"));
  EXPECT_EQ(oa({"tenant", "list", "--data", data(), "--passphrase-file", scratch_ / "good"}).status,
            0);
  expect_failure({"tenant", "list", "--passphrase-file", scratch_ / "bad"}, "key/wrong", 7);
  const auto finished = oa({"tenant", "list", "--data", data()});
  EXPECT_EQ(finished.status, 7) << finished.err;
  EXPECT_NE(finished.err.find("passphrase"), std::string::npos) << finished.err;
}

TEST_F(FaultsTest, AFolderOfOthersIsLeftAlone) {
  fs::create_directory(data());
  std::ofstream(data() + "/letter.txt") << "mine\n";
  expect_failure({"tenant", "create", "Acme"}, "request/invalid", 2);
  EXPECT_EQ(testkit::files_below(data()).size(), 1u);
}

TEST_F(FaultsTest, NoInstanceThereIsSaid) {
  expect_failure({"tenant", "list"}, "resource/not-found", 3);
  EXPECT_FALSE(fs::exists(data()));
}

TEST_F(FaultsTest, ASecondUpSaysThatTheFolderIsInUseAndOtherCommandsGoOn) {
  make_tenant();
  testkit::Running up({OA_BACKUP, "up", "--data", data(), "--port", "0"});
  for (int tries = 0; tries < 200 && !fs::exists(data() + "/up.lock"); ++tries)
    testkit::run({"sleep", "0.05"});
  testkit::run({"sleep", "0.3"});
  expect_failure({"up"}, "resource/busy", 10);
  EXPECT_EQ(oa({"tenant", "list", "--data", data()}).status, 0);
  up.send(SIGTERM);
  EXPECT_TRUE(up.wait(15000));
  EXPECT_EQ(oa({"tenant", "list", "--data", data()}).status, 0);
}

TEST_F(FaultsTest, WhoeverRunsTheDatabaseWaitsForThoseWhoUseIt) {
  make_tenant();
  testkit::Running up({OA_BACKUP, "up", "--data", data(), "--port", "0"});
  for (int tries = 0; tries < 200 && !fs::exists(data() + "/up.lock"); ++tries) {
    testkit::run({"sleep", "0.05"});
  }
  testkit::Running demo({OA_BACKUP, "demo", "--rows", "200000", "--data", data()});
  testkit::run({"sleep", "0.5"});
  up.send(SIGTERM);
  EXPECT_TRUE(demo.wait(120000));
  EXPECT_EQ(demo.status(), 0);
  EXPECT_TRUE(up.wait(30000));
  EXPECT_EQ(up.status(), 0);
}

// A tmpfs of a few MB in place of one folder. Needs root, as CI and the README's machine have it.
class SmallVolume {
 public:
  SmallVolume(std::string folder, const std::string& size) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~SmallVolume() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallVolume(const SmallVolume&) = delete;
  SmallVolume& operator=(const SmallVolume&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::string folder_;
  bool mounted_ = false;
};

TEST_F(FaultsTest, AFullObjectStoreFailsClearlyAndLosesNothing) {
  oa_json({"demo", "--rows", "20000", "--data", data()});
  const auto before = oa_json({"tenant", "show", "Demo", "--data", data()});
  const auto archives = oa_json({"archive", "list", "--tenant", "Demo", "--data", data()});
  const std::string id(archives.at("data").at(1).at("id").as_string());
  // Move the objects onto a volume that is all but full.
  const std::string objects = data() + "/objects";
  fs::rename(objects, scratch_ / "objects");
  SmallVolume volume(objects, "24m");
  ASSERT_TRUE(volume.mounted()) << "mounting a tmpfs needs root";
  fs::copy(scratch_ / "objects", objects, fs::copy_options::recursive);
  {
    std::ofstream filler(objects + "/filler", std::ios::binary);
    const std::string block(65536, 'x');
    while (filler.write(block.data(), 65536)) {
    }
  }
  expect_failure({"archive", "create", "--tenant", "Demo", "--rows", "--audit"}, "storage/full", 8);
  expect_failure({"restore", "run", id, "--tenant", "Demo", "--all", "--mode", "fork", "--yes"},
                 "storage/full", 8);
  EXPECT_EQ(oa_json({"tenant", "show", "Demo", "--data", data()}), before);
  EXPECT_EQ(oa_json({"archive", "list", "--tenant", "Demo", "--data", data()}), archives);
  fs::remove(objects + "/filler");
  EXPECT_EQ(oa({"archive", "verify", id, "--tenant", "Demo", "--data", data()}).status, 0);
  EXPECT_EQ(oa({"archive", "create", "--tenant", "Demo", "--data", data()}).status, 0);
}

TEST_F(FaultsTest, AFullDiskUnderADownloadLeavesNoFile) {
  oa_json({"demo", "--rows", "60000", "--data", data()});
  const auto archives = oa_json({"archive", "list", "--tenant", "Demo", "--data", data()});
  const std::string id(archives.at("data").at(1).at("id").as_string());
  SmallVolume volume(scratch_ / "small", "256k");
  ASSERT_TRUE(volume.mounted()) << "mounting a tmpfs needs root";
  expect_failure(
      {"archive", "download", id, "--tenant", "Demo", "--output", scratch_ / "small/a.oa-archive"},
      "storage/full", 8);
  EXPECT_EQ(testkit::files_below(scratch_ / "small"), std::vector<std::string>{});
}

}  // namespace
}  // namespace oa
