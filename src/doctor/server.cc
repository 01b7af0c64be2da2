#include "server.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "oa/continuity/repository.h"
#include "oa/postgres/process.h"

namespace oa::doctor {
namespace {

namespace fs = std::filesystem;
constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kPoll = std::chrono::milliseconds(5);

// What a program says of its version: its first line; empty when it does not say.
std::string version_of(const std::vector<std::string>& command) {
  const int output = ::memfd_create("version", MFD_CLOEXEC);
  if (output < 0) return {};
  const auto pid = postgres::spawn(postgres::Account{}, command, output);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (pid.ok() && !postgres::has_exited(*pid)) {
    if (std::chrono::steady_clock::now() > deadline) ::kill(*pid, SIGKILL);
    std::this_thread::sleep_for(kPoll);
  }
  char text[200];
  const auto read = ::pread(output, text, sizeof text, 0);
  ::close(output);
  const std::string_view all(text, static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
  return std::string(all.substr(0, all.find('\n')));
}

}  // namespace

std::vector<std::string> cluster_folders(const Place& place) {
  if (place.deployment == nullptr || !place.deployment->cluster.has_value())
    return {place.data_folder + "/postgres/data"};
  std::vector<std::string> here;
  std::error_code error;
  for (const auto& node : place.deployment->cluster->nodes)
    if (fs::is_directory(node.data_folder, error)) here.push_back(node.data_folder);
  return here;
}

std::optional<pid_t> server_pid(const std::string& data_folder) {
  std::ifstream file(data_folder + "/postmaster.pid");
  pid_t pid = 0;
  file >> pid;
  if (pid <= 0 || ::kill(pid, 0) != 0) return std::nullopt;
  return pid;
}

VersionFacts look_at_versions(const Place& place) {
  VersionFacts versions;
  std::error_code error;
  for (const auto& data : cluster_folders(place)) {
    std::ifstream(data + "/PG_VERSION") >> versions.postgres_major;
    if (const auto pid = server_pid(data)) {
      const auto program = fs::read_symlink("/proc/" + std::to_string(*pid) + "/exe", error);
      versions.postgres_replaced = program.string().ends_with(" (deleted)");
    }
  }
  if (const auto programs = postgres::find_postgres_programs(); programs.ok())
    versions.postgres = version_of({*programs + "/postgres", "--version"});
  versions.pgbackrest_wanted = true;
  if (const auto program = continuity::find_pgbackrest(); program.ok())
    versions.pgbackrest = version_of({*program, "version"});
  const bool patroni = place.deployment != nullptr && place.deployment->cluster.has_value();
  if (patroni) versions.patroni = version_of({"/usr/bin/patroni", "--version"});
  return versions;
}

}  // namespace oa::doctor
