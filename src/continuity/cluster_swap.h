// Another cluster in the place of the embedded one, in one step.
#pragma once

#include <string>
#include <utility>

#include "oa/base/result.h"

namespace oa::continuity {

/// Holds the lock of `postgres_folder`, so that nobody starts its server. At every moment there is
/// a whole cluster in `data`. Order: the newcomer becomes `data.next`; a journal says which one
/// that is (by its inode) and what it is called before and after; the two are exchanged;
/// `data.next`, now the old one, gets its name.
class ClusterSwap {
 public:
  static constexpr const char* kLockFile = "/oa-postgres.lock";  // of catalog::EmbeddedPostgres
  static constexpr const char* kKeptPrefix = "data.before-";

  /// kBusy when a process runs the server, kNotFound when there is no such folder.
  static Result<ClusterSwap> lock(const std::string& postgres_folder);
  ClusterSwap(ClusterSwap&& other) noexcept
      : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)) {}
  ClusterSwap& operator=(ClusterSwap&&) = delete;
  ~ClusterSwap();

  /// Ends an exchange that was cut short: forward when the two have changed places, else back.
  Status settle();
  /// `newcomer`, a folder on the same file system, into `data`; returns where the old one is kept.
  /// When the exchange is cut short before it is done, the newcomer gets the name `back` again; it
  /// is removed when that is empty.
  Result<std::string> exchange(const std::string& newcomer, const std::string& back);

 private:
  ClusterSwap(std::string folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  Status sync() const;
  std::string folder_;
  int lock_;
};

}  // namespace oa::continuity
