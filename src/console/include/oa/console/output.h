// How results, errors and progress reach a person or a script.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/bytes.h"
#include "oa/base/json.h"
#include "oa/base/progress.h"

namespace oa::console {

/// Draws one line on a terminal's stderr, at most ten times a second, and nothing when stderr is no
/// terminal.
class TerminalProgress final : public Progress {
 public:
  explicit TerminalProgress(bool enabled);
  ~TerminalProgress() override;
  void begin(std::string_view step, std::uint64_t total, std::string_view unit) override;
  void update(std::uint64_t done) override;
  bool cancelled() const override;
  /// Removes the line. Output does that by itself before it prints.
  void clear();

 private:
  void draw();
  bool enabled_;
  std::string step_, unit_;
  std::uint64_t total_ = 0, done_ = 0;
  std::chrono::steady_clock::time_point next_draw_;
};

/// SIGINT and SIGTERM ask the running operation to stop at its next safe point; a second one ends
/// the process.
void install_signal_handlers();
bool stop_requested();
/// From now on SIGHUP asks a program that lasts to read its files again, rather than ending it.
void install_reload_handler();
/// True once for each time that was asked.
bool take_reload_request();

/// `text` with control characters (line breaks too) spelt as \xNN: names come from tenants and from
/// archives, and must not forge rows or drive the terminal.
std::string printable(std::string_view text);

/// A result is one JSON document (--json) or lines for people; never both.
class Output {
 public:
  explicit Output(bool as_json) : json_(as_json) {}
  bool json() const { return json_; }
  /// One JSON document on stdout, when JSON was asked for.
  void document(const json::value& value) const;
  /// A line for people, otherwise; control characters made visible.
  void line(std::string_view text) const;
  /// Columns aligned, a header line first; `empty` stands in for a table without rows.
  void table(const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows, std::string_view empty) const;
  /// Bytes as they are, asked for JSON or not: the content of an entry.
  static Status write(ByteView bytes);
  /// What is still buffered; kIo when standard output could not be written. A reader that went away
  /// is no error.
  static Status flush();
  /// True when nobody reads standard output any more, as with `| head`: a long listing can stop.
  static bool reader_gone();
  /// The error on stderr: a JSON document or "error: …" with its hint. Returns the exit status.
  int failure(const Error& error) const;

 private:
  bool json_;
};

}  // namespace oa::console
