// What no client of good will sends. Whatever comes: one clear answer or none, the connection ends,
// the handler never sees it, and the server goes on serving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "http_testkit.h"

namespace oa::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

std::size_t answers_in(std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find("HTTP/1.1 "); at != text.npos; at = text.find("HTTP/1.1 ", at + 1))
    ++count;
  return count;
}

struct Hostile {
  std::string bytes;
  const char* answer;
};

std::vector<Hostile> hostile_requests() {
  const std::string get = "GET / HTTP/1.1\r\n", host = "Host: h\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const char* const bad = "400 request/invalid";
  return {
      // What two programs read in two ways.
      {post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", bad},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", bad},
      {post + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", bad},
      {post + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", bad},
      {post + "Content-Length: 4, 4\r\n\r\nabcd", bad},
      {post + "Content-Length: +4\r\n\r\nabcd", bad},
      {post + "Content-Length: 0x4\r\n\r\nabcd", bad},
      {post + "Content-Length: -1\r\n\r\n", bad},
      {post + "Content-Length: 4 4\r\n\r\nabcd", bad},
      {post + "Content-Length:\r\n\r\nabcd", bad},
      {post + "Content-Length: 99999999999999999999\r\n\r\n", bad},
      {post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", bad},
      {post + "Transfer-Encoding: identity\r\n\r\nabcd", bad},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", bad},
      {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", bad},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", bad},
      {post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", bad},
      {post + "Transfer-Encoding:\x0b"
              "chunked\r\n\r\n0\r\n\r\n",
       bad},
      {post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", bad},
      {"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", bad},
      {get + host + "A: b\r\n c: d\r\n\r\n", bad},
      {get + host + "\tA: b\r\n\r\n", bad},
      {get + " Host: h\r\n\r\n", bad},
      {get + host + "A : b\r\n\r\n", bad},
      {get + host + "A\t: b\r\n\r\n", bad},
      {get + host + "A\r\n\r\n", bad},
      {get + host + ": b\r\n\r\n", bad},
      {get + host + "A(b: c\r\n\r\n", bad},
      {get + host + "A: b\rc\r\n\r\n", bad},
      {get + host + "A: b\r\r\n\r\n", bad},
      {get + host + "A: b\nC: d\r\n\r\n", bad},
      {"GET / HTTP/1.1\nHost: h\n\n", bad},
      {get + host + "\n", bad},
      {get + host + "A: \x01\r\n\r\n", bad},
      {get + host + "A: \x7f\r\n\r\n", bad},
      {get + host + std::string("A: b\0c\r\n\r\n", 10), bad},
      {get + host + "A: \xff\xfe\r\n\r\n", bad},
      {get + host + "Host: h\r\n\r\n", bad},
      {get + "\r\n", bad},
      {get + "Host:\r\n\r\n", bad},
      {get + "Host: a b\r\n\r\n", bad},
      {get + "Host: a/b\r\n\r\n", bad},
      {get + "Host: a, b\r\n\r\n", bad},
      {get + "Host: u@h\r\n\r\n", bad},
      {get + host + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", bad},
      {get + host + "Range: bytes=0-\r\nRange: bytes=1-\r\n\r\n", bad},
      {post + "Content-Length: 1\r\nExpect: 200-ok\r\n\r\na", bad},
      // Request lines.
      {"GET  / HTTP/1.1\r\n" + host + "\r\n", bad},
      {"GET /  HTTP/1.1\r\n" + host + "\r\n", bad},
      {"GET / HTTP/1.1 \r\n" + host + "\r\n", bad},
      {"GET /\r\n\r\n", bad},
      {"GET / HTTP/2.0\r\n" + host + "\r\n", bad},
      {"GET / HTTP/1.2\r\n" + host + "\r\n", bad},
      {"GET / HTTP/0.9\r\n" + host + "\r\n", bad},
      {"GET / http/1.1\r\n" + host + "\r\n", bad},
      {"GET / HTTP/1.1.\r\n" + host + "\r\n", bad},
      {"GET / HTTP/11\r\n" + host + "\r\n", bad},
      {"GET\t/\tHTTP/1.1\r\n" + host + "\r\n", bad},
      {"/ HTTP/1.1\r\n" + host + "\r\n", bad},
      {"G\xc3\x89T / HTTP/1.1\r\n" + host + "\r\n", bad},
      {"\r\n\r\n\r\n\r\n" + get + host + "\r\n", bad},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bad},
      {"GET * HTTP/1.1\r\n" + host + "\r\n", bad},
      {"GET http://h/ HTTP/1.1\r\n" + host + "\r\n", bad},
      {"GET /%2e%2e/etc/passwd HTTP/1.1\r\n" + host + "\r\n", bad},
      {"GET /a?b=1&b=2 HTTP/1.1\r\n" + host + "\r\n", bad},
      {"\x16\x03\x01\x02" + std::string(200, '\x01') + "\r\n\r\n", bad},
      {std::string("\0\0\0\0\r\n\r\n", 8), bad},
      {"BREW / HTTP/1.1\r\n" + host + "\r\n", "405 request/method-not-allowed"},
      {"get / HTTP/1.1\r\n" + host + "\r\n", "405 request/method-not-allowed"},
      {"TRACE / HTTP/1.1\r\n" + host + "\r\n", "405 request/method-not-allowed"},
      {"CONNECT h:443 HTTP/1.1\r\n" + host + "\r\n", "405 request/method-not-allowed"},
      // Too much.
      {get + host + "A: " + std::string(17 << 10, 'b'), "431 request/headers-too-large"},
      {"GET /" + std::string(17 << 10, 'b'), "431 request/headers-too-large"},
      {std::string(17 << 10, 'b'), "431 request/headers-too-large"},
  };
}

Reaction never(const Request& request) {
  ADD_FAILURE() << "handled: " << request.method << " " << request.target;
  return text_response(200, "handled");
}

TEST(Hostile, OneRefusalAndNothingAfter) {
  const Running running(never);
  for (const auto& [bytes, expected] : hostile_requests()) {
    const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    const auto answer = running.exchange(bytes + smuggled);
    EXPECT_EQ(answers_in(answer), 1) << bytes.substr(0, 80);
    const auto status = answer.substr(0, 12), body = answer.substr(answer.rfind("\r\n\r\n") + 4);
    EXPECT_EQ(status.substr(9) + " " + body, expected) << bytes.substr(0, 80);
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << bytes.substr(0, 80);
  }
  EXPECT_EQ(running.server->counters().refused_total, hostile_requests().size());
}

// Requests that are cut, and bytes of good requests that are changed: the handler sees none that is
// not well-formed, and the server answers the next client.
TEST(Hostile, RandomBytes) {
  const Running running([](const Request& request) -> Reaction {
    EXPECT_TRUE(request.target.starts_with('/'));
    for (const auto& [name, value] : request.headers)
      EXPECT_EQ(value.find_first_of(std::string_view("\r\n\0", 3)), value.npos) << name;
    if (!request.has_body) return text_response(200, "");
    return SmallBody{100, [](std::string) { return text_response(200, "ok"); }};
  });
  const std::string good =
      "POST /a/b?c=d%20e HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n";
  std::mt19937 random(7);
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = good.substr(0, random() % (good.size() + 1));
    for (auto changes = random() % 4; changes > 0 && !bytes.empty(); --changes) {
      constexpr std::string_view kTelling("\r\n :;,0aF\0\x7f\xff", 12);
      bytes[random() % bytes.size()] = kTelling[random() % kTelling.size()];
    }
    auto client = running.connect();
    client.send(bytes);
    client.half_close();
    const auto answer = client.read_all();
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 ")) << bytes;
  }
  EXPECT_THAT(running.exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200 "));
}

TEST(Hostile, SlowHeads) {
  ServerSettings settings;
  settings.head_timeout = milliseconds(150);
  settings.idle_timeout = milliseconds(300);
  const Running running(never, settings);
  auto drip = running.connect(), silent = running.connect(), cut = running.connect();
  cut.send("GET / HTTP/1.1\r\nHost");
  const auto began = std::chrono::steady_clock::now();
  for (const char c : std::string("GET / HTTP/1.1\r\nA: bbbbbbbbbbbbbbbbbbbbbb")) {
    if (!drip.send(std::string(1, c))) break;
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_THAT(cut.read_all(), HasSubstr("\r\n\r\nrequest/timeout"));
  EXPECT_THAT(drip.read_all(), HasSubstr("\r\n\r\nrequest/timeout"));
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(2000));
}

TEST(Hostile, SlowBodies) {
  ServerSettings settings;
  settings.body_timeout = milliseconds(150);
  const Running running(
      [](const Request&) -> Reaction {
        return SmallBody{100, [](std::string) { return text_response(200, "whole"); }};
      },
      settings);
  const std::string head = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
  EXPECT_THAT(running.exchange(head + "hel"), HasSubstr("request/timeout"));
  auto steady = running.connect();  // each byte in time
  steady.send(head);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(milliseconds(50));
    steady.send("x");
  }
  EXPECT_THAT(steady.read_response(), HasSubstr("whole"));
}

// Sends a byte at a time, for longer than the server is to bear.
std::string answer_to_drips(RawClient client, const std::string& head) {
  client.send(head);
  for (int i = 0; i < 60 && client.send("x"); ++i) std::this_thread::sleep_for(milliseconds(10));
  return client.read_response();
}

TEST(Hostile, BodiesThatDripForEver) {
  const std::string head = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n";
  ServerSettings settings;
  settings.small_body_timeout = milliseconds(300);
  const Running whole(
      [](const Request&) -> Reaction {
        return SmallBody{1000, [](std::string) { return text_response(200, "whole"); }};
      },
      settings);
  EXPECT_THAT(answer_to_drips(whole.connect(), head), HasSubstr("request/timeout"));
  const Running unwanted([](const Request&) -> Reaction { return text_response(200, "not read"); },
                         settings);
  auto client = unwanted.connect();
  client.send(head);
  EXPECT_THAT(client.read_response(), HasSubstr("not read"));
  for (int i = 0; i < 60 && client.send("x"); ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(client.read_all(), "");
}

TEST(Hostile, ResponsesThatDripForEver) {
  ServerSettings settings;
  settings.min_bytes_per_second = 1 << 30;
  settings.pace_window = milliseconds(100);
  static const Bytes page(64 << 20);
  Running running(
      [](const Request&) -> Reaction {
        Response response;
        response.body = StaticBody{page};
        return response;
      },
      settings);
  auto client = running.connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::size_t got = 0;
  while (running.handler.finished().empty() && got < page.size()) {
    got += client.read(64 << 10).size();
    std::this_thread::sleep_for(milliseconds(10));
  }
  ASSERT_TRUE(running.handler.wait_finished(1));
  EXPECT_LT(running.handler.finished()[0].sent, page.size());
}

TEST(Hostile, BodiesThatWouldFillTheMemory) {
  ServerSettings settings;
  settings.max_small_body_bytes = 64 << 10;
  std::atomic<bool> hold = true, held = false;
  const Running running(
      [&](const Request&) -> Reaction {
        return SmallBody{200'000, [&](const std::string& body) {
                           held = held || body.size() > 5;
                           while (hold && body.size() > 5)
                             std::this_thread::sleep_for(milliseconds(1));
                           return text_response(200, "whole");
                         }};
      },
      settings);
  const auto put = [](std::size_t length, std::size_t sent) {
    return "PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " +
           std::to_string(length) + "\r\n\r\n" + std::string(sent, 'x');
  };
  EXPECT_THAT(running.exchange(put(100'000, 100'000)), HasSubstr("service/overloaded"));
  EXPECT_THAT(running.exchange(put(5, 5)), HasSubstr("whole"));
  auto large = running.connect();
  large.send(put(40'000, 40'000));
  ASSERT_TRUE(eventually([&] { return held.load(); }));
  EXPECT_THAT(running.exchange(put(5, 5)), HasSubstr("service/overloaded"));
  hold = false;
  EXPECT_THAT(large.read_all(), HasSubstr("whole"));
  EXPECT_THAT(running.exchange(put(5, 5)), HasSubstr("whole"));
  running.connect().send(put(60'000, 40'000));  // and breaks
  EXPECT_TRUE(eventually(
      [&] { return running.exchange(put(40'000, 40'000)).find("whole") != std::string::npos; }));
}

TEST(Hostile, ClientsThatDoNotRead) {
  ServerSettings settings;
  settings.body_timeout = milliseconds(150);
  static const Bytes page(64 << 20);
  Running running(
      [](const Request&) -> Reaction {
        Response response;
        response.body = StaticBody{page};
        return response;
      },
      settings);
  auto client = running.connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(running.handler.wait_finished(1));
  EXPECT_LT(running.handler.finished()[0].sent, page.size());
  EXPECT_LT(client.read_all().size(), page.size());
}

TEST(Hostile, MoreConnectionsThanAllowed) {
  ServerSettings settings;
  settings.max_connections = 2;
  settings.max_connections_per_peer = 2;
  const Running running([](const Request&) -> Reaction { return text_response(200, "served"); },
                        settings);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<RawClient> held;
  for (int i = 0; i < 2; ++i) {
    held.push_back(running.connect());
    ASSERT_TRUE(held.back().send(get));
    EXPECT_THAT(held.back().read_response(), HasSubstr("served"));
  }
  for (int i = 0; i < 100; ++i) {
    const auto answer = running.exchange(get);
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 503 ")) << i;
    EXPECT_THAT(answer, HasSubstr("service/overloaded")) << i;
  }
  held.pop_back();
  EXPECT_TRUE(eventually([&] {
    auto client = running.connect();
    client.send(get);
    return client.read_response().ends_with("served");
  }));
  ASSERT_TRUE(held[0].send(get));
  EXPECT_THAT(held[0].read_response(), HasSubstr("served"));
}

TEST(Hostile, MoreConnectionsOfOnePeerThanAllowed) {
  ServerSettings settings;
  settings.max_connections_per_peer = 1;
  const Running running(
      [](const Request& request) -> Reaction { return text_response(200, request.peer_address); },
      settings);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  auto first = running.connect();
  first.send(get);
  EXPECT_THAT(first.read_response(), HasSubstr("127.0.0.1"));
  EXPECT_THAT(running.exchange(get), HasSubstr("service/overloaded"));
  RawClient other(running.server->port(), "127.0.0.2");
  other.send(get);
  EXPECT_THAT(other.read_response(), HasSubstr("127.0.0.2"));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(Hostile, WithoutDescriptorsItWaits) {
  const Running running([](const Request&) -> Reaction { return text_response(200, "served"); });
  auto client = std::make_unique<RawClient>(running.server->port());
  ASSERT_TRUE(eventually([&] { return running.server->counters().connections_open == 1; }));
  rlimit limit{}, few{};
  getrlimit(RLIMIT_NOFILE, &limit);
  few = limit;
  const int next = dup(0);
  few.rlim_cur = static_cast<rlim_t>(next) + 1;  // one for the client, none for the server
  close(next);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  RawClient late(running.server->port());
  const double before = cpu_seconds();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(cpu_seconds() - before, 0.1);
  EXPECT_EQ(running.server->counters().connections_open, 1);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  late.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(late.read_response(), HasSubstr("served"));
}

TEST(Hostile, MoreRequestsThanTheWorkersTake) {
  ServerSettings settings;
  settings.workers = 1;
  settings.max_requests_waiting = 2;
  std::atomic<bool> hold = true;
  std::atomic<int> held = 0;
  const Running running(
      [&](const Request&) -> Reaction {
        ++held;
        while (hold) std::this_thread::sleep_for(milliseconds(1));
        return text_response(200, "served");
      },
      settings);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  auto first = running.connect();
  first.send(get);
  ASSERT_TRUE(eventually([&] { return held == 1; }));
  std::vector<RawClient> others;
  for (int i = 0; i < 5; ++i) {
    others.push_back(running.connect());
    others.back().send(get);
  }
  ASSERT_TRUE(eventually([&] { return running.server->counters().refused_total == 3; }));
  hold = false;
  int served = 0, refused = 0;
  for (auto& client : others) {
    const auto answer = client.read_all();
    served += answer.ends_with("served");
    refused += answer.ends_with("service/overloaded");
  }
  EXPECT_EQ(served, 2);
  EXPECT_EQ(refused, 3);
  EXPECT_THAT(first.read_all(), HasSubstr("served"));
}

}  // namespace
}  // namespace oa::http
