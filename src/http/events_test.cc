// Server-sent events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "http_testkit.h"

namespace oa::http {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kGet =
    "GET /events HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n";

// Keeps the senders of all streams.
struct Streams {
  std::mutex mutex;
  std::vector<std::shared_ptr<EventSender>> senders;

  Reaction operator()(const Request&) {
    Response response;
    response.headers = {{"Content-Type", "text/event-stream"}};
    response.body = EventStream([this](std::shared_ptr<EventSender> sender) {
      const std::lock_guard lock(mutex);
      senders.push_back(std::move(sender));
    });
    return response;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex);
    return senders.size();
  }
};

TEST(Events, AreWrittenAsTheyCome) {
  Streams streams;
  const Running running(std::ref(streams));
  auto client = running.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              testing::AllOf(HasSubstr("Content-Type: text/event-stream\r\n"),
                             HasSubstr("Connection: close\r\n"), Not(HasSubstr("Content-Length"))));
  ASSERT_TRUE(eventually([&] { return streams.size() == 1; }));
  auto sender = streams.senders[0];
  EXPECT_TRUE(sender->send("7", "progress", "{\"done\":1}"));
  EXPECT_EQ(client.read_until("\n\n"), "id: 7\nevent: progress\ndata: {\"done\":1}\n\n");
  EXPECT_TRUE(sender->send("", "", "a\nb\r\nc\rd\n"));
  EXPECT_EQ(client.read_until("\n\n"), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
  EXPECT_TRUE(sender->send("8", "", ""));
  sender->close();
  EXPECT_EQ(client.read_all(), "id: 8\ndata: \n\n");
  EXPECT_FALSE(sender->open());
  EXPECT_FALSE(sender->send("9", "", ""));
  EXPECT_TRUE(eventually([&] { return running.server->counters().event_streams_open == 0; }));
}

TEST(Events, MayBeSentBeforeTheCallReturns) {
  const Running running([](const Request&) -> Reaction {
    Response response;
    response.body = EventStream([](std::shared_ptr<EventSender> sender) {
      for (int i = 0; i < 10; ++i) sender->send(std::to_string(i), "", "x");
      sender->close();
    });
    return response;
  });
  EXPECT_THAT(running.exchange(kGet), EndsWith("id: 8\ndata: x\n\nid: 9\ndata: x\n\n"));
}

TEST(Events, AQuietStreamBeats) {
  Streams streams;
  ServerSettings settings;
  settings.event_heartbeat = milliseconds(30);
  settings.body_timeout = milliseconds(50);  // does not end a stream
  const Running running(std::ref(streams), settings);
  auto client = running.connect();
  client.send(kGet);
  client.read_until("\r\n\r\n");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.read(3), ":\n\n");
}

TEST(Events, EndWhenTheClientLeaves) {
  Streams streams;
  const Running running(std::ref(streams));
  {
    auto client = running.connect();
    client.send(kGet);
    ASSERT_TRUE(eventually([&] { return streams.size() == 1; }));
    EXPECT_TRUE(streams.senders[0]->open());
  }
  EXPECT_TRUE(eventually([&] { return !streams.senders[0]->open(); }));
  EXPECT_TRUE(eventually([&] { return running.server->counters().connections_open == 0; }));
  EXPECT_FALSE(streams.senders[0]->send("1", "", "x"));
}

TEST(Events, AClientThatDoesNotReadIsCutOff) {
  Streams streams;
  const Running running(std::ref(streams));
  auto client = running.connect();
  client.send(kGet);
  ASSERT_TRUE(eventually([&] { return streams.size() == 1; }));
  const std::string large(500'000, 'x');
  std::size_t sent = 0;
  while (sent < 1000 && streams.senders[0]->send("1", "", large)) {
    ++sent;
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_LT(sent, 1000);
  EXPECT_FALSE(streams.senders[0]->open());
  EXPECT_TRUE(eventually([&] { return running.server->counters().connections_open == 0; }));
}

TEST(Events, ACallThatThrowsEndsTheStream) {
  const Running running([](const Request&) -> Reaction {
    Response response;
    response.body = EventStream([](const std::shared_ptr<EventSender>&) { throw 5; });
    return response;
  });
  EXPECT_THAT(running.exchange(kGet), EndsWith("\r\n\r\n"));
}

TEST(Events, HeadStartsNoStream) {
  Streams streams;
  const Running running(std::ref(streams));
  EXPECT_THAT(running.exchange("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"), EndsWith("\r\n\r\n"));
  EXPECT_EQ(streams.size(), 0);
}

TEST(Events, SendersOutliveTheServer) {
  Streams streams;
  std::optional<Running> running;
  running.emplace(std::ref(streams));
  auto client = running->connect();
  client.send(kGet);
  ASSERT_TRUE(eventually([&] { return streams.size() == 1; }));
  std::atomic<bool> stop = false;
  std::thread sending([&] {
    while (!stop) streams.senders[0]->send("1", "", "x");
  });
  running.reset();
  stop = true;
  sending.join();
  EXPECT_FALSE(streams.senders[0]->open());
  streams.senders[0]->close();
}

TEST(Events, AThousandStreams) {
  constexpr std::size_t kStreams = 1000;
  Streams streams;
  const Running running(std::ref(streams));
  std::vector<RawClient> clients;
  const auto before = resident_bytes();
  for (std::size_t i = 0; i < kStreams; ++i) {
    clients.push_back(running.connect());
    ASSERT_TRUE(clients.back().send(kGet));
  }
  ASSERT_TRUE(eventually([&] { return streams.size() == kStreams; }));
  EXPECT_EQ(running.server->counters().event_streams_open, kStreams);
  EXPECT_LT((std::max(resident_bytes(), before) - before) / kStreams, 64 << 10);
  for (const auto& sender : streams.senders) EXPECT_TRUE(sender->send("1", "tick", "x"));
  for (auto& client : clients) {
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_until("\n\n"), "id: 1\nevent: tick\ndata: x\n\n");
  }
}

}  // namespace
}  // namespace oa::http
