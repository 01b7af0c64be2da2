#include "pgbackrest_output.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "oa/base/json.h"

namespace oa::continuity {
namespace {

constexpr const char* kOp = "repository";
constexpr std::size_t kMaxInfoBytes = std::size_t{32} << 20;
constexpr std::size_t kMaxBackups = 100'000;
constexpr std::size_t kSegmentNameLength = 24;
constexpr std::size_t kTimelineLength = 8;  // of it
constexpr std::size_t kMaxProblemText = 300;

// Statuses of a stanza (pgbackrest, command/info).
constexpr std::int64_t kStatusOk = 0, kStatusNoStanza = 1, kStatusNoBackup = 2;

std::string printable(std::string_view text, std::size_t limit) {
  std::string result;
  for (const char c : text.substr(0, limit))
    result += (c >= ' ' && c <= '~') || c == '\n' ? c : '?';
  return result;
}

Error not_understood(std::string_view what) {
  return make_error(ErrorCode::kRepositoryDamaged, kOp,
                    "the answer of pgbackrest about the repository is not understood")
      .with_hint("this program works with pgbackrest 2.45 and later")
      .with_cause(printable(what, 1000));
}

Result<BackupType> parse_type(std::string_view name) {
  for (const auto type : {BackupType::kFull, BackupType::kDifferential, BackupType::kIncremental})
    if (backup_type_name(type) == name) return type;
  return not_understood(name);
}

Result<Timestamp> parse_seconds(ObjectReader& reader, std::string_view name) {
  constexpr std::int64_t kMicros = 1'000'000, kLast = 253'402'300'799;  // the year 9999
  const std::int64_t seconds = reader.integer(name);
  if (seconds < 0 || seconds > kLast) return not_understood(name);
  return Timestamp{seconds * kMicros};
}

Result<wal::Timeline> timeline_of(std::string_view segment) {
  wal::Timeline timeline;
  const char* end = segment.data() + kTimelineLength;
  if (segment.size() != kSegmentNameLength ||
      std::from_chars(segment.data(), end, timeline.value, 16).ptr != end || timeline.value == 0)
    return not_understood(segment);
  return timeline;
}

Result<BackupInfo> parse_backup(const json::value& value) {
  BackupInfo backup;
  ObjectReader reader(value, "backup");
  backup.label = reader.text("label");
  OA_ASSIGN(backup.type, parse_type(reader.text("type")));
  if (const auto* prior = reader.find("prior"); prior != nullptr && prior->is_string())
    backup.prior = prior->as_string().c_str();
  const auto* error = reader.find("error");
  backup.damaged_pages = error != nullptr && error->is_bool() && error->as_bool();
  ObjectReader archive(reader.member("archive"), "backup.archive");
  backup.first_segment = archive.text("start");
  backup.last_segment = archive.text("stop");
  ObjectReader times(reader.member("timestamp"), "backup.timestamp");
  OA_ASSIGN(backup.started_at, parse_seconds(times, "start"));
  OA_ASSIGN(backup.stopped_at, parse_seconds(times, "stop"));
  ObjectReader places(reader.member("lsn"), "backup.lsn");
  const std::string start = places.text("start"), stop = places.text("stop");
  ObjectReader sizes(reader.member("info"), "backup.info");
  backup.database_bytes = sizes.unsigned_integer("size");
  backup.read_bytes = sizes.unsigned_integer("delta");
  ObjectReader stored(sizes.member("repository"), "backup.info.repository");
  backup.added_bytes = stored.unsigned_integer("delta");
  backup.repository_bytes = stored.optional_unsigned("size").value_or(backup.added_bytes);
  for (const ObjectReader* part : {&reader, &archive, &times, &places, &sizes, &stored})
    if (const auto read = part->finish(true); !read.ok())
      return not_understood(read.error().message);
  const auto start_lsn = wal::Lsn::parse(start), stop_lsn = wal::Lsn::parse(stop);
  if (!start_lsn.ok() || !stop_lsn.ok()) return not_understood("position in the log");
  backup.start_lsn = *start_lsn;
  backup.stop_lsn = *stop_lsn;
  OA_ASSIGN(backup.timeline, timeline_of(backup.first_segment));
  return backup;
}

Result<ArchiveRange> parse_archive(const json::value& value) {
  ArchiveRange range;
  ObjectReader reader(value, "archive");
  range.history_id = reader.text("id");
  for (const auto& [name, field] :
       {std::pair{"min", &range.min_segment}, std::pair{"max", &range.max_segment}}) {
    const auto* member = reader.find(name);
    if (member == nullptr || member->is_null()) continue;
    *field = reader.text(name);
  }
  if (const auto read = reader.finish(true); !read.ok())
    return not_understood(read.error().message);
  return range;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// "name: value" within `text`, up to the next comma.
std::string_view field(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(std::string(name) + ": ");
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size() + 2);
  return trim(text.substr(0, text.find(',')));
}

std::optional<std::uint64_t> count_of(std::string_view text, std::string_view name) {
  const std::string_view digits = field(text, name);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return {};
  return count;
}

// "P01   INFO: text": the text after the level; empty when the line is none of the log's.
struct LogLine {
  std::string_view level, text;
};
LogLine log_line(std::string_view line) {
  if (line.size() < 12 || line[0] != 'P') return {};
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos || colon > 12) return {};
  return {trim(line.substr(4, colon - 4)), line.substr(colon + 2)};
}

}  // namespace

