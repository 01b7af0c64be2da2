// Receives a server's log for a number of seconds and prints what it measured.
//   receiver_bench CONNINFO FOLDER SECONDS
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "oa/keys/local_key_service.h"
#include "oa/wal/receiver.h"

namespace oa::wal {
namespace {

int run(const std::string& conninfo, const std::string& folder, int seconds) {
  std::filesystem::create_directory(folder);
  const auto keys = LocalKeyService::create(folder + "/keys", {folder + "/root", {}}).value();
  const auto cell = TenantId::random();
  keys->create_tenant_key(cell).value();
  const auto log = open_local_wal(folder + "/wal", *keys, cell, Access::kWrite).value();
  ReceiverSettings settings;
  settings.conninfo = conninfo;
  const auto receiver = Receiver::start(settings, *log).value();
  std::vector<LagMinute> minutes;
  // What was there already is no lag.
  const auto caught_up = [&] {
    const auto state = receiver->state();
    return state.connected && state.server_end.value > 0 && state.durable >= state.server_end;
  };
  for (int i = 0; i < 6000 && !caught_up(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  receiver->take_lag();
  for (int i = 0; i < seconds; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    for (const auto& minute : receiver->take_lag())
      if (minute.batches > 0) minutes.push_back(minute);
  }
  const auto state = receiver->state();
  if (state.trouble || minutes.empty()) {
    std::fprintf(stderr, "nothing received: %s\n",
                 state.trouble ? state.trouble->cause.c_str() : "");
    return 1;
  }
  std::uint64_t batches = 0, worst_bytes = 0;
  double worst_ms = 0;
  std::sort(minutes.begin(), minutes.end(),
            [](const auto& a, const auto& b) { return a.median_ms < b.median_ms; });
  for (const auto& minute : minutes) {
    batches += minute.batches;
    worst_ms = std::max(worst_ms, minute.worst_ms);
    worst_bytes = std::max(worst_bytes, minute.worst_bytes);
  }
  std::uint64_t seen = 0;
  double median_ms = 0;  // of the seconds' medians, each as often as it has batches
  for (const auto& minute : minutes) {
    seen += minute.batches;
    median_ms = minute.median_ms;
    if (2 * seen >= batches) break;
  }
  std::printf("lag: median %.2f ms, worst %.1f ms, worst %.0f KiB; %llu batches\n", median_ms,
              worst_ms, static_cast<double>(worst_bytes) / 1024,
              static_cast<unsigned long long>(batches));
  return 0;
}

}  // namespace
}  // namespace oa::wal

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: receiver_bench CONNINFO FOLDER SECONDS\n");
    return 2;
  }
  return oa::wal::run(argv[1], argv[2], std::atoi(argv[3]));
}
