// Requests and responses in order: what every client does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http_testkit.h"

namespace oa::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kClose = "Host: h\r\nConnection: close\r\n\r\n";

// Answers with what it was asked.
Reaction echo(const Request& request) {
  if (request.has_body)
    return SmallBody{1 << 20, [](std::string body) { return text_response(200, body); }};
  return text_response(200, request.method + " " + request.target);
}

TEST(Server, AnswersAndKeepsTheConnection) {
  const Running running(echo);
  auto client = running.connect();
  for (const std::string target : {"/", "/v1/jobs?limit=5"}) {
    ASSERT_TRUE(client.send("\r\nGET " + target + " HTTP/1.1\r\nHost: here\r\n\r\n"));
    const auto response = client.read_response();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(response, Not(HasSubstr("Connection:")));
    EXPECT_THAT(response, EndsWith("\r\n\r\nGET " + target));
  }
  EXPECT_EQ(running.server->counters().connections_total, 1);
}

TEST(Server, TellsTheHandlerWhoAsksAndWhat) {
  Request seen;
  const Running running([&](const Request& request) -> Reaction {
    seen = request;
    return text_response(200, "");
  });
  running.exchange("DELETE /v1/a%20b?x=1 HTTP/1.1\r\nX-Y: z\r\n" + std::string(kClose));
  EXPECT_EQ(seen.method, "DELETE");
  EXPECT_THAT(seen.path, testing::ElementsAre("v1", "a b"));
  EXPECT_EQ(seen.query["x"], "1");
  EXPECT_EQ(seen.header("X-y"), "z");
  EXPECT_EQ(seen.peer_address, "127.0.0.1");
  EXPECT_FALSE(seen.secure || seen.has_body);
}

