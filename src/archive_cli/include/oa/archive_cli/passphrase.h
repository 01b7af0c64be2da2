// Where a passphrase comes from: the first line of a file, or a terminal.
#pragma once

#include <string>

#include "oa/crypto/secret.h"

namespace oa::archive_cli {

/// What it is called, and the option that names a file, in messages.
struct PassphraseWords {
  std::string what = "passphrase";
  std::string file_option = "--passphrase-file";
};

/// The first line of a file; kInvalidArgument when it is empty, kLimitExceeded past 4096 bytes.
Result<SecretBytes> read_passphrase_file(const std::string& path,
                                         const PassphraseWords& words = {});

/// Asks on the controlling terminal, without echo; `twice` asks again and compares
/// (kInvalidArgument when they differ). kInvalidArgument when there is no terminal; kCancelled when
/// interrupted.
Result<SecretBytes> ask_passphrase(const std::string& prompt, bool twice,
                                   const PassphraseWords& words = {});

/// From the file when one is named, else from the terminal.
Result<SecretBytes> passphrase_from(const std::string& file, const std::string& prompt, bool twice,
                                    const PassphraseWords& words = {});

}  // namespace oa::archive_cli
