// oa-archive as a maker of archives meets it: folders into archives, keys, interruptions, other
// tools.
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <thread>

#include "testkit/archive_tool.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using testkit::contents_of;
using testkit::oa_archive;
using testkit::oa_archive_json;
using testkit::run;
using testkit::SignerFolder;
using testkit::write_file;

std::string text(const json::value& value) { return std::string(value.as_string()); }

const auto refusal = testkit::archive_tool_refusal;

TEST(ArchivePack, TheSameBytesOnEveryRunWithAnyThreads) {
  const SignerFolder folder;
  folder.pack("one");
  for (const char* threads : {"1", "2", "7"}) {
    oa_archive_json({"pack", folder / "in", folder / "again", "--key", folder / "me.key",
                     "--archive-id", "11111111-1111-4111-8111-111111111111", "--snapshot-time",
                     "2026-04-16T09:00:00Z", "--threads", threads, "--force"});
    EXPECT_EQ(contents_of(folder / "again"), contents_of(folder / "one")) << threads;
  }
  const auto pack_other = [&](const std::string& name) {
    return text(oa_archive_json({"pack", folder / "in", folder / name, "--key", folder / "me.key"})
                    .at("archive_id"));
  };
  EXPECT_NE(pack_other("random1"), pack_other("random2"));
}

TEST(ArchivePack, OtherToolsReadWhatItMakes) {
  const SignerFolder folder;
  folder.pack("t.oa-archive");
  EXPECT_EQ(run({"zstd", "-q", "-t", folder / "t.oa-archive"}).status, 0);
  fs::create_directory(folder / "tar");
  ASSERT_EQ(run({"tar", "--zstd", "-xf", folder / "t.oa-archive", "-C", folder / "tar"}).status, 0);
  for (const auto& [path, content] : folder.files()) {
    EXPECT_EQ(contents_of(folder / ("tar/" + path)), content);
    const auto checked =
        run({"minisign", "-V", "-p", folder / "me.pub", "-m", folder / ("tar/" + path), "-x",
             folder / ("tar/signatures/" + path + ".sig")});
    EXPECT_EQ(checked.status, 0) << path << checked.out << checked.err;
  }
  const std::string manifest = contents_of(folder / "tar/manifest.json");
  EXPECT_NE(manifest.find("\"counts\":{\"files\":46}"), std::string::npos) << manifest;
  EXPECT_NE(manifest.find("\"options\":{\"packed_from\":\"folder\"}"), std::string::npos);
}

TEST(ArchivePack, KeysThatMinisignMadeSign) {
  const SignerFolder folder;
  ASSERT_EQ(run({"minisign", "-G", "-W", "-p", folder / "theirs.pub", "-s", folder / "theirs.key"})
                .status,
            0);
  folder.pack("t.oa-archive", "theirs.key");
  EXPECT_EQ(refusal({"verify", folder / "t.oa-archive", "--trust", folder / "theirs.pub",
                     "--every-signature"}),
            "");
}

TEST(ArchivePack, WhatAnArchiveCannotHoldIsRefusedAndNothingIsLeft) {
  const SignerFolder folder;
  const auto refused = [&](const std::string& code) {
    const auto before = folder.names();
    EXPECT_EQ(refusal({"pack", folder / "in", folder / "t", "--key", folder / "me.key"}), code);
    EXPECT_EQ(folder.names(), before);
  };
  const auto with_file = [&](const std::string& name) {
    write_file(folder / ("in/" + name), "x");
    refused("request/invalid");
    fs::remove(folder / ("in/" + name));
  };
  fs::create_symlink("a.b", folder / "in/link");
  refused("request/unsupported");
  fs::remove(folder / "in/link");
  fs::create_directory_symlink("a", folder / "in/many/link");
  refused("request/unsupported");
  fs::remove(folder / "in/many/link");
  ASSERT_EQ(mkfifo((folder / "in/pipe").c_str(), 0600), 0);
  refused("request/unsupported");
  fs::remove(folder / "in/pipe");
  with_file("manifest.json");
  with_file("signatures");
  with_file("signatures/a");
  fs::remove(folder / "in/signatures");
  with_file("line\nbreak");
  with_file("back\\slash");
  with_file("not utf-8 \xff");
  EXPECT_EQ(refusal({"pack", folder / "in", folder / "t", "--key", folder / "me.key"}), "");
}

TEST(ArchivePack, NamesThatOnlyLookLikePartsAreFine) {
  const SignerFolder folder;
  write_file(folder / "in/a/manifest.json", "x");
  write_file(folder / "in/a/signatures/b", "x");
  write_file(folder / "in/signatures.txt", "x");
  folder.pack("t");
  EXPECT_EQ(refusal({"verify", folder / "t", "--trust", folder / "me.pub"}), "");
}

