// Load on a running service: streams of events that stay open and requests at a steady rate. The
// time of a request counts from when it was due, so that one that waits for a connection shows.
//
// usage: service_load HOST:PORT PID STREAMS RATE SECONDS HEADERS STREAM_TARGET TARGET...
//
// HEADERS: a line each of callers, who open the streams in turn; the first of them makes the requests.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kConnections = 32;  // for requests
constexpr std::size_t kOpening = 100;     // streams that wait for their answer at a time

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  std::exit(1);
}

struct Options {
  sockaddr_in server{};
  std::string host, pid, stream_target;
  std::vector<std::string> headers;
  std::size_t streams = 0, rate = 0, seconds = 0;
  std::vector<std::string> targets;
};

Options parse(int count, char** arguments) {
  if (count < 9)
    fail("usage: service_load HOST:PORT PID STREAMS RATE SECONDS HEADERS STREAM_TARGET TARGET...");
  Options options;
  options.host = arguments[1];
  const auto colon = options.host.rfind(':');
  options.server.sin_family = AF_INET;
  if (colon == options.host.npos ||
      inet_pton(AF_INET, options.host.substr(0, colon).c_str(), &options.server.sin_addr) != 1)
    fail("HOST:PORT is an IPv4 address and a port");
  options.server.sin_port =
      htons(static_cast<std::uint16_t>(std::stoul(options.host.substr(colon + 1))));
  options.pid = arguments[2];
  options.streams = std::stoul(arguments[3]);
  options.rate = std::stoul(arguments[4]);
  options.seconds = std::stoul(arguments[5]);
  std::istringstream lines(arguments[6]);
  for (std::string line; std::getline(lines, line);) options.headers.push_back(line);
  if (options.headers.empty()) fail("HEADERS is empty");
  options.stream_target = arguments[7];
  options.targets.assign(arguments + 8, arguments + count);
  return options;
}

/// A field of /proc/PID/status in MiB, as VmRSS or VmHWM.
double memory_mib(const std::string& pid, const std::string& field) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  fail("there is no process " + pid);
}

class Load {
 public:
  explicit Load(const Options& options) : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  void run();

 private:
  struct Connection {
    int fd = -1;
    bool is_stream = false, busy = false;
    std::string received;
    Clock::time_point due;
  };
  void open_connection(bool is_stream);
  void send(Connection& connection, const std::string& target);
  void receive(Connection& connection);
  void finish(Connection& connection);
  void issue();
  void poll(std::chrono::nanoseconds time);
  void wait_for_streams(std::size_t count);
  double at(double share) const;

  const Options& options_;
  const int epoll_;
  std::deque<Connection> connections_;
  std::deque<Clock::time_point> waiting_;
  std::vector<Connection*> free_;
  std::vector<double> times_ms_;
  std::size_t streams_open_ = 0, next_ = 0, events_ = 0;
};

