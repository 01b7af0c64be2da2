// Key pairs of signers, as minisign's files.
#pragma once

#include <string>
#include <vector>

#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/console/output.h"

namespace oa::archive_cli {

struct KeysOptions {
  std::string secret_file;
  std::string public_file;
  std::vector<std::string> files;   // to show
  std::string passphrase_file;      // empty: asked on the terminal
  std::string new_passphrase_file;  // the same, of a changed one
  bool no_passphrase = false;       // the key is (new) or becomes (changed) unencrypted
};

/// Makes a pair. Neither file may exist: kAlreadyExists.
Status run_keys_new(const KeysOptions& options, const console::Output& output, Progress& progress);
/// Key id, fingerprint and base64 of public and secret key files.
Status run_keys_show(const KeysOptions& options, const console::Output& output, Progress& progress);
/// Encrypts a secret key file anew, in its place. kKeyWrong when the old passphrase does not open
/// it.
Status run_keys_change_passphrase(const KeysOptions& options, const console::Output& output,
                                  Progress& progress);

}  // namespace oa::archive_cli
