#include "oa/continuity/repository.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <thread>

#include "child_call.h"
#include "oa/base/io.h"
#include "oa/crypto/sha1.h"
#include "pgbackrest_errors.h"
#include "pgbackrest_output.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr const char* kOp = "repository";
constexpr int kConfigurationFd = 3;
constexpr int kNotInArchive = 1;  // archive-get
constexpr unsigned kMaxRetainDays = 3650, kMaxProcesses = 32;
constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{1} << 30;

CallLimits quick() { return {}; }
CallLimits long_call(Progress& progress, std::function<void(std::string_view)> on_line) {
  // Nothing is said while one file of a gigabyte is copied.
  return {.silence = seconds(1800), .on_line = std::move(on_line), .progress = &progress};
}

// Configuration files have no quotes: one line is one value.
Status check_value(std::string_view value, std::string_view what) {
  const auto bad = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  if (!value.empty() && std::ranges::none_of(value, bad) && value.front() != ' ' &&
      value.back() != ' ' && value.size() < 1024)
    return {};
  return make_error(ErrorCode::kInvalidArgument, kOp,
                    fmt::format("the repository's {} cannot be used", what));
}

std::string configuration_text(const RepositorySettings& settings, const SecretBytes& passphrase) {
  return fmt::format(
      "[global]\n"
      "repo1-type=posix\nrepo1-path={}\n"
      "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass={}\n"
      "repo1-bundle=y\nrepo1-retention-full-type=time\nrepo1-retention-full=9999\n"
      "lock-path={}\nspool-path={}\nlog-path={}\n"
      "log-level-file=off\nlog-level-stderr=off\nlog-level-console=error\nlog-timestamp=n\n"
      "compress-type=zst\ncompress-level=3\nprocess-max=2\nstart-fast=y\nexpire-auto=n\n"
      // One try more at once: the default waits 15 s before it says that a file is damaged.
      "archive-async=n\narchive-timeout=60\njob-retry=1\njob-retry-interval=0\n"
      "[{}]\n"
      "pg1-path={}\npg1-socket-path={}\npg1-port={}\npg1-user={}\npg1-database={}\n",
      settings.folder, to_base64(passphrase.view()), settings.run_folder, settings.run_folder,
      settings.run_folder, settings.stanza, settings.data_folder, settings.socket_folder,
      settings.port, settings.role, settings.database);
}

Status make_folder(const postgres::Account& account, const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error(errno, kOp, path);
  if (account.other && chown(path.c_str(), account.uid, account.gid) != 0)
    return errno_error(errno, kOp, path);
  return {};
}

// The repository's folder, as far as it can be told from here.
Status reachable(const std::string& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return repository_unavailable("the folder of the repository is not there").with_cause(folder);
}

// Calls `update` of the progress with the percent that the lines tell.
std::function<void(std::string_view)> percent_reader(Progress& progress) {
  return [&progress, last = 0u](std::string_view line) mutable {
    const auto percent = percent_of(line);
    if (!percent || *percent <= last) return;
    last = *percent;
    progress.update(last);
  };
}

bool is_upper_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}
bool is_segment(std::string_view name) { return name.size() == 24 && is_upper_hex(name); }

// A recovering server asks for that of timeline 1 too, which there never is.
bool is_history(std::string_view name) {
  constexpr std::string_view kSuffix = ".history";
  constexpr std::size_t kDigits = 8;
  return name.size() == kDigits + kSuffix.size() && name.ends_with(kSuffix) &&
         is_upper_hex(name.substr(0, kDigits));
}

Result<std::string> sha1_of(const std::string& path) {
  OA_ASSIGN(const auto source, FileSource::open(path));
  if (source->size() > kMaxSegmentBytes)
    return make_error(ErrorCode::kLimitExceeded, kOp, "a segment is too large");
  Sha1 hash;
  Bytes piece(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < source->size();) {
    const auto size = std::min<std::uint64_t>(piece.size(), source->size() - at);
    const auto part = std::span(piece).first(static_cast<std::size_t>(size));
    OA_TRY(source->read_at(at, part));
    hash.update(part);
    at += size;
  }
  return to_hex(hash.finish());
}

}  // namespace