std::string_view backup_type_name(BackupType type) {
  constexpr std::array<std::string_view, 3> kNames{"full", "diff", "incr"};
  return kNames[static_cast<std::size_t>(type)];
}

const BackupInfo* RepositoryInfo::find(std::string_view label) const {
  const auto found = std::ranges::find(backups, label, &BackupInfo::label);
  return found == backups.end() ? nullptr : &*found;
}

Result<RepositoryInfo> parse_info(std::string_view text, std::string_view stanza) {
  auto parsed = parse_json(text, {.max_bytes = kMaxInfoBytes});
  if (!parsed.ok() || !parsed->is_array() || parsed->as_array().size() != 1)
    return not_understood(text);
  ObjectReader reader(parsed->as_array()[0], "stanza");
  if (reader.text("name") != stanza) return not_understood("another stanza");
  ObjectReader status(reader.member("status"), "stanza.status");
  const std::int64_t code = status.integer("code");
  RepositoryInfo info;
  const auto& backups = reader.array("backup");
  const auto& archives = reader.array("archive");
  for (const ObjectReader* part : {&reader, &status})
    if (const auto read = part->finish(true); !read.ok())
      return not_understood(read.error().message);
  if (code == kStatusNoStanza) return info;
  if (code != kStatusOk && code != kStatusNoBackup) return not_understood(text);
  info.stanza = true;
  if (backups.size() > kMaxBackups || archives.size() > kMaxBackups)
    return not_understood("too many backups");
  for (const auto& backup : backups) {
    OA_ASSIGN(BackupInfo one, parse_backup(backup));
    info.backups.push_back(std::move(one));
  }
  for (const auto& archive : archives) {
    OA_ASSIGN(ArchiveRange range, parse_archive(archive));
    info.archives.push_back(std::move(range));
  }
  return info;
}

void VerifyParser::add(std::string where, std::string what) {
  ++report_.problem_count;
  if (report_.problems.size() < kMaxVerifyProblems)
    report_.problems.push_back({std::move(where), printable(what, kMaxProblemText)});
}

bool VerifyParser::listed(std::string_view where) const {
  return report_.problem_count > report_.problems.size() ||
         std::ranges::find(report_.problems, where, &VerifyProblem::where) !=
             report_.problems.end();
}

// A stretch of the archive: "archiveId: 15-1, wal start: …, wal stop: …".
bool VerifyParser::detail(std::string_view text) {
  const auto first = field(text, "wal start"), last = field(text, "wal stop");
  if (first.size() != kSegmentNameLength || last.size() != kSegmentNameLength) return false;
  ranges_.push_back({std::string(field(text, "archiveId")), std::string(first), std::string(last)});
  return true;
}

// "invalid checksum '<backup or history id>/…'", or without quotes.
bool VerifyParser::problem(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::size_t begin = text.find_last_of(" '", slash) + 1;  // 0 when there is none
  add(printable(text.substr(begin, slash - begin), kMaxProblemText), std::string(text));
  return true;
}

