#include <condition_variable>
#include <mutex>
#include <thread>

#include "oa/catalog/replication_state.h"
#include "oa/durability/replication.h"

namespace oa::durability {
namespace {

// Who died in a round is followed after so long. Two rounds at once do no harm: the later one
// counts.
constexpr std::int64_t kLease_us = 120'000'000;

class Monitor final : public ReplicationMonitor {
 public:
  Monitor(ReplicationParts parts, ReplicationSettings settings,
          std::function<void(const Error&)> trouble)
      : parts_(parts),
        settings_(settings),
        trouble_(std::move(trouble)),
        rounds_(parts, settings),
        thread_([this] { run(); }) {}
  ~Monitor() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    rounds_.cancel();
    wake_.notify_all();
    thread_.join();
  }

 private:
  void run() {
    for (;;) {
      const Status done = look();
      if (!done.ok() && trouble_) trouble_(done.error());
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, settings_.every, [this] { return stopping_; })) return;
    }
  }

  Status look() {
    catalog::ReplicationRecord record(parts_.database);
    const Timestamp now = Timestamp::now();
    OA_ASSIGN(const auto claimed, record.claim(now, {now.unix_us + kLease_us}));
    if (!claimed.has_value()) return {};
    OA_ASSIGN(auto state, ReplicationState::parse(*claimed));
    const Status looked = rounds_.look(state);
    const auto pause = std::chrono::microseconds(settings_.every).count() / 2;
    OA_TRY(record.write(state.document(), {Timestamp::now().unix_us + pause}));
    return looked;
  }

  const ReplicationParts parts_;
  const ReplicationSettings settings_;
  const std::function<void(const Error&)> trouble_;
  ReplicationRounds rounds_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace

std::unique_ptr<ReplicationMonitor> ReplicationMonitor::start(
    ReplicationParts parts, ReplicationSettings settings,
    std::function<void(const Error&)> trouble) {
  return std::make_unique<Monitor>(parts, settings, std::move(trouble));
}

Result<ReplicationState> read_replication(catalog::Database& database) {
  OA_ASSIGN(const auto document, catalog::ReplicationRecord(database).read());
  if (!document.has_value()) return ReplicationState{};
  return ReplicationState::parse(*document);
}

}  // namespace oa::durability
