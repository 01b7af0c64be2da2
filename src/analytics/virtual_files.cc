#include "virtual_files.h"

#include <algorithm>

#include "sandbox.h"

namespace oa::analytics {
namespace {

struct Handle final : duckdb::FileHandle {
  Handle(duckdb::FileSystem& files, const std::string& name, duckdb::FileOpenFlags open_flags,
         bool is_output)
      : duckdb::FileHandle(files, name, open_flags), output(is_output) {}
  void Close() override {}

  const bool output;
  std::uint64_t position = 0;
};

}  // namespace

void Streams::fail(Error error) {
  {
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::move(error);
  }
  throw duckdb::IOException("a stream of the sandbox failed");
}

duckdb::unique_ptr<duckdb::FileHandle> VirtualFiles::OpenFile(
    const std::string& path, duckdb::FileOpenFlags flags,
    duckdb::optional_ptr<duckdb::FileOpener>) {
  const bool writing = flags.OpenForWriting();
  if (streams_.input != nullptr && path == kInputPath && !writing) {
    return duckdb::make_uniq<Handle>(*this, path, flags, false);
  }
  if (streams_.output != nullptr && path == kOutputPath && !flags.OpenForReading()) {
    const std::lock_guard lock(streams_.mutex);
    // A second opening would mean to start over, which a stream cannot.
    if (!std::exchange(streams_.output_opened, true))
      return duckdb::make_uniq<Handle>(*this, path, flags, true);
  }
  if (flags.ReturnNullIfNotExists()) return nullptr;
  throw duckdb::PermissionException("no such file in the sandbox");
}

void VirtualFiles::Read(duckdb::FileHandle& handle, void* buffer, int64_t size,
                        duckdb::idx_t offset) {
  if (streams_.stop) throw duckdb::InterruptException();
  const std::uint64_t length = streams_.input->size();
  if (handle.Cast<Handle>().output || size < 0 || offset > length ||
      static_cast<std::uint64_t>(size) > length - offset) {
    throw duckdb::IOException("read outside of the input");
  }
  const auto count = static_cast<std::size_t>(size);
  const Status read = streams_.input->read_at(offset, {static_cast<std::uint8_t*>(buffer), count});
  if (!read.ok()) streams_.fail(read.error());
  std::uint64_t seen = streams_.read_end;
  while (seen < offset + count && !streams_.read_end.compare_exchange_weak(seen, offset + count)) {
  }
}

int64_t VirtualFiles::Read(duckdb::FileHandle& handle, void* buffer, int64_t size) {
  auto& file = handle.Cast<Handle>();
  const std::uint64_t length = streams_.input->size();
  const std::uint64_t rest = length - std::min(length, file.position);
  const auto count =
      static_cast<int64_t>(std::min(rest, static_cast<std::uint64_t>(std::max<int64_t>(size, 0))));
  if (count > 0) Read(handle, buffer, count, file.position);
  file.position += static_cast<std::uint64_t>(count);
  return count;
}

void VirtualFiles::Write(duckdb::FileHandle& handle, void* buffer, int64_t size,
                         duckdb::idx_t offset) {
  if (offset != streams_.written) throw duckdb::IOException("the output is written in order only");
  Write(handle, buffer, size);
}

int64_t VirtualFiles::Write(duckdb::FileHandle& handle, void* buffer, int64_t size) {
  if (streams_.stop) throw duckdb::InterruptException();
  if (!handle.Cast<Handle>().output || size < 0) throw duckdb::IOException("write to the input");
  const auto count = static_cast<std::size_t>(size);
  const Status written = [&] {
    const std::lock_guard lock(streams_.mutex);
    return streams_.output->write({static_cast<const std::uint8_t*>(buffer), count});
  }();
  if (!written.ok()) streams_.fail(written.error());
  streams_.written += count;
  return size;
}

int64_t VirtualFiles::GetFileSize(duckdb::FileHandle& handle) {
  return static_cast<int64_t>(handle.Cast<Handle>().output ? streams_.written.load()
                                                           : streams_.input->size());
}

duckdb::timestamp_t VirtualFiles::GetLastModifiedTime(duckdb::FileHandle&) {
  return duckdb::timestamp_t(0);
}

duckdb::FileType VirtualFiles::GetFileType(duckdb::FileHandle&) {
  return duckdb::FileType::FILE_TYPE_REGULAR;
}

void VirtualFiles::Seek(duckdb::FileHandle& handle, duckdb::idx_t offset) {
  auto& file = handle.Cast<Handle>();
  if (file.output && offset != streams_.written)
    throw duckdb::IOException("the output cannot seek");
  file.position = offset;
}

duckdb::idx_t VirtualFiles::SeekPosition(duckdb::FileHandle& handle) {
  const auto& file = handle.Cast<Handle>();
  return file.output ? streams_.written.load() : file.position;
}

bool VirtualFiles::FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) {
  return streams_.input != nullptr && path == kInputPath;
}

duckdb::vector<duckdb::OpenFileInfo> VirtualFiles::Glob(const std::string& path,
                                                        duckdb::FileOpener*) {
  if (!FileExists(path, nullptr)) return {};
  return {duckdb::OpenFileInfo(path)};
}

}  // namespace oa::analytics
