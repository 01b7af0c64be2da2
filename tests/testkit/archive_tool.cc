#include "testkit/archive_tool.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

namespace oa::testkit {

namespace fs = std::filesystem;

Finished oa_archive(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), OA_ARCHIVE);
  return run(arguments);
}

json::value oa_archive_json(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Finished finished = oa_archive(arguments);
  auto document = parse_json(finished.out.substr(0, finished.out.find('\n')));
  if (finished.status != 0 || !document.ok())
    throw std::runtime_error("oa-archive " + arguments[0] + ": " + finished.err);
  return *document;
}

std::string archive_tool_refusal(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Finished finished = oa_archive(arguments);
  if (finished.status == 0) return "";
  const auto document = parse_json(finished.err.substr(0, finished.err.find('\n')));
  if (!document.ok()) return "no document: " + finished.err;
  return std::string(document->at("error").at("code").as_string());
}

void write_file(const std::string& path, std::string_view content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

SignerFolder::SignerFolder() {
  oa_archive_json({"keys", "new", "--secret", *this / "me.key", "--public", *this / "me.pub",
                   "--no-passphrase"});
  std::mt19937 random(1);
  std::string noise(5'000'000, '\0');
  for (auto& c : noise) c = static_cast<char>(random());
  files_ = {{"a/b/c.json", "{\"deep\":true}"},
            {"a.b", "sorts before a/"},
            {"a/empty", ""},
            {"Größe, 100 %.csv", "x;y\n"},
            {"noise.bin", noise},
            {"zeros.bin", std::string(2'000'000, '\0')}};
  for (int i = 0; i < 40; ++i)
    files_["many/" + std::to_string(i)] = std::string(static_cast<std::size_t>(i) * 50, 'm');
  for (const auto& [path, content] : files_) write_file(*this / ("in/" + path), content);
}

void SignerFolder::pack(const std::string& name, const std::string& key) const {
  oa_archive_json({"pack", *this / "in", *this / name, "--key", *this / key, "--archive-id",
                   "11111111-1111-4111-8111-111111111111", "--snapshot-time",
                   "2026-04-16T09:00:00Z"});
}

std::vector<std::string> SignerFolder::names() const {
  std::vector<std::string> names;
  for (const auto& item : fs::directory_iterator(scratch_.path()))
    names.push_back(item.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace oa::testkit
