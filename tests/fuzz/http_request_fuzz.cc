// What a client may send: the first byte says how large the pieces are in which the rest arrives.
#include <algorithm>
#include <string>
#include <tuple>

#include "fuzz_input.h"
#include "oa/http/conditional.h"
#include "oa/http/cookies.h"
#include "oa/http/ranges.h"
#include "request_parser.h"

namespace oa::http {
namespace {

constexpr std::size_t kMaxHead = 4 << 10;

struct Outcome {
  bool accepted = false;  // head and all of the body that came
  std::size_t head_bytes = 0, body_bytes = 0;
  std::string method, target, body;
  std::map<std::string, std::string> headers;
  bool done = false;
  bool operator==(const Outcome&) const = default;
};

bool has_control(std::string_view text, std::string_view but = "") {
  return std::ranges::any_of(text, [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 || byte == 0x7f) && but.find(c) == but.npos;
  });
}

void check_request(const Request& request) {
  OA_ASSERT(request.target.starts_with('/') && !has_control(request.target));
  for (const auto& segment : request.path) {
    OA_ASSERT(segment != "." && segment != ".." && segment.find('/') == segment.npos);
    OA_ASSERT(is_utf8(segment) && !has_control(segment));
  }
  for (const auto& [name, value] : request.query)
    OA_ASSERT(is_utf8(name + value) && !has_control(name + value));
  for (const auto& [name, value] : request.headers) {
    OA_ASSERT(!name.empty() && !has_control(name) && is_utf8(value) && !has_control(value, "\t"));
    OA_ASSERT(request.header(name) == value);
    (void)names_etag(value, "\"a\"", EtagComparison::kWeak);
  }
  if (const auto found = cookie(request, "id"))
    OA_ASSERT(request.headers.at("cookie").find(*found) != std::string::npos);
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{10}, ~std::uint64_t{0}}) {
    const auto range = range_of(request, size, "\"a\"");
    OA_ASSERT(range.first <= size && range.length <= size - range.first);
    if (range.kind == Range::Kind::kPart)
      OA_ASSERT(range.length > 0 && content_range(range, size).starts_with("bytes "));
  }
}

// Reads what `input` holds, `piece` bytes at a time.
Outcome read(std::string_view input, std::size_t piece) {
  Outcome outcome;
  HeadFinder finder(kMaxHead);
  std::size_t arrived = 0;
  std::optional<std::size_t> length;
  while (!length && arrived < input.size()) {
    arrived = std::min(arrived + piece, input.size());
    const auto found = finder.find(input.substr(0, arrived));
    if (!fuzz::accepted(found)) return outcome;
    length = *found;
  }
  if (!length) return outcome;
  OA_ASSERT(*length <= kMaxHead && *length <= arrived);
  RequestParser parser;
  const auto head = parser.read_head(input.substr(0, *length));
  if (!fuzz::accepted(head)) return outcome;
  check_request(head->request);
  outcome.head_bytes = *length;
  outcome.method = head->request.method;
  outcome.target = head->request.target;
  outcome.headers = head->request.headers;
  Bytes out(piece);
  for (std::size_t at = *length;;) {
    const auto step = parser.read_body(as_bytes(input.substr(at, arrived - at)), out);
    if (!fuzz::accepted(step)) return Outcome();
    OA_ASSERT(step->consumed <= arrived - at && step->produced <= out.size());
    at += step->consumed;
    outcome.body_bytes = at - *length;
    outcome.body += as_text(ByteView(out).first(step->produced));
    if (parser.body_done()) break;
    if (step->consumed > 0 || step->produced > 0) continue;
    if (arrived == input.size()) break;
    arrived = std::min(arrived + piece, input.size());
  }
  outcome.done = parser.body_done();
  outcome.accepted = true;
  if (!outcome.done) outcome.body_bytes = 0;  // how much of a cut line was taken may differ
  if (const auto known = head->request.content_length)
    OA_ASSERT(outcome.body.size() <= *known && outcome.done == (outcome.body.size() == *known));
  return outcome;
}

}  // namespace
}  // namespace oa::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto input = oa::as_text({data + 1, size - 1});
  const auto whole = oa::http::read(input, std::max<std::size_t>(input.size(), 1));
  const auto pieces = oa::http::read(input, std::max<std::size_t>(data[0], 1));
  OA_ASSERT(whole == pieces);
  return 0;
}
