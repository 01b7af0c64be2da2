#include "testkit/readable.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "oa/base/bytes.h"
#include "testkit/scratch.h"

namespace oa::testkit {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMaxStream = 256 << 20;  // of what a stream becomes
constexpr int kMaxDepth = 2;
constexpr std::size_t kWorthIt = 64;  // a stream that gives less is no stream

std::string utf16(std::string_view text, bool big_endian) {
  std::string wide;
  for (const char c : text) {
    wide += big_endian ? '\0' : c;
    wide += big_endian ? c : '\0';
  }
  return wide;
}

std::string hex(std::string_view text, const char* digits) {
  std::string out;
  for (const unsigned char c : text) {
    out += digits[c >> 4];
    out += digits[c & 15];
  }
  return out;
}

// What of the text is the same whatever stands before and behind it.
std::string base64_at(std::string_view text, std::size_t shift) {
  const std::string padded = std::string(shift, 'x') + std::string(text);
  std::string whole = to_base64(as_bytes(padded));
  whole.erase(whole.find_last_not_of('=') + 1);
  const std::size_t from = (shift * 8 + 5) / 6, to = (padded.size() * 8) / 6;
  return whole.substr(from, to - from);
}

std::string url_safe(std::string text) {
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string inflated(std::string_view text, int window_bits) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(text.size(), UINT32_MAX));
  std::string out;
  for (int status = Z_OK; status == Z_OK && out.size() < kMaxStream;) {
    char buffer[64 << 10];
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    status = inflate(&stream, Z_SYNC_FLUSH);
    out.append(buffer, sizeof buffer - stream.avail_out);
    if (stream.avail_in == 0 && stream.avail_out == sizeof buffer) break;
  }
  inflateEnd(&stream);
  return out;
}

std::string unzstd(std::string_view text) {
  ZSTD_DStream* stream = ZSTD_createDStream();
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  std::string out;
  while (in.pos < in.size && out.size() < kMaxStream) {
    char buffer[64 << 10];
    ZSTD_outBuffer piece{buffer, sizeof buffer, 0};
    const auto left = ZSTD_decompressStream(stream, &piece, &in);
    out.append(buffer, piece.pos);
    if (ZSTD_isError(left) != 0U || left == 0) break;
  }
  ZSTD_freeDStream(stream);
  return out;
}

void each(std::string_view text, std::string_view mark,
          const std::function<void(std::size_t)>& at) {
  for (auto found = text.find(mark); found != text.npos; found = text.find(mark, found + 1))
    at(found);
}

}  // namespace

Search::Search(const std::vector<std::string>& needles) {
  for (const auto& needle : needles) {
    forms_.emplace(needle, "plain");
    forms_.emplace(utf16(needle, false), "utf-16le");
    forms_.emplace(utf16(needle, true), "utf-16be");
    forms_.emplace(hex(needle, "0123456789abcdef"), "hex");
    forms_.emplace(hex(needle, "0123456789ABCDEF"), "HEX");
    for (std::size_t shift = 0; shift < 3; ++shift) {
      const auto encoded = base64_at(needle, shift);
      forms_.emplace(encoded, "base64+" + std::to_string(shift));
      forms_.emplace(url_safe(encoded), "base64url+" + std::to_string(shift));
    }
  }
}

bool Search::forms_in(const std::string& where, std::string_view text) {
  bool any = false;
  for (const auto& [form, name] : forms_) {
    if (memmem(text.data(), text.size(), form.data(), form.size()) == nullptr) continue;
    const std::string hit = where + ": " + name;
    if (std::ranges::find(found_, hit) == found_.end()) found_.push_back(hit);
    any = true;
  }
  return any;
}

void Search::in_text(const std::string& where, std::string_view text) {
  bytes_ += text.size();
  forms_in(where, text);
  in_streams(where, text, 0);
}

void Search::in_streams(const std::string& where, std::string_view text, int depth) {
  if (depth == kMaxDepth) return;
  const auto look = [&](const std::string& kind, std::size_t at, const std::string& inside) {
    if (inside.size() < kWorthIt) return;
    const std::string place = where + " (" + kind + " at " + std::to_string(at) + ")";
    forms_in(place, inside);
    in_streams(place, inside, depth + 1);
  };
  each(text, "\x28\xb5\x2f\xfd",
       [&](std::size_t at) { look("zstd", at, unzstd(text.substr(at))); });
  each(text, "\x1f\x8b\x08",
       [&](std::size_t at) { look("gzip", at, inflated(text.substr(at), 16 + MAX_WBITS)); });
  for (const char* mark : {"\x78\x9c", "\x78\x01", "\x78\xda"})
    each(text.substr(0, 2), mark,
         [&](std::size_t at) { look("zlib", at, inflated(text, MAX_WBITS)); });
}

void Search::in_file(const std::string& path) {
  ++files_;
  in_text(path, contents_of(path));
}

void Search::in_folder(const std::string& folder, const std::vector<std::string>& except) {
  for (const auto& path : files_below(folder, except)) {
    in_text(path + " (its name)", path);
    in_file(path);
  }
}

void Search::in_memory_of(int pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  const int memory = ::open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  std::ifstream maps(proc + "/maps");
  std::string piece;
  for (std::string line; memory >= 0 && std::getline(maps, line);) {
    std::uint64_t from = 0, to = 0;
    char rights[5] = {};
    if (sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, rights) != 3 || rights[0] != 'r') continue;
    if (line.find("[v") != line.npos) continue;
    constexpr std::uint64_t kPiece = 16 << 20, kOverlap = 4096;
    for (std::uint64_t at = from; at < to; at += kPiece - kOverlap) {
      piece.resize(std::min<std::uint64_t>(kPiece, to - at));
      const auto read = ::pread(memory, piece.data(), piece.size(), static_cast<off_t>(at));
      if (read <= 0) break;
      bytes_ += static_cast<std::uint64_t>(read);
      forms_in("memory of process " + std::to_string(pid),
               std::string_view(piece).substr(0, static_cast<std::size_t>(read)));
      if (to - at <= kPiece) break;
    }
  }
  if (memory >= 0) ::close(memory);
}

}  // namespace oa::testkit
