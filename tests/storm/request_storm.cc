// Sends a running service requests that nobody would write, and fails when an answer says that the
// service met a defect, is none, or does not come.
//
// usage: oa_request_storm PORT SECONDS SEED OPENAPI CREDENTIALS [PARAMETER=ID...]
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "requests.h"

namespace oa::storm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kClients = 4;
constexpr int kPatienceSeconds = 20;

struct Answer {
  std::string text;
  bool came_to_end = false;
};

// An answer to bytes; of a stream of events its head.
Answer ask(std::uint16_t port, const std::string& bytes) {
  Answer answer;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{kPatienceSeconds, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    // The server may answer and close before it has everything.
    for (std::size_t at = 0; at < bytes.size();) {
      const auto sent = send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) break;
      at += static_cast<std::size_t>(sent);
    }
    shutdown(fd, SHUT_WR);
    char piece[65536];
    for (;;) {
      const auto got = recv(fd, piece, sizeof(piece), 0);
      answer.came_to_end = got == 0;
      if (got <= 0) break;
      if (answer.text.size() < sizeof(piece))
        answer.text.append(piece, static_cast<std::size_t>(got));
      if (answer.text.find("Content-Type: text/event-stream") != std::string::npos) {
        answer.came_to_end = true;
        break;
      }
    }
  }
  close(fd);
  return answer;
}

class Storm {
 public:
  Storm(std::uint16_t port, Clock::time_point end) : port_(port), end_(end) {}
  void run(Requests requests);
  int report() const;

 private:
  void judge(const Made& made, const Answer& answer);
  void complain(const char* what, const Made& made, const Answer& answer);
  const std::uint16_t port_;
  const Clock::time_point end_;
  std::mutex mutex_;
  std::map<int, std::uint64_t> statuses_;
  std::uint64_t unanswered_ = 0, complaints_ = 0;
};

void Storm::run(Requests requests) {
  while (Clock::now() < end_) {
    const Made made = requests.next();
    judge(made, ask(port_, made.bytes));
  }
}

void Storm::judge(const Made& made, const Answer& answer) {
  const std::lock_guard lock(mutex_);
  if (!answer.came_to_end) return complain("no end of an answer", made, answer);
  if (answer.text.empty()) {
    ++unanswered_;
    if (made.sound) complain("no answer", made, answer);
    return;
  }
  if (!answer.text.starts_with("HTTP/1.1 ")) return complain("no HTTP", made, answer);
  const int status = std::atoi(answer.text.c_str() + 9);
  ++statuses_[status];
  const auto says = [&](const char* code) { return answer.text.find(code) != std::string::npos; };
  if (status >= 500 && !says("service/overloaded") && !says("dataset/refresh-in-progress"))
    return complain("a defect", made, answer);
  if (status >= 400 && answer.text.find("application/problem+json") == std::string::npos)
    complain("a refusal that is no problem document", made, answer);
}

void Storm::complain(const char* what, const Made& made, const Answer& answer) {
  if (++complaints_ > 20) return;
  std::printf("---- %s\n%.2000s\n---- answered\n%.2000s\n", what, made.bytes.c_str(),
              answer.text.c_str());
  std::fflush(stdout);
}

int Storm::report() const {
  std::uint64_t total = unanswered_;
  for (const auto& [status, count] : statuses_) total += count;
  std::printf("%llu requests, %llu without an answer;", static_cast<unsigned long long>(total),
              static_cast<unsigned long long>(unanswered_));
  for (const auto& [status, count] : statuses_)
    std::printf(" %d: %llu", status, static_cast<unsigned long long>(count));
  std::printf("; complaints: %llu\n", static_cast<unsigned long long>(complaints_));
  return complaints_ == 0 && total > 0 ? 0 : 1;
}

}  // namespace
}  // namespace oa::storm

int main(int count, char** arguments) {
  using namespace oa::storm;
  if (count < 6) {
    std::fprintf(
        stderr,
        "usage: oa_request_storm PORT SECONDS SEED OPENAPI CREDENTIALS [PARAMETER=ID...]\n");
    return 2;
  }
  std::map<std::string, std::string> known;
  for (int i = 6; i < count; ++i) {
    const std::string pair = arguments[i];
    known[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
  }
  const Contract contract = read_contract(arguments[4]);
  Storm storm(static_cast<std::uint16_t>(std::atoi(arguments[1])),
              Clock::now() + std::chrono::seconds(std::atoi(arguments[2])));
  std::vector<std::thread> clients;
  const auto first_seed = static_cast<unsigned>(std::atoi(arguments[3]));
  for (unsigned seed = first_seed; seed < first_seed + kClients; ++seed)
    clients.emplace_back([&, seed] { storm.run(Requests(contract, arguments[5], known, seed)); });
  for (auto& client : clients) client.join();
  return storm.report();
}
