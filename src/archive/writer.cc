#include "oa/archive/writer.h"

#include <algorithm>
#include <optional>
#include <thread>

#include "frame_output.h"
#include "manifest_codec.h"
#include "manifest_frame.h"
#include "tar.h"

namespace oa::archive {
namespace {

// Plain bytes between caller and sink: enough for the workers to hash one chunk while others wait,
// and no more.
constexpr std::size_t kBaseChunksInFlight = 4;
constexpr std::size_t kChunksInFlightPerThread = 3;
constexpr std::size_t kMaxManifestBytes = std::size_t{64} << 20;
constexpr std::uint64_t kMaxEntryBytes = std::uint64_t{1} << 42;

Error invalid(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "archive.write", std::move(message));
}

}  // namespace

struct ArchiveWriter::State {
  State(const WriterOptions& given, unsigned threads, const SigningKey& signer, ByteSink& sink)
      : options(given),
        queue(std::make_unique<WorkQueue>(threads, given.compression_level)),
        jobs{*queue, signer, given.archive_id,
             static_cast<std::uint64_t>(given.snapshot_time.unix_seconds())},
        output(std::make_unique<FrameOutput>(
            jobs, sink, kChunkSize * (kBaseChunksInFlight + kChunksInFlightPerThread * threads))),
        pack(std::make_unique<PackJob>(jobs, Bytes())) {}
  // Running tasks point into jobs, which the output owns.
  ~State() { queue.reset(); }

  Status submit_pack() {
    auto full =
        std::exchange(pack, std::make_unique<PackJob>(jobs, output->spare_memory(kPackSize)));
    return output->submit(std::move(full));
  }

  Status check(std::string_view path, std::uint64_t size) {
    if (failed || finished) return invalid("the writer has failed or is finished");
    if (!is_valid_path(path)) return invalid("a path is not one that an archive may hold");
    if (size > kMaxEntryBytes) return invalid("an entry is too large");
    switch (paths.take(path)) {
      case PathSequence::Next::kFits:
        break;
      case PathSequence::Next::kDoesNotAscend:
        return invalid("paths must come in ascending byte order");
      case PathSequence::Next::kIsBelowAFile:
        return invalid("a path lies below another entry's, as if that were a folder");
    }
    return {};
  }

  Status add_small(std::string path, ByteView content) {
    if (pack->plain_size() > 0 && pack->plain_size() + tar_size(path, content.size()) > kPackSize) {
      OA_TRY(submit_pack());
    }
    pack->add(std::move(path), content);
    return {};
  }

  Status add_large(std::string path, std::uint64_t size,
                   const std::function<Status(ByteSink&)>& produce);
  Result<Summary> finish(const ManifestInput& input);

  // After an error the writer stays unusable.
  template <class Outcome>
  Outcome settle(Outcome outcome) {
    if (!outcome.ok()) failed = true;
    return outcome;
  }

  const WriterOptions options;
  std::unique_ptr<WorkQueue> queue;
  JobContext jobs;
  std::unique_ptr<FrameOutput> output;
  std::unique_ptr<PackJob> pack;
  std::unique_ptr<LargeEntry> large;  // the one whose chunks are being added
  PathSequence paths;
  bool failed = false;
  bool finished = false;
};

namespace {

// Cuts what a producer writes into pieces and hands each to `take`. Refuses more than was
// announced.
class ExactSink final : public ByteSink {
 public:
  ExactSink(std::uint64_t size, std::function<Status(ByteView)> take)
      : left_(size), take_(std::move(take)) {}
  Status write(ByteView bytes) override {
    if (bytes.size() > left_) return invalid("an entry has more bytes than announced");
    left_ -= bytes.size();
    return take_(bytes);
  }
  std::uint64_t left() const { return left_; }

 private:
  std::uint64_t left_;
  std::function<Status(ByteView)> take_;
};

Status produce_exactly(std::uint64_t size, const std::function<Status(ByteSink&)>& produce,
                       std::function<Status(ByteView)> take) {
  ExactSink sink(size, std::move(take));
  OA_TRY(produce(sink));
  if (sink.left() > 0) return invalid("an entry has fewer bytes than announced");
  return {};
}

}  // namespace

