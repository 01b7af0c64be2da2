// Signature and public key files in minisign's formats: only what the key signed verifies.
#include <algorithm>

#include "fuzz_input.h"
#include "oa/crypto/sign.h"
#include "signed_archive.h"

namespace oa {
namespace {

void check_key(std::string_view text) {
  const auto key = PublicKey::parse(text);
  if (fuzz::accepted(key)) OA_ASSERT(key->base64() == text);
  const auto from_file = PublicKey::parse_file(text);
  if (!fuzz::accepted(from_file)) return;
  OA_ASSERT(text.find(from_file->base64()) != std::string_view::npos);
  OA_ASSERT(*PublicKey::parse_file(from_file->file_text()) == *from_file);
}

// Everything behind the first line, which no signature covers.
std::string_view covered(std::string_view signature_file) {
  return signature_file.substr(std::min(signature_file.find('\n'), signature_file.size()));
}

void check_signature(std::string_view text, const Blake2bDigest& digest) {
  const auto& key = fuzz::signing_key();
  const auto verified = verify_signature(text, key.public_key(), digest);
  if (!fuzz::accepted(verified)) {
    OA_ASSERT(verified.error().code == ErrorCode::kArchiveSignatureInvalid);
    return;
  }
  OA_ASSERT(covered(key.sign(digest, verified->trusted_comment)) == covered(text));
}

bool is_comment(std::string_view text) {
  return text.size() <= 8192 && std::ranges::none_of(text, [](char c) {
           return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
         });
}

void sign_and_check(std::string_view comment, ByteView message, ByteView edits) {
  if (!is_comment(comment)) return;
  const auto digest = Blake2b::of(message);
  std::string text = fuzz::signing_key().sign(digest, comment);
  const auto verified = verify_signature(text, fuzz::signing_key().public_key(), digest);
  OA_ASSERT(verified.ok() && verified->trusted_comment == comment);
  OA_ASSERT(!verify_signature(text, fuzz::other_key().public_key(), digest).ok());
  OA_ASSERT(
      !verify_signature(text, fuzz::signing_key().public_key(), Blake2b::of(as_bytes(text))).ok());
  for (; edits.size() >= 3; edits = edits.subspan(3)) {
    char& c = text[read_le<std::uint16_t>(edits) % text.size()];
    c = static_cast<char>(c ^ edits[2]);
  }
  check_signature(text, digest);
}

}  // namespace
}  // namespace oa

// First byte: 'k' a key or its file, 'v' a signature file over no bytes, 's' sections: trusted
// comment, message, edits of the signature file (u16 place, bits to change).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const oa::ByteView rest(data + 1, size - 1);
  if (*data == 'k') oa::check_key(oa::as_text(rest));
  if (*data == 'v') oa::check_signature(oa::as_text(rest), oa::Blake2b::of({}));
  if (*data == 's') {
    auto sections = oa::fuzz::split_sections(rest);
    sections.resize(3);
    oa::sign_and_check(oa::as_text(sections[0]), sections[1], sections[2]);
  }
  return 0;
}
