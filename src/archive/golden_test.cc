// Archives that an earlier build wrote. See tests/golden/1.0/README.md.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "archive_fixture.h"
#include "entry_layout.h"

namespace oa::archive {
namespace {

const std::string kFolder = OA_GOLDEN_FOLDER;

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

TEST(Golden, TheLibrarysArchiveIsReadAndStillWritten) {
  const std::string path = kFolder + "/library.oa-archive";
  const Bytes written = write_archive(every_shape());
  if (getenv("OA_ACCEPT_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << as_text(written);
  }
  const Bytes golden = *read_file(path, std::uint64_t{1} << 20);
  EXPECT_TRUE(written == golden) << "the writer makes other bytes than it did";

  const MemorySource source(golden);
  const auto reader = *ArchiveReader::open(source, trust_key(1));
  ASSERT_TRUE(reader->verify({.every_signature = true, .threads = 2}, no_progress()).ok());
  Contents contents;
  ASSERT_TRUE(reader
                  ->for_each("",
                             [&](const EntryInfo& entry) -> Status {
                               OA_ASSIGN(contents[entry.path], reader->read(entry.path, 8 << 20));
                               return {};
                             })
                  .ok());
  EXPECT_TRUE(contents == every_shape());
}

}  // namespace
}  // namespace oa::archive
