#include "recovery_settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "child_call.h"
#include "oa/base/io.h"
#include "oa/catalog/embedded_postgres.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOp = "recovery";
constexpr std::size_t kLogTail = 32 << 10;
constexpr std::size_t kMaxCause = 1000;

Status write_owned(const postgres::Account& account, const std::string& path,
                   std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return errno_error(errno, kOp, path);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       (!account.other || fchown(fd, account.uid, account.gid) == 0) &&
                       fsync(fd) == 0;
  const int why = errno;
  close(fd);
  return written ? Status() : Status(errno_error(why, kOp, path));
}

// What hot standby must have at least as much of as the primary had (Postgres 15 manual, "Hot
// Standby", "Administrator's Overview"), by the names in pg_controldata's output.
constexpr std::array<std::pair<std::string_view, const char*>, 5> kLimits{{
    {"max_connections setting:", "max_connections"},
    {"max_worker_processes setting:", "max_worker_processes"},
    {"max_wal_senders setting:", "max_wal_senders"},
    {"max_prepared_xacts setting:", "max_prepared_transactions"},
    {"max_locks_per_xact setting:", "max_locks_per_transaction"},
}};

Result<std::vector<std::string>> primary_limits(const std::string& programs,
                                                const postgres::Account& account,
                                                const std::string& data) {
  OA_ASSIGN(const Outcome control,
            call_child(account, {programs + "/pg_controldata", "-D", data}, {}, {}));
  std::vector<std::string> settings;
  for (const auto& [label, setting] : kLimits) {
    const std::size_t at = control.output.find(label);
    if (control.status != 0 || at == std::string::npos) {
      return make_error(ErrorCode::kRecoveryFailed, kOp,
                        "the control file of the restored cluster cannot be read")
          .with_cause(control.output.substr(0, kMaxCause));
    }
    std::istringstream text(control.output.substr(at + label.size(), 40));
    unsigned value = 0;
    text >> value;
    settings.push_back(fmt::format("{}={}", setting, value));
  }
  return settings;
}

std::string quoted_time(Timestamp moment) {
  std::string text = moment.rfc3339();  // 2026-04-16T09:42:11.134000Z
  text.pop_back();
  text[10] = ' ';
  return text + "+00";
}

std::vector<std::string> target_settings(const RecoveryPlan& plan) {
  std::vector<std::string> settings;
  const auto add = [&](const char* name, const std::string& value, bool inclusive) {
    settings.push_back(fmt::format("{}={}", name, value));
    settings.push_back(fmt::format("recovery_target_inclusive={}", inclusive ? "on" : "off"));
  };
  if (const auto* time = std::get_if<Target::Time>(&plan.target.where))
    add("recovery_target_time", quoted_time(time->at), time->inclusive);
  if (const auto* place = std::get_if<Target::Position>(&plan.target.where))
    add("recovery_target_lsn", place->lsn.str(), place->inclusive);
  if (const auto* point = std::get_if<Target::Name>(&plan.target.where))
    add("recovery_target_name", point->name, true);
  if (std::holds_alternative<Target::Immediate>(plan.target.where))
    add("recovery_target", "immediate", true);
  settings.push_back(fmt::format("recovery_target_action={}",
                                 plan.at_target == AtTarget::kPause ? "pause" : "promote"));
  settings.push_back(fmt::format("recovery_target_timeline={}",
                                 plan.own_timeline          ? "current"
                                 : plan.timeline.value == 0 ? "latest"
                                                            : std::to_string(plan.timeline.value)));
  return settings;
}

constexpr std::size_t kMaxAutoConf = 1 << 20;

// Postgres 15 manual, "Archive Recovery" and "Standby Servers": what an earlier recovery or a
// standby's life has left would mix with ours.
bool is_of_recovery(std::string_view line) {
  constexpr std::array<std::string_view, 8> kNames{
      "recovery_target",      "restore_command",   "archive_cleanup_command",
      "recovery_end_command", "primary_conninfo",  "primary_slot_name",
      "promote_trigger_file", "recovery_min_apply_delay"};
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin != std::string_view::npos && std::ranges::any_of(kNames, [&](auto name) {
           return line.substr(begin).starts_with(name);
         });
}

