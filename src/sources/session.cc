#include "session.h"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "address.h"

namespace oa::sources {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
// What a socket's buffer may hold beyond the message that libpq is putting together.
constexpr std::uint64_t kSlackBytes = std::uint64_t{24} << 20;
constexpr char kSystemAuthorities[] = "/etc/ssl/certs/ca-certificates.crt";
constexpr char kNoFile[] = "/dev/null/none";  // cannot exist, so a default's place stays empty

Error unreachable(const char* message) {
  return make_error(ErrorCode::kSourceUnreachable, "source.connect", message)
      .with_hint("check that the source's server runs and that this machine may connect to it");
}

Error refused(const char* message, const char* hint) {
  return make_error(ErrorCode::kSourceRefused, "source.read", message).with_hint(hint);
}

Error cancelled() {
  return make_error(ErrorCode::kCancelled, "source.read", "cancelled; nothing was changed");
}

Error too_slow() {
  return make_error(ErrorCode::kTimeout, "source.read", "the source took too long")
      .with_hint("try again when the source has less to do");
}

// Anonymous memory under a name that libpq can open: certificates are files to it.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : fd_(memfd_create("ca", MFD_CLOEXEC)) {
    OA_ASSERT(fd_ >= 0);
    OA_ASSERT(write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    path_ = fmt::format("/proc/self/fd/{}", fd_);
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const char* path() const { return path_.c_str(); }

 private:
  int fd_;
  std::string path_;
};

// Every keyword has a value of ours, because for one without libpq asks the environment and the
// files of the account we run as.
PGconn* start(const PostgresCredentials& credentials, const std::string& address,
              const SourcePolicy& policy, const char* authorities) {
  const std::string port = std::to_string(credentials.port);
  SecretBytes password(credentials.password.size() + 1);  // with a NUL behind it
  std::ranges::copy(credentials.password.view(), password.mutable_view().begin());
  const std::string mode(to_text(credentials.ssl_mode));
  const std::string options = fmt::format(
      "-c statement_timeout={} -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex "
      "-c timezone=UTC",
      policy.table_timeout.count());
  const std::pair<const char*, const char*> settings[] = {
      {"host", credentials.host.c_str()},
      {"hostaddr", address.c_str()},
      {"port", port.c_str()},
      {"dbname", credentials.database.c_str()},
      {"user", credentials.user.c_str()},
      {"password", reinterpret_cast<const char*>(password.view().data())},
      {"passfile", "/dev/null"},
      {"sslmode", mode.c_str()},
      {"sslrootcert", authorities},
      {"sslcert", kNoFile},
      {"sslkey", kNoFile},
      {"sslcrl", kNoFile},
      {"sslcrldir", kNoFile},
      {"sslcompression", "0"},
      {"sslsni", "1"},
      {"ssl_min_protocol_version", "TLSv1.2"},
      {"ssl_max_protocol_version", "TLSv1.3"},
      {"gssencmode", "disable"},
      {"krbsrvname", "postgres"},
      {"channel_binding", "prefer"},
      {"target_session_attrs", "any"},
      {"replication", "false"},
      {"options", options.c_str()},
      {"client_encoding", "UTF8"},
      {"connect_timeout", "10"},
      {"tcp_user_timeout", "30000"},
      {"keepalives", "1"},
      {"application_name", "oneanalytics"},
  };
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : settings) {
    keys.push_back(key);
    values.push_back(value);
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(keys.data(), values.data(), 0);
}

// The SQLSTATE at the end of a message of verbosity PQERRORS_SQLSTATE, if there is one.
std::string sqlstate_of(std::string_view message) {
  const std::size_t at = message.rfind(":  ");
  if (at == std::string_view::npos) return {};
  const std::string_view state = message.substr(at + 3, 5);
  const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  return state.size() == 5 && std::all_of(state.begin(), state.end(), fits) ? std::string(state)
                                                                            : std::string();
}

Error error_of_state(const std::string& state) {
  const auto is = [&](std::string_view prefix) { return state.starts_with(prefix); };
  if (is("28"))
    return refused("the source refuses the credentials", "check user and password in the secret");
  if (is("3D"))
    return refused("the source has no such database", "check the database in the secret");
  if (is("42501"))
    return refused("the source's user may not read this",
                   "grant SELECT on the tables and USAGE on their schemas");
  if (is("42P01") || is("42703"))
    return refused("a table or column is gone from the source",
                   "refresh again, or change the semantic model");
  if (is("57014")) return too_slow();
  if (is("08") || is("53") || is("57P") || is("40"))
    return unreachable("the source cannot answer now");
  return refused("the source refuses to be read", "look into the source's log");
}

}  // namespace