Result<std::string> find_pgbackrest() {
  std::vector<std::string> folders;
  const char* path = std::getenv("PATH");
  std::istringstream list(path == nullptr ? "" : path);
  for (std::string folder; std::getline(list, folder, ':');)
    if (folder.starts_with('/')) folders.push_back(folder);
  for (const char* usual : {"/usr/bin", "/usr/local/bin"}) folders.emplace_back(usual);
  for (const auto& folder : folders) {
    std::string program = folder + "/pgbackrest";
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return make_error(ErrorCode::kNotFound, kOp, "pgbackrest is not installed")
      .with_hint("install it (Debian: pgbackrest), or put it on the PATH");
}

Repository::Repository(RepositorySettings settings, postgres::MemoryFile configuration,
                       std::string program)
    : settings_(std::move(settings)),
      configuration_(std::move(configuration)),
      program_(std::move(program)) {}

Result<Repository> Repository::open(RepositorySettings settings, const SecretBytes& passphrase) {
  OA_ASSIGN(std::string program, find_pgbackrest());
  for (const auto& [value, what] :
       {std::pair{&settings.folder, "folder"}, std::pair{&settings.run_folder, "run folder"},
        std::pair{&settings.data_folder, "data folder"},
        std::pair{&settings.socket_folder, "socket folder"}}) {
    OA_TRY(check_value(*value, what));
    if (!value->starts_with('/'))
      return make_error(ErrorCode::kInvalidArgument, kOp,
                        fmt::format("the repository's {} is no absolute path", what));
  }
  for (const auto& [value, what] :
       {std::pair{&settings.port, "port"}, std::pair{&settings.role, "role"},
        std::pair{&settings.database, "database"}, std::pair{&settings.stanza, "stanza"}})
    OA_TRY(check_value(*value, what));
  OA_ASSIGN(auto configuration,
            postgres::MemoryFile::of("pgbackrest.conf",
                                     as_bytes(configuration_text(settings, passphrase))));
  return Repository(std::move(settings), std::move(configuration), std::move(program));
}

Result<std::string> Repository::run(std::vector<std::string> arguments,
                                    const CallLimits& limits) const {
  OA_ASSIGN(Outcome outcome,
            call_child(settings_.account, command(std::move(arguments)), files(), limits));
  if (outcome.cancelled) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
  if (outcome.timed_out)
    return repository_unavailable("the repository does not answer")
        .with_cause(error_text(outcome.output));
  if (outcome.status != 0) return explain(outcome);
  if (outcome.cut && !limits.on_line)
    return make_error(ErrorCode::kLimitExceeded, kOp, "pgbackrest says more than expected");
  return std::move(outcome.output);
}

// The primary may be another node than last time.
Result<std::string> Repository::run_on_server(std::vector<std::string> arguments,
                                              const CallLimits& limits) const {
  if (settings_.primary) {
    OA_ASSIGN(const ServerPlace place, settings_.primary());
    for (const auto& [value, what] :
         {std::pair{&place.data_folder, "data folder"},
          std::pair{&place.socket_folder, "socket folder"}, std::pair{&place.port, "port"}})
      OA_TRY(check_value(*value, what));
    arguments.insert(arguments.begin(), {"--pg1-path=" + place.data_folder,
                                         "--pg1-socket-path=" + place.socket_folder,
                                         "--pg1-port=" + place.port});
  }
  return run(std::move(arguments), limits);
}

// pgbackrest tells neither a folder that is gone from one that is empty, nor another passphrase
// from damage.
Error Repository::explain(const Outcome& outcome) const {
  const std::string text = error_text(outcome.output);
  const int number = error_number(outcome.output).value_or(outcome.status);
  Error error = pgbackrest_error(number, outcome.output);
  if (const auto there = reachable(settings_.folder); !there.ok()) {
    error = there.error();
  } else if (error.code == ErrorCode::kRepositoryDamaged || number == kPgbackrestNoRepository) {
    switch (look_at_info_files()) {
      case InfoFiles::kNone:
        error = repository_unavailable("there is no repository of this cell in the folder");
        break;
      case InfoFiles::kUnreadable:
        error =
            make_error(ErrorCode::kKeyWrong, kOp, "the repository was made with another passphrase")
                .with_hint("give the keys that the cell was made with");
        break;
      case InfoFiles::kReadable:
        break;
    }
  }
  error.cause = text;
  return error;
}

// Both info files have a copy: that none can be read, and all are there, is no accident.
Repository::InfoFiles Repository::look_at_info_files() const {
  InfoFiles found = InfoFiles::kNone;
  for (const char* kind : {"archive", "backup"}) {
    for (const char* suffix : {"", ".copy"}) {
      const std::string name = fmt::format("{0}/{1}/{0}.info{2}", kind, settings_.stanza, suffix);
      std::error_code ignored;
      if (!fs::exists(settings_.folder + "/" + name, ignored)) continue;
      found = InfoFiles::kUnreadable;
      const auto read =
          call_child(settings_.account, command({"repo-get", name}), files(), quick());
      if (read.ok() && read->status == 0 && read->output.starts_with("["))
        return InfoFiles::kReadable;
    }
  }
  return found;
}

std::vector<std::string> Repository::command(std::vector<std::string> arguments) const {
  std::vector<std::string> all = {program_,
                                  fmt::format("--config=/proc/self/fd/{}", kConfigurationFd),
                                  "--stanza=" + settings_.stanza};
  std::ranges::move(arguments, std::back_inserter(all));
  return all;
}

Status Repository::create_stanza() {
  std::error_code ignored;
  if (!fs::is_directory(fs::path(settings_.folder).parent_path(), ignored))
    return repository_unavailable("the folder above the repository is not there");
  OA_TRY(make_folder(settings_.account, settings_.folder));
  OA_TRY(make_folder(settings_.account, settings_.run_folder));
  const auto created = run_on_server({"stanza-create"}, quick());
  return created.ok() ? Status() : Status(created.error());
}

Status Repository::check() {
  const auto checked = run_on_server({"check"}, {.silence = seconds(120)});
  return checked.ok() ? Status() : Status(checked.error());
}

Result<BackupInfo> Repository::backup(BackupType type, Progress& progress) {
  std::string label;
  const auto percent = percent_reader(progress);
  const auto on_line = [&](std::string_view line) {
    constexpr std::string_view kLabel = "new backup label = ";
    percent(line);
    if (const auto at = line.find(kLabel); at != std::string_view::npos)
      label = line.substr(at + kLabel.size());
  };
  progress.begin("Backing up", 100, "percent");
  OA_TRY(run_on_server(
      {"backup", fmt::format("--type={}", backup_type_name(type)), "--log-level-console=detail"},
      long_call(progress, on_line)));
  OA_ASSIGN(const RepositoryInfo now, info());
  const BackupInfo* made = now.find(label);
  if (made == nullptr) {
    return make_error(ErrorCode::kRepositoryDamaged, kOp,
                      "the backup that was made is not in the repository");
  }
  progress.update(100);
  return *made;
}

Result<RepositoryInfo> Repository::info() const {
  CallLimits limits = quick();
  limits.keep_bytes = std::size_t{32} << 20;
  OA_ASSIGN(const std::string text, run({"info", "--output=json"}, limits));
  auto info = parse_info(text, settings_.stanza);
  if (info.ok() && info->stanza) return info;
  OA_TRY(reachable(settings_.folder));
  if (info.ok()) return info;
  const bool forbidden = text.find("Permission denied") != std::string::npos ||
                         text.find("[PathOpenError]") != std::string::npos;
  return explain(
      {.status = forbidden ? kPgbackrestCannotOpen : kPgbackrestMalformed, .output = text});
}

Result<std::vector<TimelineInfo>> Repository::timelines(const RepositoryInfo& now) const {
  std::vector<TimelineInfo> found;
  if (now.archives.empty()) return found;
  const std::string& id = now.archives.back().history_id;
  const std::string folder = fmt::format("archive/{}/{}", settings_.stanza, id);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(settings_.folder + "/" + folder, error)) {
    const std::string name = entry.path().filename();
    const auto timeline = wal::parse_history_name(name);
    if (!timeline) continue;
    struct stat info {};
    if (stat(entry.path().c_str(), &info) != 0) return errno_error(errno, kOp, name);
    OA_ASSIGN(const std::string text, run({"repo-get", folder + "/" + name}, quick()));
    OA_ASSIGN(auto ancestors, wal::parse_history(*timeline, as_bytes(text)));
    const Timestamp began{info.st_mtim.tv_sec * 1'000'000 + info.st_mtim.tv_nsec / 1000};
    found.push_back({*timeline, began, std::move(ancestors)});
  }
  if (error) return errno_error(error.value(), kOp, "the archive cannot be listed");
  std::ranges::sort(found, {}, &TimelineInfo::timeline);
  return found;
}

