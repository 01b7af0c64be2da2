#include "connection.h"

#include <boost/asio/post.hpp>

#include "oa/base/ids.h"
#include "task.h"

namespace oa::http {
namespace {

constexpr std::size_t kHeadPiece = 4 << 10;
constexpr int kMaxBlankLines = 2;  // before a request line (RFC 9112, 2.2)
// A client that still sends what nobody reads must come to see the response: the connection is
// closed when the client is done, or after this much.
constexpr std::uint64_t kLingerBytes = 64 << 20;
constexpr std::chrono::milliseconds kLingerTime{5'000};
constexpr std::chrono::milliseconds kFarewellTime{2'000};
constexpr std::chrono::milliseconds kSurplusTime{2'000};

std::string_view text_of(const boost::beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

}  // namespace

Error overloaded(std::string message) {
  return make_error(ErrorCode::kOverloaded, "http.serve", std::move(message))
      .with_hint("Try again in some seconds.");
}

Connection::Connection(std::unique_ptr<Stream> stream, Service& service, std::string peer_address,
                       bool secure, bool surplus)
    : stream_(std::move(stream)),
      service_(service),
      settings_(service.settings),
      peer_address_(std::move(peer_address)),
      secure_(secure),
      surplus_(surplus),
      quiet_(stream_->executor()) {}

asio::awaitable<void> Connection::run() {
  stream_->expires_after(settings_.head_timeout);
  const auto error = co_await stream_->handshake();
  if (!error && !stream_->timed_out()) {
    bool more = true;
    while (more) more = co_await serve_one();
    if (!broken_) co_await farewell();
  }
  stream_->expires_never();
  stream_->close();
}

asio::awaitable<bool> Connection::serve_one() {
  Exchange exchange(settings_);
  auto length = co_await read_head();
  if (length.ok() && *length == 0) co_return false;
  exchange.began = std::chrono::steady_clock::now();
  std::optional<Error> refused;
  if (length.ok()) {
    auto head = exchange.parser.read_head(text_of(input_).substr(0, *length));
    input_.consume(*length);
    exchange.received = *length;
    exchange.head_read = head.ok();
    if (head.ok()) {
      exchange.head = std::move(*head);
    } else {
      refused = std::move(head).error();
    }
  } else {
    refused = std::move(length).error();
  }
  exchange.head.request.id = to_hex(Uuid::random().raw());
  exchange.head.request.peer_address = peer_address_;
  exchange.head.request.secure = secure_;
  if (!refused && surplus_) refused = overloaded("the server has as many connections as it takes");
  std::optional<Response> response;
  if (refused) {
    response = refusal(*refused);
  } else {
    response = co_await react(exchange);
  }
  if (response) co_return co_await answer(exchange, std::move(*response));
  broken_ = true;
  co_return false;
}

asio::awaitable<Result<std::size_t>> Connection::read_head() {
  HeadFinder finder(settings_.max_header_bytes);
  const auto patience = surplus_ ? kSurplusTime : settings_.idle_timeout;
  bool begun = input_.size() > 0;
  stream_->expires_after(begun ? settings_.head_timeout : patience);
  if (!begun) input_.shrink_to_fit();
  for (int blank_lines = 0;;) {
    auto found = finder.find(text_of(input_));
    if (!found.ok()) co_return std::move(found).error();
    if (*found && **found == 2 && blank_lines < kMaxBlankLines) {
      ++blank_lines;
      input_.consume(2);
      finder = HeadFinder(settings_.max_header_bytes);
      continue;
    }
    if (*found) co_return **found;
    idle_ = !begun;
    if (idle_ && finishing_) co_return std::size_t{0};
    const auto [error, bytes] = co_await stream_->read_some(input_.prepare(kHeadPiece));
    idle_ = false;
    if (error) {
      if (begun && stream_->timed_out())
        co_return make_error(ErrorCode::kTimeout, "http.request", "the request came too slowly");
      co_return std::size_t{0};
    }
    input_.commit(bytes);
    if (!begun) stream_->expires_after(std::min(settings_.head_timeout, patience));
    begun = true;
  }
}

asio::awaitable<std::optional<Response>> Connection::react(Exchange& exchange) {
  if (auto response = service_.handler.at_once(exchange.head.request)) co_return response;
  std::optional<Reaction> reaction;
  {
    Task task(stream_->executor(), service_.workers);
    const bool taken =
        task.offer([&] { reaction.emplace(service_.handler.handle(exchange.head.request)); });
    if (!taken) co_return refusal(overloaded("as many requests wait as may"));
    co_await task.wait();
  }
  if (!reaction)
    co_return refusal(make_error(ErrorCode::kInternal, "http.serve", "a handler threw"));
  if (auto* response = std::get_if<Response>(&*reaction)) co_return std::move(*response);
  if (auto* small = std::get_if<SmallBody>(&*reaction))
    co_return co_await take_small_body(exchange, std::move(*small));
  co_return co_await take_body(exchange,
                               std::move(std::get<std::unique_ptr<BodyTarget>>(*reaction)));
}

asio::awaitable<void> Connection::farewell() {
  stream_->expires_after(kFarewellTime);
  co_await stream_->end();
  if (!lingers_) co_return;
  stream_->expires_after(kLingerTime);
  input_.clear();
  input_.shrink_to_fit();
  const auto piece = input_.prepare(64 << 10);
  for (std::uint64_t dropped = 0; dropped < kLingerBytes && !stream_->timed_out();) {
    const auto [error, bytes] = co_await stream_->read_raw(piece);
    if (error) break;
    dropped += bytes;
  }
}

void Connection::finish() {
  asio::post(stream_->executor(), [self = shared_from_this()] {
    self->finishing_ = true;
    if (self->idle_) self->stream_->cancel();
    if (self->events_ != nullptr) self->events_->close();
  });
}

void Connection::abandon() {
  asio::post(stream_->executor(), [self = shared_from_this()] {
    self->finishing_ = self->broken_ = true;
    self->stream_->close();
  });
}

}  // namespace oa::http
