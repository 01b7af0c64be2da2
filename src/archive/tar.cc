#include "tar.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "entry_layout.h"

namespace oa::archive {
namespace {

constexpr std::size_t kNameSize = 100;
constexpr std::size_t kPrefixSize = 155;
// What is looked at of an extended header: paths have at most kMaxPathSize bytes.
constexpr std::size_t kMaxRecords = 4 * kTarBlock;

// Field offsets of a ustar header block.
constexpr std::size_t kModeAt = 100, kUidAt = 108, kGidAt = 116, kSizeAt = 124, kMtimeAt = 136;
constexpr std::size_t kChecksumAt = 148, kTypeAt = 156, kMagicAt = 257, kDevMajorAt = 329,
                      kDevMinorAt = 337;
constexpr std::size_t kPrefixAt = 345;
constexpr std::string_view kMagic{"ustar\00000", 8};

struct SplitPath {
  std::string_view prefix;
  std::string_view name;
};

// The shortest prefix that lets the rest fit into the name field.
std::optional<SplitPath> split(std::string_view path) {
  if (path.size() <= kNameSize) return SplitPath{{}, path};
  const auto slash = path.find('/', path.size() - kNameSize - 1);
  if (slash == std::string_view::npos || slash == 0 || slash > kPrefixSize ||
      slash + 1 == path.size()) {
    return std::nullopt;
  }
  return SplitPath{path.substr(0, slash), path.substr(slash + 1)};
}

void put_octal(std::uint8_t* field, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i-- > 0; value >>= 3)
    field[i] = static_cast<std::uint8_t>('0' + (value & 7));
}

unsigned checksum(ByteView block) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    sum += i >= kChecksumAt && i < kChecksumAt + 8 ? ' ' : block[i];
  }
  return sum;
}

void append_block(Bytes& out, const SplitPath& path, std::uint64_t size, std::uint64_t mtime,
                  char type) {
  out.resize(out.size() + kTarBlock);
  std::uint8_t* block = out.data() + out.size() - kTarBlock;
  std::memcpy(block, path.name.data(), path.name.size());
  put_octal(block + kModeAt, 7, 0644);
  put_octal(block + kUidAt, 7, 0);
  put_octal(block + kGidAt, 7, 0);
  put_octal(block + kSizeAt, 11, size);
  put_octal(block + kMtimeAt, 11, mtime);
  block[kTypeAt] = static_cast<std::uint8_t>(type);
  std::memcpy(block + kMagicAt, kMagic.data(), kMagic.size());
  put_octal(block + kDevMajorAt, 7, 0);
  put_octal(block + kDevMinorAt, 7, 0);
  if (!path.prefix.empty()) std::memcpy(block + kPrefixAt, path.prefix.data(), path.prefix.size());
  put_octal(block + kChecksumAt, 6, checksum({block, kTarBlock}));
  block[kChecksumAt + 7] = ' ';
}

// "<length> key=value\n", where length counts its own digits.
void append_pax_record(std::string& out, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) ++length;
  out.append(std::to_string(length)).append(" ").append(key).append("=").append(value).append("\n");
}

std::string pax_records(std::string_view path, std::uint64_t size) {
  std::string records;
  if (!split(path)) append_pax_record(records, "path", path);
  if (size > kMaxUstarNumber) append_pax_record(records, "size", std::to_string(size));
  return records;
}

std::string_view field(ByteView block, std::size_t at, std::size_t size) {
  const auto text = as_text(block.subspan(at, size));
  return text.substr(0, text.find('\0'));
}

bool is_ustar(ByteView bytes) {
  return bytes.size() >= kTarBlock && field(bytes, kMagicAt, 6) == "ustar";
}

std::string ustar_path(ByteView block) {
  const auto prefix = field(block, kPrefixAt, kPrefixSize);
  return std::string(prefix).append(prefix.empty() ? "" : "/").append(field(block, 0, kNameSize));
}

// 0 for what is no octal number.
std::size_t octal_of(std::string_view digits) {
  std::size_t value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '7') return 0;
    value = value << 3 | static_cast<std::size_t>(digit - '0');
  }
  return value;
}

std::string path_of_records(std::string_view records) {
  const auto key = records.find(" path=");
  const auto end = records.find('\n', key);
  if (key == std::string_view::npos || end == std::string_view::npos) return {};
  return std::string(records.substr(key + 6, end - key - 6));
}

}  // namespace

void append_tar_header(Bytes& out, std::string_view path, std::uint64_t size, std::uint64_t mtime) {
  OA_ASSERT(mtime <= kMaxUstarNumber);
  const auto records = pax_records(path, size);
  if (!records.empty()) {
    append_block(out, {{}, "PaxHeader"}, records.size(), mtime, 'x');
    out.insert(out.end(), records.begin(), records.end());
    append_padding(out, records.size());
  }
  // A reader that knows no extended headers sees a shortened name and no content instead.
  const auto fits = split(path);
  append_block(out, fits ? *fits : SplitPath{{}, path.substr(0, kNameSize)},
               size > kMaxUstarNumber ? 0 : size, mtime, '0');
}

std::size_t tar_header_size(std::string_view path, std::uint64_t size) {
  if (path.size() <= kNameSize && size <= kMaxUstarNumber) return kTarBlock;
  const std::size_t records = pax_records(path, size).size();
  return records == 0 ? kTarBlock : 2 * kTarBlock + records + padding_size(records);
}

void append_padding(Bytes& out, std::uint64_t size) { out.resize(out.size() + padding_size(size)); }

void append_tar_file(Bytes& out, std::string_view path, ByteView content, std::uint64_t mtime) {
  append_tar_header(out, path, content.size(), mtime);
  out.insert(out.end(), content.begin(), content.end());
  append_padding(out, content.size());
}

SeenHeader look_at_tar_header(ByteView bytes) {
  SeenHeader seen;
  if (!is_ustar(bytes)) return seen;
  Bytes sum(6);
  put_octal(sum.data(), 6, checksum(bytes));
  seen.is_header = std::equal(sum.begin(), sum.end(), bytes.begin() + kChecksumAt);
  seen.type = static_cast<char>(bytes[kTypeAt]);
  seen.path = ustar_path(bytes);
  if (!seen.is_header || seen.type != 'x' || bytes.size() < 2 * kTarBlock) return seen;
  const std::size_t size =
      std::min({octal_of(field(bytes, kSizeAt, 11)), kMaxRecords, bytes.size() - kTarBlock});
  seen.path = path_of_records(as_text(bytes.subspan(kTarBlock, size)));
  // Records without a path leave it to the header behind them.
  const std::size_t behind = kTarBlock + size + padding_size(size);
  if (seen.path.empty() && behind < bytes.size() && is_ustar(bytes.subspan(behind)))
    seen.path = ustar_path(bytes.subspan(behind));
  seen.type = '0';
  return seen;
}

}  // namespace oa::archive
