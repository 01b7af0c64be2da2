#include "deployment_fields.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "oa/base/io.h"

namespace oa::instance {
namespace {

constexpr const char* kOp = "config";
constexpr std::size_t kMaxSecretBytes = 64 << 10;
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH, kOthers = S_IRWXG | S_IRWXO;

Status check_mode(const std::string& path, mode_t forbidden, const char* hint) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error(errno, kOp, path);
  if ((info.st_mode & forbidden) == 0 && S_ISREG(info.st_mode)) return {};
  return make_error(ErrorCode::kPermissionDenied, kOp, "others can get at " + path).with_hint(hint);
}
}  // namespace

Status check_nobody_writes(const std::string& path) {
  return check_mode(path, kOthersWrite, "let nobody else write it: chmod go-w");
}
Status check_secret(const std::string& path) {
  return check_mode(path, kOthers, "make it its owner's alone: chmod 0600");
}

bool is_plain(const std::string& text) {
  return !text.empty() && text.size() < 512 &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7F; });
}

std::string file_name(ObjectReader& reader, std::string_view name) {
  std::string path = reader.text(name);
  if (!path.starts_with('/') || path.find_first_of("\n\r") != path.npos || path.size() > 512)
    reader.fail(name, "is no absolute path");
  return path;
}
std::string optional_file(ObjectReader& reader, std::string_view name) {
  return reader.find(name) == nullptr ? "" : file_name(reader, name);
}

Result<SecretBytes> read_secret_file(const std::string& path) {
  OA_TRY(check_secret(path));
  OA_ASSIGN(const auto source, FileSource::open(path));
  if (source->size() > kMaxSecretBytes)
    return make_error(ErrorCode::kInvalidArgument, kOp, "the file is too long: " + path);
  SecretBytes text(source->size());
  OA_TRY(source->read_at(0, text.mutable_view()));
  return text;
}

Result<SecretBytes> read_secret(const std::string& path) {
  OA_ASSIGN(const SecretBytes text, read_secret_file(path));
  const std::string_view line = as_text(text.view());
  auto secret = SecretBytes::copy_of(as_bytes(line.substr(0, line.find_first_of("\r\n"))));
  if (!secret.empty()) return secret;
  return make_error(ErrorCode::kInvalidArgument, kOp, "the first line is empty: " + path)
      .with_hint("write the password into its first line");
}

}  // namespace oa::instance
