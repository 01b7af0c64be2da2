#include "passwords.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "oa/crypto/kdf.h"

namespace oa::accounts {
namespace {

constexpr std::size_t kMinBytes = 8, kMaxBytes = 1024;
constexpr int kAtOnce = 2;
constexpr std::size_t kMostWaiting = 16;  // of one kind

// What lists of leaked passwords begin with, in lower case.
constexpr auto kCommon = std::to_array<std::string_view>(
    {"00000000",      "0123456789",  "0987654321", "102030405",  "11111111",   "111111111",
     "1111111111",    "11223344",    "1122334455", "12121212",   "12341234",   "123123123",
     "1234512345",    "12344321",    "123321123",  "12345678",   "123456789",  "1234567890",
     "12345678910",   "123456789a",  "1234qwer",   "123qweasd",  "147258369",  "147852369",
     "1q2w3e4r",      "1q2w3e4r5t",  "1qaz2wsx",   "22222222",   "55555555",   "77777777",
     "741852963",     "87654321",    "88888888",   "963852741",  "987654321",  "9876543210",
     "99999999",      "a1234567",    "a12345678",  "a123456789", "aa123456",   "aa12345678",
     "abc12345",      "abcd1234",    "abcdefgh",   "access14",   "admin123",   "admin1234",
     "administrator", "asdf1234",    "asdfasdf",   "asdfghjk",   "asdfghjkl",  "baseball",
     "basketball",    "changeme",    "charlie1",   "chocolate",  "computer",   "corvette",
     "dearbook",      "einstein",    "elephant",   "football",   "football1",  "freedom1",
     "google123",     "iloveyou",    "iloveyou1",  "internet",   "jennifer",   "jordan23",
     "letmein1",      "liverpool",   "login123",   "marlboro",   "maverick",   "mercedes",
     "michelle",      "monkey123",   "mustang1",   "p@ssw0rd",   "p@ssword",   "pa$$w0rd",
     "passw0rd",      "password",    "password!",  "password1",  "password12", "password123",
     "password1234",  "princess",    "princess1",  "q1w2e3r4",   "q1w2e3r4t5", "qazwsxedc",
     "qwer1234",      "qwerasdf",    "qwertyui",   "qwertyuiop", "qwerty12",   "qwerty123",
     "qwerty1234",    "qwerty12345", "rockyou1",   "samantha",   "secret123",  "starwars",
     "sunshine",      "sunshine1",   "superman",   "superman1",  "test1234",   "trustno1",
     "victoria",      "welcome1",    "welcome123", "whatever",   "zaq12wsx",   "zxcvbnm1",
     "zxcvbnm123"});

// Of no password; the same cost as those of hash_password().
const std::string kNobodys =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

bool same_without_case(ByteView password, std::string_view lower) {
  return std::ranges::equal(password, as_bytes(lower), {}, [](std::uint8_t c) {
    return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c + 32) : c;
  });
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

// A place among those who hash, waited for: in the order of their coming within a kind of work, and
// the kinds in turn.
class Turn {
 public:
  static Result<Turn> take(PasswordWork work) {
    std::unique_lock lock(mutex_);
    const auto kind = static_cast<std::size_t>(work);
    if (waiting_[kind].size() >= kMostWaiting) {
      return make_error(ErrorCode::kOverloaded, "accounts.password", "too many people sign in now")
          .with_hint("try again in a few seconds");
    }
    const std::uint64_t ticket = ++tickets_;
    waiting_[kind].push_back(ticket);
    changed_.wait(lock, [&] { return running_ < kAtOnce && next() == ticket; });
    waiting_[kind].pop_front();
    favoured_ = 1 - kind;
    ++running_;
    changed_.notify_all();  // the next one may begin, too
    return Turn();
  }
  Turn(Turn&& other) noexcept : held_(std::exchange(other.held_, false)) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (!held_) return;
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
  }

 private:
  Turn() = default;
  static std::uint64_t next() {
    const auto& first = waiting_[favoured_].empty() ? waiting_[1 - favoured_] : waiting_[favoured_];
    return first.front();
  }
  bool held_ = true;
  static inline std::mutex mutex_;
  static inline std::condition_variable changed_;
  static inline std::array<std::deque<std::uint64_t>, 2> waiting_;  // by PasswordWork
  static inline std::size_t favoured_ = 0;
  static inline std::uint64_t tickets_ = 0;
  static inline int running_ = 0;
};

}  // namespace

Status check_password(const SecretBytes& password, std::string_view email) {
  constexpr auto kOp = "accounts.password";
  if (password.size() < kMinBytes || password.size() > kMaxBytes) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "a password has 8 to 1024 bytes")
        .with_hint("choose a longer one, such as several words");
  }
  const auto is = [&](std::string_view lower) { return same_without_case(password.view(), lower); };
  if (std::ranges::none_of(kCommon, is) && !is(ascii_lower(email))) return {};
  return make_error(ErrorCode::kInvalidArgument, kOp,
                    "this password is among the first that anybody would try")
      .with_hint("choose another, such as several words");
}

Result<std::string> hash_bounded(const SecretBytes& password) {
  OA_ASSIGN(const Turn turn, Turn::take(PasswordWork::kChange));
  return hash_password(password);
}

Result<bool> verify_bounded(PasswordWork work, const std::optional<std::string>& hash,
                            const SecretBytes& password) {
  OA_ASSIGN(const Turn turn, Turn::take(work));
  const bool matches = verify_password(hash.value_or(kNobodys), password);
  return matches && hash.has_value();
}

}  // namespace oa::accounts
