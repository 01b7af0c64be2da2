#include "oa/aws/credentials.h"

#include <algorithm>

namespace oa::aws {
namespace {

constexpr std::size_t kMaxIdLength = 128;
constexpr std::size_t kMaxTokenLength = 16 << 10;
constexpr std::int64_t kRefreshBeforeUs = std::int64_t{300} * 1'000'000;

bool printable(ByteView text) {
  return std::ranges::all_of(text, [](std::uint8_t c) { return c > ' ' && c <= '~'; });
}

Status check(const Credentials& credentials) {
  const ByteView id = as_bytes(credentials.access_key_id);
  const ByteView secret = credentials.secret_access_key.view();
  const ByteView token = credentials.session_token.view();
  if (id.empty() || id.size() > kMaxIdLength || !printable(id) || secret.empty() ||
      secret.size() > kMaxIdLength || !printable(secret) || token.size() > kMaxTokenLength ||
      !printable(token)) {
    return make_error(ErrorCode::kInvalidArgument, "aws.credentials",
                      "an access key has an id and a secret of 1 to 128 printable characters each")
        .with_hint("check for missing parts and for white space around them");
  }
  return {};
}

bool good_until(const Credentials& credentials, std::int64_t unix_us) {
  return !credentials.expires_at || credentials.expires_at->unix_us > unix_us;
}

}  // namespace

Result<std::shared_ptr<CredentialProvider>> CredentialProvider::fixed(Credentials credentials) {
  OA_TRY(check(credentials));
  std::shared_ptr<CredentialProvider> made(new CredentialProvider({}));
  made->held_ = std::make_shared<const Credentials>(std::move(credentials));
  return made;
}

std::shared_ptr<CredentialProvider> CredentialProvider::refreshed(Fetch fetch) {
  OA_ASSERT(fetch != nullptr);
  return std::shared_ptr<CredentialProvider>(new CredentialProvider(std::move(fetch)));
}

Result<std::shared_ptr<const Credentials>> CredentialProvider::current() {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = Timestamp::now().unix_us;
  if (held_ != nullptr && (fetch_ == nullptr || good_until(*held_, now + kRefreshBeforeUs)))
    return held_;
  auto fetched = fetch_();
  Status good = fetched.ok() ? check(*fetched) : Status(fetched.error());
  if (!good.ok()) {
    if (held_ != nullptr && good_until(*held_, now)) return held_;
    return good.error();
  }
  held_ = std::make_shared<const Credentials>(*std::move(fetched));
  return held_;
}

bool CredentialProvider::refused(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  if (fetch_ == nullptr) return false;
  // Else another request found out first, and what is held now is new.
  if (held_.get() == &credentials) held_ = nullptr;
  return true;
}

}  // namespace oa::aws
