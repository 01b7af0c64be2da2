// The database holds secrets only as the tenant's key sealed them: neither its files, its
// write-ahead log, a base backup nor a dump has one in the clear.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "oa/instance/instance.h"
#include "testkit/archive_tool.h"
#include "testkit/process.h"
#include "testkit/service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using testkit::files_with;

std::string text(const json::value& value) { return std::string(value.as_string()); }

// What a byte string could stand as in a file.
std::vector<std::string> spellings(ByteView secret) {
  const std::string hex = to_hex(secret);
  std::string upper = hex;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::vector<std::string> all{std::string(as_text(secret)), hex, upper};
  // By where the string begins in what was encoded, base64 has three forms; its ends depend on the
  // neighbours.
  for (std::size_t skip = 0; skip < 3; ++skip) {
    const auto whole = secret.subspan(skip, (secret.size() - skip) / 3 * 3);
    all.push_back(to_base64(whole));
  }
  return all;
}

class SecretCanary : public testing::Test {
 protected:
  std::vector<std::string> in(std::vector<std::string> arguments,
                              const std::string& folder = "data") const {
    arguments.insert(arguments.end(), {"--data", scratch_ / folder});
    return arguments;
  }
  json::value run(std::vector<std::string> arguments) const {
    return testkit::oa_json(in(std::move(arguments)));
  }
  void await_first_backup() const {
    for (int tries = 0; tries < 300; ++tries) {
      const auto now = parse_json(testkit::oa(in({"continuity", "status", "--json"})).out);
      if (now.ok() && !now->at("earliest").is_null() &&
          text(now->at("earliest")) < text(now->at("now")))
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL() << "no backup came by itself";
  }
  // Files below `folder` that have any spelling of any of the secrets.
  std::vector<std::string> with_a_secret(const std::string& folder) const {
    std::vector<std::string> found;
    for (const auto& secret : secrets_)
      for (const auto& spelling : spellings(secret))
        for (const auto& file : files_with(folder, spelling))
          found.push_back(file + " " + to_hex(secret));
    return found;
  }
  bool has_the_control(const std::string& folder) const {
    return !files_with(folder, kControl).empty();
  }

  static constexpr const char* kControl = "control-4b1f09ad77";  // the name of a secret: not secret
  testkit::Scratch scratch_;
  std::vector<Bytes> secrets_;
};

TEST_F(SecretCanary, NeitherTheLogNorABackupNorADumpHasOne) {
  const std::string password = "canary-password-3f8c1e22d0";
  testkit::write_file(
      scratch_ / "postgres.json",
      R"({"host":"db.example","database":"shop","user":"reader","password":")" + password + "\"}");
  {
    testkit::Service service(scratch_, "up", {"up", "--demo", "--rows", "100"});
    run({"secret", "put", kControl, "--tenant", "Demo", "--kind", "postgres", "--file",
         scratch_ / "postgres.json"});
    run({"secret", "rewrap", "--tenant", "Demo"});
    run({"keys", "rotate", "Demo"});
    run({"keys", "rotate-encryption", "--tenant", "Demo", "--here"});
    fs::remove(scratch_ / "postgres.json");
    await_first_backup();
    run({"continuity", "run", "full"});
    secrets_.emplace_back(password.begin(), password.end());
    {
      instance::Settings settings;
      settings.data_folder = scratch_ / "data";
      const auto instance = *instance::Instance::open(settings);
      const auto tenant = *instance->database().find_tenant("Demo");
      const auto signer = *instance->signing_key(tenant.id);
      const SecretBytes seed = signer.seed();
      const auto ed25519 =
          seed.view().subspan(signer.public_key().id().size());  // the key's id is public
      secrets_.emplace_back(ed25519.begin(), ed25519.end());
    }
    // As the server's own superuser, whom no policy binds.
    const auto dump = testkit::run({"pg_dump", "-h", scratch_ / "data/postgres/socket", "-U",
                                    "postgres", "-d", "oneanalytics"});
    ASSERT_EQ(dump.status, 0) << dump.err;
    fs::create_directory(scratch_ / "dump");
    testkit::write_file(scratch_ / "dump/sql", dump.out);
    EXPECT_EQ(service.stop(), 0);
  }
  testkit::oa_json(in({"continuity", "recover", "--to", "latest", "--into", scratch_ / "beside"}));

  EXPECT_TRUE(has_the_control(scratch_ / "dump"));
  EXPECT_TRUE(has_the_control(scratch_ / "data/postgres/data/pg_wal"));
  EXPECT_TRUE(has_the_control(scratch_ / "data/postgres/data/base"));
  EXPECT_TRUE(has_the_control(scratch_ / "beside/postgres"));
  EXPECT_EQ(with_a_secret(scratch_.path()), std::vector<std::string>());
}

}  // namespace
}  // namespace oa
