#include "testkit/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace oa::testkit {
namespace {

pid_t spawn(const std::vector<std::string>& argv, int out, int err) {
  const pid_t pid = fork();
  OA_ASSERT(pid >= 0);
  if (pid != 0) return pid;
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(out < 0 ? null : out, STDOUT_FILENO);
  dup2(err < 0 ? null : err, STDERR_FILENO);
  std::vector<char*> args;
  for (const auto& argument : argv) args.push_back(const_cast<char*>(argument.c_str()));
  args.push_back(nullptr);
  execvp(args[0], args.data());
  _exit(127);
}

int status_of(int raw) { return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw); }

}  // namespace

Finished run(const std::vector<std::string>& argv) {
  int out[2], err[2];
  OA_ASSERT(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
  const pid_t pid = spawn(argv, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  Finished finished;
  pollfd fds[] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  std::string* texts[] = {&finished.out, &finished.err};
  for (int open_count = 2; open_count > 0;) {
    poll(fds, 2, -1);
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
      if (n > 0) {
        texts[i]->append(buffer, static_cast<std::size_t>(n));
      } else {
        close(fds[i].fd);
        fds[i].fd = -1;
        --open_count;
      }
    }
  }
  int raw = 0;
  waitpid(pid, &raw, 0);
  finished.status = status_of(raw);
  return finished;
}

Finished oa(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), OA_BACKUP);
  return run(arguments);
}

json::value oa_json(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Finished finished = oa(arguments);
  auto document = parse_json(finished.out.substr(0, finished.out.find('\n')));
  if (finished.status != 0 || !document.ok()) {
    throw std::runtime_error("oa-backup " + arguments[0] + ": status " +
                             std::to_string(finished.status) + "\n" + finished.err);
  }
  return *document;
}

Running::Running(const std::vector<std::string>& argv) : pid_(spawn(argv, -1, -1)) {}
Running::~Running() { kill_and_reap(); }

bool Running::wait(int timeout_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (pid_ > 0) {
    int raw = 0;
    if (waitpid(pid_, &raw, WNOHANG) == pid_) {
      status_ = status_of(raw);
      pid_ = -1;
      return true;
    }
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void Running::send(int signal_number) {
  if (pid_ > 0) kill(pid_, signal_number);
}

void Running::kill_and_reap() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace oa::testkit
