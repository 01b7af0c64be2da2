#include "restore_child.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "testkit/process.h"

namespace oa::testkit {
namespace {

constexpr char kMark[] = "--apply-restore";
constexpr int kRefused = 3;

class KillingProgress final : public Progress {
 public:
  explicit KillingProgress(int kill_at) : kill_at_(kill_at) {}
  void begin(std::string_view, std::uint64_t, std::string_view) override { call(); }
  void update(std::uint64_t) override { call(); }

 private:
  void call() {
    if (++calls_ == kill_at_) kill(getpid(), SIGKILL);
  }
  const int kill_at_;
  int calls_ = 0;
};

void limit_files(std::uint64_t max_bytes) {
  if (max_bytes == 0) return;
  signal(SIGXFSZ, SIG_IGN);  // so that write() fails
  const rlimit limit{max_bytes, max_bytes};
  OA_ASSERT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

Result<catalog::RestoreRecord> apply_saved(RestoreWorld& world, const WorldTenant& tenant,
                                           RestoreId id, Progress& progress) {
  const auto record = world.record(tenant, id);
  std::optional<restore::StoredArchive> archive;
  if (record.kind != catalog::RestoreKind::kUndo) {
    auto snapshot = must(world.database().begin(tenant.tenant.id, catalog::Isolation::kSnapshot));
    archive = world.open(tenant, must(catalog::Archives(snapshot).get(record.archive_id)));
  }
  const auto prepared = must(restore::reopen_plan(
      world.engine(tenant), record, archive ? archive->reader.get() : nullptr, no_progress()));
  return world.apply(tenant, prepared, progress);
}

}  // namespace

ChildOutcome apply_in_child(RestoreWorld& world, const WorldTenant& tenant, RestoreId restore,
                            const ChildRun& run) {
  const Finished finished = testkit::run(
      {"/proc/self/exe", kMark, world.data_folder(), tenant.tenant.id.str(), restore.str(),
       std::to_string(run.kill_at), std::to_string(run.max_file_bytes)});
  if (finished.status == 128 + SIGKILL) return {true, {}};
  if (finished.status == 0) return {};
  if (finished.status == kRefused) return {false, finished.out};
  throw std::runtime_error("the child ended with " + std::to_string(finished.status) + ": " +
                           finished.err);
}

std::optional<int> child_main(int argc, char** argv) {
  if (argc != 7 || std::string_view(argv[1]) != kMark) return std::nullopt;
  try {
    const auto world = RestoreWorld::join(argv[2]);
    const auto tenant = world->find_tenant(argv[3]);
    KillingProgress progress(std::atoi(argv[5]));
    limit_files(std::strtoull(argv[6], nullptr, 10));
    const auto applied = apply_saved(*world, tenant, must(RestoreId::parse(argv[4])), progress);
    if (applied.ok()) return 0;
    std::fputs(std::string(error_info(applied.error().code).name).c_str(), stdout);
    return kRefused;
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}

}  // namespace oa::testkit