TEST(ArchivePack, RefusesWhatWouldHarm) {
  const SignerFolder folder;
  const auto pack = [&](const std::string& in, const std::string& out,
                        const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"pack", folder / in, folder / out, "--key",
                                          folder / "me.key"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return refusal(arguments);
  };
  EXPECT_EQ(pack("in", "in/t"), "request/invalid");
  EXPECT_EQ(pack("in", "in/a/../a/t"), "request/invalid");
  fs::create_directory_symlink("in/a", folder / "elsewhere");
  EXPECT_EQ(pack("in", "elsewhere/t"), "request/invalid");
  EXPECT_EQ(pack("in", "no/such/t"), "resource/not-found");
  EXPECT_EQ(pack("missing", "t"), "resource/not-found");
  EXPECT_EQ(pack("in", "t", {"--archive-id", "1"}), "request/invalid");
  EXPECT_EQ(pack("in", "t", {"--tenant-id", "1"}), "request/invalid");
  EXPECT_EQ(pack("in", "t", {"--snapshot-time", "yesterday"}), "request/invalid");
  EXPECT_EQ(pack("in", "t", {"--snapshot-time", "1969-12-31T23:59:59Z"}), "request/invalid");
  EXPECT_FALSE(fs::exists(folder / "t"));
  write_file(folder / "t", "precious");
  EXPECT_EQ(pack("in", "t"), "resource/already-exists");
  EXPECT_EQ(contents_of(folder / "t"), "precious");
  EXPECT_EQ(pack("in", "t", {"--force", "--tenant-id", "22222222-2222-4222-8222-222222222222"}),
            "");
  EXPECT_EQ(
      text(oa_archive_json({"verify", folder / "t", "--trust", folder / "me.pub"}).at("tenant_id")),
      "22222222-2222-4222-8222-222222222222");
  EXPECT_EQ(refusal({"pack", folder / "in", folder / "u", "--key", folder / "me.pub"}),
            "request/invalid");
}

TEST(ArchivePack, AFileThatGrowsIsRefused) {
  const SignerFolder folder;
  // Large enough that the other thread surely runs while it is read.
  write_file(folder / "in/log", "");
  fs::resize_file(folder / "in/log", std::uintmax_t{256} << 20);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) fs::resize_file(folder / "in/log", fs::file_size(folder / "in/log") + 1);
  });
  const std::string code =
      refusal({"pack", folder / "in", folder / "t", "--key", folder / "me.key"});
  stop = true;
  writer.join();
  EXPECT_EQ(code, "resource/precondition-failed");
  EXPECT_FALSE(fs::exists(folder / "t"));
}

TEST(ArchivePack, AnEmptyFolderIsAnArchiveAndSaysWhatIsNotInIt) {
  const SignerFolder folder;
  fs::create_directories(folder / "bare/sub");
  const auto packed =
      oa_archive({"pack", folder / "bare", folder / "t", "--key", folder / "me.key"});
  EXPECT_NE(packed.out.find("1 empty folders are not in it"), std::string::npos) << packed.out;
  EXPECT_EQ(refusal({"verify", folder / "t", "--trust", folder / "me.pub"}), "");
  EXPECT_EQ(
      refusal({"extract", folder / "t", "--trust", folder / "me.pub", "--output", folder / "out"}),
      "");
}

