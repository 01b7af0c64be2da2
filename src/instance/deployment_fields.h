// What the sections of the deployment file have in common.
#pragma once

#include <string>
#include <string_view>

#include "oa/base/json.h"
#include "oa/crypto/secret.h"

namespace oa::instance {

/// Printable ASCII or UTF-8 without spaces, 1 to 511 bytes.
bool is_plain(const std::string& text);
/// An absolute path; otherwise the reader fails.
std::string file_name(ObjectReader& reader, std::string_view name);
/// Empty when it is not there.
std::string optional_file(ObjectReader& reader, std::string_view name);

/// kPermissionDenied when others may write the file.
Status check_nobody_writes(const std::string& path);
/// kPermissionDenied when others may do anything with the file.
Status check_secret(const std::string& path);
/// All of such a file, at most 64 KiB.
Result<SecretBytes> read_secret_file(const std::string& path);
/// Its first line; kInvalidArgument when that is empty.
Result<SecretBytes> read_secret(const std::string& path);

}  // namespace oa::instance
