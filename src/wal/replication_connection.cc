#include "replication_connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace oa::wal {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using PgResult = std::unique_ptr<PGresult, void (*)(PGresult*)>;
using Option = std::pair<std::string, std::string>;

constexpr const char* kOp = "wal.receive";
constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01
constexpr std::size_t kDataHeader = 25, kKeepaliveSize = 18;
constexpr int kMaxRows = 1000;

std::uint64_t read_be64(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

void append_be64(Bytes& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

Timestamp from_postgres(std::uint64_t microseconds) {
  return {static_cast<std::int64_t>(microseconds) + kPostgresEpochUs};
}

Result<std::vector<Option>> parse_conninfo(const std::string& conninfo) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> text(message, &PQfreemem);
  if (parsed == nullptr) {  // libpq's text quotes what it could not read
    return make_error(ErrorCode::kInvalidArgument, kOp, "the connection string cannot be read")
        .with_hint("keywords and values as in `host=db1,db2 user=oa_replication`");
  }
  std::vector<Option> options;
  for (const auto* each = parsed.get(); each->keyword != nullptr; ++each) {
    const std::string keyword = each->keyword;
    if (each->val != nullptr && keyword != "dbname" && keyword != "replication" &&
        keyword != "application_name")
      options.emplace_back(keyword, each->val);
  }
  return options;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  for (std::size_t at = 0;;) {
    const auto comma = list.find(',', at);
    items.push_back(list.substr(at, comma - at));
    if (comma == std::string::npos) return items;
    at = comma + 1;
  }
}

// libpq tries several hosts one after the other, but without a limit of time for each when it does
// not block: so one that swallows packets would hide the others.
std::vector<std::vector<Option>> one_host_each(const std::vector<Option>& options) {
  std::size_t hosts = 1;
  const auto is_list = [](const std::string& keyword) {
    return keyword == "host" || keyword == "hostaddr" || keyword == "port";
  };
  for (const auto& [keyword, value] : options)
    if (is_list(keyword)) hosts = std::max(hosts, split(value).size());
  std::vector<std::vector<Option>> each(hosts, options);
  for (std::size_t i = 0; i < hosts; ++i) {
    for (auto& [keyword, value] : each[i]) {
      if (!is_list(keyword)) continue;
      const auto items = split(value);
      value = items.size() == 1 ? items[0] : i < items.size() ? items[i] : "";
    }
  }
  return each;
}

PGconn* start_connecting(const std::vector<Option>& options, const std::string& application_name) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  for (const auto& [keyword, value] : {std::pair{"dbname", "replication"},
                                       {"replication", "true"},
                                       {"application_name", application_name.c_str()}}) {
    keywords.push_back(keyword);
    values.push_back(value);
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(keywords.data(), values.data(), 0);
}

}  // namespace

ReplicationConnection::ReplicationConnection(PGconn* connection, const ReceiverSettings& settings,
                                             Wakeup& wakeup)
    : connection_(connection, &PQfinish),
      timeout_(settings.connect_timeout),
      wakeup_(&wakeup),
      message_(nullptr, &PQfreemem) {}

Result<ReplicationConnection> ReplicationConnection::open(const ReceiverSettings& settings,
                                                          Wakeup& wakeup) {
  OA_ASSIGN(const auto options, parse_conninfo(settings.conninfo));
  Error last;
  for (const auto& host : one_host_each(options)) {
    ReplicationConnection made(start_connecting(host, settings.application_name), settings, wakeup);
    const Status connected = made.finish_connecting();
    if (connected.ok()) return made;
    last = connected.error();
    if (wakeup.fired()) break;
  }
  return last;
}

Status ReplicationConnection::finish_connecting() {
  if (connection_ == nullptr) return make_error(ErrorCode::kInternal, kOp, "no memory");
  const auto deadline = Clock::now() + timeout_;
  auto wants = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    OA_ASSIGN(const short ready,
              poll_socket(wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, left));
    if (ready == 0) {
      return make_error(ErrorCode::kDatabaseUnavailable, kOp, "the database does not answer")
          .with_hint("the receiver goes on trying");
    }
    wants = PQconnectPoll(connection_.get());
    if (wants == PGRES_POLLING_FAILED) break;
    if (wants != PGRES_POLLING_OK) continue;
    if (PQsetnonblocking(connection_.get(), 1) != 0) break;
    return {};
  }
  return lost().with_hint(
      "the receiver goes on trying; see that the server runs and lets its role in for replication");
}