Session::Session(PGconn* connection, const SourcePolicy& policy, std::function<bool()> stopped)
    : connection_(connection, &PQfinish),
      policy_(policy),
      stopped_(std::move(stopped)),
      message_(nullptr, &PQfreemem) {
  OA_ASSERT(connection != nullptr);
}

Result<std::unique_ptr<Session>> Session::open(const PostgresCredentials& credentials,
                                               const SourcePolicy& policy,
                                               std::function<bool()> stopped) {
  OA_TRY(check_credentials(credentials));
  OA_ASSIGN(const auto addresses, resolve(credentials.host, policy.allow_private_networks));
  const bool checked =
      credentials.ssl_mode == SslMode::kVerifyCa || credentials.ssl_mode == SslMode::kVerifyFull;
  const MemoryFile own(credentials.ca_certificate);
  const char* authorities = checked ? kSystemAuthorities : kNoFile;
  if (!credentials.ca_certificate.empty()) authorities = own.path();
  const auto deadline = Clock::now() + policy.connect_timeout;
  Error last = unreachable("the source does not answer");
  for (const std::string& address : addresses) {
    std::unique_ptr<Session> session(
        new Session(start(credentials, address, policy, authorities), policy, stopped));
    auto connected = session->connect(deadline);
    if (connected.ok()) return session;
    last = std::move(connected).error();
    if (last.code != ErrorCode::kSourceUnreachable) break;
  }
  return last;
}

Status Session::connect(Clock::time_point deadline) {
  PGconn* raw = connection_.get();
  PQsetErrorVerbosity(raw, PQERRORS_SQLSTATE);
  // A notice can quote values and has no place in our output.
  PQsetNoticeReceiver(
      raw, [](void*, const PGresult*) {}, nullptr);
  if (PQstatus(raw) == CONNECTION_BAD) return connect_failure();
  for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK; state = PQconnectPoll(raw)) {
    if (state == PGRES_POLLING_FAILED) return connect_failure();
    OA_TRY(count_incoming());
    auto ready = wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    if (ready.ok()) continue;
    if (ready.error().code == ErrorCode::kTimeout) return unreachable("the source does not answer");
    return ready;
  }
  if (PQsetnonblocking(raw, 1) == 0) return {};
  return unreachable("the connection to the source was lost");
}

Error Session::connect_failure() const {
  const std::string_view message = PQerrorMessage(connection_.get());
  const auto says = [&](std::string_view word) {
    return message.find(word) != std::string_view::npos;
  };
  if (const std::string state = sqlstate_of(message); !state.empty())
    return error_of_state(state).with_cause("SQLSTATE " + state);
  if (says("SSL") || says("certificate")) {
    return refused("the source cannot be spoken to with the encryption that the secret asks for",
                   "check sslmode and ca in the secret against the source's certificate");
  }
  if (says("fe_sendauth") || says("not supported") || says("SCRAM") || says("channel binding"))
    return refused("the source refuses the credentials", "check user and password in the secret");
  return unreachable("the source does not answer");
}

Status Session::wait(short events, Clock::time_point deadline) const {
  for (;;) {
    if (stopped_ && stopped_()) return cancelled();
    const auto left = deadline - Clock::now();
    if (left <= Clock::duration::zero()) return too_slow();
    const auto tick = std::min<Clock::duration>(left, kTick);
    pollfd socket{PQsocket(connection_.get()), events, 0};
    if (socket.fd < 0) return unreachable("the connection to the source was lost");
    const int ready = poll(
        &socket, 1,
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(tick).count()) + 1);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return unreachable("the connection to the source was lost");
  }
}

void Session::begin_work() {
  work_deadline_ = Clock::now() + policy_.table_timeout;
  whole_ = true;
}

