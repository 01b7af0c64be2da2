// What docs/format.md promises about other people's tools, tried with those tools.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "archive_fixture.h"
#include "entry_layout.h"
#include "tar.h"

namespace oa::archive {
namespace {

namespace fs = std::filesystem;

class ToolsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "oa-archive-tools-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, ByteView bytes) const {
    std::ofstream(file(name), std::ios::binary) << as_text(bytes);
  }
  // Exit status of a script that runs in the folder; what it prints goes to `output`.
  int run(const std::string& script, std::string* output = nullptr) const {
    std::ofstream(file("script")) << "set -eu\n" << script;
    const std::string command = "cd '" + folder_.string() + "' && ARCHIVE='" +
                                file("x.oa-archive") + "' KEY='" +
                                test_key(1).public_key().base64() + "' bash script > output 2>&1";
    const int status = std::system(command.c_str());
    std::stringstream text;
    text << std::ifstream(file("output")).rdbuf();
    if (output != nullptr) *output = text.str();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  fs::path folder_;
};

std::string shell_blocks(const std::string& document) {
  std::ifstream in(document);
  std::string line, script;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line == "```") inside = false;
    if (inside) script += line + "\n";
    if (line == "```sh") inside = true;
  }
  return script;
}

Contents mixed_contents() {
  return {{"audit/events.ndjson", pattern(1500000)},
          {"empty", {}},
          {"workspaces/" + std::string(120, 'p') + "/" + std::string(120, 'n') + ".json", {1}},
          {"workspaces/1/reports/with blank & é.json", pattern(4000)},
          {"workspaces/1/rows.parquet", noise(5000000, 1)},
          {"x" + std::string(800, 'l'), {2}}};
}

TEST_F(ToolsTest, EveryCommandOfTheFormatDocumentWorks) {
  // A file name has at most 255 bytes where tar unpacks.
  Contents contents = mixed_contents();
  contents.erase("x" + std::string(800, 'l'));
  write("x.oa-archive", write_archive(contents));
  const std::string script = shell_blocks(OA_FORMAT_DOCUMENT);
  ASSERT_NE(script.find("minisign"), std::string::npos);
  std::string output;
  EXPECT_EQ(run(script, &output), 0) << output;
  for (const auto& [path, content] : contents) {
    const auto unpacked = read_file(file("unpacked/" + path), 10'000'000);
    ASSERT_TRUE(unpacked.ok()) << path;
    EXPECT_TRUE(*unpacked == content) << path;
  }
}

TEST_F(ToolsTest, TheDocumentsCommandsRefuseWhatWasChanged) {
  write("x.oa-archive", write_archive({{"a", {1, 2, 3}}, {"b", {4}}}));
  const std::string script = shell_blocks(OA_FORMAT_DOCUMENT);
  const std::string unpack = "cd unpacked\n";
  const std::size_t at = script.find(unpack) + unpack.size();
  for (const std::string attack :
       {"printf x >> a", "rm b", "touch c", "mv a z", "sed -i s/growth/scaled/ manifest.json"}) {
    fs::remove_all(file("unpacked"));
    EXPECT_NE(run(script.substr(0, at) + attack + "\n" + script.substr(at)), 0) << attack;
  }
}

TEST_F(ToolsTest, ZstdAndTarAcceptEveryShape) {
  for (const Contents& contents : {Contents{}, Contents{{"a", {1}}}, mixed_contents()}) {
    write("x.oa-archive", write_archive(contents));
    std::string output;
    EXPECT_EQ(run("zstd -q -t $ARCHIVE\nzstd -q -d < $ARCHIVE > plain\n"
                  "tar --quoting-style=literal -tf plain > names\ntar --zstd "
                  "--quoting-style=literal -tf $ARCHIVE | cmp - names\n"
                  "cat names",
                  &output),
              0)
        << output;
    std::string expected;
    for (const auto& [path, content] : contents)
      expected += path + "\nsignatures/" + path + ".sig\n";
    EXPECT_EQ(output, expected + "manifest.json\nsignatures/manifest.json.sig\n");
  }
}

TEST_F(ToolsTest, TarReadsSizesThatNeedAnExtendedHeader) {
  for (const std::uint64_t size : {kMaxUstarNumber, kMaxUstarNumber + 1}) {
    Bytes header;
    append_tar_header(header, "rows.parquet", size, 1776332531);
    write("big.tar", header);
    fs::resize_file(file("big.tar"),
                    header.size() + size + padding_size(size) + 2 * kTarBlock);  // sparse
    std::string output;
    EXPECT_EQ(run("TZ=UTC tar --full-time -tvf big.tar", &output), 0);
    EXPECT_TRUE(output.starts_with("-rw-r--r-- 0/0 ")) << output;
    EXPECT_TRUE(
        output.ends_with(std::to_string(size).append(" 2026-04-16 09:42:11 rows.parquet\n")))
        << output;
  }
}

}  // namespace
}  // namespace oa::archive
