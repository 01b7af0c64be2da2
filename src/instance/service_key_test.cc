#include "oa/instance/service_key.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "instance_testkit.h"

namespace oa::instance {
namespace {

std::string hex(const Result<SecretBytes>& key) { return key.ok() ? to_hex(key->view()) : "none"; }

TEST(ServiceKeyTest, IsOneForAllWhoServeTheInstance) {
  Instance& instance = shared_instance();
  const std::string path = instance.data_folder() + "/keys/service.key";
  std::filesystem::remove(path);
  std::array<std::string, 8> found;
  std::vector<std::thread> threads;
  for (auto& each : found)
    threads.emplace_back([&each, &instance] { each = hex(service_key(instance)); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(found[0].size(), 64U);
  EXPECT_EQ(std::ranges::count(found, found[0]), std::ssize(found));
  EXPECT_EQ(hex(service_key(instance)), found[0]);
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text.find(to_base64(*from_hex(found[0]))), std::string::npos) << "it is sealed";
  std::filesystem::remove(path);
  EXPECT_NE(hex(service_key(instance)), found[0]);
}

TEST(ServiceKeyTest, ADamagedFileIsRefused) {
  Instance& instance = shared_instance();
  const std::string path = instance.data_folder() + "/keys/service.key";
  ASSERT_TRUE(service_key(instance).ok());
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string changed = text;
  changed[changed.size() - 20] = changed[changed.size() - 20] == 'A' ? 'B' : 'A';
  for (const std::string& wrong : {std::string(), std::string("x\n"), text.substr(0, 60), changed}) {
    std::ofstream(path, std::ios::trunc) << wrong;
    EXPECT_FALSE(service_key(instance).ok()) << wrong;
  }
  std::ofstream(path, std::ios::trunc) << text;
  EXPECT_TRUE(service_key(instance).ok());
}

}  // namespace
}  // namespace oa::instance
