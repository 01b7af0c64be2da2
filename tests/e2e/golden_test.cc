// Tenants' archives that earlier builds made still become tenants. See tests/golden/README.md.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "oa/archive/reader.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::contents_of;
using testkit::oa_json;

struct Version {
  const char* name;
  std::uint32_t minor;
  std::size_t assets;  // workspaces, datasets, reports, alerts
  std::size_t others;  // entries of theirs that are no workspace's document
};

class Golden : public testing::TestWithParam<Version> {
 protected:
  // What the entries of assets hold, by path, as today's version writes it.
  static std::map<std::string, Blake2bDigest> read_today(const std::string& path) {
    const auto source = *FileSource::open(path);
    const auto reader = *archive::ArchiveReader::open(*source, {{}, true});
    const std::uint32_t minor = reader->manifest().format_minor;
    std::map<std::string, Blake2bDigest> digests;
    const Status walked = reader->for_each("workspaces/", [&](const auto& entry) -> Status {
      OA_ASSIGN(auto content, reader->read(entry.path, std::size_t{64} << 20));
      OA_ASSIGN(content, archive::migrated(archive::parse_entry_path(entry.path)->kind, minor,
                                           std::move(content)));
      digests[entry.path] = Blake2b::of(content);
      return {};
    });
    EXPECT_TRUE(walked.ok()) << (walked.ok() ? "" : walked.error().message);
    return digests;
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, Golden,
                         testing::Values(Version{"1.0", 0, 40, 45}, Version{"1.1", 1, 25, 28}),
                         [](const auto& each) {
                           return "Minor" + std::to_string(each.param.minor);
                         });

TEST_P(Golden, ATenantsArchiveIsReadAndImportedWhole) {
  const std::string folder = std::string(OA_GOLDEN_FOLDER "/") + GetParam().name,
                    archive = folder + "/tenant.oa-archive", signer = folder + "/tenant.pub";
  const auto verified =
      oa_json({"archive", "verify", archive, "--trust", signer, "--every-signature"});
  EXPECT_TRUE(verified.at("verified").as_bool());
  EXPECT_EQ(oa_json({"archive", "ls", archive, "--trust", signer}),
            json::parse(contents_of(folder + "/tenant.entries.json")));

  testkit::Scratch scratch;
  const std::string data = scratch / "data";
  oa_json({"tenant", "create", "Other", "--data", data});
  oa_json({"tenant", "import", archive, "--trust", signer, "--name", "Golden", "--plan", "growth",
           "--owner", "user01@demo.example", "--data", data});
  const auto shown = oa_json({"tenant", "show", "Golden", "--data", data});
  EXPECT_EQ(shown.at("assets").as_array().size(), GetParam().assets);

  // What the new tenant has is what the archive holds, byte for byte but for what today's version
  // adds: ids are kept in a blank tenant.
  const std::string again = scratch / "again.oa-archive";
  oa_json({"archive", "create", "--tenant", "Golden", "--rows", "--output", again, "--data", data});
  const auto before = read_today(archive), after = read_today(again);
  std::size_t same = 0;
  for (const auto& [path, digest] : before) {
    ASSERT_TRUE(after.contains(path)) << path;
    if (path.ends_with("/metadata.json")) continue;  // users are inactive until they are invited
    EXPECT_EQ(after.at(path), digest) << path;
    ++same;
  }
  EXPECT_EQ(same, GetParam().others);
  const auto compared = oa_json(
      {"archive", "diff", archive, "--trust", signer, "--tenant", "Golden", "--data", data});
  for (const auto& change : compared.at("changes").as_array()) {
    const std::string kind(change.at("kind").as_string());
    EXPECT_TRUE(kind == "tenant" || kind == "user") << canonical_json(change);
  }
}

// A vector of the format, of a minor version that nobody knows yet.
TEST(NewerVersion, IsCheckedAndUnpackedButNotDecoded) {
  const std::string folder = OA_VECTORS_FOLDER,
                    archive = folder + "/newer_minor_with_unknown_members.oa-archive";
  const auto listed = json::parse(contents_of(folder + "/vectors.json"));
  const testkit::Scratch scratch;
  const std::string data = scratch / "data", signer = scratch / "signer.pub";
  std::ofstream(signer) << "untrusted comment: test\n"
                        << std::string_view(listed.at("trusted_key").as_string()) << "\n";
  EXPECT_TRUE(oa_json({"archive", "verify", archive, "--trust", signer}).at("verified").as_bool());
  oa_json({"archive", "extract", archive, "--trust", signer, "--output", scratch / "out"});
  EXPECT_FALSE(contents_of(scratch / "out/a").empty());

  oa_json({"tenant", "create", "Other", "--data", data});
  const auto imported =
      testkit::oa({"tenant", "import", archive, "--trust", signer, "--name", "Newer", "--owner",
                   "ada@example.com", "--data", data, "--json"});
  EXPECT_EQ(imported.status, 6);
  EXPECT_NE(imported.err.find("archive/version-unsupported"), std::string::npos) << imported.err;
  EXPECT_NE(imported.err.find("newer release"), std::string::npos) << imported.err;
}

}  // namespace
}  // namespace oa
