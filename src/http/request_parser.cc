#include "request_parser.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

#include "target.h"

namespace oa::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t kMaxHeaders = 100;
// Whose values could not be told from a list, or decide something: they come once.
constexpr std::array<std::string_view, 15> kOnlyOnce{
    "authorization", "content-length", "content-range", "content-type",  "expect",
    "host",          "if-range",       "last-event-id", "origin",        "range",
    "referer",       "tus-resumable",  "upload-length", "upload-offset", "transfer-encoding"};
constexpr std::array<std::string_view, 7> kMethods{"GET",   "HEAD",   "POST",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Error refused(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "http.request", std::move(message));
}

Error too_large(std::string message) {
  return make_error(ErrorCode::kHeadersTooLarge, "http.request", std::move(message))
      .with_hint("Send fewer or shorter headers; cookies of other sites on this host count too.");
}

// No folded lines, no white space before a colon, no text without a colon: Beast reads the first.
Status check_lines(std::string_view head) {
  bool first = true;
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    if (line.find('\r') != line.npos) return refused("a line holds a carriage return");
    if (!first && (line.starts_with(' ') || line.starts_with('\t')))
      return refused("a header is folded over two lines");
    first = false;
  }
  return {};
}

Status add_header(Request& request, std::string name, std::string_view value) {
  if (!is_utf8(value)) return refused("a header is not UTF-8");
  const auto [at, added] = request.headers.emplace(name, value);
  if (added) return {};
  if (std::ranges::find(kOnlyOnce, name) != kOnlyOnce.end())
    return refused("the header " + name + " comes twice");
  at->second.append(name == "cookie" ? "; " : ", ").append(value);
  return {};
}

Status check_host(const RequestHead& head) {
  const auto host = head.request.header("host");
  if (!host) return head.http_1_0 ? Status() : refused("the header host is missing");
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~:[]%").find(c) != std::string_view::npos;
  };
  if (host->empty() || !std::ranges::all_of(*host, allowed))
    return refused("the header host names no host");
  return {};
}

// What says how long the body is, and nothing that could say it otherwise.
Status read_framing(RequestHead& head) {
  Request& request = head.request;
  const auto length = request.header("content-length");
  const auto coding = request.header("transfer-encoding");
  if (coding) {
    if (length) return refused("content-length and transfer-encoding must not come together");
    if (head.http_1_0) return refused("HTTP/1.0 knows no transfer-encoding");
    if (!beast::iequals(*coding, "chunked"))
      return refused("the only transfer-encoding taken here is chunked");
    request.has_body = true;
  }
  if (length) {
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(length->begin(), length->end(), bytes);
    if (error != std::errc() || end != length->end() || length->size() > 18)
      return refused("content-length is no length");
    request.content_length = bytes;
    request.has_body = bytes > 0;
  }
  return {};
}

Status read_expectation(RequestHead& head) {
  const auto expect = head.request.header("expect");
  if (!expect || head.http_1_0) return {};
  if (!beast::iequals(*expect, "100-continue"))
    return refused("nothing but 100-continue can be expected");
  head.expects_continue = head.request.has_body;
  return {};
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  const auto at = headers.find(lower_case(name));
  if (at == headers.end()) return std::nullopt;
  return at->second;
}

Result<std::optional<std::size_t>> HeadFinder::find(std::string_view input) {
  for (; seen_ < std::min(input.size(), max_bytes_); ++seen_) {
    const auto c = static_cast<unsigned char>(input[seen_]);
    if (c != '\n') {
      if ((c < 0x20 && c != '\r' && c != '\t') || c == 0x7f)
        return refused("the head holds a control character");
      continue;
    }
    if (seen_ == 0 || input[seen_ - 1] != '\r')
      return refused("a line does not end with carriage return and line feed");
    if (seen_ - 1 == line_) return std::optional(++seen_);
    line_ = seen_ + 1;
  }
  if (seen_ >= max_bytes_)
    return too_large("the head has more than " + std::to_string(max_bytes_) + " bytes");
  return std::optional<std::size_t>();
}

struct RequestParser::Parts {
  Parts() {
    parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // HeadFinder has one
    parser.body_limit(boost::none);                                  // who takes the body has one
    parser.on_chunk_header(on_chunk);
  }
  beast::http::request_parser<beast::http::buffer_body> parser;
  std::size_t extension_bytes = 0;
  // The parser keeps a reference.
  std::function<void(std::uint64_t, boost::beast::string_view, beast::error_code&)> on_chunk =
      [this](std::uint64_t, boost::beast::string_view extensions, beast::error_code& error) {
        extension_bytes += extensions.size();
        if (extension_bytes > kMaxChunkLines) error = beast::http::error::bad_chunk_extension;
      };
};

RequestParser::RequestParser() : parts_(std::make_unique<Parts>()) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

Result<RequestHead> RequestParser::read_head(std::string_view head) {
  OA_TRY(check_lines(head));
  auto& parser = parts_->parser;
  beast::error_code error;
  parser.put(boost::asio::buffer(head), error);
  if (error || !parser.is_header_done()) return refused("this is no request of HTTP/1.1");
  const auto& message = parser.get();
  RequestHead read;
  read.http_1_0 = message.version() == 10;
  read.keep_alive = message.keep_alive();
  Request& request = read.request;
  std::size_t count = 0;
  for (const auto& field : message) {
    if (++count > kMaxHeaders) return too_large("the request has too many headers");
    const auto name = field.name_string(), value = field.value();
    OA_TRY(
        add_header(request, lower_case({name.data(), name.size()}), {value.data(), value.size()}));
  }
  OA_TRY(check_host(read));
  OA_TRY(read_framing(read));
  OA_TRY(read_expectation(read));
  request.method = std::string(message.method_string());
  if (std::ranges::find(kMethods, request.method) == kMethods.end())
    return make_error(ErrorCode::kMethodNotAllowed, "http.request", "the method is not known here");
  request.target = std::string(message.target());
  OA_ASSIGN(auto target, parse_target(request.target));
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  return read;
}

Result<RequestParser::Step> RequestParser::read_body(ByteView input, std::span<std::uint8_t> out) {
  OA_ASSERT(!out.empty());
  auto& parser = parts_->parser;
  auto& body = parser.get().body();
  body.data = out.data();
  body.size = out.size();
  Step step;
  while (!parser.is_done() && body.size > 0 && step.consumed < input.size()) {
    beast::error_code error;
    const auto left = input.subspan(step.consumed);
    const auto used = parser.put(boost::asio::buffer(left.data(), left.size()), error);
    step.consumed += used;
    if (error == beast::http::error::need_buffer) break;
    if (error == beast::http::error::need_more) {
      if (input.size() - step.consumed > kMaxChunkLines)
        return refused("the body's chunks have too long extensions or trailers");
      break;
    }
    if (error) return refused("the body's chunks are malformed");
    // The last chunk and the trailers are read at once.
    if (parser.is_done() && parser.chunked() && used > kMaxChunkLines)
      return refused("the body's trailers are too long");
  }
  step.produced = out.size() - body.size;
  return step;
}

bool RequestParser::body_done() const { return parts_->parser.is_done(); }

}  // namespace oa::http