// A line of the results at the end.
bool VerifyParser::result(std::string_view text) {
  if (text.starts_with("stanza: ") || text.ends_with(": none found")) return true;
  if (text.starts_with("status: ")) {
    status_ = true;
    sound_ = text == "status: ok";
    return sound_ || text == "status: error";
  }
  if (text.starts_with("archiveId: ")) {
    group_ = field(text, "archiveId");
    const auto checked = count_of(text, "total WAL checked");
    if (!checked || !count_of(text, "total valid WAL")) return false;
    report_.segments += *checked;
    return true;
  }
  if (text.starts_with("backup: ")) {
    group_ = field(text, "backup");
    const auto checked = count_of(text, "total files checked");
    if (!checked || !count_of(text, "total valid files")) return false;
    report_.files += *checked;
    const auto status = field(text, "status");
    if (status == "in-progress") return true;
    ++report_.backups;
    if (status != "valid" && !listed(group_)) add(group_, "the backup is " + std::string(status));
    return true;
  }
  if (!text.starts_with("missing: ")) return false;
  for (const char* kind : {"missing", "checksum invalid", "size invalid", "other"}) {
    const auto count = count_of(text, kind);
    if (!count) return false;
    if (*count > 0 && !listed(group_))
      add(group_, std::string(kind) + ": " + std::to_string(*count));
  }
  return true;
}

void VerifyParser::line(std::string_view text) {
  if (trim(text).empty()) return;
  const LogLine log = log_line(text);
  bool known = true;
  if (log.level.empty()) {
    // The log repeats the results, indented.
    if (!text.starts_with("          ")) known = result(trim(text));
    if (trim(text).starts_with("No usable ")) {
      known = true;
      if (text.size() < 40) add("repository", std::string(trim(text)));
    }
  } else if (log.level == "INFO" &&
             (log.text.starts_with("verify command ") || log.text.starts_with("stanza: "))) {
    known = true;
  } else if (log.level == "WARN" && log.text.starts_with("no ") &&
             log.text.ends_with(" exist in the repo")) {
    known = true;  // a new one
  } else if (!detail(log.text) && !problem(log.text)) {
    add("repository", std::string(log.text));
  }
  if (!known && strange_.empty()) strange_ = text;
}

// Ascending, as pgbackrest lists them.
void VerifyParser::find_gaps() {
  for (std::size_t i = 1; i < ranges_.size(); ++i) {
    const auto &before = ranges_[i - 1], &after = ranges_[i];
    if (before.history_id != after.history_id ||
        before.last.compare(0, kTimelineLength, after.first, 0, kTimelineLength) != 0)
      continue;
    add(after.history_id,
        "segments between " + before.last + " and " + after.first + " are missing");
  }
}

Result<VerifyReport> VerifyParser::finish() {
  if (!strange_.empty()) return not_understood(strange_);
  if (!status_) return not_understood("verify has not come to a result");
  find_gaps();
  if (!sound_ && report_.sound()) add("repository", "pgbackrest says: status: error");
  return std::move(report_);
}

std::optional<unsigned> percent_of(std::string_view line) {
  const std::size_t end = line.rfind("%) checksum");
  if (end == std::string_view::npos) return {};
  const std::size_t begin = line.rfind(' ', end);
  if (begin == std::string_view::npos) return {};
  double percent = 0;
  const auto [stop, error] = std::from_chars(line.data() + begin + 1, line.data() + end, percent);
  if (error != std::errc{} || stop != line.data() + end || percent < 0 || percent > 100) return {};
  return static_cast<unsigned>(percent);
}

std::optional<int> error_number(std::string_view output) {
  constexpr std::string_view kMark = "ERROR: [";
  const std::size_t at = output.find(kMark);
  if (at == std::string_view::npos) return {};
  int number = 0;
  const char* begin = output.data() + at + kMark.size();
  const auto [end, error] = std::from_chars(begin, output.data() + output.size(), number);
  if (error != std::errc{}) return {};
  return number;
}

std::string error_text(std::string_view output) {
  const std::size_t at = output.find("ERROR: [");
  return printable(at == std::string_view::npos
                       ? output.substr(output.size() - std::min<std::size_t>(output.size(), 1000))
                       : output.substr(at),
                   1000);
}

}  // namespace oa::continuity
