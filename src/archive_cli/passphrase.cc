#include "oa/archive_cli/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "oa/base/io.h"
#include "oa/console/output.h"

namespace oa::archive_cli {
namespace {

constexpr std::uint64_t kMaxFileBytes = 4096;
constexpr std::size_t kMaxTypedBytes = 4096;

SecretBytes first_line(ByteView text) {
  return SecretBytes::copy_of({text.begin(), std::ranges::find(text, std::uint8_t{'\n'})});
}

// The terminal, with echo off for as long as this lives.
class QuietTerminal {
 public:
  QuietTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (!is_open()) return;
    changed_ = ::tcgetattr(fd_, &before_) == 0;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    changed_ = changed_ && ::tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    if (is_open()) ::close(fd_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  bool is_open() const { return fd_ >= 0; }
  bool quiet() const { return changed_; }

  Result<SecretBytes> ask(const std::string& prompt) {
    if (::write(fd_, prompt.data(), prompt.size()) < 0)
      return errno_error(errno, "passphrase", "cannot write to the terminal");
    SecretBytes typed(kMaxTypedBytes);
    for (std::size_t size = 0; size < typed.size();) {
      const ssize_t n = ::read(fd_, typed.mutable_view().data() + size, 1);
      if (n < 0 && errno == EINTR && console::stop_requested())
        return make_error(ErrorCode::kCancelled, "passphrase", "cancelled");
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error(errno, "passphrase", "cannot read from the terminal");
      if (n == 0 || typed.view()[size] == '\n')
        return SecretBytes::copy_of(typed.view().first(size));
      ++size;
    }
    return make_error(ErrorCode::kLimitExceeded, "passphrase", "the passphrase is too long");
  }

 private:
  int fd_;
  bool changed_ = false;
  termios before_{};
};

}  // namespace

Result<SecretBytes> read_passphrase_file(const std::string& path, const PassphraseWords& words) {
  OA_ASSIGN(const auto source, FileSource::open(path));
  if (source->size() > kMaxFileBytes) {
    return make_error(ErrorCode::kLimitExceeded, "passphrase",
                      path + " is longer than " + format_size(kMaxFileBytes))
        .with_hint("name a file whose first line is the " + words.what);
  }
  SecretBytes text(source->size());
  OA_TRY(source->read_at(0, text.mutable_view()));
  auto passphrase = first_line(text.view());
  if (!passphrase.empty()) return passphrase;
  return make_error(ErrorCode::kInvalidArgument, "passphrase",
                    "the first line of " + path + " is empty")
      .with_hint("write the " + words.what + " into its first line");
}

Result<SecretBytes> ask_passphrase(const std::string& prompt, bool twice,
                                   const PassphraseWords& words) {
  QuietTerminal terminal;
  if (!terminal.is_open() || !terminal.quiet()) {
    return make_error(ErrorCode::kInvalidArgument, "passphrase",
                      "a " + words.what + " is needed and there is no terminal to ask on")
        .with_hint("name a file whose first line is the " + words.what + " with " +
                   words.file_option);
  }
  OA_ASSIGN(auto first, terminal.ask(prompt + ": "));
  if (!twice) return first;
  OA_ASSIGN(const auto second, terminal.ask(prompt + " (again): "));
  if (constant_time_equal(first.view(), second.view())) return first;
  return make_error(ErrorCode::kInvalidArgument, "passphrase", "the two " + words.what + "s differ")
      .with_hint("try again");
}

Result<SecretBytes> passphrase_from(const std::string& file, const std::string& prompt, bool twice,
                                    const PassphraseWords& words) {
  return file.empty() ? ask_passphrase(prompt, twice, words) : read_passphrase_file(file, words);
}

}  // namespace oa::archive_cli
