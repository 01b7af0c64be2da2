// `oa-backup storage …` on the embedded default: bytes that flip in the folder of its objects.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "testkit/archive_tool.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
constexpr int kStorageStatus = 8;

TEST(StorageCli, ABitThatFlipsInTheFolderIsFoundAndNamed) {
  const testkit::Scratch scratch;
  const std::string data = scratch / "data";
  const auto oa = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", data, "--json"});
    return testkit::oa(std::move(arguments));
  };
  const auto document = [](const testkit::Finished& done) {
    const auto parsed = parse_json(done.out);
    EXPECT_TRUE(parsed.ok()) << done.out << done.err;
    return parsed.ok() ? *parsed : json::value(json::object());
  };
  ASSERT_EQ(oa({"demo", "--rows", "3000"}).status, 0);
  auto done = oa({"storage", "check"});
  EXPECT_EQ(done.status, 0);
  EXPECT_EQ(document(done).at("drifted"), false);
  EXPECT_EQ(document(oa({"storage", "coverage"})).at("versions").as_int64(), 0);
  done = oa({"storage", "scrub"});
  EXPECT_EQ(done.status, 0) << done.err;
  const auto versions = document(done).at("verified_versions").as_int64();
  EXPECT_GE(versions, 3);
  EXPECT_EQ(document(done).at("coverage").at("verified_share").to_number<double>(), 1.0);
  EXPECT_EQ(document(oa({"storage", "scrub", "--tenant", "Demo"})).at("verified_versions"), 0);

  // The newest rows of a dataset that was imported, not restored.
  std::string rows;
  for (const auto& file : testkit::files_below(data + "/objects")) {
    const bool imported = file.find("/rows/") != file.npos && file.find("/restores/") == file.npos;
    if (imported) rows = std::max(rows, file);
  }
  ASSERT_FALSE(rows.empty());
  const std::string dataset = rows.substr(rows.find("/rows/") + 6, 36);
  std::string bytes = testkit::contents_of(rows);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  std::ofstream(rows, std::ios::binary | std::ios::trunc) << bytes;
  done = oa({"storage", "scrub", "--all"});
  EXPECT_EQ(done.status, kStorageStatus);
  const auto found = document(done);
  ASSERT_EQ(found.at("damaged").as_array().size(), 1u);
  const auto& damage = found.at("damaged").at(0);
  EXPECT_EQ(damage.at("class"), "rows");
  EXPECT_EQ(damage.at("code"), "storage/seal-corrupt");
  EXPECT_EQ(damage.at("holder").at("kind"), "dataset");
  EXPECT_EQ(damage.at("holder").at("id").as_string(), dataset);
  const auto covered = oa({"storage", "coverage"});
  EXPECT_EQ(covered.status, kStorageStatus);
  EXPECT_EQ(document(covered).at("damage").as_array().size(), 1u);
  // As it was, it is good again.
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  std::ofstream(rows, std::ios::binary | std::ios::trunc) << bytes;
  done = oa({"storage", "scrub", "--all"});
  EXPECT_EQ(done.status, 0);
  EXPECT_EQ(document(done).at("verified_versions").as_int64(), versions);
}

}  // namespace
}  // namespace oa
