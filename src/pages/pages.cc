#include "oa/pages/pages.h"

#include <algorithm>
#include <array>

extern "C" {
extern const std::uint8_t oa_pages_blob[];
}

namespace oa::pages {
namespace {

std::span<const std::uint8_t> blob(std::size_t offset, std::size_t size) {
  return {oa_pages_blob + offset, size};
}

const auto kPages = std::to_array<Page>({
#include "pages_table.inc"
});

const Page* exact_page(std::string_view path) {
  const auto found = std::ranges::lower_bound(kPages, path, {}, &Page::path);
  return found != kPages.end() && found->path == path ? &*found : nullptr;
}

}  // namespace

std::span<const Page> pages() { return kPages; }

const Page* find_page(std::string_view path) {
  if (path == "/v1" || path.starts_with("/v1/") || !path.starts_with('/')) return nullptr;
  if (const Page* page = exact_page(path)) return page;
  const auto name = path.substr(path.rfind('/') + 1);
  return name.find('.') == std::string_view::npos ? exact_page("/index.html") : nullptr;
}

}  // namespace oa::pages
