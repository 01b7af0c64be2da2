// oa-archive as someone meets it who holds an archive and nothing else: checking, reading, trust.
#include "testkit/archive_tool.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

namespace oa {
namespace {

namespace fs = std::filesystem;
using testkit::contents_of;
using testkit::oa_archive;
using testkit::oa_archive_json;
using testkit::run;
using testkit::write_file;

std::string text(const json::value& value) { return std::string(value.as_string()); }

const auto refusal = testkit::archive_tool_refusal;

TEST(ArchiveToolHelp, EveryCommandHasAnExample) {
  for (std::vector<std::string> command : {std::vector<std::string>{"verify"},
                                           {"ls"},
                                           {"cat"},
                                           {"extract"},
                                           {"index"},
                                           {"pack"},
                                           {"keys", "new"},
                                           {"keys", "show"},
                                           {"keys", "change-passphrase"}}) {
    const std::string name = command.back();
    command.emplace_back("--help");
    const auto finished = oa_archive(command);
    EXPECT_EQ(finished.status, 0);
    EXPECT_NE(finished.out.find("Example:\n  oa-archive "), std::string::npos) << name;
  }
  EXPECT_NE(oa_archive({"--help"}).out.find("archive/untrusted-signer"), std::string::npos);
  const auto version = oa_archive({"--version"});
  EXPECT_NE(version.out.find("oa-archive "), std::string::npos);
  EXPECT_NE(version.out.find("archive format 1.1"), std::string::npos);
}

TEST(ArchiveToolHelp, MistakesAreUsageErrors) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"no-such"},
        {"verify"},
        {"keys"},
        {"cat", "a"},
        {"pack", "a", "b", "--key", "k", "--level", "20"},
        {"verify", "a", "--no-such"},
        {"keys", "new", "--secret", "a", "--public", "b", "--no-passphrase", "--passphrase-file",
         "c"}}) {
    EXPECT_EQ(oa_archive(arguments).status, 2);
    EXPECT_EQ(refusal(arguments), "request/invalid");
  }
}

TEST(ArchiveToolEnvironment, RunsWithoutAnEnvironmentAndWithAHostileOne) {
  const testkit::SignerFolder folder;
  folder.pack("t.oa-archive");
  fs::create_directory(folder / "empty");
  write_file(folder / "openssl.cnf",
             "openssl_conf = a\n[a]\nproviders = b\n[b]\nc = d\n[d]\nmodule = /no/such.so\n"
             "activate = 1\n");
  for (const std::string& variable :
       {std::string("A=b"), "OPENSSL_CONF=" + folder / "openssl.cnf",
        std::string("OPENSSL_MODULES=/no/such"), std::string("LC_ALL=no_SUCH.locale")}) {
    const auto finished = run({"env", "-i", "-C", folder / "empty", variable, OA_ARCHIVE, "verify",
                               folder / "t.oa-archive", "--trust", folder / "me.pub"});
    EXPECT_EQ(finished.status, 0) << variable << finished.err;
  }
  EXPECT_TRUE(fs::is_empty(folder / "empty"));
}

class ArchiveTool : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testkit::SignerFolder;
    folder_->pack("t.oa-archive");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string at(const std::string& name) { return *folder_ / name; }
  static std::string archive() { return at("t.oa-archive"); }
  static std::string key() { return at("me.pub"); }
  static testkit::SignerFolder* folder_;
};
testkit::SignerFolder* ArchiveTool::folder_ = nullptr;

TEST_F(ArchiveTool, VerifiesAndLists) {
  const auto verified =
      oa_archive_json({"verify", archive(), "--trust", key(), "--every-signature"});
  EXPECT_EQ(verified.at("entries").to_number<std::size_t>(), folder_->files().size());
  EXPECT_EQ(verified.at("signatures_checked").to_number<std::size_t>(),
            folder_->files().size() + 1);
  const auto listed = oa_archive_json({"ls", archive(), "--trust", key()});
  auto expected = folder_->files().begin();  // a map is in byte order, as an archive is
  for (const auto& entry : listed.at("data").as_array()) {
    EXPECT_EQ(text(entry.at("path")), expected->first);
    EXPECT_EQ(entry.at("size").to_number<std::size_t>(), expected->second.size());
    ++expected;
  }
  EXPECT_EQ(expected, folder_->files().end());
  const auto some = oa_archive({"ls", archive(), "--trust", key(), "many/1"});
  EXPECT_EQ(std::count(some.out.begin(), some.out.end(), '\n'), 11) << some.out;
  EXPECT_NE(oa_archive({"ls", archive(), "--trust", key(), "nope"}).out.find("no entry begins"),
            std::string::npos);
}

