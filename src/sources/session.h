// One connection to a source, whose server is not trusted: libpq without waiting longer, reading
// more or believing more than the policy allows.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/sources/postgres_source.h"

namespace oa::sources {

class Session {
 public:
  using Row = std::vector<std::optional<std::string>>;

  /// Connects to the first address that answers. Errors as PostgresSource.
  static Result<std::unique_ptr<Session>> open(const PostgresCredentials& credentials,
                                               const SourcePolicy& policy,
                                               std::function<bool()> stopped);

  /// One statement, text in and out; kLimitExceeded past `max_rows`.
  Result<std::vector<Row>> query(const char* sql, const std::vector<std::string>& parameters,
                                 std::size_t max_rows);
  /// Begins a COPY … TO STDOUT; copied() gives its messages.
  Status begin_copy(const std::string& sql);
  /// The next message, valid until the next call; nullopt when the COPY has ended well.
  Result<std::optional<std::string_view>> copied();
  /// Of a COPY that has begun and has not ended.
  bool copying() const { return copying_; }

 private:
  using Clock = std::chrono::steady_clock;
  Session(PGconn* connection, const SourcePolicy& policy, std::function<bool()> stopped);
  Status connect(Clock::time_point deadline);
  /// Waits for `events` of the socket until `deadline`.
  Status wait(short events, Clock::time_point deadline) const;
  /// Waits for something to come and takes it in.
  Status receive();
  /// On the wire, of the whole connection.
  std::uint64_t received_bytes() const;
  /// kLimitExceeded when what has come is more than a message may be.
  Status count_incoming();
  Status flush();
  /// The next result, once it is whole; nullptr after the last.
  Result<PGresult*> next_result();
  void begin_work();
  Error failure(const PGresult* result) const;
  Error connect_failure() const;

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
  SourcePolicy policy_;
  std::function<bool()> stopped_;
  std::unique_ptr<char, void (*)(void*)> message_;
  Clock::time_point work_deadline_;
  std::uint64_t received_bytes_ = 0;        // received_bytes() when it was last asked
  std::uint64_t before_message_bytes_ = 0;  // the same, before the message that is not whole yet
  std::uint64_t copied_bytes_ = 0;          // of all COPYs
  bool whole_ = false;  // a message became whole since the last count_incoming()
  bool copying_ = false;
};

}  // namespace oa::sources
