// Bodies that are larger than memory should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "http_testkit.h"

namespace oa::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint64_t kLarge = 200 << 20;

// Byte i of a body is i * 31 / 7, so that a piece out of place shows.
std::uint8_t byte_at(std::uint64_t offset) { return static_cast<std::uint8_t>(offset * 31 / 7); }

struct Trace {
  std::atomic<bool> dropped = false, finished = false;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::size_t> largest = 0;
};

class PatternSource final : public BodySource {
 public:
  PatternSource(std::uint64_t ends_at, Trace& trace, bool fails = false)
      : ends_at_(ends_at), trace_(trace), fails_(fails) {}
  ~PatternSource() override { trace_.dropped = true; }
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    trace_.largest = std::max(trace_.largest.load(), out.size());
    const auto size = std::min<std::uint64_t>(out.size(), ends_at_ - at_);
    if (size == 0 && fails_) return make_error(ErrorCode::kIo, "test", "gone");
    for (std::size_t i = 0; i < size; ++i) out[i] = byte_at(at_ + i);
    at_ += size;
    trace_.bytes = at_;
    return static_cast<std::size_t>(size);
  }

 private:
  const std::uint64_t ends_at_;
  Trace& trace_;
  const bool fails_;
  std::uint64_t at_ = 0;
};

