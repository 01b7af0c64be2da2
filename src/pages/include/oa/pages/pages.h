// The web pages (web/), built by Vite and kept in the program. Everything here lives as long as the
// program and does not change: any thread may read it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace oa::pages {

struct Page {
  std::string_view path;          // "/index.html", "/assets/index-3f2a.js"
  std::string_view content_type;  // with charset where it is text
  std::string_view etag;          // quoted, strong: of the body as it is, not of the compressed one
  bool immutable = false;         // its name has a hash of its contents: may be cached for ever
  std::span<const std::uint8_t> body;
  std::span<const std::uint8_t> gzip_body;  // empty when compressing does not make it smaller
};

/// All of them, by path in the order of bytes.
std::span<const Page> pages();

/// The page that answers a request for `path` (decoded, without the query). What is not a file and
/// has no extension is a place inside the pages and gets index.html. nullptr: 404; so is everything
/// under /v1.
const Page* find_page(std::string_view path);

}  // namespace oa::pages