// The events that came; 0 when the time is up.
Result<short> ReplicationConnection::poll_socket(short events, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
    pollfd waits[] = {{PQsocket(connection_.get()), events, 0}, {wakeup_->fd(), POLLIN, 0}};
    const int ready = ::poll(waits, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (wakeup_->fired()) return make_error(ErrorCode::kCancelled, kOp, "stopped");
    if (ready > 0) return waits[0].revents;
    if (ready < 0 && errno != EINTR) return errno_error(errno, kOp, "cannot wait for the database");
    if (Clock::now() >= deadline) return short{0};
  }
}

Error ReplicationConnection::lost() {
  return make_error(ErrorCode::kDatabaseUnavailable, kOp, "the database cannot be reached")
      .with_hint("the receiver goes on trying")
      .with_cause(PQerrorMessage(connection_.get()));
}

Error ReplicationConnection::failed(const PGresult* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  sqlstate_ = state == nullptr ? "" : state;
  if (state == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) return lost();
  const char* const text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return make_error(ErrorCode::kDatabase, kOp, "the database refuses to stream its log")
      .with_hint("the receiver goes on trying; the cause is the database's own")
      .with_cause(fmt::format("{} ({})", text == nullptr ? "" : text, sqlstate_));
}

Status ReplicationConnection::flush() {
  const auto deadline = Clock::now() + timeout_;
  for (;;) {
    const int rest = PQflush(connection_.get());
    if (rest == 0) return {};
    if (rest < 0) return lost();
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    OA_ASSIGN(const short ready, poll_socket(POLLIN | POLLOUT, left));
    if (ready == 0) return lost();
    if ((ready & POLLIN) != 0 && PQconsumeInput(connection_.get()) != 1) return lost();
  }
}

Result<PgResult> ReplicationConnection::next_result() {
  const auto deadline = Clock::now() + timeout_;
  while (PQisBusy(connection_.get()) == 1) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    OA_ASSIGN(const short ready, poll_socket(POLLIN, left));
    if (ready == 0) return lost();
    if (PQconsumeInput(connection_.get()) != 1) return lost();
  }
  return PgResult(PQgetResult(connection_.get()), &PQclear);
}

Result<std::vector<Row>> ReplicationConnection::command(const std::string& text) {
  sqlstate_.clear();
  if (PQsendQuery(connection_.get(), text.c_str()) != 1) return lost();
  OA_TRY(flush());
  std::vector<Row> rows;
  std::optional<Error> error;
  for (;;) {
    OA_ASSIGN(const PgResult result, next_result());
    if (result == nullptr) break;
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) error = failed(result.get());
    if (PQntuples(result.get()) > kMaxRows)
      return make_error(ErrorCode::kLimitExceeded, kOp, "too many rows");
    for (int r = 0; r < PQntuples(result.get()); ++r) {
      Row& row = rows.emplace_back();
      for (int c = 0; c < PQnfields(result.get()); ++c) {
        if (PQgetisnull(result.get(), r, c) == 1) {
          row.emplace_back();
        } else {
          row.emplace_back(std::string(PQgetvalue(result.get(), r, c),
                                       static_cast<std::size_t>(PQgetlength(result.get(), r, c))));
        }
      }
    }
  }
  if (error) return *std::move(error);
  return rows;
}

Result<std::optional<TimelineEnd>> ReplicationConnection::start(const std::string& slot,
                                                                Timeline timeline, Lsn from) {
  stream_ended_ = false;
  sqlstate_.clear();
  const auto text =
      fmt::format("START_REPLICATION SLOT \"{}\" {} TIMELINE {}", slot, from.str(), timeline.value);
  if (PQsendQuery(connection_.get(), text.c_str()) != 1) return lost();
  OA_TRY(flush());
  OA_ASSIGN(const PgResult result, next_result());
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COPY_BOTH) return std::optional<TimelineEnd>();
  if (status != PGRES_TUPLES_OK) return failed(result.get());
  OA_ASSIGN(const TimelineEnd end, read_timeline_end(result.get()));
  for (;;) {
    OA_ASSIGN(const PgResult rest, next_result());
    if (rest == nullptr) return std::optional(end);
  }
}

