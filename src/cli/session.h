// What commands share: the global options, the instance behind --data, and an archive by file name
// or id.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/archive/reader.h"
#include "oa/archive_cli/trust.h"
#include "oa/console/output.h"
#include "oa/instance/instance.h"

namespace oa::cli {

using archive_cli::TrustOptions;
using console::Output;

struct GlobalOptions {
  std::string data_folder;
  std::string passphrase_file;
  std::string config_file;  // empty: everything is in the data folder
  bool json = false;
};

/// $OA_DATA, else /var/lib/oa-backup for root, else ~/.local/share/oa-backup.
std::string default_data_folder();

/// $OA_CONFIG, else none.
std::string default_config_file();

/// Opens the instance behind --data; makes it when `create`. Erasures that the database does not know
/// are carried out first, so that nobody's data comes out of an older backup; what fails there is the
/// result.
Result<std::unique_ptr<instance::Instance>> open_instance(const GlobalOptions& options,
                                                          bool create);
/// The same with more in `settings`, of which --data, --config and --passphrase-file are set here.
Result<std::unique_ptr<instance::Instance>> open_instance(const GlobalOptions& options,
                                                          instance::Settings settings);
/// The same without a look at the ledger of erasures: for what shows and repairs the installation itself,
/// and for a service, which looks on its own.
Result<std::unique_ptr<instance::Instance>> open_unfenced(const GlobalOptions& options,
                                                          instance::Settings settings = {});
/// --data, --config and --passphrase-file into `settings`, as far as they were given.
Status read_place(const GlobalOptions& options, instance::Settings& settings);

/// An archive named on the command line: a file, or the id of one that the tenant has in store.
struct NamedArchive {
  std::unique_ptr<RangedSource> source;
  std::unique_ptr<archive::ArchiveReader> reader;
};

/// `instance` and `tenant` may be absent for a file. kArchiveUntrustedSigner shows the fingerprint
/// to accept. `tenant_option` is how the command is told of the tenant, for hints.
Result<NamedArchive> open_archive(const std::string& name, instance::Instance* instance,
                                  const catalog::Tenant* tenant, const TrustOptions& trust,
                                  std::string_view tenant_option = "--tenant");

/// True when `name` can only be an archive in store.
bool is_archive_id(const std::string& name);

/// `text` as one word of a POSIX shell, quoted where it has to be: for commands to be pasted.
std::string shell_word(const std::string& text);
/// The tenant as a word behind --tenant: its name, or its id when the name cannot be pasted.
std::string shell_word(const catalog::Tenant& tenant);

/// Asks a person to type the tenant's name so that `what` happens, e.g. "to apply this plan".
/// kCancelled when something else is typed, `unattended` when nobody is there to ask.
Status confirm(const Output& output, const catalog::Tenant& tenant, std::string_view what,
               const Error& unattended);

/// Tells of a restore that was applied, and makes sure that it was written. When that fails the
/// error says that the restore holds: whoever reads it must not restore again.
Status tell_applied(RestoreId restore, const catalog::Tenant& tenant,
                    const std::function<Status()>& tell);

}  // namespace oa::cli
