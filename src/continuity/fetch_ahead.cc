#include "fetch_ahead.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace oa::continuity {
namespace {

// Each is a process that decrypts, and 16 MiB.
constexpr unsigned kMostAhead = 8;

}  // namespace

// The thread starts the program and so must last as long as it.
struct FetchAhead::Ahead {
  wal::SegmentName name;
  std::string path;
  bool found = false;
  std::thread thread;
  ~Ahead() {
    if (thread.joinable()) thread.join();
  }
};

FetchAhead::FetchAhead(const Repository& repository, std::string folder, std::string cluster)
    : repository_(repository), folder_(std::move(folder)), cluster_(std::move(cluster)) {}
FetchAhead::~FetchAhead() = default;

Result<std::unique_ptr<FetchAhead>> FetchAhead::start(const Repository& repository,
                                                      std::string folder, std::string cluster) {
  const postgres::Account& account = repository.settings().account;
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(errno, "recovery", folder);
  if (account.other && chown(folder.c_str(), account.uid, account.gid) != 0)
    return errno_error(errno, "recovery", folder);
  return std::unique_ptr<FetchAhead>(
      new FetchAhead(repository, std::move(folder), std::move(cluster)));
}

Result<Fetched> FetchAhead::get(const std::string& name, const std::string& target) {
  const auto segment = wal::SegmentName::parse(name, {});
  if (!segment.ok()) return repository_.archive_get(name, target, cluster_);
  const std::lock_guard guard(mutex_);
  // Of another timeline, or skipped.
  while (!ahead_.empty() && ahead_.front()->name.str() != name) {
    const auto unwanted = std::move(ahead_.front());
    ahead_.pop_front();
    unwanted->thread.join();
    unlink(unwanted->path.c_str());
  }
  std::unique_ptr<Ahead> mine;
  if (!ahead_.empty()) {
    mine = std::move(ahead_.front());
    ahead_.pop_front();
  }
  begin_next(*segment);
  if (mine != nullptr) {
    mine->thread.join();
    if (mine->found && rename(mine->path.c_str(), target.c_str()) == 0) return Fetched::kFound;
  }
  return repository_.archive_get(name, target, cluster_);
}

void FetchAhead::begin_next(const wal::SegmentName& asked) {
  const std::size_t most = std::clamp(std::thread::hardware_concurrency(), 1u, kMostAhead);
  wal::SegmentName next = ahead_.empty() ? asked : ahead_.back()->name;
  while (ahead_.size() < most) {
    next = next.next();
    auto ahead = std::make_unique<Ahead>();
    ahead->name = next;
    ahead->path = folder_ + "/" + next.str();
    ahead->thread = std::thread([this, each = ahead.get()] {
      const auto fetched = repository_.archive_get(each->name.str(), each->path, cluster_);
      each->found = fetched.ok() && *fetched == Fetched::kFound;
    });
    ahead_.push_back(std::move(ahead));
  }
}

}  // namespace oa::continuity
