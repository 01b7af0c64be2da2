// What the tests of this module share: one archiving cluster with its repository per run, copies of
// the repository to damage, folders that clean up.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "oa/catalog/embedded_postgres.h"
#include "oa/continuity/repository.h"
#include "sql_session.h"

#define ASSERT_OK(expression)                                                                   \
  do {                                                                                          \
    const auto& oa_status = (expression);                                                       \
    ASSERT_TRUE(oa_status.ok()) << oa_status.error().message << " | " << oa_status.error().hint \
                                << " | " << oa_status.error().cause;                            \
  } while (false)

namespace oa::continuity {

/// A fresh folder that other accounts can pass through, removed at the end.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A private cluster that archives into a repository of its own, beside it in one folder.
class ArchivingCluster {
 public:
  /// With a table `numbers(n bigint)`, whose rows tests add.
  explicit ArchivingCluster(const std::string& folder)
      : ArchivingCluster(folder, folder + "/repository") {}
  ArchivingCluster(const std::string& folder, const std::string& repository);
  ~ArchivingCluster();

  Repository& repository() { return *repository_; }
  /// Of the server, stopped or not.
  const catalog::ConnectionSettings& settings() const { return settings_; }
  /// As the superuser.
  SqlSession session() const;
  std::string value(const std::string& sql) const;
  /// Commits one number; the moment just after, with no other commit at it.
  Timestamp add(int number) const;
  /// Begins a new segment and waits until the old one is archived.
  void archive() const;
  /// Until the statement's answer is true.
  void await(const std::string& sql) const;
  void stop() { server_.reset(); }
  void start();
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<catalog::EmbeddedPostgres> server_;
  catalog::ConnectionSettings settings_;
};

/// The cluster of this run; it has a full backup.
ArchivingCluster& cluster();
/// Another repository object on `folder`, of the shared cluster.
Repository repository_at(const std::string& folder, const SecretBytes& passphrase);
/// The passphrase of every repository here.
const SecretBytes& passphrase();
/// A copy of the shared repository.
void copy_repository(const std::string& target);
/// Changes a byte in the middle of a file.
void damage(const std::string& path);
/// The first file below `folder` whose path has `part` in it, and is the largest such.
std::string find_file(const std::string& folder, const std::string& part);

/// A small file system of its own, as root may mount one.
class SmallDisk {
 public:
  SmallDisk(std::string path, unsigned mib);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  /// All but so many bytes.
  void fill_up_to(std::uintmax_t free) const;
  void make_room() const;

 private:
  std::string path_;
  bool mounted_ = false;
};

/// Records what it is told; cancelled from the moment `cancel` says so.
class RecordingProgress : public Progress {
 public:
  void begin(std::string_view step, std::uint64_t total, std::string_view) override {
    steps.emplace_back(step);
    total_ = total;
    done_ = 0;
    if (on_step) on_step(step);
  }
  void update(std::uint64_t done) override {
    EXPECT_GE(done, done_);
    EXPECT_TRUE(total_ == 0 || done <= total_) << done;
    done_ = done;
    ++updates;
  }
  bool cancelled() const override { return cancel && cancel(); }
  std::vector<std::string> steps;
  int updates = 0;
  std::function<bool()> cancel;
  std::function<void(std::string_view step)> on_step;

 private:
  std::uint64_t total_ = 0, done_ = 0;
};

/// kInternal, which nothing here gives, for a success.
template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

}  // namespace oa::continuity
