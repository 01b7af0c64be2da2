// Whether a text can be read somewhere, in whichever form programs write texts.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oa::testkit {

/// Looks for `needles` (10 bytes and more) as they are, in UTF-16, hex and base64 (at each of its
/// three alignments), also inside of gzip, zlib and zstd streams, two deep. Not thread-safe.
class Search {
 public:
  explicit Search(const std::vector<std::string>& needles);
  /// Each "where: form" that was found, once.
  const std::vector<std::string>& found() const { return found_; }
  /// Bytes and files that were searched, to see that there was something to search.
  std::uint64_t bytes() const { return bytes_; }
  std::size_t files() const { return files_; }

  void in_text(const std::string& where, std::string_view text);
  void in_file(const std::string& path);
  /// All regular files, names too, but for those below a folder that is called one of `except`.
  void in_folder(const std::string& folder, const std::vector<std::string>& except = {});
  /// All that the process `pid` can read in its own memory. For root.
  void in_memory_of(int pid);

 private:
  void in_streams(const std::string& where, std::string_view text, int depth);
  bool forms_in(const std::string& where, std::string_view text);
  std::map<std::string, std::string> forms_;  // bytes -> their name
  std::vector<std::string> found_;
  std::uint64_t bytes_ = 0;
  std::size_t files_ = 0;
};

}  // namespace oa::testkit
