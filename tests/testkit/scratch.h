// Folders of a test's own, and questions about what lies in them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace oa::testkit {

/// A new folder that the account `postgres` can reach, removed with all in it at the end.
class Scratch {
 public:
  explicit Scratch(const std::string& parent = "/tmp");
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Every regular file below `folder`, except below a folder named in `except`.
std::vector<std::string> files_below(const std::string& folder,
                                     const std::vector<std::string>& except = {});
std::string contents_of(const std::string& path);
/// Files below `folder` that hold `needle` as bytes.
std::vector<std::string> files_with(const std::string& folder, const std::string& needle,
                                    const std::vector<std::string>& except = {});

}  // namespace oa::testkit
