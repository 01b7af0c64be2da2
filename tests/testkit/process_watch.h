// What programs that a test started show to others on the machine while they run.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "testkit/readable.h"

namespace oa::testkit {

/// Looks again and again, until it is dropped, at every descendant of this process whose program is
/// called one of `programs`: at arguments, environment, and at the files that it has open for
/// writing or mapped to be written, but for those that this process itself has open, which they
/// inherit. For root.
class ProcessWatch {
 public:
  /// `folder` is the one in which they may write. Files in it are searched while they are open, but
  /// for those below a folder that is called one of `except`.
  ProcessWatch(std::set<std::string> programs, std::string folder, std::vector<std::string> except,
               std::vector<std::string> needles);
  ~ProcessWatch();
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  /// From now on these too.
  void add(const std::vector<std::string>& needles);
  /// Where a needle could be read.
  std::vector<std::string> found() const;
  /// Files elsewhere than in the folder that were open for writing: "PROGRAM: PATH".
  std::set<std::string> written_elsewhere() const;
  /// Programs that were seen, to see that they were.
  std::set<std::string> seen() const;

 private:
  void run();
  void look();
  void look_at(int pid, const std::string& program);
  void look_at_files(int pid, const std::string& program);
  void opened(const std::string& program, const std::string& link, const std::string& through);
  bool is_inside(const std::string& path) const;

  const std::set<std::string> programs_;
  const std::string folder_;
  const std::vector<std::string> except_;
  mutable std::mutex mutex_;
  std::vector<std::string> needles_;
  Search search_;
  std::set<std::string> inherited_;
  std::map<std::string, int> looked_;
  std::set<std::string> elsewhere_, seen_;
  std::vector<std::string> found_before_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Descendants of this process, with the name of their program.
std::map<int, std::string> descendants();

}  // namespace oa::testkit
