#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "oa/base/io.h"
#include "oa/base/json.h"
#include "oa/doctor/gather.h"
#include "oa/postgres/process.h"
#include "server.h"

namespace oa::doctor {
namespace {

namespace fs = std::filesystem;
using instance::SystemView;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO, kOthersWrite = S_IWGRP | S_IWOTH;
constexpr std::size_t kMaxDeployment = 256 << 10;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void add_swaps(HostFacts& host, const SystemView& view) {
  std::ifstream swaps(view.root + "/proc/swaps");
  std::string line;
  host.swaps_known = static_cast<bool>(std::getline(swaps, line));  // the head
  while (std::getline(swaps, line)) {
    std::istringstream fields(line);
    SwapFact swap;
    std::string type;
    fields >> swap.name >> type;
    const std::string device = fs::path(swap.name).filename();
    if (type == "file") {
      swap.volume = instance::volume_crypt(swap.name, view);
    } else if (device.starts_with("zram")) {
      const std::string backing =
          first_line(view.root + "/sys/class/block/" + device + "/backing_dev");
      swap.in_memory = backing.empty() || backing == "none";
      if (!swap.in_memory)
        swap.volume = instance::device_crypt(instance::device_numbers(backing, view), view);
    } else if (const auto numbers = instance::device_numbers(swap.name, view); !numbers.empty()) {
      swap.volume = instance::device_crypt(numbers, view);
    }
    host.swaps.push_back(std::move(swap));
  }
}

void add_hibernation(HibernationFacts& hibernation, const SystemView& view) {
  const std::string power = view.root + "/sys/power/";
  hibernation.device = first_line(power + "resume");
  const bool offered = first_line(power + "state").find("disk") != std::string::npos &&
                       first_line(power + "disk").find("[disabled]") == std::string::npos;
  hibernation.possible = offered && !hibernation.device.empty() && hibernation.device != "0:0";
  if (hibernation.possible) hibernation.volume = instance::device_crypt(hibernation.device, view);
}

// "Max core file size        0                    unlimited            bytes"
std::optional<std::uint64_t> core_limit(const std::string& path) {
  constexpr std::string_view kName = "Max core file size";
  std::ifstream limits(path);
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with(kName)) continue;
    std::istringstream fields(line.substr(kName.size()));
    std::string soft;
    fields >> soft;
    if (soft == "unlimited") return std::numeric_limits<std::uint64_t>::max();
    std::uint64_t bytes = 0;
    if (std::from_chars(soft.data(), soft.data() + soft.size(), bytes).ec == std::errc())
      return bytes;
  }
  return std::nullopt;
}

void add_core_dumps(CoreDumpFacts& dumps, const std::vector<std::string>& clusters,
                    const SystemView& view) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) == 0) dumps.own_limit = limit.rlim_cur;
  dumps.own_dumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
  dumps.pattern = first_line(view.root + "/proc/sys/kernel/core_pattern");
  for (const auto& data : clusters) {
    const auto pid = server_pid(data);
    if (!pid.has_value()) continue;
    const auto of_server = core_limit(view.root + "/proc/" + std::to_string(*pid) + "/limits");
    if (of_server.has_value())
      dumps.server_limit = std::max(dumps.server_limit.value_or(0), *of_server);
  }
}

FileFact look_at(std::string name, std::string what, const std::string& path, mode_t forbidden,
                 std::vector<uid_t> owners, bool secret) {
  FileFact file{std::move(name),   std::move(what), path, true, 0, forbidden, 0,
                std::move(owners), secret};
  struct stat info {};
  file.there = ::stat(path.c_str(), &info) == 0;
  file.mode = info.st_mode & 07777U;
  file.owner = info.st_uid;
  return file;
}

// Everything that the deployment file names and that holds a secret.
void add_secrets(const json::value& value, const std::vector<uid_t>& owners,
                 std::vector<FileFact>& files) {
  static const std::set<std::string, std::less<>> kSecrets{"passfile", "password_file",
                                                           "credentials_file", "pin_file"};
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) {
      if (member.is_string() && kSecrets.contains(std::string_view(name)))
        files.push_back(look_at("secret-" + std::string(name),
                                "the secret that the deployment file names as " + std::string(name),
                                std::string(member.as_string()), kOthers, owners, true));
      add_secrets(member, owners, files);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& member : *array) add_secrets(member, owners, files);
  }
}

