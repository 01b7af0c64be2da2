// A tenant's archive that an earlier build made still becomes a tenant. See
// tests/golden/1.0/README.md.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::contents_of;
using testkit::oa_json;

TEST(Golden, ATenantsArchiveIsReadAndImportedWhole) {
  const std::string folder = OA_GOLDEN_FOLDER, archive = folder + "/tenant.oa-archive",
                    signer = folder + "/tenant.pub";
  const auto verified =
      oa_json({"archive", "verify", archive, "--trust", signer, "--every-signature"});
  EXPECT_TRUE(verified.at("verified").as_bool());
  EXPECT_EQ(oa_json({"archive", "ls", archive, "--trust", signer}),
            json::parse(contents_of(folder + "/tenant.entries.json")));

  testkit::Scratch scratch;
  const std::string data = scratch / "data";
  oa_json({"tenant", "create", "Other", "--data", data});
  oa_json({"tenant", "import", archive, "--trust", signer, "--name", "Golden", "--data", data});
  const auto shown = oa_json({"tenant", "show", "Golden", "--data", data});
  EXPECT_EQ(shown.at("assets").as_array().size(),
            40u);  // 3 workspaces, 8 datasets, 19 reports, 10 alerts

  // What the new tenant has is what the archive holds, byte for byte: ids are kept in a blank
  // tenant.
  const std::string again = scratch / "again.oa-archive", out = scratch / "out";
  oa_json({"archive", "create", "--tenant", "Golden", "--rows", "--output", again, "--data", data});
  const auto mine = oa_json({"archive", "ls", again, "--tenant", "Golden", "--data", data});
  std::map<std::string, std::string> digests;
  for (const auto& entry : mine.at("data").as_array())
    digests[std::string(entry.at("path").as_string())] = entry.at("blake2b").as_string();
  std::size_t same = 0;
  const auto theirs = oa_json({"archive", "ls", archive, "workspaces/", "--trust", signer});
  for (const auto& entry : theirs.at("data").as_array()) {
    const std::string path(entry.at("path").as_string());
    if (path.ends_with("/metadata.json")) {
      EXPECT_TRUE(digests.contains(path))
          << path;  // users are inactive there until they are invited
      continue;
    }
    EXPECT_EQ(digests[path], std::string(entry.at("blake2b").as_string())) << path;
    ++same;
  }
  EXPECT_EQ(same, 45u);
}

}  // namespace
}  // namespace oa
