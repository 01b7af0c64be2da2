// The file system of a sandbox. Includes DuckDB: for the sandbox alone.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "duckdb.hpp"
#include "oa/base/io.h"

namespace oa::analytics {

/// What a sandbox reads and writes, shared by its threads.
struct Streams {
  const RangedSource* input = nullptr;
  ByteSink* output = nullptr;
  std::atomic<std::uint64_t> read_end = 0;  // furthest input byte read so far
  std::atomic<std::uint64_t> written = 0;
  std::atomic<bool> stop = false;  // reads and writes fail from now on

  std::mutex mutex;  // guards what follows, and output
  bool output_opened = false;
  std::optional<Error> failure;  // the first error of either stream

  /// Keeps the first error and throws a DuckDB exception without its text.
  [[noreturn]] void fail(Error error);
};

/// Refuses every path but kInputPath and kOutputPath. Both are seen as non-local files.
class VirtualFiles final : public duckdb::FileSystem {
 public:
  explicit VirtualFiles(Streams& streams) : streams_(streams) {}

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener> opener) override;
  void Read(duckdb::FileHandle& handle, void* buffer, int64_t size, duckdb::idx_t offset) override;
  int64_t Read(duckdb::FileHandle& handle, void* buffer, int64_t size) override;
  void Write(duckdb::FileHandle& handle, void* buffer, int64_t size, duckdb::idx_t offset) override;
  int64_t Write(duckdb::FileHandle& handle, void* buffer, int64_t size) override;
  int64_t GetFileSize(duckdb::FileHandle& handle) override;
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle& handle) override;
  duckdb::FileType GetFileType(duckdb::FileHandle& handle) override;
  void FileSync(duckdb::FileHandle&) override {}  // durable at commit()
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t offset) override;
  void Reset(duckdb::FileHandle& handle) override { Seek(handle, 0); }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override;
  bool FileExists(const std::string& path,
                  duckdb::optional_ptr<duckdb::FileOpener> opener) override;
  bool DirectoryExists(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  bool IsPipe(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  bool TryRemoveFile(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path,
                                            duckdb::FileOpener* opener) override;
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle&) override { return false; }
  std::string GetName() const override { return "SealedStreams"; }

 private:
  Streams& streams_;
};

}  // namespace oa::analytics
