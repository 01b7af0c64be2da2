#include "testkit/scratch.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "oa/base/assert.h"

namespace oa::testkit {

namespace fs = std::filesystem;

Scratch::Scratch(const std::string& parent) : path_(parent + "/oa-e2e-XXXXXX") {
  OA_ASSERT(mkdtemp(path_.data()) != nullptr);
  OA_ASSERT(chmod(path_.c_str(), 0711) == 0);
}

Scratch::~Scratch() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::vector<std::string> files_below(const std::string& folder,
                                     const std::vector<std::string>& except) {
  std::vector<std::string> files;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error);
       it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_directory(error) &&
        std::find(except.begin(), except.end(), it->path().filename()) != except.end()) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file(error)) {
      files.push_back(it->path());
    }
  }
  return files;
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::vector<std::string> files_with(const std::string& folder, const std::string& needle,
                                    const std::vector<std::string>& except) {
  std::vector<std::string> found;
  for (const auto& path : files_below(folder, except)) {
    if (contents_of(path).find(needle) != std::string::npos) found.push_back(path);
  }
  return found;
}

}  // namespace oa::testkit
