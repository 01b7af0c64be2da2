// What pgbackrest writes, understood.
#pragma once

#include <string>
#include <string_view>

#include "oa/continuity/repository.h"

namespace oa::continuity {

/// Of `info --output=json`. kRepositoryDamaged when it is not as expected, and with the message of
/// pgbackrest as its cause when that could not read the repository.
Result<RepositoryInfo> parse_info(std::string_view json, std::string_view stanza);

/// Reads the output of `verify --output=text --verbose --log-level-console=detail
/// --no-log-timestamp` line by line.
class VerifyParser {
 public:
  void line(std::string_view text);
  /// kRepositoryDamaged when something of it was not understood, or its end is missing.
  Result<VerifyReport> finish();

 private:
  struct Range {
    std::string history_id, first, last;
  };
  bool detail(std::string_view text);
  bool problem(std::string_view text);
  bool result(std::string_view text);
  void add(std::string where, std::string what);
  bool listed(std::string_view where) const;
  void find_gaps();

  VerifyReport report_;
  std::vector<Range> ranges_;
  std::string group_;  // whose results the next line belongs to
  bool status_ = false, sound_ = false;
  std::string strange_;  // the first line that was not understood
};

/// Percent done, of a line that says so: "backup file … (8KB, 12.34%) checksum …".
std::optional<unsigned> percent_of(std::string_view line);
/// The number of the first "ERROR: [055]: …"; none.
std::optional<int> error_number(std::string_view output);
/// From there on, printable, at most 1,000 characters.
std::string error_text(std::string_view output);

}  // namespace oa::continuity
