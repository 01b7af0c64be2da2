// A token of SoftHSM in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "keys_testkit.h"
#include "oa/keys/pkcs11_key_service.h"

namespace oa {

class SoftToken {
 public:
  SoftToken() : folder_(new_folder()) {
    std::filesystem::create_directory(folder_ + "/tokens");
    std::ofstream(folder_ + "/softhsm2.conf")
        << "directories.tokendir = " << folder_ << "/tokens\nobjectstore.backend = file\n"
        << "log.level = ERROR\nslots.removable = false\n";
    // Read by the module when it is initialised.
    EXPECT_EQ(setenv("SOFTHSM2_CONF", (folder_ + "/softhsm2.conf").c_str(), 1), 0);
    run("softhsm2-util --init-token --free --label tenants --so-pin 12345678 --pin 4711");
  }
  ~SoftToken() {
    std::filesystem::remove_all(folder_);
    unsetenv("SOFTHSM2_CONF");
  }
  SoftToken(const SoftToken&) = delete;
  SoftToken& operator=(const SoftToken&) = delete;

  Pkcs11Settings settings(std::string_view pin = "4711") const {
    return {.module_path = "/usr/lib/softhsm/libsofthsm2.so",
            .token_label = "tenants",
            .pin = SecretBytes::copy_of(as_bytes(pin)),
            .lock_file = folder_ + "/lock"};
  }
  /// Takes the token out, and puts it back.
  void remove() const { std::filesystem::rename(folder_ + "/tokens", folder_ + "/away"); }
  void put_back() const { std::filesystem::rename(folder_ + "/away", folder_ + "/tokens"); }
  std::string folder() const { return folder_; }

 private:
  static void run(const std::string& command) {
    EXPECT_EQ(std::system((command + " >/dev/null").c_str()), 0) << command;
  }
  const std::string folder_;
};

}  // namespace oa
