#include "testkit/process_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "testkit/scratch.h"

namespace oa::testkit {
namespace {

namespace fs = std::filesystem;
constexpr auto kEvery = std::chrono::milliseconds(10);
constexpr int kLooks = 5;  // at one open file
constexpr std::string_view kDeleted = " (deleted)";

int parent_of(const fs::path& proc) {
  const std::string stat = contents_of(proc / "stat");
  std::istringstream rest(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string state;
  int parent = 0;
  rest >> state >> parent;
  return parent;
}

bool open_for_writing(const fs::path& info) {
  std::ifstream file(info);
  std::string name, flags;
  while (file >> name)
    if (name == "flags:" && file >> flags)
      return (std::stoul(flags, nullptr, 8) & O_ACCMODE) != O_RDONLY;
  return false;
}

}  // namespace

std::map<int, std::string> descendants() {
  std::map<int, int> parents;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr !=
        name.data() + name.size())
      continue;
    parents[pid] = parent_of(entry.path());
  }
  std::map<int, std::string> ours;
  for (const auto& [pid, parent] : parents) {
    int up = pid;
    while (up > 1 && up != ::getpid()) {
      const auto found = parents.find(up);
      up = found == parents.end() ? 0 : found->second;
    }
    if (up != ::getpid() || pid == ::getpid()) continue;
    const auto program = fs::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
    if (!error) ours[pid] = program.filename();
  }
  return ours;
}

ProcessWatch::ProcessWatch(std::set<std::string> programs, std::string folder,
                           std::vector<std::string> except, std::vector<std::string> needles)
    : programs_(std::move(programs)),
      folder_(std::move(folder)),
      except_(std::move(except)),
      needles_(std::move(needles)),
      search_(needles_) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", error))
    inherited_.insert(fs::read_symlink(entry.path(), error));
  thread_ = std::thread([this] { run(); });
}

ProcessWatch::~ProcessWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void ProcessWatch::add(const std::vector<std::string>& needles) {
  const std::lock_guard lock(mutex_);
  needles_.insert(needles_.end(), needles.begin(), needles.end());
  found_before_.insert(found_before_.end(), search_.found().begin(), search_.found().end());
  search_ = Search(needles_);
}

std::vector<std::string> ProcessWatch::found() const {
  const std::lock_guard lock(mutex_);
  auto all = found_before_;
  all.insert(all.end(), search_.found().begin(), search_.found().end());
  return all;
}
std::set<std::string> ProcessWatch::written_elsewhere() const {
  const std::lock_guard lock(mutex_);
  return elsewhere_;
}
std::set<std::string> ProcessWatch::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void ProcessWatch::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      look();
    }
    std::this_thread::sleep_for(kEvery);
  }
}

void ProcessWatch::look() {
  for (const auto& [pid, program] : descendants())
    if (programs_.contains(program)) look_at(pid, program);
}

void ProcessWatch::look_at(int pid, const std::string& program) {
  seen_.insert(program);
  const std::string proc = "/proc/" + std::to_string(pid);
  search_.in_text("arguments of " + program, contents_of(proc + "/cmdline"));
  search_.in_text("environment of " + program, contents_of(proc + "/environ"));
  look_at_files(pid, program);
}

void ProcessWatch::look_at_files(int pid, const std::string& program) {
  const fs::path proc = "/proc/" + std::to_string(pid);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(proc / "fd", error)) {
    const std::string link = fs::read_symlink(entry.path(), error);
    if (!link.starts_with('/') || !open_for_writing(proc / "fdinfo" / entry.path().filename()))
      continue;
    opened(program, link, entry.path());
  }
  std::ifstream maps(proc / "maps");
  for (std::string line; std::getline(maps, line);) {
    const auto slash = line.find('/');
    if (slash == line.npos || line.find(" rw-s ") == line.npos) continue;
    opened(program, line.substr(slash), "");
  }
}

bool ProcessWatch::is_inside(const std::string& path) const {
  return path.starts_with(folder_ + "/");
}

void ProcessWatch::opened(const std::string& program, const std::string& link,
                          const std::string& through) {
  for (const char* memory : {"/dev/", "/proc/", "/memfd:", "/sys/", "/SYSV"})
    if (link.starts_with(memory)) return;
  if (inherited_.contains(link)) return;
  if (!is_inside(link)) {
    elsewhere_.insert(program + ": " + link);
    return;
  }
  const fs::path path(link);
  for (const auto& part : path.lexically_relative(folder_))
    if (std::ranges::find(except_, part.string()) != except_.end()) return;
  if (through.empty() || ++looked_[link] > kLooks) return;
  search_.in_text("open file " + link, contents_of(through));
}

}  // namespace oa::testkit
