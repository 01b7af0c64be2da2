// The commands, each a plain function from its options to a Status. app.cc binds them to the
// command line.
#pragma once

#include "oa/archive_cli/difference.h"
#include "oa/archive_cli/reading.h"
#include "session.h"

namespace oa::cli {

struct Context {
  GlobalOptions options;
  const Output& output;
  Progress& progress;
  int& exit_status;  // of the program when the command succeeds; 0 unless it sets another
};

struct DemoOptions {
  std::uint64_t rows = 200'000;
};
Status run_demo(const Context& context, const DemoOptions& options);

struct TenantOptions {
  std::string name;
  std::string plan = "starter";
};
Status run_tenant_create(const Context& context, const TenantOptions& options);
Status run_tenant_list(const Context& context);
Status run_tenant_set_plan(const Context& context, const TenantOptions& options);
Status run_tenant_show(const Context& context, const TenantOptions& options);

struct KeyOptions {
  std::string tenant;
  std::string public_key;  // minisign public key file
  std::string fingerprint;
  std::string owner;  // e-mail of who decides
  std::string note;
};
Status run_keys_list(const Context& context, const KeyOptions& options);
Status run_keys_rotate(const Context& context, const KeyOptions& options);
Status run_keys_accept(const Context& context, const KeyOptions& options);
Status run_keys_accepted(const Context& context, const KeyOptions& options);
Status run_keys_revoke(const Context& context, const KeyOptions& options);

struct ArchiveCreateOptions {
  std::string tenant;
  bool rows = false;
  bool audit = false;
  std::vector<std::string> workspaces;
  std::string output;
};
Status run_archive_create(const Context& context, const ArchiveCreateOptions& options);
Status run_archive_list(const Context& context, const std::string& tenant);

/// For commands that read one archive; `read.archive` is a file or an id.
struct ArchiveOptions {
  std::string tenant;
  archive_cli::ReadOptions read;
};
Status run_archive_read(const Context& context, const archive_cli::ReadCommand& command,
                        const ArchiveOptions& options);
/// Exit status 6 when a report shows something else.
Status run_archive_probe(const Context& context, const ArchiveOptions& options);
Status run_archive_download(const Context& context, const ArchiveOptions& options);

struct ArchiveDeleteOptions {
  std::string id;
  std::string tenant;
  bool yes = false;
};
Status run_archive_delete(const Context& context, const ArchiveDeleteOptions& options);
Status run_archive_sweep(const Context& context, const std::string& tenant);

struct DiffOptions {
  archive_cli::DiffOptions archives;  // files or ids; without `after`, the tenant as it is
  std::string tenant;
};
Status run_archive_diff(const Context& context, const DiffOptions& options);

struct ImportOptions {
  std::string archive;
  std::string from_tenant;
  TrustOptions trust;
  std::string name;
  std::string plan = "starter";
  std::string owner;  // e-mail
  bool leave_out_blocked = false;
};
Status run_tenant_import(const Context& context, const ImportOptions& options);

}  // namespace oa::cli
