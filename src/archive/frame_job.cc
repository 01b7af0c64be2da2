#include "frame_job.h"

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
  record_.digest = Sha256::of(stored);
}

ChunkJob::ChunkJob(JobContext& context, LargeEntry& entry, RawFrame chunk)
    : FrameJob(context, 2), entry_(entry), chunk_(std::move(chunk)) {}

void ChunkJob::start() {
  entry_.push(*this);
  context_.queue.submit([this](Worker& worker) {
    run_part([&]() -> Status {
      OA_ASSIGN(auto packed, worker.compressor.compress_chunk(chunk_));
      if (packed) packed_ = std::move(*packed);
      set_stored(packed_.empty() ? ByteView(chunk_.frame()) : ByteView(packed_), chunk_.plain_size());
      return {};
    });
  });
}

void PackJob::begin_behind(std::unique_ptr<LargeEntry> entry) {
  OA_ASSERT(plain_size_ == 0);
  previous_ = std::move(entry);
  const auto& info = previous_->info();
  plain_size_ = tar_size(info.path, info.size) - tar_header_size(info.path, info.size) - info.size;
}

void PackJob::add(std::string path, Bytes content) {
  plain_size_ += tar_size(path, content.size());
  entries_.push_back({{std::move(path), content.size(), {}}, std::move(content), 0});
}

void PackJob::end_with_header_of(const LargeEntry& entry) {
  next_path_ = entry.info().path;
  next_size_ = entry.info().size;
  plain_size_ += tar_header_size(next_path_, next_size_);
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

void PackJob::append_signature(Bytes& plain, const EntryInfo& entry) const {
  const std::string text =
      context_.signer.sign(entry.digest, trusted_comment(context_.archive_id, entry.path, entry.size));
  OA_ASSERT(text.size() == signature_size(entry.path, entry.size));
  append_tar_file(plain, signature_path(entry.path), as_bytes(text), context_.mtime);
}

Status PackJob::build(Worker& worker) {
  Bytes& plain = worker.plain;
  plain.clear();
  if (previous_) {
    append_padding(plain, previous_->info().size);
    append_signature(plain, previous_->info());
  }
  for (auto& entry : entries_) {
    append_tar_header(plain, entry.info.path, entry.info.size, context_.mtime);
    entry.offset = plain.size();
    plain.insert(plain.end(), entry.content.begin(), entry.content.end());
    append_padding(plain, entry.info.size);
    entry.info.digest = Blake2b::of(entry.content);
    entry.content = {};
    append_signature(plain, entry.info);
  }
  if (!next_path_.empty()) append_tar_header(plain, next_path_, next_size_, context_.mtime);
  OA_ASSERT(plain.size() == plain_size_);
  OA_ASSIGN(packed_, worker.compressor.compress(plain));
  set_stored(packed_, plain.size());
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
