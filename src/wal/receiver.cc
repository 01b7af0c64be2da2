#include "oa/wal/receiver.h"

#include <poll.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "lag_book.h"
#include "receiver_session.h"

namespace oa::wal {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxBatch = 1 << 20;
constexpr double kUsPerMs = 1000;
constexpr milliseconds kMaxPause{600'000};

Status check(const ReceiverSettings& settings) {
  const auto refuse = [](const char* what) {
    return make_error(ErrorCode::kInvalidArgument, "wal.receive", what);
  };
  if (!is_valid_slot_name(settings.slot))
    return refuse("a slot is named with up to 63 lower-case letters, digits and underscores");
  if (settings.application_name.empty() || settings.application_name.size() > 63)
    return refuse("an application name has 1 to 63 characters");
  if (settings.batch_bytes == 0 || settings.batch_bytes > kMaxBatch)
    return refuse("a batch has at most 1 MiB");
  if (settings.connect_timeout <= milliseconds::zero() ||
      settings.silence_timeout < milliseconds(1000) || settings.first_pause < milliseconds(1) ||
      settings.longest_pause < settings.first_pause || settings.longest_pause > kMaxPause)
    return refuse("a time limit of the receiver is out of its range");
  return {};
}

}  // namespace

struct Receiver::Impl final : SessionEvents {
  Impl(ReceiverSettings wanted, SealedWal& log)
      : settings(std::move(wanted)), session(settings, log, wakeup, *this) {}

  void streaming(Timeline timeline, Lsn from) override {
    const std::lock_guard guard(mutex);
    state.connected = true;
    state.timeline = timeline;
    state.received = state.durable = from;
    advanced = true;
    changed.notify_all();
  }
  void heard(Lsn server_end) override {
    const std::lock_guard guard(mutex);
    state.server_end = server_end;
    state.last_message_at = last_contact = Timestamp::now();
    if (server_end <= state.durable) state.trouble.reset();
  }
  void received(Lsn end) override {
    const std::lock_guard guard(mutex);
    state.received = end;
  }
  void durable(Lsn end, Timestamp sent) override {
    const auto now = Timestamp::now();
    const std::lock_guard guard(mutex);
    state.durable = end;
    state.trouble.reset();
    const auto lag_us = std::max<std::int64_t>(0, now.unix_us - sent.unix_us);
    lag.batch(now, static_cast<double>(lag_us) / kUsPerMs,
              state.server_end > end ? state.server_end.value - end.value : 0);
    changed.notify_all();
  }
  void gap(const Gap& gap) override {
    const std::lock_guard guard(mutex);
    state.gap = gap;
  }
  void damaged(const Damage& damage) override {
    const std::lock_guard guard(mutex);
    state.damaged = damage;
  }

  void run();
  bool pause(milliseconds length);
  void note(const Error& error);

  const ReceiverSettings settings;
  Wakeup wakeup;
  ReceiverSession session;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  ReceiverState state;
  LagBook lag;
  Timestamp last_contact = Timestamp::now();
  bool advanced = false;  // something was streamed since the last failure
  std::thread thread;
};

void Receiver::Impl::note(const Error& error) {
  const auto now = Timestamp::now();
  const std::lock_guard guard(mutex);
  lag.silence(now, static_cast<double>(now.unix_us - last_contact.unix_us) / kUsPerMs);
  state.connected = false;
  state.trouble = error;
  ++state.reconnects;
}

// False when the wakeup ended it. The silence is noted on the way.
bool Receiver::Impl::pause(milliseconds length) {
  constexpr milliseconds kStep{1000};
  for (auto left = length; left > milliseconds::zero(); left -= kStep) {
    pollfd wait{wakeup.fd(), POLLIN, 0};
    ::poll(&wait, 1, static_cast<int>(std::min(left, kStep).count()));
    if (wakeup.fired()) return false;
    const auto now = Timestamp::now();
    const std::lock_guard guard(mutex);
    lag.silence(now, static_cast<double>(now.unix_us - last_contact.unix_us) / kUsPerMs);
  }
  return !wakeup.fired();
}

void Receiver::Impl::run() {
  std::mt19937_64 random{std::random_device{}()};
  auto longest = settings.first_pause;
  for (;;) {
    const Error error = session.run();
    if (wakeup.fired()) break;
    note(error);
    if (std::exchange(advanced, false)) longest = settings.first_pause;
    // Half of it for certain, the rest by chance, so that many receivers do not come at once.
    const auto half = longest.count() / 2;
    if (!pause(milliseconds(
            half + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(half + 1)))))
      break;
    longest = std::min(2 * longest, settings.longest_pause);
  }
  const std::lock_guard guard(mutex);
  state.connected = false;
  changed.notify_all();
}

Receiver::Receiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Receiver::~Receiver() { stop(); }

Result<std::unique_ptr<Receiver>> Receiver::start(ReceiverSettings settings, SealedWal& log) {
  OA_TRY(check(settings));
  auto impl = std::make_unique<Impl>(std::move(settings), log);
  impl->thread = std::thread([running = impl.get()] {
    try {
      running->run();
    } catch (const std::exception& exception) {
      running->note(make_error(ErrorCode::kInternal, "wal.receive", "the receiver ended")
                        .with_hint("start the service again")
                        .with_cause(exception.what()));
    }
  });
  return std::unique_ptr<Receiver>(new Receiver(std::move(impl)));
}

ReceiverState Receiver::state() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->state;
}

bool Receiver::wait_for(Lsn lsn, milliseconds timeout) const {
  std::unique_lock guard(impl_->mutex);
  return impl_->changed.wait_for(guard, timeout, [&] { return impl_->state.durable >= lsn; });
}

std::vector<LagMinute> Receiver::take_lag() {
  const std::lock_guard guard(impl_->mutex);
  return impl_->lag.take();
}

void Receiver::stop() {
  impl_->wakeup.fire();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Status drop_slot(const ReceiverSettings& settings) {
  OA_TRY(check(settings));
  Wakeup never;
  OA_ASSIGN(auto connection, ReplicationConnection::open(settings, never));
  OA_ASSIGN(const auto rows, connection.command("READ_REPLICATION_SLOT \"" + settings.slot + "\""));
  if (rows.size() != 1 || rows[0].empty() || !rows[0][0]) return {};
  OA_TRY(connection.command("DROP_REPLICATION_SLOT \"" + settings.slot + "\" WAIT"));
  return {};
}

}  // namespace oa::wal
