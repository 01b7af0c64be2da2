#include "oa/console/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "oa/base/bytes.h"

namespace oa::console {
namespace {

constexpr auto kDrawEvery = std::chrono::milliseconds(100);
volatile std::sig_atomic_t g_stop = 0;  // set by a signal handler, which may touch nothing else

volatile std::sig_atomic_t g_reload = 0;

void on_reload(int) { g_reload = 1; }

void on_signal(int number) {
  if (g_stop != 0) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
  g_stop = 1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

TerminalProgress* g_drawn = nullptr;  // the progress whose line is on the terminal
int g_write_error = 0;  // errno of the first failed write to standard output, told by flush()

void print_line(std::string_view text) {
  if (g_drawn != nullptr) g_drawn->clear();
  if (g_write_error != 0) return;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
      std::fputc('\n', stdout) == EOF) {
    g_write_error = errno;
  }
}

// A JSON document is UTF-8, whatever the names of files are that it speaks of.
std::string document_text(const json::value& value) {
  std::string text = canonical_json(value);
  if (is_utf8(text)) return text;
  std::string out;
  for (const char c : text)
    out += static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "\uFFFD";
  return out;
}

std::string amount(std::uint64_t n, const std::string& unit) {
  return unit == "bytes" ? format_size(n) : fmt::format("{} {}", n, unit);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_control(c)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Status Output::flush() {
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && g_write_error == 0)
    g_write_error = errno;
  if (g_write_error == 0 || g_write_error == EPIPE) return {};
  return errno_error(g_write_error, "stdout", "the result could not be written to standard output");
}

bool Output::reader_gone() { return g_write_error == EPIPE; }

Status Output::write(ByteView bytes) {
  if (g_write_error == 0 && std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size())
    g_write_error = errno;
  if (g_write_error == 0) return {};
  return errno_error(g_write_error, "stdout", "the result could not be written to standard output");
}

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return g_stop != 0; }

void install_reload_handler() {
  struct sigaction action {};
  action.sa_handler = on_reload;
  sigaction(SIGHUP, &action, nullptr);
}

bool take_reload_request() {
  if (g_reload == 0) return false;
  g_reload = 0;
  return true;
}

TerminalProgress::TerminalProgress(bool enabled)
    : enabled_(enabled && isatty(STDERR_FILENO) == 1) {}
TerminalProgress::~TerminalProgress() { clear(); }

void TerminalProgress::begin(std::string_view step, std::uint64_t total, std::string_view unit) {
  step_ = step;
  unit_ = unit;
  total_ = total;
  done_ = 0;
  next_draw_ = std::chrono::steady_clock::now() + kDrawEvery;
}

void TerminalProgress::update(std::uint64_t done) {
  done_ = done;
  const auto now = std::chrono::steady_clock::now();
  if (!enabled_ || now < next_draw_) return;
  next_draw_ = now + kDrawEvery;
  draw();
}

bool TerminalProgress::cancelled() const { return stop_requested(); }

void TerminalProgress::draw() {
  std::string text = fmt::format("  {}: {}", step_, amount(done_, unit_));
  if (total_ > 0) text += fmt::format(" of {} ({}%)", amount(total_, unit_), done_ * 100 / total_);
  fmt::print(stderr, "\r\x1b[K{}", text);
  std::fflush(stderr);
  g_drawn = this;
}

void TerminalProgress::clear() {
  if (g_drawn != this) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  g_drawn = nullptr;
}

void Output::document(const json::value& value) const {
  if (json_) print_line(document_text(value));
}

void Output::line(std::string_view text) const {
  if (json_) return;
  // Listings have a hundred thousand lines, and hardly a control character.
  if (std::ranges::none_of(text, is_control)) return print_line(text);
  print_line(printable(text));
}

void Output::table(const std::vector<std::string>& header,
                   const std::vector<std::vector<std::string>>& rows,
                   std::string_view empty) const {
  if (json_) return;
  if (rows.empty()) return line(empty);
  std::vector<std::size_t> widths;
  for (const auto& cell : header) widths.push_back(cell.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto print = [&](const std::vector<std::string>& row) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i)
      text += i + 1 == row.size() ? row[i] : fmt::format("{:<{}}  ", row[i], widths[i]);
    line(text);
  };
  print(header);
  for (const auto& row : rows) print(row);
}

int Output::failure(const Error& error) const {
  const auto& info = error_info(error.code);
  if (json_) {
    const json::value document =
        json::object{{"error", json::object{{"code", info.name},
                                            {"operation", error.op},
                                            {"message", error.message},
                                            {"hint", error.hint},
                                            {"cause", error.cause},
                                            {"retryable", info.retryable}}}};
    (void)std::fputs((document_text(document) + "\n").c_str(), stderr);
    return info.exit_status;
  }
  std::string text = fmt::format("error: {} [{}]\n", printable(error.message), info.name);
  if (!error.cause.empty()) text += fmt::format("  cause: {}\n", printable(error.cause));
  if (!error.hint.empty()) text += fmt::format("  hint:  {}\n", printable(error.hint));
  (void)std::fputs(text.c_str(), stderr);
  return info.exit_status;
}

}  // namespace oa::console
