#include "oa/postgres/answer.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace oa::postgres {
namespace {

constexpr int kSilenceMs = 5'000;
constexpr int kPingsAtMost = 2;

// A server that refuses us, that starts or that stops lives. Without TLS: any answer will do, and none
// is trusted.
bool answers_others(PGconn* connection) {
  const auto text = [](const char* value) { return value == nullptr ? "" : value; };
  const std::array keys = {"host",    "hostaddr",   "port",     "user",            "dbname",
                           "sslmode", "gssencmode", "passfile", "connect_timeout", (const char*)nullptr};
  const std::array values = {text(PQhost(connection)),
                             text(PQhostaddr(connection)),
                             text(PQport(connection)),
                             text(PQuser(connection)),
                             text(PQdb(connection)),
                             "disable",
                             "disable",
                             "/dev/null/none",  // the warning of a file that is there and no plain one goes to stderr
                             "5",
                             (const char*)nullptr};
  return PQpingParams(keys.data(), values.data(), 0) != PQPING_NO_RESPONSE;
}

// Events that came within `wait_ms`; none when the time is up, all after an error, which libpq then
// meets itself.
short wait_for(PGconn* connection, short events, int wait_ms) {
  pollfd socket{PQsocket(connection), events, 0};
  const int ready = ::poll(&socket, 1, wait_ms);
  if (ready > 0) return socket.revents;
  return ready == 0 || errno == EINTR ? short{0} : events;
}

bool stands_still(PGconn* connection, short events) {
  for (int ping = 0; ping < kPingsAtMost; ++ping) {
    if (answers_others(connection) || wait_for(connection, events, 0) != 0) return false;
  }
  return true;
}

}  // namespace

pg_result* next_result(pg_conn* connection) {
  for (;;) {
    const int unsent = PQflush(connection);
    if (unsent < 0 || (unsent == 0 && PQisBusy(connection) == 0)) break;
    const short events = static_cast<short>(POLLIN | (unsent > 0 ? POLLOUT : 0));
    const short ready = wait_for(connection, events, kSilenceMs);
    if (ready == 0) {
      if (stands_still(connection, events)) ::shutdown(PQsocket(connection), SHUT_RDWR);
    } else if ((ready & ~POLLOUT) != 0 && PQconsumeInput(connection) == 0) {
      break;
    }
  }
  return PQgetResult(connection);
}

}  // namespace oa::postgres
