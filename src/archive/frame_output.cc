#include "frame_output.h"

#include <algorithm>

namespace oa::archive {

FrameOutput::FrameOutput(JobContext& context, ByteSink& sink, std::size_t memory_limit)
    : context_(context), sink_(sink), memory_limit_(memory_limit), thread_([this] { run(); }) {}

FrameOutput::~FrameOutput() {
  {
    const std::lock_guard lock(context_.mutex);
    stopping_ = true;
  }
  context_.changed.notify_all();
  thread_.join();
}

Status FrameOutput::submit(std::unique_ptr<FrameJob> job) {
  FrameJob& started = *job;
  {
    const std::lock_guard lock(context_.mutex);
    memory_ += job->memory();
    jobs_.push_back(
        std::move(job));  // after a failure too: workers may still use the large entry that it owns
    if (failure_) return *failure_;
  }
  started.start();  // it cannot be gone: it is not done
  return wait_for(memory_limit_);
}

Status FrameOutput::drain() { return wait_for(0); }

Status FrameOutput::wait_for(std::size_t memory) {
  std::unique_lock lock(context_.mutex);
  context_.changed.wait(lock, [&] { return failure_ || jobs_.empty() || memory_ <= memory; });
  return failure_ ? Status(*failure_) : Status();
}

Bytes FrameOutput::spare_memory(std::size_t size) {
  const std::lock_guard lock(context_.mutex);
  const auto found =
      std::ranges::find_if(spare_, [&](const Bytes& memory) { return memory.capacity() >= size; });
  if (found == spare_.end()) {
    spare_.clear();  // frames have become larger: do not keep both sizes
    return {};
  }
  Bytes memory = std::move(*found);
  spare_.erase(found);
  return memory;
}

Status FrameOutput::write_frame(ByteView stored, std::size_t plain_size) {
  table_.add(stored.size(), plain_size);
  bytes_written_ += stored.size();
  return sink_.write(stored);
}

Status FrameOutput::write_table() {
  const Bytes table = table_.encode();
  bytes_written_ += table.size();
  return sink_.write(table);
}

Status FrameOutput::write(FrameJob& job) {
  OA_TRY(job.status());
  job.index_before(index_);
  if (const auto page = index_.add_frame(job.record(), job.entries_begin()))
    OA_TRY(write_frame(*page, 0));
  OA_TRY(write_frame(job.stored(), job.record().plain_size));
  job.index_behind(index_);
  return {};
}

void FrameOutput::run() noexcept {
  std::unique_lock lock(context_.mutex);
  while (true) {
    context_.changed.wait(
        lock, [this] { return stopping_ || (!jobs_.empty() && jobs_.front()->done()); });
    if (stopping_) return;
    FrameJob& job = *jobs_.front();
    lock.unlock();
    Status status;
    try {
      status = write(job);
    } catch (const std::exception& error) {
      status = make_error(ErrorCode::kInternal, "archive.write", "the sink failed")
                   .with_cause(error.what());
    }
    Bytes memory = job.reclaim();
    lock.lock();
    if (!status.ok()) {
      failure_ = std::move(status).error();
      context_.changed.notify_all();
      return;
    }
    const auto written = std::move(jobs_.front());
    jobs_.pop_front();
    memory_ -= written->memory();
    spare_.push_back(std::move(memory));
    context_.changed.notify_all();
  }
}

}  // namespace oa::archive
