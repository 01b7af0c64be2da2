// Whose archives are accepted on the command line, and opening one under that.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oa/archive/reader.h"

namespace CLI {
class App;
}

namespace oa::archive_cli {

/// Several may be given of each: an archive is accepted when any of them made it, so the keys of a
/// signer before and after a rotation can stand side by side.
struct TrustOptions {
  std::vector<std::string> key_files;     // minisign public key files
  std::vector<std::string> keys;          // the base64 line of such a file
  std::vector<std::string> fingerprints;  // as a refusal shows them
};

void add_trust_options(CLI::App& command, TrustOptions& trust);

/// Opens an archive that a key of `trusted` or one that `trust` names has signed. `source` is
/// borrowed for the reader's life. kArchiveUntrustedSigner shows the signer's fingerprint and what
/// to do with it; kInvalidArgument for what is no key or fingerprint; else as
/// ArchiveReader::open().
Result<std::unique_ptr<archive::ArchiveReader>> open_trusted(const RangedSource& source,
                                                             std::vector<PublicKey> trusted,
                                                             const TrustOptions& trust);

}  // namespace oa::archive_cli
