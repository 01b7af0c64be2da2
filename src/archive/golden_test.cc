// Archives that earlier builds wrote. See tests/golden/README.md.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "archive_fixture.h"
#include "entry_layout.h"

namespace oa::archive {
namespace {

const std::string kFolder = OA_GOLDEN_FOLDER;
const std::string kWritten = std::to_string(kFormatMajor) + "." + std::to_string(kFormatMinor);

// One entry of every shape that the format knows, and frames of every kind.
Contents every_shape() {
  Contents contents;
  contents["a/empty"] = {};
  contents["a/exactly-small"] = pattern(kPackSize);
  contents["a/large"] = pattern(kChunkSize + 1);
  contents["a/noise"] = noise(9000, 1);
  contents["b/" + std::string(120, 'p') + "/ustar-prefix.json"] = {'{', '}'};
  contents["b/" + std::string(200, 'q')] = {1};  // needs an extended header
  contents["b/größe/日本語.json"] = {2};
  for (int i = 0; i < 40; ++i) contents["c/" + std::to_string(100 + i)] = pattern(i * 100);
  return contents;
}

Contents example() { return {{"notes/hello.txt", Bytes{'H', 'e', 'l', 'l', 'o', '.', '\n'}}}; }

Bytes golden(const std::string& version, const std::string& name) {
  return *read_file(kFolder + "/" + version + "/" + name, std::uint64_t{1} << 20);
}

void expect_written(const std::string& name, const Contents& contents) {
  const Bytes written = write_archive(contents);
  if (getenv("OA_ACCEPT_GOLDEN") != nullptr) {
    std::ofstream(kFolder + "/" + kWritten + "/" + name, std::ios::binary) << as_text(written);
  }
  EXPECT_TRUE(written == golden(kWritten, name))
      << "the writer makes other bytes than it did: " << name;
}

TEST(Golden, TheWriterStillMakesTheSameBytes) {
  expect_written("library.oa-archive", every_shape());
  expect_written("example.oa-archive", example());
}

void expect_read(const std::string& version, const std::string& name, const Contents& expected) {
  SCOPED_TRACE(version + " " + name);
  const MemorySource source(golden(version, name));
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  const auto& manifest = reader->manifest();
  EXPECT_EQ(std::to_string(manifest.format_major) + "." + std::to_string(manifest.format_minor),
            version);
  ASSERT_TRUE(reader->verify({.every_signature = true, .threads = 2}, no_progress()).ok());
  Contents contents;
  ASSERT_TRUE(reader
                  ->for_each("",
                             [&](const EntryInfo& entry) -> Status {
                               OA_ASSIGN(contents[entry.path], reader->read(entry.path, 8 << 20));
                               return {};
                             })
                  .ok());
  EXPECT_TRUE(contents == expected);
}

TEST(Golden, ArchivesOfEveryVersionAreRead) {
  for (std::uint32_t minor = 0; minor <= kFormatMinor; ++minor) {
    const std::string version = std::to_string(kFormatMajor) + "." + std::to_string(minor);
    expect_read(version, "library.oa-archive", every_shape());
    expect_read(version, "example.oa-archive", example());
  }
}

// Lines of the document's annotated dump: offset, two blanks, bytes in hex, and a remark behind
// "|".
TEST(Golden, TheDumpInTheFormatDocumentIsOfTheExample) {
  const Bytes example = golden(kWritten, "example.oa-archive");
  std::ifstream document(OA_FORMAT_DOCUMENT);
  std::size_t lines = 0;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("```")) inside = line == "```dump";
    if (!inside || line.size() < 8 || line[0] != '0') continue;
    const std::size_t offset = std::stoul(line.substr(0, 6), nullptr, 16);
    std::string digits = line.substr(8, line.find('|') - 8);
    std::erase(digits, ' ');
    const Bytes shown = *from_hex(digits);
    ASSERT_LE(offset + shown.size(), example.size()) << line;
    EXPECT_TRUE(std::ranges::equal(shown, ByteView(example).subspan(offset, shown.size()))) << line;
    ++lines;
  }
  EXPECT_GT(lines, 30u);
}

}  // namespace
}  // namespace oa::archive
