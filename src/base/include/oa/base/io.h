// The two shapes in which bytes move: a sink written in order and a source read at offsets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "oa/base/bytes.h"
#include "oa/base/result.h"

namespace oa {

/// Receives bytes in order. After an error the sink is unusable. Not thread-safe.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status write(ByteView bytes) = 0;
};

/// An immutable sequence of bytes with random access. Implementations are safe for concurrent
/// reads.
class RangedSource {
 public:
  virtual ~RangedSource() = default;
  /// Total length in bytes, constant for the life of the source.
  virtual std::uint64_t size() const = 0;
  /// Fills all of `out` from `offset`. The range must lie within size(); a short read is an error.
  virtual Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const = 0;
};

/// Bytes in memory, owned.
class MemorySource final : public RangedSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 private:
  Bytes bytes_;
};

/// Appends to a vector it owns.
class MemorySink final : public ByteSink {
 public:
  Status write(ByteView bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {};
  }
  const Bytes& bytes() const { return bytes_; }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

/// Counts and drops.
class CountingSink final : public ByteSink {
 public:
  Status write(ByteView bytes) override {
    count_ += bytes.size();
    return {};
  }
  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

/// A file opened for reading (pread).
class FileSource final : public RangedSource {
 public:
  /// kNotFound, kPermissionDenied, kInvalidArgument for anything but a regular file, kIo.
  static Result<std::unique_ptr<FileSource>> open(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 private:
  FileSource(int fd, std::uint64_t size, std::string path)
      : fd_(fd), size_(size), path_(std::move(path)) {}
  int fd_;
  std::uint64_t size_;
  std::string path_;
};

/// A new file that appears under its name only when it is whole: written beside it, made durable and
/// renamed by commit(). Dropped without commit(), it leaves nothing behind; a killed process leaves
/// `<path>.partial.XXXXXX`, or `<path>.partial` of a file that was to be replaced.
class AtomicFileSink final : public ByteSink {
 public:
  /// kAlreadyExists when `path` exists and `replace` is false; kInvalidArgument when it is to be
  /// replaced and no regular file; kBusy when another process is replacing it. `mode` is the file's
  /// permission bits.
  static Result<std::unique_ptr<AtomicFileSink>> create(const std::string& path, bool replace,
                                                        unsigned mode);
  ~AtomicFileSink() override;
  AtomicFileSink(const AtomicFileSink&) = delete;
  AtomicFileSink& operator=(const AtomicFileSink&) = delete;
  Status write(ByteView bytes) override;
  /// fsync of the file, rename, fsync of the folder. kAlreadyExists when `replace` is false and
  /// somebody has made the file meanwhile.
  Status commit();

 private:
  enum class Direct { kUntried, kOn, kOff };  // whether writes go past the page cache
  AtomicFileSink(int fd, std::string path, std::string partial, bool replace)
      : fd_(fd), path_(std::move(path)), partial_(std::move(partial)), replace_(replace) {}
  Status write_piece();
  Status stop_direct();
  int fd_;
  const std::string path_, partial_;
  const bool replace_;
  Direct direct_ = Direct::kUntried;
  std::uint8_t* piece_ = nullptr;  // aligned, made by the first write
  std::size_t filled_ = 0;
};

/// Reads the whole of `source`; kLimitExceeded when it is longer than `limit` bytes.
Result<Bytes> read_all(const RangedSource& source, std::uint64_t limit);
/// Reads a whole file; kLimitExceeded when it is longer than `limit` bytes.
Result<Bytes> read_file(const std::string& path, std::uint64_t limit);
/// Copies all of `source` into `sink` in pieces of at most 1 MiB.
Status copy_all(const RangedSource& source, ByteSink& sink);

}  // namespace oa