// A line of a configuration file: quotes and backslashes doubled.
std::string setting_line(const std::string& name_and_value) {
  const std::size_t at = name_and_value.find('=');
  std::string line = name_and_value.substr(0, at) + " = '";
  for (const char c : name_and_value.substr(at + 1)) {
    if (c == '\'' || c == '\\') line += c;
    line += c;
  }
  return line + "'\n";
}

struct LogMeaning {
  const char* text;
  ErrorCode code;
  const char* message;
  const char* hint;
};
constexpr const char* kEarlier = "choose an earlier moment, or `latest`";
constexpr const char* kVerify = "verify the repository; an older backup may lead there";
constexpr auto kLogMeanings = std::to_array<LogMeaning>({
    {"No space left on device", ErrorCode::kDiskFull, "the disk is full", "free some space"},
    {"recovery ended before configured recovery target was reached", ErrorCode::kWalMissing,
     "the write-ahead log ends before the moment", kEarlier},
    {"requested recovery stop point is before consistent recovery point", ErrorCode::kOutsideWindow,
     "the moment is before the end of the backup",
     "choose a later moment, or begin with an older backup"},
    {"WAL ends before end of online backup", ErrorCode::kWalMissing,
     "a part of the write-ahead log that the backup needs is not there", kVerify},
    {"WAL ends before consistent recovery point", ErrorCode::kWalMissing,
     "a part of the write-ahead log that the backup needs is not there", kVerify},
    {"could not find redo location", ErrorCode::kWalMissing,
     "the write-ahead log that the backup begins with is not there", kVerify},
    {"could not locate required checkpoint record", ErrorCode::kWalMissing,
     "the write-ahead log that the backup begins with is not there", kVerify},
    {"could not locate a valid checkpoint record", ErrorCode::kWalMissing,
     "the write-ahead log that the backup begins with is not there", kVerify},
});

}  // namespace

