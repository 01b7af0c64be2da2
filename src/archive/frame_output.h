// Takes the writer's jobs in order and writes their frames from a thread of its own, so that
// reading and writing overlap.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "frame_job.h"
#include "seek_table.h"

namespace oa::archive {

class FrameOutput {
 public:
  /// At most `memory_limit` bytes of jobs are in flight, or one job.
  FrameOutput(JobContext& context, ByteSink& sink, std::size_t memory_limit);
  /// Stops without waiting for jobs.
  ~FrameOutput();
  FrameOutput(const FrameOutput&) = delete;
  FrameOutput& operator=(const FrameOutput&) = delete;

  /// Starts the job, and waits while too much is in flight. Returns the first failure of any job or
  /// of the sink.
  Status submit(std::unique_ptr<FrameJob> job);
  /// Waits until everything has been written.
  Status drain();
  /// Memory of a frame that has been written, to be used again: room for `size` bytes, or none.
  Bytes spare_memory(std::size_t size);

  // After a successful drain(), and until the next submit():
  Status write_frame(ByteView stored, std::size_t plain_size);
  Status write_table();
  IndexBuilder& index() { return index_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  void run() noexcept;
  Status write(FrameJob& job);
  Status wait_for(std::size_t memory);

  JobContext& context_;
  ByteSink& sink_;
  const std::size_t memory_limit_;
  IndexBuilder index_;  // this and what follows belong to the thread while jobs are in flight
  SeekTable table_;
  std::uint64_t bytes_written_ = 0;
  std::deque<std::unique_ptr<FrameJob>>
      jobs_;  // this and what follows is guarded by context_.mutex
  std::size_t memory_ = 0;
  std::vector<Bytes> spare_;
  std::optional<Error> failure_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace oa::archive