void add_files(Facts& facts, const Place& place) {
  const std::string& root = place.data_folder;
  // The service's account is whose the data folder is; root may look.
  struct stat folder {};
  const uid_t service = ::stat(root.c_str(), &folder) == 0 ? folder.st_uid : ::geteuid();
  const std::vector<uid_t> own{service, 0};
  const auto add_if_there = [&](const char* name, const char* what, const std::string& path,
                                mode_t forbidden, bool secret) {
    auto file = look_at(name, what, path, forbidden, own, secret);
    if (file.there) facts.files.push_back(std::move(file));
  };
  add_if_there("data-folder", "the data folder", root, kOthersWrite, true);
  add_if_there("keys", "the folder of keys", root + "/keys", kOthers, true);
  add_if_there("root-key", "the root key", root + "/keys/root.key", kOthers, true);
  add_if_there("service-key", "the service's key", root + "/keys/service.key", kOthers, true);
  add_if_there("operator-token", "the operators' token", root + "/operator.token", kOthers, true);
  add_if_there("objects", "the folder of objects", root + "/objects", kOthersWrite, true);
  if (instance::Instance::exists(root)) {
    // Unless the keys are in a KMS or on a token.
    if (place.deployment != nullptr && !place.deployment->keys.has_value())
      facts.files.push_back(
          look_at("keystore", "the key store", root + "/keys/keystore", kOthers, own, true));
    std::vector<uid_t> server{service};
    if (const auto account = postgres::server_account(); service == 0 && account.ok())
      server = {account->uid};
    auto data =
        look_at("postgres", "Postgres' data", root + "/postgres/data", kOthers, server, true);
    if (data.there) facts.files.push_back(std::move(data));
  }
  if (!place.passphrase_file.empty())
    facts.files.push_back(look_at("passphrase", "the file with the passphrase",
                                  place.passphrase_file, kOthers, own, true));
  if (place.config_file.empty()) return;
  facts.files.push_back(
      look_at("deployment", "the deployment file", place.config_file, kOthersWrite, own, true));
  const auto text = read_file(place.config_file, kMaxDeployment);
  if (!text.ok()) return;
  if (const auto document = parse_json(as_text(*text), {kMaxDeployment, 8}); document.ok())
    add_secrets(*document, own, facts.files);
}

void add_space(Facts& facts, const char* name, const char* of, fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return;
  facts.spaces.push_back({name, of, path.string(), std::uint64_t{info.f_bavail} * info.f_frsize,
                          std::uint64_t{info.f_blocks} * info.f_frsize});
}

}  // namespace

Facts gather_host(const Place& place, const SystemView& view) {
  Facts facts;
  facts.now = Timestamp::now();
  std::error_code error;
  const std::string& root = place.data_folder;
  std::string continuity = root + "/continuity";
  if (!place.continuity_folder.empty() && !fs::exists(continuity, error))
    continuity = place.continuity_folder;
  const auto add_folder = [&](const char* name, const char* what, const std::string& path,
                              FolderFact::Holds holds) {
    facts.host.folders.push_back({name, what, path, holds, instance::volume_crypt(path, view)});
  };
  const auto clusters = cluster_folders(place);
  using Holds = FolderFact::Holds;
  for (const auto& data : clusters) add_folder("postgres", "Postgres' folder", data, Holds::kClear);
  if (clusters.empty())
    facts.host.folders.push_back(
        {"postgres", "Postgres' folder on the nodes", "", Holds::kClear, {}});
  add_folder("scratch", "the folder of scratch clusters", continuity + "/scratch", Holds::kClear);
  add_folder("continuity", "the folder of backups and received log", continuity, Holds::kSealed);
  add_folder("data", "the data folder", root, Holds::kSealed);
  const char* temporary = std::getenv("TMPDIR");
  add_folder("tmp", "the folder of temporary files", temporary == nullptr ? "/tmp" : temporary,
             Holds::kNothing);
  add_swaps(facts.host, view);
  add_core_dumps(facts.host.core_dumps, clusters, view);
  add_hibernation(facts.host.hibernation, view);
  add_files(facts, place);
  add_space(facts, "data", "the data folder's volume", root);
  add_space(facts, "continuity", "the volume of the backups", continuity);
  return facts;
}

}  // namespace oa::doctor
