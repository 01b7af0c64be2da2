// How a connection takes the body of a request.
#include <algorithm>
#include <array>

#include "connection.h"
#include "task.h"

namespace oa::http {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;

constexpr std::size_t kPiece = 256 << 10;
constexpr std::size_t kSmallPiece = 16 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

ByteView bytes_of(const boost::beast::flat_buffer& buffer) {
  return {static_cast<const std::uint8_t*>(buffer.data().data()), buffer.size()};
}

Error too_large(std::size_t max_bytes) {
  return make_error(ErrorCode::kLimitExceeded, "http.body",
                    "the body has more than the " + format_size(max_bytes) + " taken here");
}

}  // namespace

asio::awaitable<bool> Connection::ask_for_body(Exchange& exchange) {
  exchange.body_wanted = true;
  if (!exchange.head.expects_continue || input_.size() > 0) co_return true;
  co_return co_await write_all(exchange, as_bytes(kContinue)) == Sent::kWhole;
}

// Fills all of `out`; less when the body ends, is refused, or its client has gone.
asio::awaitable<Connection::Filled> Connection::fill(Exchange& exchange,
                                                     std::span<std::uint8_t> out) {
  Filled filled;
  while (filled.bytes < out.size() && !exchange.parser.body_done()) {
    if (input_.size() > 0) {
      auto step = exchange.parser.read_body(bytes_of(input_), out.subspan(filled.bytes));
      if (!step.ok()) {
        filled.refused = std::move(step).error();
        co_return filled;
      }
      input_.consume(step->consumed);
      filled.bytes += step->produced;
      exchange.received += step->consumed;
      if (step->consumed > 0) continue;
    }
    // A read fills what the buffer has room for: without this, Beast's is small.
    input_.reserve(std::clamp(out.size(), kSmallPiece, kPiece));
    const auto room = input_.prepare(std::max(input_.capacity() - input_.size(), kSmallPiece));
    const auto began = std::chrono::steady_clock::now();
    stream_->expires_after(std::clamp(ceil<milliseconds>(exchange.body_ends - began),
                                      milliseconds(0), settings_.body_timeout));
    const auto [error, bytes] = co_await stream_->read_some(room);
    const auto now = std::chrono::steady_clock::now();
    const bool in_time = exchange.request_pace.kept(bytes, now - began) && now < exchange.body_ends;
    if (error ? stream_->timed_out() : !in_time) {
      filled.refused =
          make_error(ErrorCode::kTimeout, "http.body", "the request's body came too slowly");
      co_return filled;
    }
    filled.gone = !!error;
    if (filled.gone) co_return filled;
    input_.commit(bytes);
  }
  co_return filled;
}

asio::awaitable<std::optional<Response>> Connection::take_small_body(Exchange& exchange,
                                                                     SmallBody wanted) {
  if (exchange.head.request.content_length.value_or(0) > wanted.max_bytes)
    co_return refusal(too_large(wanted.max_bytes));
  if (!co_await ask_for_body(exchange)) co_return std::nullopt;
  exchange.body_ends = std::chrono::steady_clock::now() + settings_.small_body_timeout;
  Share memory(service_.small_body_bytes);
  std::string body;
  while (!exchange.parser.body_done()) {
    const auto had = body.size();
    const auto more = std::min(std::max(had, kSmallPiece), wanted.max_bytes + 1 - had);
    if (!memory.take(more)) co_return refusal(overloaded("the memory for bodies is taken"));
    body.resize(had + more);
    auto* begin = reinterpret_cast<std::uint8_t*>(body.data());
    const auto filled = co_await fill(exchange, {begin + had, body.size() - had});
    if (filled.gone) co_return std::nullopt;
    if (filled.refused) co_return refusal(*filled.refused);
    body.resize(had + filled.bytes);
    if (body.size() > wanted.max_bytes) co_return refusal(too_large(wanted.max_bytes));
  }
  std::optional<Response> response;
  Task task(stream_->executor(), service_.workers);
  task.start([&] { response = wanted.respond(std::move(body)); });
  if (!co_await task.wait() || !response)
    co_return refusal(make_error(ErrorCode::kInternal, "http.body", "a handler threw"));
  co_return response;
}

// The next piece is read while the last is being taken.
asio::awaitable<std::optional<Response>> Connection::take_body(Exchange& exchange,
                                                               std::unique_ptr<BodyTarget> target) {
  Task task(stream_->executor(), service_.workers);
  Filled filled;
  Status taken;
  bool sound = true;  // nothing threw
  Share place(service_.body_targets);
  if (!place.take(1)) {
    filled.refused = overloaded("as many uploads are under way as may");
  } else if (co_await ask_for_body(exchange)) {
    std::array<std::unique_ptr<std::uint8_t[]>, 2> pieces;
    for (std::size_t i = 0; !exchange.parser.body_done(); i ^= 1) {
      if (pieces[i] == nullptr) pieces[i] = std::make_unique_for_overwrite<std::uint8_t[]>(kPiece);
      filled = co_await fill(exchange, {pieces[i].get(), kPiece});
      sound = co_await task.wait();
      if (!sound || !taken.ok()) break;
      const ByteView piece(pieces[i].get(), filled.bytes);
      if (!piece.empty()) task.start([&, piece] { taken = target->write(piece); });
      if (filled.gone || filled.refused) break;
    }
    sound = co_await task.wait() && sound;
  } else {
    filled.gone = true;
  }
  std::optional<Response> response;
  task.start([&] {
    if (sound && !taken.ok()) {
      response = target->failed(taken.error());
    } else if (sound && !filled.gone && !filled.refused) {
      response = target->finish();
    }
    target.reset();
  });
  sound = co_await task.wait() && sound;
  if (response && sound) co_return response;
  if (!sound) co_return refusal(make_error(ErrorCode::kInternal, "http.body", "a handler threw"));
  if (filled.refused) co_return refusal(*filled.refused);
  co_return std::nullopt;
}

// What a handler did not want and is small.
asio::awaitable<bool> Connection::drop_body(Exchange& exchange) {
  exchange.body_ends = std::chrono::steady_clock::now() + settings_.small_body_timeout;
  const auto piece = std::make_unique_for_overwrite<std::uint8_t[]>(kSmallPiece);
  while (!exchange.parser.body_done()) {
    const auto filled = co_await fill(exchange, {piece.get(), kSmallPiece});
    if (filled.gone || filled.refused) co_return false;
  }
  co_return true;
}

}  // namespace oa::http
