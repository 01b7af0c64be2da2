// Small real clusters for the tests of this module.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "oa/postgres/process.h"
#include "oa/wal/position.h"
#include "wal_testkit.h"

namespace oa::wal {

/// A cluster of its own on a unix socket. Segments of 1 MiB, so that tests get through several. A
/// failure to do what a test needs ends the test program.
class TestCluster {
 public:
  /// initdb; not started.
  static std::unique_ptr<TestCluster> make();
  /// pg_basebackup of `source`; not started. `options` go to pg_basebackup.
  static std::unique_ptr<TestCluster> copy_of(TestCluster& source,
                                              const std::vector<std::string>& options);
  ~TestCluster();

  /// Started and answering; false when the server ended instead.
  bool start(const std::vector<std::string>& settings = {},
             std::span<const postgres::InheritedFile> files = {});
  /// SIGKILL of every process of the server.
  void kill();
  /// Fast shutdown.
  void stop();
  /// The first column of the first row; empty when there is none.
  std::string sql(const std::string& text);
  Lsn flushed() { return Lsn::parse(sql("SELECT pg_current_wal_flush_lsn()")).value(); }
  std::unique_ptr<PGconn, void (*)(PGconn*)> connect() const;

  std::string data() const { return folder_.path() + "/data"; }
  const std::string& folder() const { return folder_.path(); }
  std::string conninfo() const { return "host=" + folder_.path() + " user=postgres"; }
  std::string log() const;
  void touch(const std::string& name);  // an empty file of the server's in its data folder
  SegmentSize segment_size() const { return SegmentSize::of(1 << 20).value(); }

 private:
  TestCluster();
  int run(const std::vector<std::string>& arguments);

  TestFolder folder_;
  postgres::Account account_;
  std::string programs_;
  int log_fd_ = -1;
  pid_t server_ = 0;
};

}  // namespace oa::wal
