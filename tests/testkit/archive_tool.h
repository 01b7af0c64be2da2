// Runs `oa-archive` of this build, on keys and folders of a test's own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa::testkit {

Finished oa_archive(std::vector<std::string> arguments);
/// The same with --json: the document on stdout; throws with stderr's text when it failed.
json::value oa_archive_json(std::vector<std::string> arguments);
/// With --json: the stable code of its error, "" when it succeeded.
std::string archive_tool_refusal(std::vector<std::string> arguments);

void write_file(const std::string& path, std::string_view content);

/// A scratch folder with a signer's pair (`me.key` without a passphrase, `me.pub`) and a folder
/// `in` of small files in subfolders, two large ones and an odd name.
class SignerFolder {
 public:
  SignerFolder();
  std::string operator/(const std::string& name) const { return scratch_ / name; }
  /// Packs `in` as `name` with a fixed id and time.
  void pack(const std::string& name, const std::string& key = "me.key") const;
  /// What was put into `in`.
  const std::map<std::string, std::string>& files() const { return files_; }
  std::vector<std::string> names() const;

 private:
  Scratch scratch_;
  std::map<std::string, std::string> files_;
};

}  // namespace oa::testkit