Status prepare_recovery(const ScratchLayout& layout, const postgres::Account& account,
                        const catalog::ConnectionSettings& settings) {
  OA_TRY(write_owned(account, layout.configuration, ""));
  // Of a backup that was taken from a replica.
  unlink((layout.data + "/standby.signal").c_str());
  OA_TRY(write_owned(account, layout.data + "/recovery.signal", ""));
  if (mkdir(layout.sockets.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(errno, kOp, layout.sockets);
  if (account.other && chown(layout.sockets.c_str(), account.uid, account.gid) != 0)
    return errno_error(errno, kOp, layout.sockets);
  return catalog::EmbeddedPostgres::write_access_rules(layout.data, settings);
}

Status write_recovery(const std::string& data, const postgres::Account& account,
                      const RecoveryPlan& plan) {
  const std::string path = data + "/postgresql.auto.conf";
  std::string text;
  if (const auto there = read_file(path, kMaxAutoConf); there.ok()) {
    std::istringstream lines{std::string(as_text(*there))};
    for (std::string line; std::getline(lines, line);)
      if (!is_of_recovery(line)) text += line + "\n";
  } else if (there.error().code != ErrorCode::kNotFound) {
    return there.error();
  }
  for (const auto& setting : target_settings(plan)) text += setting_line(setting);
  text += setting_line("restore_command=" + plan.restore_command);
  OA_TRY(write_owned(account, path, text));
  unlink((data + "/standby.signal").c_str());  // of a backup that was taken from a replica
  return write_owned(account, data + "/recovery.signal", "");
}

Result<std::vector<std::string>> recovery_arguments(const std::string& programs,
                                                    const postgres::Account& account,
                                                    const ScratchLayout& layout,
                                                    const RecoveryPlan& plan) {
  std::vector<std::string> arguments = {programs + "/postgres", "-D", layout.data};
  const auto add = [&](const std::string& setting) {
    arguments.insert(arguments.end(), {"-c", setting});
  };
  // What the live server was told in its files is not for this one. ERROR messages quote values and
  // rank below LOG, hence log_min_messages.
  for (const char* setting : {"listen_addresses=",
                              "unix_socket_permissions=0700",
                              "ssl=off",
                              "hot_standby=on",
                              "primary_conninfo=",
                              "primary_slot_name=",
                              "synchronous_standby_names=",
                              "shared_preload_libraries=",
                              "session_preload_libraries=",
                              "archive_command=",
                              "archive_library=",
                              "archive_cleanup_command=",
                              "recovery_end_command=",
                              "wal_level=replica",
                              "restart_after_crash=off",
                              "shared_buffers=128MB",
                              "huge_pages=off",
                              "jit=off",
                              "max_wal_size=4GB",
                              "checkpoint_timeout=1h",
                              "timezone=UTC",
                              "log_timezone=UTC",
                              "lc_messages=C",
                              "log_destination=stderr",
                              "logging_collector=off",
                              "log_min_messages=log",
                              "log_min_error_statement=panic",
                              "log_error_verbosity=terse",
                              "log_statement=none",
                              "log_checkpoints=off",
                              "log_parameter_max_length=0",
                              "log_parameter_max_length_on_error=0"})
    add(setting);
  if (plan.at_target == AtTarget::kPause) {
    for (const char* setting :
         {"archive_mode=off", "fsync=off", "full_page_writes=off", "synchronous_commit=off",
          "autovacuum=off", "default_transaction_read_only=on"})
      add(setting);
  } else {
    // On, so that the history file of the new timeline and its log are kept for the archive of
    // whoever runs the cluster next; without a command nothing is archived from here.
    for (const char* setting : {"archive_mode=on", "fsync=on", "full_page_writes=on"}) add(setting);
  }
  OA_ASSIGN(const auto limits, primary_limits(programs, account, layout.data));
  for (const auto& limit : limits) add(limit);
  for (const auto& setting : target_settings(plan)) add(setting);
  add("restore_command=" + plan.restore_command);
  add("config_file=" + layout.configuration);
  add(fmt::format("port={}", kScratchPort));
  add("unix_socket_directories=\"" + layout.sockets + "\"");
  return arguments;
}

// The last thing that ended a process of the server, other than a connection that came too early:
// those are our own.
std::string fatal_cause(const std::string& text) {
  constexpr std::array<std::string_view, 3> kTooEarly{"the database system is starting up",
                                                      "the database system is not yet accepting",
                                                      "the database system is shutting down"};
  std::string cause;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = std::min(line.find("FATAL:"), line.find("PANIC:"));
    if (at == std::string::npos ||
        std::ranges::any_of(kTooEarly, [&](auto part) { return line.find(part) != line.npos; }))
      continue;
    cause = line.substr(at);
  }
  if (cause.empty()) cause = text.substr(text.size() - std::min(text.size(), kMaxCause));
  return cause.substr(0, kMaxCause);
}

Error recovery_error(const std::string& log, const Target& target) {
  std::string text;
  if (const auto source = FileSource::open(log); source.ok()) {
    Bytes tail(static_cast<std::size_t>(std::min<std::uint64_t>(kLogTail, (*source)->size())));
    if ((*source)->read_at((*source)->size() - tail.size(), tail).ok()) text = as_text(tail);
  }
  const std::string cause = fatal_cause(text);
  for (const auto& meaning : kLogMeanings) {
    if (text.find(meaning.text) == std::string::npos) continue;
    return make_error(meaning.code, kOp, fmt::format("{}: {}", meaning.message, target.text()))
        .with_hint(meaning.hint)
        .with_cause(cause);
  }
  return make_error(ErrorCode::kRecoveryFailed, kOp, "the restored cluster did not come up")
      .with_hint("verify the repository, and begin with an older backup")
      .with_cause(cause);
}

std::string recovering_segment(pid_t server) {
  constexpr std::string_view kTitle = "startup recovering ";
  constexpr std::size_t kNameLength = 24;
  const auto children = read_file(fmt::format("/proc/{0}/task/{0}/children", server), 64 << 10);
  if (!children.ok()) return {};
  std::istringstream list{std::string(as_text(*children))};
  for (std::string pid; list >> pid;) {
    const auto title = read_file(fmt::format("/proc/{}/cmdline", pid), 4096);
    if (!title.ok()) continue;
    const std::size_t at = as_text(*title).find(kTitle);
    if (at != std::string_view::npos)
      return std::string(as_text(*title).substr(at + kTitle.size(), kNameLength));
  }
  return {};
}

}  // namespace oa::continuity