// Ends `command` by SIGINT as soon as it has begun to write.
int interrupted(const std::vector<std::string>& command, const std::function<bool()>& begun) {
  testkit::Running running(command);
  while (!begun() && !running.wait(1)) {
  }
  running.send(SIGINT);
  return running.wait(30'000) ? running.status() : -1;
}

TEST(ArchivePack, TheSignersKeyIsNotPacked) {
  const SignerFolder folder;
  EXPECT_EQ(refusal({"pack", folder / "", folder / "../t.oa-archive", "--key", folder / "me.key"}),
            "request/invalid");
  EXPECT_FALSE(fs::exists(folder / "../t.oa-archive"));
}

TEST(ArchiveInterrupted, LeavesNothingHalfDone) {
  const SignerFolder folder;
  write_file(folder / "big/sparse", "");
  fs::resize_file(folder / "big/sparse", std::uintmax_t{256} << 20);
  const auto before = folder.names();
  EXPECT_EQ(
      interrupted({OA_ARCHIVE, "pack", folder / "big", folder / "t", "--key", folder / "me.key"},
                  [&] { return folder.names() != before; }),
      130);
  EXPECT_EQ(folder.names(), before);

  oa_archive_json({"pack", folder / "big", folder / "t", "--key", folder / "me.key"});
  EXPECT_EQ(interrupted({OA_ARCHIVE, "extract", folder / "t", "--trust", folder / "me.pub",
                         "--output", folder / "out"},
                        [&] { return !testkit::files_below(folder / "out").empty(); }),
            130);
  EXPECT_TRUE(testkit::files_below(folder / "out").empty());
}

TEST(ArchiveKeys, ArePairsForTheirOwnerOnlyAndNeverOverwritten) {
  const SignerFolder folder;
  struct stat info {};
  ASSERT_EQ(stat((folder / "me.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0600u);
  const std::string secret = contents_of(folder / "me.key");
  const auto make = [&](const std::string& secret_name, const std::string& public_name) {
    return refusal({"keys", "new", "--secret", folder / secret_name, "--public",
                    folder / public_name, "--no-passphrase"});
  };
  EXPECT_EQ(make("me.key", "x.pub"), "resource/already-exists");
  EXPECT_EQ(make("x.key", "me.pub"), "resource/already-exists");
  EXPECT_EQ(contents_of(folder / "me.key"), secret);
  EXPECT_FALSE(fs::exists(folder / "x.key"));
  EXPECT_FALSE(fs::exists(folder / "x.pub"));
  const auto shown = oa_archive_json({"keys", "show", folder / "me.key", folder / "me.pub"});
  EXPECT_EQ(shown.at("data").at(0).at("public_key"), shown.at("data").at(1).at("public_key"));
  EXPECT_EQ(refusal({"keys", "show", folder / "in/a.b"}), "request/invalid");
}

TEST(ArchiveKeys, APassphraseOpensWhatItClosed) {
  const SignerFolder folder;
  write_file(folder / "right", "the right one\n");
  write_file(folder / "wrong", "the wrong one\n");
  const std::string secret = folder / "s.key";
  oa_archive_json({"keys", "new", "--secret", secret, "--public", folder / "s.pub",
                   "--passphrase-file", folder / "right"});
  const auto pack = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"pack", folder / "in", folder / "t", "--key", secret};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return refusal(arguments);
  };
  EXPECT_EQ(pack({"--passphrase-file", folder / "wrong"}), "key/wrong");
  EXPECT_EQ(pack({"--passphrase-file", folder / "in/a/empty"}), "request/invalid");
  EXPECT_FALSE(fs::exists(folder / "t"));
  EXPECT_EQ(pack({"--passphrase-file", folder / "right"}), "");
  EXPECT_EQ(refusal({"verify", folder / "t", "--trust", folder / "s.pub"}), "");

  EXPECT_EQ(refusal({"keys", "change-passphrase", secret, "--passphrase-file", folder / "right",
                     "--no-passphrase"}),
            "");
  const auto shown = oa_archive_json({"keys", "show", secret, folder / "s.pub"});
  EXPECT_EQ(shown.at("data").at(0).at("public_key"), shown.at("data").at(1).at("public_key"));
  EXPECT_EQ(text(shown.at("data").at(0).at("kind")), "secret, no passphrase");
}

// A terminal of the test's own: answers each prompt with the next line.
struct Talk {
  int status = -1;
  std::string shown;
};
Talk on_terminal(std::vector<std::string> arguments, const std::vector<std::string>& answers) {
  arguments.insert(arguments.begin(), OA_ARCHIVE);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  OA_ASSERT(pid >= 0);
  if (pid == 0) {
    execv(argv[0], argv.data());
    _exit(127);
  }
  Talk talk;
  std::size_t answered = 0;
  char buffer[4096];
  for (ssize_t n; (n = read(terminal, buffer, sizeof buffer)) > 0;) {
    talk.shown.append(buffer, static_cast<std::size_t>(n));
    if (answered == answers.size() || !talk.shown.ends_with(": ")) continue;
    const std::string line = answers[answered++] + "\n";
    OA_ASSERT(write(terminal, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  }
  int raw = 0;
  waitpid(pid, &raw, 0);
  close(terminal);
  talk.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return talk;
}

TEST(ArchiveKeys, AreAskedForOnATerminalWithoutEcho) {
  const SignerFolder folder;
  const std::vector<std::string> make = {"keys",           "new",      "--secret",
                                         folder / "t.key", "--public", folder / "t.pub"};
  const auto before = folder.names();
  const Talk differ = on_terminal(make, {"first-secret", "second-secret"});
  EXPECT_EQ(differ.status, 2) << differ.shown;
  EXPECT_NE(differ.shown.find("differ"), std::string::npos);
  EXPECT_EQ(differ.shown.find("first-secret"), std::string::npos);
  EXPECT_EQ(folder.names(), before);

  const Talk made = on_terminal(make, {"first-secret", "first-secret"});
  EXPECT_EQ(made.status, 0) << made.shown;
  const Talk shown = on_terminal({"keys", "show", folder / "t.key"}, {"first-secret"});
  EXPECT_EQ(shown.status, 0) << shown.shown;
  EXPECT_NE(shown.shown.find("fingerprint"), std::string::npos);
  EXPECT_EQ(run({"setsid", "-w", OA_ARCHIVE, "keys", "show", folder / "t.key"}).status, 2)
      << "without a terminal it says so and does not wait";
}

}  // namespace
}  // namespace oa
