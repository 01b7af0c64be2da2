// What the tests of the key store share.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "oa/keys/local_key_service.h"

namespace oa {

inline std::string new_folder() {
  char folder[] = "/tmp/oa-keys-XXXXXX";
  EXPECT_NE(mkdtemp(folder), nullptr);
  return folder;
}

/// A folder of its own with a path for a key store and a root key file.
class KeyStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = new_folder();
    store_ = folder_ + "/keys";
    root_.key_file = folder_ + "/root.key";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<KeyService> create() const { return *LocalKeyService::create(store_, root_); }
  std::unique_ptr<KeyService> open() const { return *LocalKeyService::open(store_, root_); }
  ErrorCode open_error(const RootKeySource& root) const {
    const auto opened = LocalKeyService::open(store_, root);
    return opened.ok() ? ErrorCode::kInternal : opened.error().code;
  }
  static RootKeySource with_passphrase(std::string_view text) {
    return {"", SecretBytes::copy_of(as_bytes(text))};
  }

  std::string folder_;
  std::string store_;
  RootKeySource root_;
};

/// Runs `body` in another process; its result is the exit status.
inline pid_t in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}

inline int exit_status_of(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace oa