TEST(Server, EveryRequestHasAnIdOfItsOwn) {
  std::string seen;
  const Running running([&](const Request& request) -> Reaction {
    seen = request.id;
    return text_response(200, "");
  });
  running.exchange("GET / HTTP/1.1\r\n" + std::string(kClose));
  running.exchange("TRACE / HTTP/1.1\r\n" + std::string(kClose));
  ASSERT_TRUE(running.handler.wait_finished(2));
  const auto done = running.handler.finished();
  EXPECT_EQ(done[0].id, seen);
  EXPECT_NE(done[1].id, seen);
  for (const auto& one : done) {
    EXPECT_EQ(one.id.size(), 32);
    EXPECT_EQ(one.id.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const Running running(echo);
  std::string bytes, expected;
  for (int i = 0; i < 200; ++i) {
    const auto number = std::to_string(i);
    bytes += i % 3 == 0
                 ? "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(number.size()) +
                       "\r\n\r\n" + number
                 : "GET /" + number + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  auto client = running.connect();
  ASSERT_TRUE(client.send(bytes));
  for (int i = 0; i < 200; ++i) {
    const auto number = std::to_string(i);
    EXPECT_THAT(client.read_response(),
                EndsWith("\r\n\r\n" + (i % 3 == 0 ? number : "GET /" + number)));
  }
}

TEST(Server, NothingIsServedBehindAClose) {
  const Running running(echo);
  const auto answer = running.exchange("GET /1 HTTP/1.1\r\n" + std::string(kClose) +
                                       "GET /2 HTTP/1.1\r\n" + std::string(kClose));
  EXPECT_THAT(answer, EndsWith("GET /1"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
}

TEST(Server, HandlersMayEndTheConnection) {
  const Running running([](const Request&) -> Reaction {
    auto response = text_response(200, "bye");
    response.close = true;
    return response;
  });
  EXPECT_THAT(running.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("Connection: close"));
}

TEST(Server, SpeaksHttp10) {
  const Running running(echo);
  EXPECT_THAT(running.exchange("GET / HTTP/1.0\r\n\r\n"), EndsWith("GET /"));
  auto client = running.connect();
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.read_response(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  client.send("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_all(), EndsWith("GET /2"));
}

TEST(Server, HeadHasTheLengthButNoBody) {
  const Running running(echo);
  EXPECT_THAT(running.exchange("HEAD /abc HTTP/1.1\r\n" + std::string(kClose)),
              testing::AllOf(HasSubstr("Content-Length: 9\r\n"), EndsWith("\r\n\r\n")));
}

TEST(Server, SomeStatusesHaveNoBody) {
  for (const int status : {204, 304}) {
    const Running running([&](const Request&) -> Reaction { return text_response(status, "x"); });
    const auto answer = running.exchange("GET / HTTP/1.1\r\n" + std::string(kClose));
    EXPECT_THAT(answer, testing::AllOf(EndsWith("\r\n\r\n"), Not(HasSubstr("Content-Length"))));
  }
}

TEST(Server, TakesSmallBodies) {
  const Running running([](const Request&) -> Reaction {
    return SmallBody{100'000, [](std::string body) { return text_response(201, body); }};
  });
  const std::string body(100'000, 'x');
  const auto with_length = [](const std::string& bytes) {
    return "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n" +
           std::string(kClose) + bytes;
  };
  const auto chunked = [](const std::string& bytes) {
    return "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n" + std::string(kClose) +
           "1\r\ny\r\n186a0;last\r\n" + bytes + "\r\n0\r\nX: y\r\n\r\n";
  };
  EXPECT_THAT(running.exchange(with_length(body)), EndsWith("\r\n\r\n" + body));
  EXPECT_THAT(running.exchange(with_length("")), EndsWith("\r\n\r\n"));
  EXPECT_THAT(running.exchange("POST / HTTP/1.1\r\n" + std::string(kClose)), HasSubstr(" 201 "));
  EXPECT_THAT(running.exchange(with_length(body + "y")), EndsWith("request/limit-exceeded"));
  EXPECT_THAT(running.exchange(chunked(body)), EndsWith("request/limit-exceeded"));
  EXPECT_THAT(running.exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" +
                               std::string(kClose) + "zz\r\n"),
              EndsWith("request/invalid"));
}

TEST(Server, SaysContinueOnlyWhenTheBodyIsWanted) {
  const Running running([](const Request& request) -> Reaction {
    if (request.target == "/no") return text_response(403, "no");
    return SmallBody{5, [](std::string body) { return text_response(200, body); }};
  });
  const auto head = [](std::string target, std::string length) {
    return "PUT " + target +
           " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: " + length + "\r\n\r\n";
  };
  auto wanted = running.connect();
  wanted.send(head("/", "5"));
  EXPECT_EQ(wanted.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("hello");
  EXPECT_THAT(wanted.read_response(), EndsWith("hello"));
  wanted.send(head("/", "0"));  // nothing to wait for
  EXPECT_THAT(wanted.read_response(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(running.exchange(head("/no", "5")),
              testing::AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("Connection: close")));
  EXPECT_THAT(running.exchange(head("/", "6")), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(running.exchange("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
                               "hello"),
              StartsWith("HTTP/1.1 200 "));
}

TEST(Server, DropsSmallBodiesThatNobodyWants) {
  const Running running([](const Request&) -> Reaction { return text_response(404, "no"); });
  auto client = running.connect();
  for (int i = 0; i < 3; ++i) {
    client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n");
    EXPECT_THAT(client.read_response(), EndsWith("no"));  // before the body
    client.send(std::string(65536, 'G'));
  }
}

// A client that sends all before it reads sees the answer, not a connection that was reset.
TEST(Server, AnswersBeforeALargeBodyEnds) {
  Running running([](const Request&) -> Reaction { return text_response(401, "no"); });
  auto client = running.connect();
  const std::string piece(1 << 20, 'x');
  ASSERT_TRUE(client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 33554432\r\n\r\n"));
  ASSERT_TRUE(running.handler.wait_finished(1));
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(client.send(piece)) << i;
  EXPECT_THAT(client.read_response(),
              testing::AllOf(HasSubstr("Connection: close"), EndsWith("no")));
  EXPECT_TRUE(client.closed());
}

TEST(Server, WhatAHandlerDoesWrongIsA500) {
  const auto bad_header = [](std::string name, std::string value) {
    return [=](const Request&) -> Reaction {
      auto response = text_response(200, "secret");
      response.headers.emplace_back(name, value);
      return response;
    };
  };
  const std::vector<TestHandler::Function> defects{
      [](const Request&) -> Reaction { throw std::runtime_error("x"); },
      [](const Request&) -> Reaction { throw 5; },
      [](const Request&) -> Reaction {
        return SmallBody{5, [](std::string) -> Response { throw std::runtime_error("x"); }};
      },
      [](const Request&) -> Reaction { return text_response(99, "x"); },
      [](const Request&) -> Reaction { return text_response(101, "x"); },
      bad_header("X", "a\r\nSet-Cookie: b"),
      bad_header("X", "a\nb"),
      bad_header("X", std::string("a\0b", 3)),
      bad_header("X: y", "a"),
      bad_header("", "a"),
      bad_header("Content-length", "5"),
      bad_header("transfer-encoding", "chunked"),
      bad_header("Connection", "x"),
  };
  for (std::size_t i = 0; i < defects.size(); ++i) {
    const Running running(defects[i]);
    const auto answer = running.exchange("GET / HTTP/1.1\r\n" + std::string(kClose));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 ")) << i;
    EXPECT_THAT(answer, EndsWith("\r\n\r\ninternal")) << i;
  }
}

class BrokenHandler final : public TestHandler {
 public:
  using TestHandler::TestHandler;
  Response refuse(const Error& error) override {
    if (error.code == ErrorCode::kInternal) throw std::runtime_error("x");
    return text_response(99, "");
  }
  void done(const Request&, int, std::uint64_t, std::uint64_t, double) override { throw 5; }
};

TEST(Server, SurvivesAHandlerThatCannotRefuse) {
  BrokenHandler handler([](const Request&) -> Reaction { throw 5; });
  auto server = Server::start({}, handler);
  ASSERT_TRUE(server.ok());
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET HTTP/1.1\r\n\r\n"}) {
    RawClient client((*server)->port());
    client.send(request);
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 500 "));
  }
}

TEST(Server, ReportsEachResponse) {
  Running running(echo);
  running.exchange("PUT /a HTTP/1.1\r\nContent-Length: 5\r\n" + std::string(kClose) + "hello");
  running.exchange("BAD\r\n\r\n");
  ASSERT_TRUE(running.handler.wait_finished(2));
  const auto done = running.handler.finished();
  EXPECT_EQ(done[0].target, "/a");
  EXPECT_EQ(done[0].status, 200);
  EXPECT_GT(done[0].received, 40);
  EXPECT_GT(done[0].sent, 60);
  EXPECT_EQ(done[1].target, "");
  EXPECT_EQ(done[1].status, 400);
}

TEST(Server, SaysWhyItCannotListen) {
  const Running running(echo);
  TestHandler handler(echo);
  const auto code = [&](const std::string& address, std::uint16_t port) {
    ServerSettings settings;
    settings.address = address;
    settings.port = port;
    const auto server = Server::start(settings, handler);
    return server.ok() ? ErrorCode::kInternal : server.error().code;
  };
  EXPECT_EQ(code("127.0.0.1", running.server->port()), ErrorCode::kBusy);
  EXPECT_EQ(code("localhost", 0), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("203.0.113.1", 0), ErrorCode::kInvalidArgument);
}

TEST(Server, ServesIpv6AndNamesIpv4PeersAsSuch) {
  ServerSettings settings;
  settings.address = "::";
  const Running running(
      [](const Request& request) -> Reaction { return text_response(200, request.peer_address); },
      settings);
  EXPECT_THAT(running.exchange("GET / HTTP/1.1\r\n" + std::string(kClose)),
              EndsWith("\n127.0.0.1"));
}

TEST(Server, RunsHandlersSideBySide) {
  ServerSettings settings;
  settings.workers = 4;
  settings.io_threads = 2;
  std::atomic<int> inside = 0;
  const Running running(
      [&](const Request&) -> Reaction {
        ++inside;
        const bool met = eventually([&] { return inside == 4; });
        return text_response(200, met ? "met" : "alone");
      },
      settings);
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(running.connect());
    clients.back().send("GET / HTTP/1.1\r\n" + std::string(kClose));
  }
  for (auto& client : clients) EXPECT_THAT(client.read_all(), EndsWith("met"));
}

TEST(Server, WhatIsAnsweredAtOnceWaitsForNoWorker) {
  std::atomic<bool> inside = false, go_on = false;
  ServerSettings settings;
  settings.workers = 1;
  settings.max_requests_waiting = 1;
  Running running(
      [&](const Request&) -> Reaction {
        inside = true;
        while (!go_on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return text_response(200, "slow");
      },
      settings);
  auto busy = running.connect(), quick = running.connect();
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return inside.load(); }));
  for (const char* method : {"GET", "POST"}) {
    quick.send(std::string(method) + " /at-once HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxx");
    EXPECT_THAT(quick.read_response(), EndsWith("at once"));
  }
  go_on = true;
  EXPECT_THAT(busy.read_response(), EndsWith("slow"));
}

}  // namespace
}  // namespace oa::http
