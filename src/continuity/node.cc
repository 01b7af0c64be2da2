#include "oa/continuity/node.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "recovery_choice.h"
#include "recovery_settings.h"
#include "scratch_folder.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
constexpr const char* kOp = "node";

// Whether there is anything in the folder; a folder that is not there is empty.
Result<bool> in_use(const std::string& folder) {
  std::error_code error;
  const auto status = fs::symlink_status(folder, error);
  if (status.type() == fs::file_type::not_found) return false;
  if (!fs::is_directory(folder, error)) return true;
  const bool empty = fs::is_empty(folder, error);
  if (error) return errno_error(error.value(), kOp, folder);
  return !empty;
}

// Empties a folder that a restore has begun to fill, or removes it when it was not there.
class Undo {
 public:
  explicit Undo(std::string folder) : folder_(std::move(folder)) {
    std::error_code error;
    was_there_ = fs::exists(folder_, error);
  }
  ~Undo() {
    if (folder_.empty()) return;
    std::error_code ignored;
    if (!was_there_) {
      fs::remove_all(folder_, ignored);
      return;
    }
    for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
      std::error_code each;
      fs::remove_all(entry.path(), each);
    }
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  void forget() { folder_.clear(); }

 private:
  std::string folder_;
  bool was_there_ = false;
};

// A place that nothing of the log comes near would end in a server that does not come up.
Status check_reachable(const RecoveryChoice& choice, const LogSource& log, const Target& target) {
  const auto* place = std::get_if<Target::Position>(&target.where);
  if (place == nullptr) return {};
  const wal::Lsn end = farthest(choice, log, Target::latest());
  if (place->lsn <= end) return {};
  return make_error(ErrorCode::kWalMissing, kOp,
                    "the write-ahead log ends before the place: " + target.text())
      .with_hint("it ends at " + end.str());
}

}  // namespace

Result<std::string> data_folder_of(const std::string& path) {
  std::error_code error;
  const fs::path file = fs::absolute(path, error).lexically_normal();
  const fs::path data = file.parent_path().parent_path();
  if (!error && file.parent_path().filename() == "pg_wal" && fs::exists(data / "PG_VERSION", error))
    return data.string();
  return make_error(ErrorCode::kInvalidArgument, kOp, "no file in the pg_wal of a server: " + path)
      .with_hint("Postgres runs this command, with %p for the path");
}

std::string node_archive_command(const std::string& program, const std::string& node_file) {
  return fmt::format("{} archive-wal --node {} \"%p\" # pgbackrest", program, node_file);
}

Result<std::unique_ptr<Node>> Node::open(const NodeSettings& settings, KeyService& keys) {
  CellSettings cell;
  cell.folder = settings.cell_folder;
  cell.node = NodeServer{settings.data_folder};
  if (!Cell::exists(cell)) {
    return make_error(ErrorCode::kRepositoryUnavailable, kOp,
                      "there is no cell in the folder: " + settings.cell_folder)
        .with_hint("mount it on this node, with the name that the service knows it by");
  }
  auto opened = Cell::open(cell, keys);
  if (opened.ok()) return std::unique_ptr<Node>(new Node(*std::move(opened)));
  if (opened.error().code != ErrorCode::kNotFound) return std::move(opened).error();
  return make_error(ErrorCode::kKeyWrong, kOp, "the key store has no key of this cell")
      .with_hint("give the node the cell's key: see `oa-backup node-keys --help`");
}

Result<wal::RestoreAnswer> Node::restore_wal(const std::string& file, const std::string& target) {
  OA_ASSIGN(const auto tail, cell_->open_tail());
  const wal::RestoreSources sources{
      [&](const std::string& name, const std::string& to) -> Result<bool> {
        const auto fetched = cell_->repository().archive_get(name, to);
        if (fetched.ok()) return *fetched == Fetched::kFound;
        return fetched.error();
      },
      tail.get()};
  return wal::restore_wal(sources, file, target);
}

Status Node::archive_wal(const std::string& path) {
  std::error_code error;
  const std::string absolute = fs::absolute(path, error).lexically_normal();
  if (error) return errno_error(error.value(), kOp, path);
  return cell_->repository().archive_push(absolute, cell_->data_folder());
}

Result<std::optional<RecoveryPath>> Node::bootstrap(const NodeBootstrap& options,
                                                    Progress& progress) {
  const std::string data = cell_->data_folder();
  OA_ASSIGN(const bool used, in_use(data));
  if (used) {
    return make_error(ErrorCode::kConflict, kOp, "the data folder is in use: " + data)
        .with_hint("rename it, so that you can go back to it, and run this again");
  }
  if (!options.kept_folder.empty()) {
    OA_TRY(take_kept(options));
    return std::optional<RecoveryPath>();
  }
  OA_ASSIGN(RecoveryPath path, restore_files(options, progress));
  return std::optional(std::move(path));
}

Result<RecoveryPath> Node::restore_files(const NodeBootstrap& options, Progress& progress) {
  const std::string data = cell_->data_folder();
  Repository& repository = cell_->repository();
  OA_ASSIGN(const auto tail, cell_->open_tail());
  const LogSource log{.tail = tail.get()};
  OA_ASSIGN(const RecoveryChoice choice,
            choose_recovery(repository, log, options.target, options.label));
  OA_TRY(check_reachable(choice, log, options.target));
  OA_TRY(check_space(fs::path(data).parent_path(), choice.path.backup,
                     farthest(choice, log, options.target)));
  Undo undo(data);
  const Status restored =
      repository.restore({.target = data, .label = choice.path.backup.label}, progress);
  if (!restored.ok()) {
    // Then it is somebody else's by now.
    const auto code = restored.error().code;
    if (code == ErrorCode::kConflict || code == ErrorCode::kBusy) undo.forget();
    return restored.error();
  }
  if (!options.restore_command.empty()) {
    OA_TRY(write_recovery(data, repository.settings().account,
                          {.target = options.target,
                           .at_target = AtTarget::kPromote,
                           .timeline = choice.path.timeline,
                           .restore_command = options.restore_command}));
  }
  if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
  undo.forget();
  return choice.path;
}

// As it is, it would promote itself to the number that another recovery has taken meanwhile.
Status Node::take_kept(const NodeBootstrap& options) {
  const std::string& kept = options.kept_folder;
  const std::string data = cell_->data_folder();
  std::error_code error;
  if (!fs::exists(kept + "/PG_VERSION", error)) {
    return make_error(ErrorCode::kNotFound, kOp, "no data folder of a server: " + kept)
        .with_hint("name the folder that was renamed before the cluster was set back");
  }
  if (server_in(kept) != 0)
    return make_error(ErrorCode::kBusy, kOp, "a server runs in " + kept).with_hint("stop it first");
  if (::rename(kept.c_str(), data.c_str()) != 0)
    return errno_error(errno, kOp, "cannot move " + kept + " to " + data);
  Status written = write_recovery(data, cell_->repository().settings().account,
                                  {.target = Target::latest(),
                                   .at_target = AtTarget::kPromote,
                                   .own_timeline = true,
                                   .restore_command = options.restore_command});
  if (!written.ok()) ::rename(data.c_str(), kept.c_str());
  return written;
}

}  // namespace oa::continuity