Status ArchiveWriter::State::add_large(std::string path, std::uint64_t size,
                                       const std::function<Status(ByteSink&)>& produce) {
  large = std::make_unique<LargeEntry>(jobs, std::move(path), size);
  pack->end_with_header_of(*large);
  OA_TRY(submit_pack());
  std::uint64_t left = size;
  std::optional<RawFrame> chunk;
  const auto take = [&](ByteView bytes) -> Status {
    while (!bytes.empty()) {
      if (!chunk) {
        const auto chunk_size = static_cast<std::size_t>(std::min<std::uint64_t>(kChunkSize, left));
        chunk.emplace(chunk_size, output->spare_memory(raw_frame_size(chunk_size)));
      }
      bytes = bytes.subspan(chunk->append(bytes));
      if (!chunk->full()) continue;
      left -= chunk->plain_size();
      OA_TRY(output->submit(std::make_unique<ChunkJob>(jobs, *large, std::move(*chunk))));
      chunk.reset();
    }
    return {};
  };
  OA_TRY(produce_exactly(size, produce, take));
  pack->begin_behind(std::move(large));
  return {};
}

Result<Summary> ArchiveWriter::State::finish(const ManifestInput& input) {
  if (failed || finished) return invalid("the writer has failed or is finished");
  if (pack->plain_size() > 0) OA_TRY(submit_pack());
  OA_TRY(output->drain());
  IndexBuilder& index = output->index();
  if (const auto page = index.finish_page()) OA_TRY(output->write_frame(*page, 0));
  const Bytes root = index.finish_root();
  OA_TRY(output->write_frame(root, 0));

  Summary summary;
  Manifest& manifest = summary.manifest;
  manifest.archive_id = options.archive_id;
  manifest.snapshot_time = options.snapshot_time;
  manifest.content = input;
  manifest.signer = jobs.signer.public_key();
  manifest.entry_count = index.entry_count();
  manifest.content_bytes = index.content_bytes();
  manifest.content_hash = index.finish_content_hash();
  manifest.index_root = blake3(ByteView(root).subspan(kSkippableHeaderSize));
  const std::string text = encode_manifest(manifest);
  if (text.size() > kMaxManifestBytes) {
    return make_error(ErrorCode::kLimitExceeded, "archive.write", "the manifest is too large");
  }
  const std::string signature = jobs.signer.sign(
      Blake2b::of(as_bytes(text)), trusted_comment(options.archive_id, kManifestPath, text.size()));
  const RawFrame frame = manifest_frame(text, signature, jobs.mtime);
  OA_TRY(output->write_frame(frame.frame(), frame.plain_size()));
  OA_TRY(output->write_table());
  summary.archive_bytes = output->bytes_written();
  finished = true;
  return summary;
}

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::create(const WriterOptions& options,
                                                             const SigningKey& signer,
                                                             ByteSink& sink) {
  const auto seconds = options.snapshot_time.unix_seconds();
  if (seconds < 0 || static_cast<std::uint64_t>(seconds) > kMaxUstarNumber) {
    return invalid("the snapshot time is outside of what an archive can hold");
  }
  if (options.compression_level < 1 || options.compression_level > 19) {
    return invalid("the compression level must be from 1 to 19");
  }
  const unsigned threads =
      options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  return std::unique_ptr<ArchiveWriter>(
      new ArchiveWriter(std::make_unique<State>(options, threads, signer, sink)));
}

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveWriter::~ArchiveWriter() = default;

Status ArchiveWriter::add(std::string path, Bytes content) {
  const std::uint64_t size = content.size();
  OA_TRY(state_->settle(state_->check(path, size)));
  if (!is_large(size)) return state_->settle(state_->add_small(std::move(path), content));
  return state_->settle(
      state_->add_large(std::move(path), size, [&](ByteSink& out) { return out.write(content); }));
}

Status ArchiveWriter::add_stream(std::string path, std::uint64_t size,
                                 const std::function<Status(ByteSink&)>& produce) {
  OA_TRY(state_->settle(state_->check(path, size)));
  if (is_large(size)) return state_->settle(state_->add_large(std::move(path), size, produce));
  Bytes content;
  content.reserve(size);
  OA_TRY(state_->settle(produce_exactly(size, produce, [&](ByteView bytes) -> Status {
    content.insert(content.end(), bytes.begin(), bytes.end());
    return {};
  })));
  return state_->settle(state_->add_small(std::move(path), content));
}

Result<Summary> ArchiveWriter::finish(const ManifestInput& input) {
  return state_->settle(state_->finish(input));
}

}  // namespace oa::archive
