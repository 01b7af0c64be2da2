#include "frame_job.h"

#include <algorithm>

#include "tar.h"

namespace oa::archive {

// The job may be gone as soon as the lock is released: nothing may touch it behind that.
void FrameJob::finish_part(Status status) {
  const std::lock_guard lock(context_.mutex);
  if (!status.ok()) status_ = std::move(status);
  if (--parts_left_ == 0) context_.changed.notify_all();
}

void FrameJob::set_stored(ByteView stored, std::size_t plain_size) {
  stored_view_ = stored;
  record_.stored_size = static_cast<std::uint32_t>(stored.size());
  record_.plain_size = static_cast<std::uint32_t>(plain_size);
  record_.digest = blake3(stored);
}

ChunkJob::ChunkJob(JobContext& context, LargeEntry& entry, RawFrame chunk)
    : FrameJob(context, 2), entry_(entry), chunk_(std::move(chunk)) {}

void ChunkJob::start() {
  entry_.push(*this);
  context_.queue.submit([this](Worker& worker) {
    run_part([&]() -> Status {
      OA_ASSIGN(auto packed, worker.compressor.compress_chunk(chunk_));
      if (packed) packed_ = std::move(*packed);
      set_stored(packed_.empty() ? ByteView(chunk_.frame()) : ByteView(packed_),
                 chunk_.plain_size());
      return {};
    });
  });
}

PackJob::PackJob(JobContext& context, Bytes memory)
    : FrameJob(context, 1), plain_(std::move(memory)) {
  plain_.clear();
  plain_.reserve(kPackSize);
}

void PackJob::begin_behind(std::unique_ptr<LargeEntry> entry) {
  OA_ASSERT(plain_.empty());
  previous_ = std::move(entry);
  const auto& info = previous_->info();
  plain_.resize(padding_size(info.size) + signature_entry_size(info.path, info.size));
  plain_size_ = plain_.size();
}

void PackJob::add(std::string path, ByteView content) {
  append_tar_header(plain_, path, content.size(), context_.mtime);
  const std::size_t offset = plain_.size();
  plain_.insert(plain_.end(), content.begin(), content.end());
  plain_.resize(plain_.size() + padding_size(content.size()) +
                signature_entry_size(path, content.size()));
  entries_.push_back({{std::move(path), content.size(), {}}, offset});
  entries_begin_ = true;
  plain_size_ = plain_.size();
}

void PackJob::end_with_header_of(const LargeEntry& entry) {
  append_tar_header(plain_, entry.info().path, entry.info().size, context_.mtime);
  entries_begin_ = true;
  plain_size_ = plain_.size();
}

void PackJob::start() {
  const auto task = [this] {
    context_.queue.submit([this](Worker& worker) { run_part([&] { return build(worker); }); });
  };
  if (previous_) {
    previous_->then(task);
  } else {
    task();
  }
}

void PackJob::put_signature(const EntryInfo& entry, std::size_t offset) {
  const std::string text = context_.signer.sign(
      entry.digest, trusted_comment(context_.archive_id, entry.path, entry.size));
  OA_ASSERT(text.size() == signature_size(entry.path, entry.size));
  Bytes file;
  append_tar_file(file, signature_path(entry.path), as_bytes(text), context_.mtime);
  OA_ASSERT(offset + file.size() <= plain_.size());
  std::ranges::copy(file, plain_.begin() + static_cast<std::ptrdiff_t>(offset));
}

Status PackJob::build(Worker& worker) {
  if (previous_) put_signature(previous_->info(), padding_size(previous_->info().size));
  for (auto& [info, offset] : entries_) {
    info.digest = Blake2b::of(ByteView(plain_).subspan(offset, info.size));
    put_signature(info, offset + info.size + padding_size(info.size));
  }
  OA_ASSIGN(packed_, worker.compressor.compress(plain_));
  set_stored(packed_, plain_.size());
  return {};
}

void PackJob::index_before(IndexBuilder& index) const {
  if (previous_) index.add_large(previous_->info());
}

void PackJob::index_behind(IndexBuilder& index) const {
  for (const auto& entry : entries_) index.add_small(entry.info, entry.offset);
}

LargeEntry::LargeEntry(JobContext& context, std::string path, std::uint64_t size)
    : context_(context), info_{std::move(path), size, {}}, bytes_left_(size) {}

void LargeEntry::push(ChunkJob& job) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(&job);
  if (running_) return;
  running_ = true;
  context_.queue.submit_first([this](Worker&) { advance(); });
}

void LargeEntry::then(std::function<void()> next) {
  {
    const std::lock_guard lock(mutex_);
    if (!finished_) {
      next_ = std::move(next);
      return;
    }
  }
  next();
}

void LargeEntry::advance() {
  while (true) {
    ChunkJob* job = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        running_ = false;
        return;
      }
      job = waiting_.front();
      waiting_.pop_front();
    }
    const RawFrame& chunk = job->chunk();
    for (std::size_t i = 0; i < chunk.block_count(); ++i) hash_.update(chunk.block(i));
    bytes_left_ -= chunk.plain_size();
    if (bytes_left_ > 0) {
      job->finish_part({});
      continue;
    }
    info_.digest = hash_.finish();
    std::function<void()> next;
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
      next = std::move(next_);
    }
    if (next) next();
    job->finish_part({});  // the entry itself may be gone behind this
    return;
  }
}

}  // namespace oa::archive
