#include "erasure_watch.h"

#include <boost/json.hpp>

#include "oa/operations/privacy.h"

namespace oa::api {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr int kTicksPerReplay = 30;

}  // namespace

ErasureWatch::ErasureWatch(instance::Instance& instance, Measures& measures,
                           std::function<void(const std::string&)> log)
    : instance_(instance), measures_(measures), log_(std::move(log)), thread_([this] { run(); }) {}

ErasureWatch::~ErasureWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ErasureWatch::await_first_look(std::chrono::seconds at_most) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, at_most, [this] { return looked_; });
}

void ErasureWatch::run() {
  for (int tick = 0;; ++tick) {
    look(tick % kTicksPerReplay == 0);
    std::unique_lock lock(mutex_);
    looked_ = true;
    wake_.notify_all();
    if (wake_.wait_for(lock, kTick, [this] { return stopping_; })) return;
  }
}

void ErasureWatch::look(bool thoroughly) {
  const Status same = instance_.erasures().look();
  if (same.ok() && !thoroughly) return;
  if (!replay().ok()) return;
  const auto eraser = operations::eraser_of(instance_);
  if (!eraser.ok()) return;
  const auto due = operations::carry_out_due_erasures(instance_, Timestamp::now(), no_progress());
  tell("erasures", due.ok() ? Status() : Status(due.error()), due.ok() ? *due : 0);
}

Status ErasureWatch::replay() {
  const auto replayed = instance_.erasures().replay(no_progress());
  const Status done = replayed.ok() ? Status() : Status(replayed.error());
  tell("erasure-replay", done, replayed.ok() ? *replayed : 0);
  return done;
}

// Of trouble once for each change, not for each look.
void ErasureWatch::tell(const char* what, const Status& done, std::uint64_t count) {
  const std::string code = done.ok() ? "" : std::string(error_info(done.error().code).name);
  if (!done.ok() || count > 0) measures_.add_round(what, done.ok() ? "succeeded" : code);
  if (!log_ || (done.ok() && count == 0 && told_.empty()) || (!done.ok() && told_ == code)) return;
  told_ = code;
  json::object line{{"level", done.ok() ? "info" : "error"},
                    {"ts", Timestamp::now().rfc3339()},
                    {"operation", what},
                    {"erasures", count}};
  if (!done.ok()) {
    line["code"] = code;
    line["op"] = done.error().op;
    line["cause"] = done.error().message + " " + done.error().cause;
  }
  log_(json::serialize(line));
}

}  // namespace oa::api
