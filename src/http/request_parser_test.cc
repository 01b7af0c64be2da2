#include "request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oa::http {
namespace {

Result<RequestHead> read(std::string_view text) {
  HeadFinder finder(16 << 10);
  OA_ASSIGN(const auto length, finder.find(text));
  if (!length) return make_error(ErrorCode::kInternal, "test", "the head is not whole");
  RequestParser parser;
  return parser.read_head(text.substr(0, *length));
}

TEST(RequestParser, Head) {
  const auto head = read(
      "POST /v1/x?a=b HTTP/1.1\r\nHost: [::1]:80\r\nX-A:1\r\nx-a: \t2 \r\nCookie: a=1\r\n"
      "cookie: b=2\r\nContent-Length: 12\r\nExpect: 100-Continue\r\nEmpty:\r\n\r\n");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->request.method, "POST");
  EXPECT_EQ(head->request.target, "/v1/x?a=b");
  EXPECT_EQ(head->request.header("X-a"), "1, 2");
  EXPECT_EQ(head->request.header("COOKIE"), "a=1; b=2");
  EXPECT_EQ(head->request.header("empty"), "");
  EXPECT_EQ(head->request.header("other"), std::nullopt);
  EXPECT_EQ(head->request.content_length, 12);
  EXPECT_TRUE(head->request.has_body);
  EXPECT_TRUE(head->expects_continue);
  EXPECT_TRUE(head->keep_alive);
}

TEST(RequestParser, FindsTheEndWhereverTheBytesAreCut) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET";
  for (std::size_t cut = 0; cut < text.size() - 3; ++cut) {
    HeadFinder finder(100);
    const auto before = finder.find(std::string_view(text).substr(0, cut));
    ASSERT_TRUE(before.ok() && !*before) << cut;
    const auto after = finder.find(text);
    ASSERT_TRUE(after.ok() && *after) << cut;
    EXPECT_EQ(**after, text.size() - 3);
  }
}

TEST(RequestParser, LimitsTheHead) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  HeadFinder exact(text.size()), less(text.size() - 1);
  EXPECT_TRUE(exact.find(text).ok());
  const auto refused = less.find(text);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kHeadersTooLarge);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 99; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  EXPECT_TRUE(read(many + "\r\n").ok());
  const auto too_many = read(many + "B: c\r\n\r\n");
  ASSERT_FALSE(too_many.ok());
  EXPECT_EQ(too_many.error().code, ErrorCode::kHeadersTooLarge);
}

TEST(RequestParser, KeepAliveByVersionAndConnection) {
  const auto keeps = [](const std::string& version, const std::string& headers) {
    const auto head = read("GET / HTTP/" + version + "\r\nHost: h\r\n" + headers + "\r\n");
    return head.ok() && head->keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: x, Close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

// A whole chunked body, given in pieces of `piece` bytes, taken in pieces of `room`.
Result<std::string> unchunk(std::string_view text, std::size_t piece, std::size_t room,
                            std::size_t* left = nullptr) {
  RequestParser parser;
  const auto head =
      parser.read_head("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  OA_ASSERT(head.ok() && head->request.has_body && !head->request.content_length);
  std::string input, body;
  Bytes out(room);
  while (!parser.body_done()) {
    OA_ASSIGN(const auto step, parser.read_body(as_bytes(input), out));
    body.append(as_text(ByteView(out).first(step.produced)));
    input.erase(0, step.consumed);
    if (step.consumed > 0 || step.produced > 0) continue;
    if (text.empty()) return make_error(ErrorCode::kInternal, "test", "cut");
    input += text.substr(0, piece);
    text.remove_prefix(std::min(piece, text.size()));
  }
  if (left != nullptr) *left = input.size() + text.size();
  return body;
}

TEST(RequestParser, ChunkedBodies) {
  const std::string text =
      "5\r\nhello\r\n006;a=b;c=\"d\"\r\n world\r\n1\r\n!\r\n0;x\r\nTrailer: y\r\n\r\nGET / HTTP";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    for (const std::size_t room : {1, 2, 5, 100}) {
      std::size_t left = 0;
      const auto body = unchunk(text, piece, room, &left);
      ASSERT_TRUE(body.ok()) << piece << " " << room;
      EXPECT_EQ(*body, "hello world!");
      EXPECT_EQ(left, 10);
    }
  }
}

TEST(RequestParser, RefusesMalformedChunks) {
  const std::string long_extension = ";a=" + std::string(RequestParser::kMaxChunkLines, 'b');
  std::string many_extensions;
  for (int i = 0; i < 200; ++i) many_extensions += "1;" + std::string(60, 'a') + "\r\nx\r\n";
  std::string many_trailers = "0\r\n";
  for (int i = 0; i < 400; ++i) many_trailers += "A" + std::to_string(i) + ": 0123456789abcdef\r\n";
  for (const std::string& text :
       {std::string("\r\n"), std::string("g\r\n"), std::string("-1\r\n"),
        std::string("0x5\r\nhello\r\n\r\n"), std::string(" 5\r\nhello\r\n"),
        std::string("5\nhello\n0\n\n\r\n"), std::string("5\r\nhelloX\r\n0\r\n\r\n"),
        std::string("5\r\nhello0\r\n\r\n"), std::string("10000000000000000\r\n"),
        std::string("fffffffffffffffff\r\n"), std::string("5;\x01\r\nhello\r\n0\r\n\r\n"),
        std::string("5;a\nb\r\nhello\r\n0\r\n\r\n"), std::string("5 5\r\nhello\r\n"),
        std::string("0\r\nno colon\r\n\r\n"), std::string("0\r\nA : b\r\n\r\n"),
        "5" + long_extension + "\r\nhello\r\n0\r\n\r\n", many_extensions + "0\r\n\r\n",
        many_trailers + "\r\n"}) {
    const auto body = unchunk(text, 4096, 100);
    ASSERT_FALSE(body.ok()) << text.substr(0, 40);
    EXPECT_EQ(body.error().code, ErrorCode::kInvalidArgument) << text.substr(0, 40);
  }
}

TEST(RequestParser, BodiesOfKnownLengthEndThere) {
  RequestParser parser;
  ASSERT_TRUE(parser.read_head("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n").ok());
  Bytes out(100);
  auto step = parser.read_body(as_bytes("hel"), out);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->produced, 3);
  EXPECT_FALSE(parser.body_done());
  step = parser.read_body(as_bytes("loGET"), out);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->consumed, 2);
  EXPECT_TRUE(parser.body_done());
}

}  // namespace
}  // namespace oa::http
