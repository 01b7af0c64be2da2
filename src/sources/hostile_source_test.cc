// Servers that are none, or that mean harm.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "fake_server.h"
#include "oa/sources/postgres_source.h"

namespace oa::sources {
namespace {

using analytics::RowBatch;
using Reply = FakeServer::Reply;

const std::string kHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);

PostgresCredentials credentials_for(const FakeServer& server) {
  PostgresCredentials credentials;
  credentials.host = "127.0.0.1";
  credentials.port = server.port();
  credentials.database = "d";
  credentials.user = "u";
  credentials.password = SecretBytes::copy_of(as_bytes("canary-password"));
  credentials.ssl_mode = SslMode::kDisable;
  return credentials;
}

SourcePolicy impatient() {
  SourcePolicy policy;
  policy.allow_private_networks = true;
  policy.connect_timeout = std::chrono::milliseconds(500);
  policy.silence_timeout = std::chrono::milliseconds(500);
  policy.max_row_bytes = std::size_t{1} << 20;
  policy.max_field_bytes = std::size_t{1} << 18;
  return policy;
}

// One table with one column of text, whose COPY is answered with `copy`.
FakeServer::Answer with_copy(Reply copy) {
  return [copy = std::move(copy)](const std::string& query) {
    if (query.starts_with("BEGIN")) return Reply{FakeServer::begun()};
    if (query.find("set_config") != std::string::npos) return Reply{FakeServer::nothing()};
    if (query.starts_with("SELECT")) return Reply{FakeServer::table(4, {{"s", "c", "25", "-1"}})};
    return copy;
  };
}

// What reading table "t" comes to.
Status read_all_of(const FakeServer& server, const SourcePolicy& policy = impatient(),
                   std::function<bool()> stopped = nullptr) {
  OA_ASSIGN(const auto source,
            PostgresSource::connect(credentials_for(server), policy, std::move(stopped)));
  OA_ASSIGN(const auto rows, source->read("t"));
  RowBatch batch(rows->columns());
  do {
    batch.clear();
    OA_TRY(rows->next(batch));
  } while (batch.rows() > 0);
  return {};
}

void expect_refused(const FakeServer& server, ErrorCode code) {
  const auto began = std::chrono::steady_clock::now();
  const auto status = read_all_of(server);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  ASSERT_FALSE(status.ok());
  const Error& error = status.error();
  EXPECT_EQ(error.code, code) << error.message;
  EXPECT_EQ((error.message + error.hint + error.cause).find("canary"), std::string::npos);
}

std::string copy_of(const std::string& data) {
  return FakeServer::copy_out(1) + FakeServer::message('d', data);
}
std::string copy_end() {
  return FakeServer::message('c', "") + FakeServer::message('C', std::string("COPY 1\0", 7)) +
         FakeServer::ready();
}

TEST(HostileSource, TheFakeIsBelievedWhenItBehaves) {
  const std::string row = FakeServer::be16(1) + FakeServer::be32(1) + "x";
  const FakeServer server(with_copy({copy_of(kHeader + row + "\xFF\xFF") + copy_end()}));
  const auto status = read_all_of(server);
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(HostileSource, ACopyInAnotherFormatIsRefused) {
  for (const std::string& data :
       {std::string("canary\ttext\n"), kHeader + "canary-canary", kHeader,
        kHeader + FakeServer::be16(2) + FakeServer::be32(1) + "c" + FakeServer::be32(1) + "c",
        kHeader + FakeServer::be16(1) + FakeServer::be32(0x80000000),
        kHeader + FakeServer::be16(1) + FakeServer::be32(2) + "\xC3\x28" + "\xFF\xFF"}) {
    const FakeServer server(with_copy({copy_of(data) + copy_end()}));
    expect_refused(server, ErrorCode::kImportRejected);
  }
}

TEST(HostileSource, LargeLengthsAreRefused) {
  const FakeServer field(
      with_copy({copy_of(kHeader + FakeServer::be16(1) + FakeServer::be32(0x7FFFFFF0))}));
  expect_refused(field, ErrorCode::kLimitExceeded);
  // One message of a gigabyte, of which 40 MB come.
  const FakeServer message(with_copy({FakeServer::copy_out(1) + "d" + FakeServer::be32(0x40000000) +
                                      kHeader + std::string(std::size_t{40} << 20, 'x')}));
  expect_refused(message, ErrorCode::kLimitExceeded);
  // What is no row counts as well.
  std::string settings;
  for (int i = 0; settings.size() < std::size_t{40} << 20; ++i)
    settings += FakeServer::message('S', "name" + std::to_string(i) + std::string("\0", 1) +
                                             std::string(4000, 'x') + std::string("\0", 1));
  const FakeServer parameters(with_copy({FakeServer::copy_out(1) + settings}));
  expect_refused(parameters, ErrorCode::kLimitExceeded);
}

TEST(HostileSource, ACopyThatBreaksOffIsNoCopy) {
  const std::string row = FakeServer::be16(1) + FakeServer::be32(1) + "x";
  const FakeServer closed(with_copy({copy_of(kHeader + row), true}));
  expect_refused(closed, ErrorCode::kSourceUnreachable);
  const FakeServer early(with_copy({copy_of(kHeader + row) + copy_end()}));
  expect_refused(early, ErrorCode::kImportRejected);
  const FakeServer failed(
      with_copy({copy_of(kHeader + row) +
                 FakeServer::message('E', std::string("SERROR\0C22012\0Mcanary value\0\0", 29)) +
                 FakeServer::ready()}));
  expect_refused(failed, ErrorCode::kSourceRefused);
  const FakeServer silent(with_copy({copy_of(kHeader + row)}));
  expect_refused(silent, ErrorCode::kTimeout);
  const FakeServer no_copy(
      with_copy({FakeServer::message('C', std::string("COPY 0\0", 7)) + FakeServer::ready()}));
  EXPECT_FALSE(read_all_of(no_copy).ok());
}

TEST(HostileSource, TablesThatCannotBeAreRefused) {
  using Rows = std::vector<std::vector<std::string>>;
  const auto describing = [](std::size_t columns, Rows rows) {
    return [columns, rows = std::move(rows)](const std::string& query) {
      if (query.starts_with("BEGIN")) return Reply{FakeServer::begun()};
      if (query.find("set_config") != std::string::npos) return Reply{FakeServer::nothing()};
      return Reply{FakeServer::table(columns, rows)};
    };
  };
  for (const auto& row : Rows{{"s", "c", "canary", "-1"},
                              {"s", "c", "25", "1e9"},
                              {"s", "c", "-1", "-1"},
                              {"s", "", "25", "-1"},
                              {"", "c", "25", "-1"},
                              {"s", "\xFF", "25", "-1"},
                              {"s", std::string(300, 'c'), "25", "-1"}}) {
    const FakeServer server(describing(4, {row}));
    expect_refused(server, ErrorCode::kImportRejected);
  }
  const FakeServer narrow(describing(1, {{"s"}}));
  expect_refused(narrow, ErrorCode::kImportRejected);
  const FakeServer many(describing(4, Rows(2001, {"s", "c", "25", "-1"})));
  expect_refused(many, ErrorCode::kLimitExceeded);
}

TEST(HostileSource, AServerThatIsNoneIsUnreachable) {
  const auto never = [](const std::string&) { return Reply{"", true}; };
  const FakeServer silent(never, "");
  expect_refused(silent, ErrorCode::kSourceUnreachable);
  const FakeServer web(never, "HTTP/1.1 400 Bad Request\r\nServer: canary\r\n\r\n");
  expect_refused(web, ErrorCode::kSourceUnreachable);
  const FakeServer gone(never);
  expect_refused(gone, ErrorCode::kSourceUnreachable);
}

TEST(HostileSource, ARefusalIsToldWithoutTheServersWords) {
  const auto never = [](const std::string&) { return Reply{"", true}; };
  const FakeServer server(
      never, FakeServer::message('E', std::string("SFATAL\0VFATAL\0C28P01\0Mcanary user\0\0", 36)));
  expect_refused(server, ErrorCode::kSourceRefused);
}

TEST(HostileSource, WaitingEndsWhenItIsStopped) {
  SourcePolicy patient = impatient();
  patient.silence_timeout = std::chrono::seconds(60);
  const FakeServer server(with_copy({copy_of(kHeader)}));
  std::atomic<int> asked = 0;
  const auto status = read_all_of(server, patient, [&] { return ++asked > 12; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace oa::sources