TEST_F(ArchiveTool, TheOtherProgramPrintsTheSame) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"verify", archive(), "--trust", key(), "--every-signature"},
        {"ls", archive(), "--trust", key()},
        {"index", archive(), "--trust", key(), "--json"},
        {"cat", archive(), "--trust", key(), "a/b/c.json"},
        {"cat", archive(), "--trust", key(), "no/such"}}) {
    auto other = arguments;
    other.insert(other.begin(), "archive");
    const auto ours = oa_archive(arguments), theirs = testkit::oa(other);
    EXPECT_EQ(ours.status, theirs.status);
    EXPECT_EQ(ours.out, theirs.out);
    EXPECT_EQ(ours.err, theirs.err);
  }
}

TEST_F(ArchiveTool, CatsAndExtracts) {
  EXPECT_EQ(oa_archive({"cat", archive(), "--trust", key(), "a.b", "a/b/c.json"}).out,
            "sorts before a/{\"deep\":true}");
  EXPECT_EQ(oa_archive({"cat", archive(), "--trust", key(), "noise.bin"}).out,
            folder_->files().at("noise.bin"));
  const auto missing = oa_archive({"cat", archive(), "--trust", key(), "no/such"});
  EXPECT_EQ(missing.status, 3);
  EXPECT_NE(missing.err.find("no/such"), std::string::npos);

  oa_archive_json({"extract", archive(), "--trust", key(), "--output", at("out")});
  for (const auto& [path, content] : folder_->files())
    EXPECT_EQ(contents_of(at("out/" + path)), content) << path;
  EXPECT_EQ(testkit::files_below(at("out")).size(), folder_->files().size());
  EXPECT_EQ(refusal({"extract", archive(), "--trust", key(), "--output", at("out")}),
            "resource/already-exists");
  EXPECT_EQ(refusal({"extract", archive(), "--trust", key(), "--output", at("none"), "no/such"}),
            "resource/not-found");
  oa_archive_json({"extract", archive(), "--trust", key(), "--output", at("some"), "a/"});
  EXPECT_EQ(testkit::files_below(at("some")).size(), 2u);
}

TEST_F(ArchiveTool, IndexAccountsForEveryByte) {
  const auto index = oa_archive_json({"index", archive(), "--trust", key()});
  std::uint64_t end = 0, entries = 0, pages = 0;
  for (const auto& part : index.at("parts").as_array()) {
    EXPECT_EQ(part.at("offset").to_number<std::uint64_t>(), end);
    end += part.at("stored_size").to_number<std::uint64_t>();
    if (part.at("kind").as_string() != "index page") continue;
    entries += part.at("entries").to_number<std::uint64_t>();
    ++pages;
  }
  EXPECT_EQ(end, fs::file_size(archive()));
  EXPECT_EQ(entries, folder_->files().size());
  const auto& totals = index.at("totals");
  EXPECT_EQ(totals.at("file_bytes").to_number<std::uint64_t>(), end);
  EXPECT_EQ(totals.at("pages").to_number<std::uint64_t>(), pages);
  const auto tar = run({"sh", "-c", "zstd -dc '" + archive() + "' | wc -c"});
  EXPECT_EQ(std::to_string(totals.at("tar_bytes").to_number<std::uint64_t>()) + "\n", tar.out);
  const auto shown = oa_archive({"index", archive(), "--trust", key()});
  EXPECT_NE(shown.out.find("index root"), std::string::npos);
}

