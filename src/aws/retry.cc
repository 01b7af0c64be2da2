#include "retry.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "oa/base/json.h"

namespace oa::aws {
namespace {

constexpr std::size_t kMaxCode = 64;

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCode && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
  });
}

// "com.amazonaws.kms#DisabledException:http://…" names DisabledException.
std::string_view bare(std::string_view type) {
  type = type.substr(0, type.find(':'));
  return type.substr(type.find('#') + 1);
}

template <std::size_t kCount>
bool is_one_of(const std::string& code, const std::array<std::string_view, kCount>& codes) {
  return std::ranges::find(codes, code) != codes.end();
}

// Refused before anything was done.
constexpr std::array<std::string_view, 14> kTryAgain{
    "SlowDown", "ServiceUnavailable", "RequestTimeout", "Throttling", "ThrottlingException",
    "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded",
    "TooManyRequestsException", "BandwidthLimitExceeded", "OperationAborted",
    // What arrived is not what was signed: the network changed it.
    "XAmzContentSHA256Mismatch", "BadDigest"};
constexpr std::array<std::string_view, 3> kTooOld{"ExpiredToken", "ExpiredTokenException",
                                                  "TokenRefreshRequired"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// S3 has a code for it. Others call the signature invalid and say in words that its time is.
bool says_clock_is_wrong(const Response& answer) {
  if (answer.error_code == "RequestTimeTooSkewed") return true;
  if (answer.error_code != "InvalidSignatureException") return false;
  const std::string_view text = as_text(answer.body);
  return text.find("Signature expired: ") != text.npos ||
         text.find("Signature not yet current: ") != text.npos;
}

}  // namespace

std::string error_code_of(const ResponseHead& head, ByteView body) {
  if (const auto named = bare(head.header("x-amzn-errortype")); is_code(named))
    return std::string(named);
  const std::string_view text = as_text(body);
  if (text.starts_with('{')) {
    const auto parsed = parse_json(text);
    if (!parsed.ok() || !parsed->is_object()) return {};
    const auto* type = parsed->as_object().if_contains("__type");
    if (type == nullptr || !type->is_string()) return {};
    const auto name = bare(std::string_view(type->as_string()));
    return is_code(name) ? std::string(name) : std::string();
  }
  constexpr std::string_view kBegin = "<Code>";
  const auto begin = text.find(kBegin);
  if (begin == std::string_view::npos) return {};
  const auto rest = text.substr(begin + kBegin.size());
  const auto name = rest.substr(0, rest.find('<'));
  return is_code(name) ? std::string(name) : std::string();
}

Verdict judge(const Response& answer) {
  if (answer.ok()) return Verdict::kDone;
  if (says_clock_is_wrong(answer)) return Verdict::kSetClock;
  if (is_one_of(answer.error_code, kTooOld)) return Verdict::kNewCredentials;
  if (is_one_of(answer.error_code, kTryAgain)) return Verdict::kAgain;
  switch (answer.head.status) {
    case 429:
    case 503:
      return Verdict::kAgain;
    case 408:
    case 500:
    case 502:
    case 504:
      return Verdict::kAgainMaybe;
    default:
      return Verdict::kDone;
  }
}

std::optional<std::chrono::milliseconds> retry_after(const ResponseHead& head) {
  const auto text = head.header("retry-after");
  std::uint32_t seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return std::chrono::seconds(seconds);
}

std::chrono::milliseconds wait_before(const RetrySettings& settings, int retry, double random) {
  constexpr int kMostDoublings = 20;
  const auto doubled = settings.first_wait * (1 << std::min(retry, kMostDoublings));
  const auto most = std::min<std::chrono::milliseconds>(doubled, settings.longest_wait);
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(most.count()) * random));
}

// "Mon, 23 Nov 2026 17:04:41 GMT"
std::optional<Timestamp> date_of(const ResponseHead& head) {
  const auto text = head.header("date");
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  const std::string number = std::to_string(month - kMonths.begin() + 1);
  const auto parsed = Timestamp::parse(
      std::string(text.substr(12, 4)) + "-" + (number.size() == 1 ? "0" : "") + number + "-" +
      std::string(text.substr(5, 2)) + "T" + std::string(text.substr(17, 8)) + "Z");
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

bool RetryBudget::take() {
  int left = tenths_.load();
  while (left >= kTenths) {
    if (tenths_.compare_exchange_weak(left, left - kTenths)) return true;
  }
  return false;
}

void RetryBudget::give_back_a_tenth() {
  int left = tenths_.load();
  while (left < most_ && !tenths_.compare_exchange_weak(left, left + 1)) {
  }
}

}  // namespace oa::aws