Result<VerifyReport> Repository::verify(Progress& progress) const {
  // Of another passphrase it would say only that nothing is usable.
  OA_ASSIGN(const RepositoryInfo now, info());
  if (!now.stanza)
    return repository_unavailable("there is no repository of this cell in the folder");
  VerifyParser parser;
  progress.begin("Verifying", 0, "files");
  OA_TRY(run({"verify", "--output=text", "--verbose", "--log-level-console=detail"},
             long_call(progress, [&](std::string_view line) { parser.line(line); })));
  OA_TRY(reachable(settings_.folder));
  OA_ASSIGN(VerifyReport report, parser.finish());
  progress.update(report.files + report.segments);
  return report;
}

Status Repository::expire(unsigned retain_days) {
  if (retain_days == 0 || retain_days > kMaxRetainDays) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      fmt::format("backups are kept for 1 to {} days", kMaxRetainDays));
  }
  const auto expired =
      run({"expire", fmt::format("--repo1-retention-full={}", retain_days)}, quick());
  return expired.ok() ? Status() : Status(expired.error());
}

Status Repository::restore(const RestoreRequest& request, Progress& progress) const {
  // Of another passphrase it would say only that there is no backup.
  RepositoryInfo asked;
  if (request.known == nullptr) {
    OA_ASSIGN(asked, info());
  }
  const RepositoryInfo& now = request.known == nullptr ? asked : *request.known;
  if (now.backups.empty() || (request.label && now.find(*request.label) == nullptr)) {
    return make_error(ErrorCode::kNotFound, kOp, "there is no such backup")
        .with_hint("see the list of backups");
  }
  OA_TRY(make_folder(settings_.account, request.target));
  std::vector<std::string> arguments = {"restore", "--type=none", "--pg1-path=" + request.target,
                                        "--log-level-console=detail"};
  if (request.label) arguments.push_back("--set=" + *request.label);
  if (request.delta) arguments.push_back("--delta");
  // Nothing else is as urgent; a backup of a server that works takes two.
  const unsigned processes = std::clamp(std::thread::hardware_concurrency(), 2u, kMaxProcesses);
  arguments.push_back(fmt::format("--process-max={}", processes));
  progress.begin("Restoring", 100, "percent");
  OA_TRY(run(std::move(arguments), long_call(progress, percent_reader(progress))));
  progress.update(100);
  return {};
}