void Load::open_connection(bool is_stream) {
  Connection& connection = connections_.emplace_back();
  connection.is_stream = is_stream;
  connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto* address = reinterpret_cast<const sockaddr*>(&options_.server);
  if (connection.fd < 0 || connect(connection.fd, address, sizeof(options_.server)) != 0)
    fail("cannot connect");
  const int yes = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  fcntl(connection.fd, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  if (is_stream) {
    send(connection, options_.stream_target);
  } else {
    free_.push_back(&connection);
  }
}

void Load::send(Connection& connection, const std::string& target) {
  const auto& headers = options_.headers;
  const auto& header = headers[connection.is_stream ? connections_.size() % headers.size() : 0];
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: " + options_.host + "\r\n" +
                              header + "\r\n\r\n";
  connection.busy = true;
  if (::send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    fail("cannot send");
}

void Load::receive(Connection& connection) {
  char piece[16384];
  const auto got = recv(connection.fd, piece, sizeof(piece), 0);
  if (got <= 0) fail(connection.is_stream ? "a stream of events ended" : "a connection ended");
  connection.received.append(piece, static_cast<std::size_t>(got));
  if (connection.is_stream) {
    const bool was_open = !connection.busy;
    if (!was_open && connection.received.find("\r\n\r\n") == std::string::npos) return;
    if (!was_open && !connection.received.starts_with("HTTP/1.1 200 "))
      fail("a stream of events was refused: " + connection.received);
    streams_open_ += was_open ? 0 : 1;
    events_ += was_open ? 1 : 0;
    connection.busy = false;
    connection.received.clear();
    return;
  }
  const auto head = connection.received.find("\r\n\r\n");
  if (head == std::string::npos) return;
  if (!connection.received.starts_with("HTTP/1.1 200 "))
    fail("a request was refused: " + connection.received);
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const auto length = connection.received.find(kLength);
  if (length == std::string::npos) fail("an answer without a length");
  const auto size = std::stoul(connection.received.substr(length + kLength.size()));
  if (connection.received.size() >= head + 4 + size) finish(connection);
}

void Load::finish(Connection& connection) {
  times_ms_.push_back(
      std::chrono::duration<double, std::milli>(Clock::now() - connection.due).count());
  connection.received.clear();
  connection.busy = false;
  free_.push_back(&connection);
}

void Load::issue() {
  while (!waiting_.empty() && !free_.empty()) {
    Connection& connection = *free_.back();
    free_.pop_back();
    connection.due = waiting_.front();
    waiting_.pop_front();
    send(connection, options_.targets[next_++ % options_.targets.size()]);
  }
}

void Load::poll(std::chrono::nanoseconds time) {
  epoll_event ready[64];
  const auto ns = std::max<std::int64_t>(time.count(), 0);
  const timespec patience{ns / 1'000'000'000, ns % 1'000'000'000};
  const int count = epoll_pwait2(epoll_, ready, 64, &patience, nullptr);
  for (int i = 0; i < count; ++i) receive(*static_cast<Connection*>(ready[i].data.ptr));
}

void Load::wait_for_streams(std::size_t count) {
  const auto end = Clock::now() + std::chrono::seconds(60);
  while (streams_open_ < count) {
    if (Clock::now() > end) fail("not all streams of events came up");
    poll(std::chrono::milliseconds(100));
  }
}

double Load::at(double share) const {
  return times_ms_[std::min(
      times_ms_.size() - 1,
      static_cast<std::size_t>(share * static_cast<double>(times_ms_.size())))];
}

void Load::run() {
  const double idle = memory_mib(options_.pid, "VmRSS");
  for (std::size_t i = 0; i < kConnections; ++i) open_connection(false);
  for (std::size_t i = 0; i < options_.streams; ++i) {
    open_connection(true);
    wait_for_streams(i < kOpening ? 0 : i - kOpening);
  }
  wait_for_streams(options_.streams);
  const double with_streams = memory_mib(options_.pid, "VmRSS");
  const std::chrono::nanoseconds gap(1'000'000'000 / static_cast<std::int64_t>(options_.rate));
  const auto begin = Clock::now();
  const std::size_t total = options_.rate * options_.seconds;
  std::size_t due = 0;
  const auto due_at = [&] { return begin + gap * static_cast<std::int64_t>(due); };
  while (times_ms_.size() < total) {
    const auto now = Clock::now();
    for (; due < total && due_at() <= now; ++due) waiting_.push_back(due_at());
    issue();
    poll(due < total ? due_at() - Clock::now() : std::chrono::milliseconds(100));
    if (now > begin + std::chrono::seconds(options_.seconds + 60)) fail("requests stay unanswered");
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  std::ranges::sort(times_ms_);
  std::printf("streams of events       %zu open, %zu more events\n", streams_open_, events_);
  std::printf("requests                %zu in %.1f s, %.0f/s\n", total, took.count(),
              static_cast<double>(total) / took.count());
  std::printf("p50 / p99 / max, ms     %.2f / %.2f / %.2f\n", at(0.5), at(0.99), times_ms_.back());
  std::printf("RSS, MiB                %.0f idle, %.0f with the streams, %.0f at most\n", idle,
              with_streams, memory_mib(options_.pid, "VmHWM"));
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, options.streams + 256);
  setrlimit(RLIMIT_NOFILE, &limit);
  Load(options).run();
  return 0;
}
