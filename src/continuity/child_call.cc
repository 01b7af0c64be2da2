#include "child_call.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

namespace oa::continuity {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kPoll = milliseconds(100);
constexpr auto kTermTimeout = seconds(5);
constexpr auto kKillTimeout = seconds(2);
constexpr auto kDrainTimeout = seconds(2);  // what the program started may still hold the pipe
constexpr std::size_t kMaxLine = 16 << 10;

// Collects the end of the output and hands out lines.
class Output {
 public:
  explicit Output(const CallLimits& limits) : limits_(limits) {}

  void add(std::string_view piece) {
    kept_ += piece;
    if (kept_.size() > 2 * limits_.keep_bytes) cut();
    if (!limits_.on_line) return;
    line_ += piece;
    std::size_t from = 0;
    for (std::size_t end; (end = line_.find('\n', from)) != std::string::npos; from = end + 1)
      limits_.on_line(std::string_view(line_).substr(from, end - from));
    line_.erase(0, from);
    if (line_.size() > kMaxLine) line_.clear();
  }
  void finish(Outcome& outcome) {
    if (!line_.empty() && limits_.on_line) limits_.on_line(line_);
    if (kept_.size() > limits_.keep_bytes) cut();
    outcome.cut = cut_;
    outcome.output = std::move(kept_);
  }

 private:
  void cut() {
    kept_.erase(0, kept_.size() - limits_.keep_bytes);
    cut_ = true;
  }
  const CallLimits& limits_;
  std::string kept_, line_;
  bool cut_ = false;
};

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
};

// True once it has ended; `status` is then set.
bool collect(pid_t pid, int& status) {
  int wait_status = 0;
  const pid_t waited = waitpid(pid, &wait_status, WNOHANG);
  if (waited == 0) return false;
  if (waited == pid)
    status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
  return true;
}

bool ends_within(pid_t pid, int& status, seconds limit) {
  for (const auto deadline = Clock::now() + limit; !collect(pid, status);) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

// It leads a session and so a group of its own.
void end_child(pid_t pid, int& status) {
  status = 128 + SIGKILL;
  kill(-pid, SIGTERM);
  if (ends_within(pid, status, kTermTimeout)) {
    kill(-pid, SIGKILL);  // those it left
    return;
  }
  kill(-pid, SIGKILL);
  ends_within(pid, status, kKillTimeout);
}

// False at the end of the output.
bool read_some(int fd, Output& output, bool& any) {
  std::array<char, 16 << 10> buffer;
  pollfd waiting{fd, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(kPoll.count())) <= 0) return true;
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  any = true;
  output.add({buffer.data(), static_cast<std::size_t>(got)});
  return true;
}

}  // namespace

Result<Outcome> call_child(const postgres::Account& account,
                           const std::vector<std::string>& arguments,
                           std::span<const postgres::InheritedFile> files,
                           const CallLimits& limits) {
  Pipe pipe;
  if (pipe2(pipe.ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "call", arguments[0]);
  OA_ASSIGN(const pid_t pid, postgres::spawn(account, arguments, pipe.ends[1], files));
  pipe.close_end(1);
  Outcome outcome;
  Output output(limits);
  const auto started = Clock::now();
  auto heard = started;
  bool exited = false;
  for (bool open = true; open || !exited;) {
    bool any = false;
    if (open) {
      open = read_some(pipe.ends[0], output, any);
    } else {
      std::this_thread::sleep_for(milliseconds(5));
    }
    const auto now = Clock::now();
    if (any) heard = now;
    if (!exited && collect(pid, outcome.status)) {
      exited = true;
      heard = now;
    }
    if (exited) {
      if (!any && now - heard > kDrainTimeout) break;
      continue;
    }
    outcome.cancelled = limits.progress != nullptr && limits.progress->cancelled();
    outcome.timed_out =
        now - heard > limits.silence || (limits.total.count() > 0 && now - started > limits.total);
    if (outcome.cancelled || outcome.timed_out) {
      end_child(pid, outcome.status);
      break;
    }
  }
  output.finish(outcome);
  return outcome;
}

}  // namespace oa::continuity
