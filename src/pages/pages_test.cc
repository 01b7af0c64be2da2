#include "oa/pages/pages.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>

namespace oa::pages {
namespace {

std::string text_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

std::string inflated(std::span<const std::uint8_t> packed, std::size_t size) {
  std::string text(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST(PagesTest, CompressedBodiesAreTheSame) {
  ASSERT_GE(pages().size(), 3U);
  bool any = false;
  for (const Page& page : pages()) {
    EXPECT_FALSE(page.body.empty()) << page.path;
    EXPECT_EQ(find_page(page.path), &page);
    if (page.gzip_body.empty()) continue;
    any = true;
    EXPECT_EQ(inflated(page.gzip_body, page.body.size()), text_of(page.body)) << page.path;
  }
  EXPECT_TRUE(any);
}

TEST(PagesTest, PlacesInsideThePagesGetTheIndex) {
  const Page* index = find_page("/index.html");
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->content_type, "text/html; charset=utf-8");
  EXPECT_FALSE(index->immutable);
  for (const char* path : {"/", "/sign-in", "/settings/backup/", "/v1beta"}) {
    EXPECT_EQ(find_page(path), index) << path;
  }
  for (const char* path :
       {"/missing.js", "/assets/a.css", "/v1", "/v1/me", "", "index.html", "/../etc/passwd.txt"}) {
    EXPECT_EQ(find_page(path), nullptr) << path;
  }
}

// The Content-Security-Policy forbids both.
TEST(PagesTest, TheIndexHasNoInlineScriptOrStyle) {
  const Page* index = find_page("/");
  ASSERT_NE(index, nullptr);
  const std::string html = text_of(index->body);
  EXPECT_EQ(html.find("<style"), std::string::npos);
  EXPECT_EQ(html.find("style="), std::string::npos);
  for (auto at = html.find("<script"); at != std::string::npos; at = html.find("<script", at + 1)) {
    const auto end = html.find('>', at);
    EXPECT_NE(html.substr(at, end - at).find("src=\"/"), std::string::npos);
    EXPECT_EQ(html.compare(end + 1, 9, "</script>"), 0);
  }
}

}  // namespace
}  // namespace oa::pages
