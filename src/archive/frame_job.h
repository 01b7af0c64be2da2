// The writer's units of work: one job makes one content frame.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "entry_layout.h"
#include "index.h"
#include "work_queue.h"

namespace oa::archive {

/// What all jobs of a writer share. Outlives them.
struct JobContext {
  WorkQueue& queue;
  const SigningKey& signer;
  ArchiveId archive_id;
  std::uint64_t mtime = 0;
  std::mutex mutex = {};                 // guards how far each job is
  std::condition_variable changed = {};  // some job is done, or was written
};

class LargeEntry;

/// A frame on its way to the sink. What workers make of it may be read once it is done.
class FrameJob {
 public:
  FrameJob(JobContext& context, unsigned parts) : context_(context), parts_left_(parts) {}
  virtual ~FrameJob() = default;
  FrameJob(const FrameJob&) = delete;
  FrameJob& operator=(const FrameJob&) = delete;

  virtual void start() = 0;
  /// Constant once the job is submitted.
  virtual std::size_t memory() const = 0;
  /// Whether the header of an entry lies in this frame.
  virtual bool entries_begin() const { return false; }
  /// Gives the index what this frame completes; `before` is called ahead of the frame itself,
  /// `behind` after it.
  virtual void index_before(IndexBuilder&) const {}
  virtual void index_behind(IndexBuilder&) const {}
  /// Memory for the next chunk, if this job has any.
  virtual Bytes reclaim() { return {}; }

  /// The caller holds the context's mutex.
  bool done() const { return parts_left_ == 0; }
  const Status& status() const { return status_; }
  const FrameRecord& record() const { return record_; }
  ByteView stored() const { return stored_view_; }

 protected:
  /// Runs `work` as one of the job's parts on a worker. Nothing escapes from it.
  template <class Work>
  void run_part(const Work& work) noexcept {
    Status status;
    try {
      status = work();
    } catch (const std::exception& error) {
      status = make_error(ErrorCode::kInternal, "archive.write", "a worker failed")
                   .with_cause(error.what());
    }
    finish_part(std::move(status));
  }
  void finish_part(Status status);
  void set_stored(ByteView stored, std::size_t plain_size);
  JobContext& context_;
  Bytes packed_;

 private:
  friend class LargeEntry;
  unsigned parts_left_;  // guarded by context_.mutex
  Status status_;
  FrameRecord record_;
  ByteView stored_view_;
};

/// A chunk of a large entry: compressed or stored by one task while the entry's hash takes it in by
/// another.
class ChunkJob final : public FrameJob {
 public:
  ChunkJob(JobContext& context, LargeEntry& entry, RawFrame chunk);
  void start() override;
  std::size_t memory() const override { return chunk_.plain_size(); }
  Bytes reclaim() override { return chunk_.take(); }
  const RawFrame& chunk() const { return chunk_; }

 private:
  LargeEntry& entry_;
  RawFrame chunk_;
};

/// Many small entries. May begin with the signature of a large entry and end with the header of the
/// next. The caller's thread lays out all but the signatures, whose places are left empty for a
/// worker to fill.
class PackJob final : public FrameJob {
 public:
  /// `memory` is to be reused.
  PackJob(JobContext& context, Bytes memory);
  /// The frame begins with padding and signature of `entry`, whose chunks precede it.
  void begin_behind(std::unique_ptr<LargeEntry> entry);
  void add(std::string path, ByteView content);
  /// The frame ends with the header of a large entry.
  void end_with_header_of(const LargeEntry& entry);
  std::size_t plain_size() const { return plain_size_; }

  void start() override;
  std::size_t memory() const override { return plain_size_; }
  bool entries_begin() const override { return entries_begin_; }
  void index_before(IndexBuilder& index) const override;
  void index_behind(IndexBuilder& index) const override;
  Bytes reclaim() override { return std::move(plain_); }

 private:
  struct Small {
    EntryInfo info;
    std::size_t offset = 0;  // of the content
  };
  Status build(Worker& worker);
  void put_signature(const EntryInfo& entry, std::size_t offset);
  std::unique_ptr<LargeEntry> previous_;
  std::vector<Small> entries_;
  bool entries_begin_ = false;
  std::size_t plain_size_ = 0;  // of plain_, also when that has been reclaimed
  Bytes plain_;
};

/// A large entry's own hash, which takes the chunks one after another on whatever worker is free.
class LargeEntry {
 public:
  LargeEntry(JobContext& context, std::string path, std::uint64_t size);
  const EntryInfo& info() const { return info_; }
  /// The next chunk. The job stays alive until this has finished one of its parts.
  void push(ChunkJob& job);
  /// Calls `next` once the digest is known, at once or from a worker.
  void then(std::function<void()> next);

 private:
  void advance();
  JobContext& context_;
  EntryInfo info_;
  Blake2b hash_;
  std::uint64_t bytes_left_;
  std::mutex mutex_;  // guards what follows
  std::deque<ChunkJob*> waiting_;
  bool running_ = false;
  bool finished_ = false;
  std::function<void()> next_;
};

}  // namespace oa::archive
