// CSV files whose records do not all end in the same kind of line break.
#pragma once

#include <memory>

#include "oa/base/progress.h"
#include "piecewise_source.h"

namespace oa::analytics {

/// The records of a CSV file with the same line break behind each, whatever they end in there: LF,
/// CRLF or CR. DuckDB takes one kind for the whole file and refuses the others; it is that of the
/// first line break there is, inside of quotes too. Line breaks inside of quotes
/// are part of a value and stay as they are. Memory: under 1 MiB and 24 bytes per 256 KiB.
class EvenLines final : public PiecewiseSource {
 public:
  /// Reads the file (RFC 4180, UTF-8) once. nullptr when all of its records end in `line_break`
  /// (\n, \r or \r\n, a literal) already. Borrows `csv`. Errors: kCancelled, those of `csv`.
  static Result<std::unique_ptr<EvenLines>> create(const RangedSource& csv, char delimiter,
                                                   std::string_view line_break, Progress& progress);

 private:
  // Where in a record a byte stands.
  struct Place {
    enum class In : std::uint8_t { kStart, kPlain, kQuoted, kQuoteSeen };
    In in = In::kStart;
    bool after_return = false;  // a CR has ended a record, so that LF belongs to it
  };
  EvenLines(const RangedSource& csv, char delimiter, std::string_view line_break)
      : PiecewiseSource(csv),
        delimiter_(static_cast<std::uint8_t>(delimiter)),
        line_break_(line_break) {}
  void append(ByteView raw, Place& place, bool& differs, std::string& text) const;
  void convert(std::size_t piece, ByteView raw, std::string& text) const override;

  const std::uint8_t delimiter_;
  const std::string_view line_break_;
  std::vector<Place> places_;  // where each piece begins
};

}  // namespace oa::analytics
