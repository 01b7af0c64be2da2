#include <algorithm>
#include <charconv>

#include "oa/base/json.h"
#include "oa/instance/block_crypt.h"

namespace oa::instance {
namespace {

constexpr const char* kOp = "volume.header";
constexpr std::size_t kBinaryHeader = 4096;  // of LUKS2; its JSON follows
constexpr std::size_t kMaxHeader = 4 << 20;
constexpr std::string_view kMagic{"LUKS\xba\xbe", 6};
constexpr unsigned kMaxKeyBytes = 512;

Error malformed(const char* what) { return make_error(ErrorCode::kInvalidArgument, kOp, what); }

std::uint64_t big_endian(ByteView bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | bytes[at + i];
  return number;
}

std::string padded_text(ByteView bytes, std::size_t at, std::size_t size) {
  const auto text = as_text(bytes.subspan(at, size));
  return std::string(text.substr(0, text.find('\0')));
}

Result<CipherSpec> parse_luks1(ByteView header) {
  constexpr std::size_t kNameAt = 8, kModeAt = 40, kText = 32, kKeyBytesAt = 108;
  if (header.size() < kKeyBytesAt + 4) return malformed("the LUKS1 header is cut short");
  const auto key_bytes = big_endian(header, kKeyBytesAt, 4);
  if (key_bytes == 0 || key_bytes > kMaxKeyBytes)
    return malformed("the LUKS1 header has no key size");
  return CipherSpec{padded_text(header, kNameAt, kText) + "-" + padded_text(header, kModeAt, kText),
                    static_cast<unsigned>(key_bytes * 8)};
}

// The segment's cipher, and the smallest of the keys that its slots hold.
Result<CipherSpec> parse_luks2(ByteView header) {
  if (header.size() <= kBinaryHeader) return malformed("the LUKS2 header is cut short");
  const std::size_t size = std::min<std::uint64_t>(big_endian(header, 8, 8), header.size());
  if (size <= kBinaryHeader) return malformed("the LUKS2 header is cut short");
  std::string_view text = as_text(header.subspan(kBinaryHeader, size - kBinaryHeader));
  text = text.substr(0, text.find('\0'));
  OA_ASSIGN(const json::value document, parse_json(text, {kMaxHeader, 16}));
  CipherSpec spec;
  const auto* whole = document.if_object();
  const auto part = [&](const char* name) -> const json::object* {
    const auto* found = whole == nullptr ? nullptr : whole->if_contains(name);
    return found == nullptr ? nullptr : found->if_object();
  };
  const auto *segments = part("segments"), *slots = part("keyslots");
  if (segments == nullptr || slots == nullptr) return malformed("the LUKS2 header has no segments");
  for (const auto& [number, segment] : *segments) {
    const auto* fields = segment.if_object();
    const auto* cipher = fields == nullptr ? nullptr : fields->if_contains("encryption");
    if (cipher != nullptr && cipher->is_string()) spec.cipher = std::string(cipher->as_string());
  }
  for (const auto& [number, slot] : *slots) {
    const auto* fields = slot.if_object();
    const auto* bytes = fields == nullptr ? nullptr : fields->if_contains("key_size");
    if (bytes == nullptr || !bytes->is_int64()) continue;
    const auto key_bytes = bytes->as_int64();
    if (key_bytes <= 0 || key_bytes > kMaxKeyBytes)
      return malformed("the LUKS2 header has no key size");
    const auto bits = static_cast<unsigned>(key_bytes * 8);
    spec.key_bits = spec.key_bits == 0 ? bits : std::min(spec.key_bits, bits);
  }
  if (spec.cipher.empty() || spec.key_bits == 0)
    return malformed("the LUKS2 header names no cipher");
  return spec;
}

}  // namespace

Result<CipherSpec> parse_luks_header(ByteView header) {
  constexpr std::size_t kVersionAt = 6;
  if (header.size() < kVersionAt + 2 || as_text(header.first(kMagic.size())) != kMagic)
    return malformed("that is no LUKS header");
  const auto version = big_endian(header, kVersionAt, 2);
  if (version == 1) return parse_luks1(header);
  if (version == 2) return parse_luks2(header);
  return malformed("that is a LUKS header of an unknown version");
}

Result<CipherSpec> parse_crypt_table(std::string_view parameters) {
  const auto blank = parameters.find(' ');
  if (blank == parameters.npos || blank == 0) return malformed("that is no table of dm-crypt");
  CipherSpec spec{std::string(parameters.substr(0, blank)), 0};
  const auto key = parameters.substr(blank + 1, parameters.find(' ', blank + 1) - blank - 1);
  if (key.starts_with(':')) {  // in the kernel's keyring: its size in bytes
    unsigned bytes = 0;
    const auto end = key.data() + key.size();
    const auto read = std::from_chars(key.data() + 1, end, bytes);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ':')
      return malformed("that is no table of dm-crypt");
    spec.key_bits = bytes * 8;
  } else {
    spec.key_bits = static_cast<unsigned>(key.size() * 4);  // the key itself, in hex
  }
  if (spec.key_bits == 0 || spec.key_bits > kMaxKeyBytes * 8)
    return malformed("that is no table of dm-crypt");
  return spec;
}

bool is_aes256(const CipherSpec& spec) {
  const bool xts = spec.cipher.starts_with("aes-xts-") || spec.cipher.starts_with("capi:xts(aes)-");
  if (xts) return spec.key_bits >= 512;
  return (spec.cipher.starts_with("aes-") || spec.cipher.starts_with("capi:cbc(aes)")) &&
         spec.key_bits >= 256;
}

}  // namespace oa::instance
