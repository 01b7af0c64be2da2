// archive_tree DIR FILES LARGE: makes the tree that archive.sh measures with, the same bytes on
// every run. FILES JSON documents of 1 to 8 KB in DIR/small, LARGE files of 40 MB that do not
// compress in DIR/large.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

namespace {

constexpr std::size_t kLargeSize = 40'000'000;
constexpr std::size_t kFilesPerFolder = 1000;

std::string uuid_like(std::mt19937_64& random) {
  char text[40];
  const std::uint64_t a = random(), b = random();
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-a%03x-%012llx", static_cast<unsigned>(a),
                static_cast<unsigned>(a >> 32 & 0xffff), static_cast<unsigned>(a >> 48 & 0xfff),
                static_cast<unsigned>(b & 0xfff), static_cast<unsigned long long>(b >> 16));
  return text;
}

// A report's document: words from a small vocabulary, ids and numbers that differ.
std::string document(std::mt19937_64& random) {
  static constexpr const char* kWords[] = {"revenue",   "region",    "order_date", "order_count",
                                           "customers", "threshold", "North",      "South",
                                           "format",    "percent",   "quarter",    "net_amount"};
  const std::size_t size = 1000 + random() % 7000;
  std::string text = R"({"id":")" + uuid_like(random) + R"(","visuals":[)";
  while (text.size() < size) {
    text += R"({"id":")" + uuid_like(random) + R"(","kind":"bar","query":{"dimensions":[{"id":")";
    text += kWords[random() % 12];
    text += R"(","grain":"month"}],"measures":[")";
    text += kWords[random() % 12];
    text += R"("],"limit":)" + std::to_string(random() % 100000) + R"(},"title":")";
    for (int i = 0; i < 6; ++i) text += std::string(kWords[random() % 12]) + " ";
    text += "\"},";
  }
  text.back() = ']';
  return text + "}";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: archive_tree DIR FILES LARGE\n", stderr), 2;
  const std::filesystem::path folder = argv[1];
  const std::size_t files = std::strtoul(argv[2], nullptr, 10),
                    large = std::strtoul(argv[3], nullptr, 10);
  std::mt19937_64 random(20260416);
  for (std::size_t i = 0; i < files; ++i) {
    const auto parent = folder / "small" / std::to_string(1000 + i / kFilesPerFolder);
    if (i % kFilesPerFolder == 0) std::filesystem::create_directories(parent);
    std::ofstream(parent / (uuid_like(random) + ".json")) << document(random);
  }
  std::filesystem::create_directories(folder / "large");
  std::string bytes(kLargeSize, '\0');
  for (std::size_t i = 0; i < large; ++i) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      const std::uint64_t word = random();
      bytes.replace(at, 8, reinterpret_cast<const char*>(&word), 8);
    }
    std::ofstream(folder / "large" / (std::to_string(1000 + i) + ".parquet")) << bytes;
  }
  return 0;
}
