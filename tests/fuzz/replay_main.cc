// Runs a harness once on every file of the folders and files that are named: ctest's replay.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz_input.h"

namespace {

std::vector<std::filesystem::path> files_in(const std::filesystem::path& named) {
  if (!std::filesystem::is_directory(named)) return {named};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(named))
    files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t replayed = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& path : files_in(arguments[i])) {
      std::ifstream file(path, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      if (!file) {
        std::fprintf(stderr, "error: cannot read %s\n", path.c_str());
        return 1;
      }
      // The last line before a crash names the input.
      std::printf("%s, %zu bytes\n", path.c_str(), text.size());
      std::fflush(stdout);
      const oa::Bytes exact(text.begin(),
                            text.end());  // no terminator behind it to hide an overrun
      LLVMFuzzerTestOneInput(exact.data(), exact.size());
      ++replayed;
    }
  }
  std::printf("%zu inputs replayed\n", replayed);
  return replayed > 0 ? 0 : 1;
}
