// How a connection answers.
#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "connection.h"
#include "response_head.h"
#include "task.h"

namespace oa::http {
namespace {

constexpr std::size_t kPiece = 256 << 10;
constexpr std::size_t kMaxJoined = 16 << 10;     // bodies that go out in one write with their head
constexpr std::uint64_t kMaxDropped = 64 << 10;  // of a body that nobody wanted
constexpr std::string_view kHeartbeat = ":\n\n";

bool has_no_body(int status) { return status == 204 || status == 304; }

ByteView bytes_of(const Response& response) {
  if (const auto* page = std::get_if<StaticBody>(&response.body)) return page->bytes;
  if (const auto* text = std::get_if<std::string>(&response.body)) return as_bytes(*text);
  return {};
}

}  // namespace

Response Connection::refusal(const Error& error) {
  ++service_.refused_total;
  try {
    return service_.handler.refuse(error);
  } catch (...) {
    Response response;
    response.status = 500;
    response.close = true;
    return response;
  }
}

bool Connection::may_follow(const Exchange& exchange, const Response& response) const {
  if (!exchange.head_read || !exchange.head.keep_alive || response.close || finishing_ ||
      surplus_ || std::holds_alternative<EventStream>(response.body))
    return false;
  if (!exchange.head.request.has_body || exchange.parser.body_done()) return true;
  // A client that waits for leave to send may send or not: what comes next could be either.
  if (exchange.body_wanted || exchange.head.expects_continue) return false;
  return exchange.head.request.content_length.value_or(kMaxDropped + 1) <= kMaxDropped;
}

std::string Connection::head_of(Exchange& exchange, Response& response, bool& keep_alive) {
  for (int attempt = 0;; ++attempt) {
    keep_alive = may_follow(exchange, response);
    HeadFacts facts{exchange.head.http_1_0, keep_alive, body_length(response), std::time(nullptr)};
    if (has_no_body(response.status)) facts.content_length.reset();
    auto head = format_head(response, facts);
    if (head.ok()) return std::move(*head);
    OA_ASSERT(attempt < 2);
    response = attempt == 0 ? refusal(head.error()) : Response{500, {}, {}, true};
  }
}

asio::awaitable<bool> Connection::answer(Exchange& exchange, Response response) {
  bool keep_alive = false;
  std::string head = head_of(exchange, response, keep_alive);
  const bool head_only = exchange.head.request.method == "HEAD" || has_no_body(response.status);
  const ByteView body = head_only ? ByteView() : bytes_of(response);
  const bool joined = body.size() <= kMaxJoined;
  if (joined) head.append(as_text(body));
  Sent sent = co_await write_all(exchange, as_bytes(head));
  if (sent == Sent::kWhole && !joined) sent = co_await write_all(exchange, body);
  if (sent == Sent::kWhole && !head_only) sent = co_await write_body(exchange, response);
  if (auto* known = std::get_if<KnownBody>(&response.body); known && known->source) {
    Task task(stream_->executor(), service_.workers);
    task.start([&] { known->source.reset(); });  // may have files to close
    co_await task.wait();
  }
  try {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - exchange.began;
    service_.handler.done(exchange.head.request, response.status, exchange.received, exchange.sent,
                          took.count());
  } catch (...) {
    keep_alive = false;
  }
  broken_ = broken_ || sent == Sent::kBroken;
  lingers_ = !keep_alive;
  if (!keep_alive || broken_) co_return false;
  co_return co_await drop_body(exchange);
}

asio::awaitable<Connection::Sent> Connection::write_all(Exchange& exchange, ByteView bytes) {
  while (!bytes.empty()) {
    const auto began = std::chrono::steady_clock::now();
    stream_->expires_after(settings_.body_timeout);
    const auto [error, written] =
        co_await stream_->write_some(asio::buffer(bytes.data(), std::min(bytes.size(), kPiece)));
    if (error) co_return Sent::kBroken;
    if (!exchange.response_pace.kept(written, std::chrono::steady_clock::now() - began))
      co_return Sent::kBroken;
    exchange.sent += written;
    bytes = bytes.subspan(written);
  }
  co_return Sent::kWhole;
}

asio::awaitable<Connection::Sent> Connection::write_body(Exchange& exchange, Response& response) {
  if (auto* known = std::get_if<KnownBody>(&response.body))
    co_return co_await write_known(exchange, *known);
  if (auto* begin = std::get_if<EventStream>(&response.body))
    co_return co_await write_events(exchange, *begin);
  co_return Sent::kWhole;
}

// The next piece is read while the last is written.
asio::awaitable<Connection::Sent> Connection::write_known(Exchange& exchange, KnownBody& body) {
  struct Piece {
    std::unique_ptr<std::uint8_t[]> bytes;
    Result<std::size_t> filled = std::size_t{0};
  };
  std::array<Piece, 2> pieces;
  Task task(stream_->executor(), service_.workers);
  std::uint64_t unread = body.length;
  const auto size_wanted = [&] { return std::min<std::uint64_t>(kPiece, unread); };
  const auto begin_read = [&](Piece& piece) {
    if (unread == 0) return;
    const auto size = size_wanted();
    if (piece.bytes == nullptr) piece.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    task.start([&, size] { piece.filled = body.source->read({piece.bytes.get(), size}); });
  };
  Sent sent = Sent::kWhole;
  begin_read(pieces[0]);
  for (std::size_t i = 0; unread > 0 && sent == Sent::kWhole; i ^= 1) {
    const bool sound = co_await task.wait();
    const Piece& piece = pieces[i];
    if (!sound || !piece.filled.ok() || *piece.filled == 0 || *piece.filled > size_wanted()) {
      sent = Sent::kBroken;
      break;
    }
    unread -= *piece.filled;
    begin_read(pieces[i ^ 1]);
    sent = co_await write_all(exchange, {piece.bytes.get(), *piece.filled});
  }
  co_await task.wait();
  co_return sent;
}

asio::awaitable<Connection::Sent> Connection::write_events(Exchange& exchange, EventStream& begin) {
  const auto executor = stream_->executor();
  events_ = std::make_shared<EventQueue>([executor, weak = weak_from_this()] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->wake();
    });
  });
  ++service_.event_streams_open;
  input_.clear();
  input_.shrink_to_fit();
  stream_->expires_never();
  bool watching = true;
  asio::co_spawn(executor, watch_peer(), [&](std::exception_ptr) {
    watching = false;
    quiet_.cancel();
  });
  Task task(executor, service_.workers);
  task.start([&] {
    try {
      begin(events_);
    } catch (...) {
      events_->close();
    }
  });
  if (finishing_) events_->close();
  Sent sent = Sent::kWhole;
  while (sent == Sent::kWhole) {
    auto taken = events_->take();
    if (gone_ || events_->too_slow()) {
      sent = Sent::kBroken;
      break;
    }
    if (taken.text.empty() && taken.ended) break;
    if (taken.text.empty()) {
      quiet_.expires_after(settings_.event_heartbeat);
      const auto [woken] = co_await quiet_.async_wait(asio::as_tuple(asio::use_awaitable));
      if (woken) continue;
      taken.text = kHeartbeat;
    }
    sent = co_await write_all(exchange, as_bytes(taken.text));
    stream_->expires_never();
  }
  events_->detach();
  co_await task.wait();
  stream_->expires_after(std::chrono::milliseconds(0));  // ends the watching
  while (watching) {
    quiet_.expires_at(asio::steady_timer::time_point::max());
    co_await quiet_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  events_.reset();
  --service_.event_streams_open;
  co_return sent;
}

// Notes when the client of a stream of events goes away; what it sends meanwhile is dropped.
asio::awaitable<void> Connection::watch_peer() {
  constexpr std::size_t kMaxIgnored = 64 << 10;
  std::array<std::uint8_t, 256> piece;
  for (std::size_t ignored = 0; ignored < kMaxIgnored;) {
    const auto [error, bytes] = co_await stream_->read_some(asio::buffer(piece));
    if (error) {
      gone_ = !stream_->timed_out();
      co_return;
    }
    ignored += bytes;
  }
  gone_ = true;
}

void Connection::wake() {
  if (events_ == nullptr) return;
  if (events_->too_slow()) stream_->close();
  quiet_.cancel();
}

}  // namespace oa::http