Result<Fetched> Repository::archive_get(std::string_view name, const std::string& target,
                                        const std::string& cluster) const {
  if (!is_segment(name) && !is_history(name)) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "no name of a segment or of a history file")
        .with_cause(std::string(name.substr(0, 64)));
  }
  const auto arguments =
      command({"--pg1-path=" + (cluster.empty() ? settings_.data_folder : cluster), "archive-get",
               std::string(name), target});
  OA_ASSIGN(const Outcome outcome, call_child(settings_.account, arguments, files(), quick()));
  // What it could not end is under the name already.
  if (outcome.status != 0 && outcome.status != kNotInArchive) unlink(target.c_str());
  if (outcome.timed_out) return repository_unavailable("the repository does not answer");
  if (outcome.status == kNotInArchive) {
    // It does not tell an archive that is gone from one without this segment.
    const std::string archive = fmt::format("{}/archive/{}", settings_.folder, settings_.stanza);
    OA_TRY(reachable(archive));
    return Fetched::kNotFound;
  }
  if (outcome.status != 0) return explain(outcome);
  if (const auto sound = check_segment(name, target); !sound.ok()) {
    unlink(target.c_str());
    return sound.error();
  }
  return Fetched::kFound;
}

Status Repository::archive_push(const std::string& path, const std::string& cluster) {
  const auto pushed = run({"--pg1-path=" + cluster, "archive-push", path}, quick());
  return pushed.ok() ? Status() : Status(pushed.error());
}

// The archive names each segment by its content: "<segment>-<SHA-1>.zst".
Status Repository::check_segment(std::string_view name, const std::string& path) const {
  if (!is_segment(name)) return {};
  OA_ASSIGN(const std::string digest, sha1_of(path));
  const std::string wanted = fmt::format("{}-{}", name, digest);
  const fs::path archive = fmt::format("{}/archive/{}", settings_.folder, settings_.stanza);
  std::error_code error;
  for (const auto& history : fs::directory_iterator(archive, error)) {
    std::error_code ignored;
    for (const char* suffix : {".zst", ".gz", ".lz4", ".bz2", ""})
      if (fs::exists(history.path() / name.substr(0, 16) / (wanted + suffix), ignored)) return {};
  }
  return make_error(ErrorCode::kRepositoryDamaged, kOp,
                    fmt::format("segment {} of the archive is damaged", name))
      .with_hint("verify the repository, and make a full backup soon");
}

std::string Repository::archive_command() const {
  return fmt::format("{} --config=/proc/self/fd/{} --stanza={} archive-push %p", program_,
                     kConfigurationFd, settings_.stanza);
}

std::vector<postgres::InheritedFile> Repository::files() const {
  return {{configuration_.fd(), kConfigurationFd}};
}

Result<std::uint64_t> Repository::stored_bytes() const {
  OA_TRY(reachable(settings_.folder));
  std::uint64_t bytes = 0;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(settings_.folder, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    struct stat info {};
    // A file that expires meanwhile counts no more.
    if (lstat(entry->path().c_str(), &info) == 0)
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return errno_error(error.value(), kOp, "the repository cannot be listed");
  return bytes;
}

}  // namespace oa::continuity
