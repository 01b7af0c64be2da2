// How a server comes to its end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http_testkit.h"

namespace oa::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(Stop, EndsWhatIsIdleAndLetsTheRestFinish) {
  std::atomic<bool> inside = false, go_on = false;
  Running running([&](const Request& request) -> Reaction {
    if (request.target == "/quick") return text_response(200, "quick");
    inside = true;
    while (!go_on) std::this_thread::sleep_for(milliseconds(1));
    return text_response(200, "slow");
  });
  auto idle = running.connect(), slow = running.connect(), fresh = running.connect();
  idle.send("GET /quick HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(idle.read_response(), EndsWith("quick"));
  slow.send(kGet);
  ASSERT_TRUE(eventually([&] { return inside.load(); }));
  std::thread stopping([&] { running.server->stop(seconds(10)); });
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(fresh.closed());
  go_on = true;
  const auto answer = slow.read_response();
  EXPECT_THAT(answer, EndsWith("slow"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_TRUE(slow.closed());
  { const auto gone = std::move(slow); }  // the server waits for the client to close
  stopping.join();
  EXPECT_EQ(running.server->counters().connections_open, 0);
}

TEST(Stop, LetsTransfersFinish) {
  static const Bytes page(64 << 20, 'p');
  Running running([](const Request& request) -> Reaction {
    if (request.has_body)
      return SmallBody{1 << 20, [](std::string body) { return text_response(200, body); }};
    Response response;
    response.body = StaticBody{page};
    return response;
  });
  auto down = std::make_optional(running.connect()), up = std::make_optional(running.connect());
  down->send(kGet);
  down->read_until("\r\n\r\n");
  up->send("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_THAT(up->read_until("\r\n\r\n"), HasSubstr("100 Continue"));
  std::thread stopping([&] { running.server->stop(seconds(10)); });
  std::this_thread::sleep_for(milliseconds(50));
  up->send("hello");
  EXPECT_THAT(up->read_all(), EndsWith("hello"));
  EXPECT_EQ(down->read_all().size(), page.size());
  up.reset();
  down.reset();
  stopping.join();
}

TEST(Stop, EndsStreamsOfEventsInOrder) {
  Running running([&](const Request&) -> Reaction {
    Response response;
    response.body = EventStream(
        [](const std::shared_ptr<EventSender>& sender) { sender->send("1", "", "last"); });
    return response;
  });
  auto client = std::make_optional(running.connect());
  client->send(kGet);
  client->read_until("\n\n");
  std::thread stopping([&] { running.server->stop(seconds(10)); });
  EXPECT_TRUE(client->closed());
  client.reset();
  stopping.join();
}

TEST(Stop, PatienceEnds) {
  static const Bytes page(64 << 20, 'p');
  Running running([](const Request&) -> Reaction {
    Response response;
    response.body = StaticBody{page};
    return response;
  });
  auto stuck = running.connect(), cut = running.connect();
  stuck.send(kGet);
  cut.send("GET / HT");
  EXPECT_THAT(stuck.read_until("\r\n\r\n"), HasSubstr("200 OK"));
  const auto began = std::chrono::steady_clock::now();
  running.server->stop(milliseconds(100));
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(2));
  EXPECT_EQ(running.server->counters().connections_open, 0);
  EXPECT_LT(stuck.read_all().size(), page.size());
}

TEST(Stop, WaitsForAHandlerEvenWithoutPatience) {
  std::atomic<bool> inside = false, left = false;
  Running running([&](const Request&) -> Reaction {
    inside = true;
    std::this_thread::sleep_for(milliseconds(100));
    left = true;
    return text_response(200, "");
  });
  auto client = running.connect();
  client.send(kGet);
  ASSERT_TRUE(eventually([&] { return inside.load(); }));
  running.server->stop(milliseconds(0));
  EXPECT_TRUE(left);
  running.server->stop(milliseconds(0));  // and again
}

TEST(Stop, RefusesConnectionsAfterwards) {
  Running running([](const Request&) -> Reaction { return text_response(200, ""); });
  const auto port = running.server->port();
  running.server->stop(milliseconds(0));
  TestHandler handler([](const Request&) -> Reaction { return text_response(200, "next"); });
  ServerSettings settings;
  settings.port = port;
  const auto next = Server::start(settings, handler);  // the port is free
  ASSERT_TRUE(next.ok());
  RawClient client(port);
  client.send(kGet);
  EXPECT_THAT(client.read_response(), EndsWith("next"));
}

}  // namespace
}  // namespace oa::http