TestHandler::Function source_of(std::uint64_t length, std::uint64_t ends_at, Trace& trace,
                                bool fails = false) {
  return [=, &trace](const Request&) -> Reaction {
    Response response;
    response.body = KnownBody{length, std::make_unique<PatternSource>(ends_at, trace, fails)};
    return response;
  };
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(Transfer, DownInBoundedMemory) {
  Trace trace;
  const Running running(source_of(kLarge, kLarge, trace));
  auto client = running.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 209715200\r\n"));
  const auto before = resident_bytes();
  std::uint64_t most = 0;
  for (std::uint64_t at = 0; at < kLarge;) {
    const auto piece = client.read(1 << 20);
    ASSERT_FALSE(piece.empty());
    for (std::size_t i = 0; i < piece.size(); i += 997)
      ASSERT_EQ(static_cast<std::uint8_t>(piece[i]), byte_at(at + i));
    at += piece.size();
    most = std::max(most, resident_bytes());
  }
  EXPECT_LT(most - std::min(most, before), 64 << 20);  // sanitizers keep more than ours
  EXPECT_LE(trace.largest, 256 << 10);
  EXPECT_TRUE(eventually([&] { return trace.dropped.load(); }));
  client.send(kGet);  // the connection goes on
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST(Transfer, OnlyWhatIsTakenIsRead) {
  Trace trace;
  const Running running(source_of(kLarge, kLarge, trace));
  {
    auto client = running.connect();
    client.send(kGet);
    client.read(100'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LT(trace.bytes, 16 << 20);
    EXPECT_FALSE(trace.dropped);
  }
  EXPECT_TRUE(eventually([&] { return trace.dropped.load(); }));  // with the client
}

TEST(Transfer, BodiesThatFailAreCut) {
  for (const bool fails : {false, true}) {
    Trace trace;
    Running running(source_of(1'000'000, 600'000, trace, fails));
    const auto answer = running.exchange(kGet);
    EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 600'000);
    EXPECT_TRUE(trace.dropped);
    ASSERT_TRUE(running.handler.wait_finished(1));
  }
}

TEST(Transfer, HeadReadsNothing) {
  Trace trace;
  const Running running(source_of(kLarge, kLarge, trace));
  EXPECT_THAT(running.exchange("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              HasSubstr("Content-Length: 209715200\r\n"));
  EXPECT_EQ(trace.bytes, 0);
  EXPECT_TRUE(eventually([&] { return trace.dropped.load(); }));
}

TEST(Transfer, LengthsBeyond32Bits) {
  Trace trace;
  const Running running(source_of(std::uint64_t{5} << 32, std::uint64_t{5} << 32, trace));
  auto client = running.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 21474836480\r\n"));
  EXPECT_EQ(client.read(10 << 20).size(), 10 << 20);
}

TEST(Transfer, StaticBytes) {
  static const Bytes page(3'000'000, 'p');
  const Running running([](const Request&) -> Reaction {
    Response response;
    response.body = StaticBody{page};
    return response;
  });
  auto client = running.connect();
  client.send(std::string(kGet) + std::string(kGet));
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n" + std::string(as_text(page))));
}

class CheckingTarget final : public BodyTarget {
 public:
  CheckingTarget(Trace& trace, std::uint64_t fails_at) : trace_(trace), fails_at_(fails_at) {}
  ~CheckingTarget() override { trace_.dropped = true; }
  Status write(ByteView bytes) override {
    for (std::size_t i = 0; i < bytes.size(); i += 997) {
      if (bytes[i] != byte_at(at_ + i)) return make_error(ErrorCode::kInternal, "test", "wrong");
    }
    at_ += bytes.size();
    trace_.bytes = at_;
    trace_.largest = std::max(trace_.largest.load(), bytes.size());
    if (at_ >= fails_at_) return make_error(ErrorCode::kQuotaExceeded, "test", "enough");
    return {};
  }
  Response finish() override {
    trace_.finished = true;
    return text_response(201, std::to_string(at_));
  }
  Response failed(const Error& error) override {
    return text_response(403, std::string(error_info(error.code).name));
  }

 private:
  Trace& trace_;
  const std::uint64_t fails_at_;
  std::uint64_t at_ = 0;
};

TestHandler::Function target_of(Trace& trace, std::uint64_t fails_at = kLarge * 2) {
  return [=, &trace](const Request&) -> Reaction {
    return std::unique_ptr<BodyTarget>(std::make_unique<CheckingTarget>(trace, fails_at));
  };
}

std::string pattern(std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(byte_at(offset + i));
  return text;
}

std::string put_head(std::uint64_t length) {
  return "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

TEST(Transfer, UpInBoundedMemory) {
  Trace trace;
  const Running running(target_of(trace));
  auto client = running.connect();
  client.send(put_head(kLarge));
  const auto before = resident_bytes();
  std::uint64_t most = 0;
  for (std::uint64_t at = 0; at < kLarge; at += 4 << 20) {
    ASSERT_TRUE(client.send(pattern(at, 4 << 20)));
    most = std::max(most, resident_bytes());
  }
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n209715200"));
  EXPECT_LT(most - std::min(most, before), 64 << 20);
  EXPECT_LE(trace.largest, 256 << 10);
  EXPECT_TRUE(eventually([&] { return trace.dropped.load(); }));
}

TEST(Transfer, UpInChunks) {
  Trace trace;
  const Running running(target_of(trace));
  auto client = running.connect();
  client.send("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::uint64_t at = 0;
  for (std::size_t size = 1; size < 3'000'000; size = size * 3 + 1) {
    char line[32];
    std::snprintf(line, sizeof(line), "%zX;n=%zu\r\n", size, size);
    ASSERT_TRUE(client.send(line + pattern(at, size) + "\r\n"));
    at += size;
  }
  client.send("0\r\n\r\nGET");
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n" + std::to_string(at)));
}

TEST(Transfer, NoBodyIsAnEmptyOne) {
  Trace trace;
  const Running running(target_of(trace));
  EXPECT_THAT(running.exchange("PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("\r\n\r\n0"));
}

TEST(Transfer, ATargetThatFailsAnswersWhileTheClientSends) {
  Trace trace;
  Running running(target_of(trace, 1 << 20));
  auto client = running.connect();
  ASSERT_TRUE(client.send(put_head(32 << 20)));
  for (std::uint64_t at = 0; at < 32 << 20; at += 1 << 20)
    ASSERT_TRUE(client.send(pattern(at, 1 << 20)));
  EXPECT_THAT(client.read_response(), EndsWith("tenant/quota-exceeded"));
  EXPECT_FALSE(trace.finished);
  EXPECT_TRUE(trace.dropped);
}

// What came is given to the target, so that an upload can go on from there.
TEST(Transfer, ABrokenUploadIsNotFinished) {
  Trace trace;
  const Running running(target_of(trace));
  {
    auto client = running.connect();
    client.send(put_head(1'000'000) + pattern(0, 300'001));
  }
  EXPECT_TRUE(eventually([&] { return trace.dropped.load(); }));
  EXPECT_FALSE(trace.finished);
  EXPECT_EQ(trace.bytes, 300'001);
}

TEST(Transfer, ASlowUploadIsRefusedAndNotFinished) {
  Trace trace;
  ServerSettings settings;
  settings.body_timeout = std::chrono::milliseconds(100);
  const Running running(target_of(trace), settings);
  EXPECT_THAT(running.exchange(put_head(1000) + pattern(0, 10)), EndsWith("request/timeout"));
  EXPECT_FALSE(trace.finished);
  EXPECT_EQ(trace.bytes, 10);
}

TEST(Transfer, AnUploadThatDripsIsRefusedAndNotFinished) {
  Trace trace;
  ServerSettings settings;
  settings.min_bytes_per_second = 2'000;
  settings.pace_window = std::chrono::milliseconds(100);
  const Running running(target_of(trace), settings);
  auto drip = running.connect();
  drip.send(put_head(1000));
  for (std::uint64_t at = 0; at < 60 && drip.send(pattern(at, 1)); ++at)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_THAT(drip.read_response(), EndsWith("request/timeout"));
  EXPECT_FALSE(trace.finished);
  auto steady = running.connect();  // for several windows
  steady.send(put_head(400'000));
  for (std::uint64_t at = 0; at < 400'000; at += 10'000) {
    ASSERT_TRUE(steady.send(pattern(at, 10'000)));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_THAT(steady.read_response(), EndsWith("\r\n\r\n400000"));
}

TEST(Transfer, NoMoreUploadsAtATimeThanAllowed) {
  Trace trace, other;
  ServerSettings settings;
  settings.max_body_targets = 1;
  const Running running(
      [&](const Request& request) -> Reaction {
        return std::unique_ptr<BodyTarget>(std::make_unique<CheckingTarget>(
            request.path.empty() ? trace : other, std::uint64_t{2} * kLarge));
      },
      settings);
  auto first = running.connect();
  first.send("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_THAT(first.read_until("\r\n\r\n"), HasSubstr("100 Continue"));
  const std::string second =
      "PUT /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\n" +
      pattern(0, 3);
  EXPECT_THAT(running.exchange(second), EndsWith("service/overloaded"));
  EXPECT_TRUE(other.dropped);
  first.send(pattern(0, 1000));
  EXPECT_THAT(first.read_response(), EndsWith("\r\n\r\n1000"));
  EXPECT_THAT(running.exchange(second), EndsWith("\r\n\r\n3"));
}

TEST(Transfer, ATargetThatThrowsIsA500) {
  class Throwing final : public BodyTarget {
    Status write(ByteView) override { throw std::runtime_error("x"); }
    Response finish() override { return {}; }
    Response failed(const Error&) override { return {}; }
  };
  const Running running([](const Request&) -> Reaction {
    return std::unique_ptr<BodyTarget>(std::make_unique<Throwing>());
  });
  auto client = running.connect();
  client.send(put_head(1000) + pattern(0, 1000));
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\ninternal"));
}

TEST(Transfer, ASourceThatThrowsCutsTheBody) {
  class Throwing final : public BodySource {
    Result<std::size_t> read(std::span<std::uint8_t>) override { throw std::runtime_error("x"); }
  };
  const Running running([](const Request&) -> Reaction {
    Response response;
    response.body = KnownBody{10, std::make_unique<Throwing>()};
    return response;
  });
  EXPECT_THAT(running.exchange(kGet), EndsWith("Content-Length: 10\r\n\r\n"));
}

}  // namespace
}  // namespace oa::http