TEST_F(ArchiveTool, BadInputHasAStableCode) {
  const std::string whole = contents_of(archive());
  write_file(at("cut"), whole.substr(0, whole.size() / 2));
  write_file(at("text"), std::string(1000, 't'));
  write_file(at("nothing"), "");
  std::string damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 1);
  write_file(at("damaged"), damaged);
  const std::map<std::string, std::string> expected = {
      {"cut", "archive/truncated"},      {"text", "archive/malformed"},
      {"nothing", "archive/truncated"},  {"damaged", "archive/content-mismatch"},
      {"missing", "resource/not-found"}, {"in", "request/invalid"}};
  for (const auto& [name, code] : expected) {
    EXPECT_EQ(refusal({"verify", at(name), "--trust", key()}), code) << name;
    const auto finished = oa_archive({"verify", at(name), "--trust", key()});
    EXPECT_EQ(finished.status, code.starts_with("archive/")    ? 6
                               : code.starts_with("resource/") ? 3
                                                               : 2);
    EXPECT_NE(finished.err.find("[" + code + "]"), std::string::npos);
    EXPECT_EQ(finished.out, "");
  }
  // What is whole in the damaged archive can still be had, and nothing else.
  EXPECT_EQ(oa_archive({"cat", at("damaged"), "--trust", key(), "a.b"}).out, "sorts before a/");
  EXPECT_EQ(refusal({"extract", at("damaged"), "--trust", key(), "--output", at("rest")}),
            "archive/content-mismatch");
  for (const auto& path : testkit::files_below(at("rest")))
    EXPECT_EQ(contents_of(path), folder_->files().at(fs::relative(path, at("rest"))));
}

TEST_F(ArchiveTool, TrustsNobodyUnasked) {
  const auto refused = oa_archive({"verify", archive()});
  EXPECT_EQ(refused.status, 6);
  const std::string fingerprint =
      text(oa_archive_json({"keys", "show", key()}).at("data").at(0).at("fingerprint"));
  EXPECT_NE(refused.err.find(fingerprint), std::string::npos);
  EXPECT_NE(refused.err.find("--accept-signer"), std::string::npos);
  EXPECT_EQ(oa_archive({"verify", archive(), "--accept-signer", fingerprint}).status, 0);
  const std::string line =
      text(oa_archive_json({"keys", "show", key()}).at("data").at(0).at("public_key"));
  EXPECT_EQ(oa_archive({"verify", archive(), "--trust-key", line}).status, 0);

  EXPECT_EQ(refusal({"verify", archive(), "--accept-signer", std::string(64, '0')}),
            "archive/untrusted-signer");
  EXPECT_EQ(refusal({"verify", archive(), "--accept-signer", "1234"}), "request/invalid");
  EXPECT_EQ(refusal({"verify", archive(), "--trust-key", line.substr(1)}), "request/invalid");
  EXPECT_EQ(refusal({"verify", archive(), "--trust", at("me.key")}), "request/invalid");
  EXPECT_EQ(refusal({"verify", archive(), "--trust", at("missing.pub")}), "resource/not-found");
}

TEST_F(ArchiveTool, OldAndNewKeysOfASignerStandSideBySide) {
  oa_archive_json(
      {"keys", "new", "--secret", at("new.key"), "--public", at("new.pub"), "--no-passphrase"});
  folder_->pack("new.oa-archive", "new.key");
  for (const auto& file : {archive(), at("new.oa-archive")})
    EXPECT_EQ(refusal({"verify", file, "--trust", key(), "--trust", at("new.pub")}), "");
  EXPECT_EQ(refusal({"verify", archive(), "--trust", at("new.pub")}), "archive/untrusted-signer");
  EXPECT_EQ(refusal({"verify", at("new.oa-archive"), "--trust", key()}),
            "archive/untrusted-signer");
  EXPECT_EQ(refusal({"verify", at("new.oa-archive"), "--trust", at("new.pub")}), "");
}

TEST_F(ArchiveTool, AReaderThatGoesAwayIsNoError) {
  for (int i = 0; i < 3000; ++i) {
    const std::string name = std::to_string(i);
    write_file(at("long/" + name + std::string(100, 'n')), name);
  }
  oa_archive_json({"pack", at("long"), at("long.oa-archive"), "--key", at("me.key")});
  const std::string tool = std::string(OA_ARCHIVE) + " ";
  const auto head = [&](const std::string& command) {
    return run({"bash", "-o", "pipefail", "-c", tool + command + " | head -c 100"});
  };
  for (const auto& command : {"ls " + at("long.oa-archive"), "cat " + archive() + " noise.bin",
                              "index " + archive(), "ls --json " + at("long.oa-archive")}) {
    const auto finished = head(command + " --trust " + key());
    EXPECT_EQ(finished.status, 0) << command << finished.err;
    EXPECT_EQ(finished.out.size(), 100u);
    EXPECT_EQ(finished.err, "");
  }
}

}  // namespace
}  // namespace oa