Result<std::optional<StreamMessage>> ReplicationConnection::next_message() {
  if (stream_ended_) return std::optional<StreamMessage>();
  char* data = nullptr;
  int length = PQgetCopyData(connection_.get(), &data, 1);
  if (length == 0) {
    if (PQconsumeInput(connection_.get()) != 1) return lost();
    length = PQgetCopyData(connection_.get(), &data, 1);
  }
  message_.reset(data);
  if (length == 0) return std::optional<StreamMessage>();
  if (length == -2) return lost();
  if (length == -1) {
    stream_ended_ = true;
    return std::optional<StreamMessage>();
  }
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(data),
                       static_cast<std::size_t>(length));
  StreamMessage message;
  if (bytes[0] == 'w' && bytes.size() >= kDataHeader) {
    message.start = {read_be64(bytes.subspan(1))};
    message.server_end = {read_be64(bytes.subspan(9))};
    message.sent = from_postgres(read_be64(bytes.subspan(17)));
    message.data = bytes.subspan(kDataHeader);
  } else if (bytes[0] == 'k' && bytes.size() == kKeepaliveSize) {
    message.kind = StreamMessage::Kind::kKeepalive;
    message.server_end = {read_be64(bytes.subspan(1))};
    message.sent = from_postgres(read_be64(bytes.subspan(9)));
    message.reply_wanted = bytes[17] != 0;
  } else {
    return make_error(ErrorCode::kDatabase, kOp, "the database sent a message that is none");
  }
  return std::optional(message);
}

Result<TimelineEnd> ReplicationConnection::read_timeline_end(const PGresult* result) {
  const auto unreadable =
      make_error(ErrorCode::kDatabase, kOp, "the database does not say how its timeline goes on");
  if (PQntuples(result) != 1 || PQnfields(result) != 2) return unreadable;
  TimelineEnd end;
  const std::string_view timeline = PQgetvalue(result, 0, 0);
  std::from_chars(timeline.data(), timeline.data() + timeline.size(), end.next.value);
  const auto at = Lsn::parse(PQgetvalue(result, 0, 1));
  if (end.next.value == 0 || !at.ok()) return unreadable;
  end.at = *at;
  return end;
}

// The server ended its side of the copy; or it sent an error instead.
Result<TimelineEnd> ReplicationConnection::finish_stream() {
  std::optional<TimelineEnd> end;
  for (;;) {
    OA_ASSIGN(const PgResult result, next_result());
    if (result == nullptr) break;
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN) {
      if (PQputCopyEnd(connection_.get(), nullptr) != 1) return lost();
      OA_TRY(flush());
    } else if (status == PGRES_TUPLES_OK) {
      OA_ASSIGN(end, read_timeline_end(result.get()));
    } else if (status != PGRES_COMMAND_OK) {
      return failed(result.get());
    }
  }
  if (end) return *end;
  return lost();  // a server that shuts down ends the stream like this
}

Status ReplicationConnection::send_status(Lsn received, Lsn durable, bool reply_wanted) {
  Bytes bytes = {'r'};
  append_be64(bytes, received.value);
  append_be64(bytes, durable.value);
  append_be64(bytes, 0);  // nothing is applied here
  append_be64(bytes, static_cast<std::uint64_t>(Timestamp::now().unix_us - kPostgresEpochUs));
  bytes.push_back(reply_wanted ? 1 : 0);
  if (PQputCopyData(connection_.get(), reinterpret_cast<const char*>(bytes.data()),
                    static_cast<int>(bytes.size())) != 1)
    return lost();
  return flush();
}

Result<bool> ReplicationConnection::wait(milliseconds timeout) {
  OA_ASSIGN(const short ready, poll_socket(POLLIN, timeout));
  return ready != 0;
}

}  // namespace oa::wal