std::uint64_t Session::received_bytes() const {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(PQsocket(connection_.get()), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

// libpq keeps a message until it is whole, however long it says it is, and what is no message for
// us for good. The network, slower than libpq reads, gives us the time to count.
Status Session::count_incoming() {
  const std::uint64_t received = received_bytes();
  if (std::exchange(whole_, false)) before_message_bytes_ = received_bytes_;
  received_bytes_ = received;
  if (received - before_message_bytes_ <= policy_.max_row_bytes + kSlackBytes) return {};
  return make_error(ErrorCode::kLimitExceeded, "source.read",
                    "a row of the source is larger than " + format_size(policy_.max_row_bytes))
      .with_hint("leave columns out with a view at the source");
}

Status Session::receive() {
  OA_TRY(wait(POLLIN, std::min(work_deadline_, Clock::now() + policy_.silence_timeout)));
  if (PQconsumeInput(connection_.get()) == 1) return count_incoming();
  return unreachable("the connection to the source was lost");
}

Status Session::flush() {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) return {};
    if (left < 0) return unreachable("the connection to the source was lost");
    OA_TRY(wait(POLLIN | POLLOUT, Clock::now() + policy_.silence_timeout));
    if (PQconsumeInput(connection_.get()) == 0)
      return unreachable("the connection to the source was lost");
  }
}

Error Session::failure(const PGresult* result) const {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr || PQstatus(connection_.get()) != CONNECTION_OK)
    return unreachable("the connection to the source was lost");
  return error_of_state(state).with_cause("SQLSTATE " + std::string(state).substr(0, 5));
}

Result<PGresult*> Session::next_result() {
  while (PQisBusy(connection_.get()) == 1) OA_TRY(receive());
  return PQgetResult(connection_.get());
}

Result<std::vector<Session::Row>> Session::query(const char* sql,
                                                 const std::vector<std::string>& parameters,
                                                 std::size_t max_rows) {
  OA_ASSERT(!copying_);
  begin_work();
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) != 1 ||
      PQsetSingleRowMode(connection_.get()) != 1) {
    return failure(nullptr);
  }
  OA_TRY(flush());
  std::vector<Row> rows;
  for (;;) {
    OA_ASSIGN(PGresult * next, next_result());
    if (next == nullptr) return rows;
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(next, &PQclear);
    const auto status = PQresultStatus(next);
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      return failure(next);
    for (int row = 0; row < PQntuples(next); ++row) {
      if (rows.size() == max_rows) {
        return make_error(ErrorCode::kLimitExceeded, "source.read",
                          fmt::format("the source's answer has more than {} rows", max_rows))
            .with_hint("read a view with fewer columns");
      }
      rows.emplace_back();
      for (int column = 0; column < PQnfields(next); ++column) {
        rows.back().push_back(PQgetisnull(next, row, column) == 1
                                  ? std::nullopt
                                  : std::optional<std::string>(PQgetvalue(next, row, column)));
      }
    }
  }
}

Status Session::begin_copy(const std::string& sql) {
  OA_ASSERT(!copying_);
  begin_work();
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1) return failure(nullptr);
  OA_TRY(flush());
  OA_ASSIGN(PGresult * next, next_result());
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(next, &PQclear);
  if (next == nullptr || PQresultStatus(next) != PGRES_COPY_OUT) return failure(next);
  copying_ = true;
  return {};
}

Result<std::optional<std::string_view>> Session::copied() {
  OA_ASSERT(copying_);
  for (;;) {
    char* message = nullptr;
    const int length = PQgetCopyData(connection_.get(), &message, 1);
    message_.reset(message);
    if (length > 0) {
      whole_ = true;
      copied_bytes_ += static_cast<std::uint64_t>(length);
      if (copied_bytes_ > policy_.max_bytes) {
        return make_error(ErrorCode::kLimitExceeded, "source.read",
                          "the source's tables are larger than " + format_size(policy_.max_bytes))
            .with_hint("leave tables, columns or rows out with views at the source");
      }
      return std::optional(std::string_view(message, static_cast<std::size_t>(length)));
    }
    if (length < 0) break;
    OA_TRY(receive());
  }
  // Of a COPY that the server gave up, the reason comes as its result.
  copying_ = false;
  bool complete = false;
  for (;;) {
    OA_ASSIGN(PGresult * next, next_result());
    if (next == nullptr) break;
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(next, &PQclear);
    if (PQresultStatus(next) != PGRES_COMMAND_OK) return failure(next);
    complete = true;
  }
  if (!complete) return failure(nullptr);
  return std::optional<std::string_view>();
}

}  // namespace oa::sources
