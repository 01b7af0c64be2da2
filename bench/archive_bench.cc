// archive_bench create DIR FILE | verify FILE [--every-signature] | cat FILE PATH | ls FILE |
// extract FILE DIR The archive library alone, for archive.sh.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <set>
#include <string_view>
#include <vector>

#include "oa/archive/reader.h"
#include "oa/archive/writer.h"

namespace {

using namespace oa;  // NOLINT(google-build-using-namespace): a program of one file
using namespace oa::archive;

SigningKey bench_key() {
  return *SigningKey::from_seed(SecretBytes::copy_of(Bytes(SigningKey::kSeedSize, 7)));
}

class DescriptorSink final : public ByteSink {
 public:
  explicit DescriptorSink(int fd) : fd_(fd) {}
  Status write(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0) return errno_error(errno, "bench.write", "output");
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

 private:
  int fd_;
};

// A folder's files in the byte order of their paths, read as they are found.
class FolderWalk {
 public:
  explicit FolderWalk(ArchiveWriter& writer) : writer_(writer) {}

  Status add_all(int parent, const std::string& name, const std::string& prefix) {
    const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno_error(errno, "bench.create", name);
    std::vector<std::string> names;
    DIR* listing = ::fdopendir(fd);
    while (const dirent* item = ::readdir(listing)) {
      const std::string_view found = item->d_name;
      if (found == "." || found == "..") continue;
      names.emplace_back(found).append(item->d_type == DT_DIR ? "/" : "");
    }
    std::ranges::sort(names);
    for (auto& found : names) {
      const bool folder = found.back() == '/';
      if (folder) found.pop_back();
      OA_TRY(folder ? add_all(fd, found, prefix + found + "/")
                    : add_file(fd, found, prefix + found));
    }
    ::closedir(listing);
    return {};
  }

 private:
  Status add_file(int parent, const std::string& name, std::string path) {
    const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd < 0 || ::fstat(fd, &info) != 0) return errno_error(errno, "bench.create", path);
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const auto produce = [&](ByteSink& out) { return read_into(fd, out); };
    Status added;
    if (size <= buffer_.size()) {
      const ssize_t n = ::read(fd, buffer_.data(), size);
      added = n == info.st_size
                  ? writer_.add(std::move(path), Bytes(buffer_.begin(), buffer_.begin() + n))
                  : errno_error(errno, "bench.create", name);
    } else {
      added = writer_.add_stream(std::move(path), size, produce);
    }
    ::close(fd);
    return added;
  }

  Status read_into(int fd, ByteSink& out) {
    while (true) {
      const ssize_t n = ::read(fd, buffer_.data(), buffer_.size());
      if (n < 0) return errno_error(errno, "bench.create", "input");
      if (n == 0) return {};
      OA_TRY(out.write({buffer_.data(), static_cast<std::size_t>(n)}));
    }
  }

  ArchiveWriter& writer_;
  Bytes buffer_ = Bytes(std::size_t{256} << 10);
};

// Made durable, which tar and zstd do not.
Status create(const std::string& folder, const std::string& file) {
  OA_ASSIGN(const auto sink, AtomicFileSink::create(file, true, 0644));
  const SigningKey key = bench_key();
  WriterOptions options;
  options.snapshot_time = Timestamp{1776332531000000};
  OA_ASSIGN(const auto writer, ArchiveWriter::create(options, key, *sink));
  OA_TRY(FolderWalk(*writer).add_all(AT_FDCWD, folder, ""));
  OA_ASSIGN(const auto summary, writer->finish({}));
  std::printf("%llu entries, %llu bytes\n",
              static_cast<unsigned long long>(summary.manifest.entry_count),
              static_cast<unsigned long long>(summary.archive_bytes));
  return sink->commit();
}

Status with_reader(const std::string& file,
                   const std::function<Status(const ArchiveReader&)>& use) {
  OA_ASSIGN(const auto source, FileSource::open(file));
  OA_ASSIGN(const auto reader, ArchiveReader::open(*source, {{bench_key().public_key()}, false}));
  return use(*reader);
}

Status verify(const std::string& file, bool every_signature) {
  return with_reader(file, [&](const ArchiveReader& reader) -> Status {
    OA_ASSIGN(const auto report, reader.verify({every_signature, 0}, no_progress()));
    std::printf("%llu entries, %llu signatures\n", static_cast<unsigned long long>(report.entries),
                static_cast<unsigned long long>(report.signatures_checked));
    return {};
  });
}

Status extract(const ArchiveReader& reader, const std::string& folder) {
  std::mutex mutex;
  std::set<std::string> made;
  const auto make_folder = [&](const std::string& path) {
    const std::lock_guard lock(mutex);
    if (made.insert(path).second) std::filesystem::create_directories(folder + "/" + path);
  };
  return reader.for_each_content(
      {}, 0, no_progress(), [&](const EntryInfo& entry, const EntryContent& content) -> Status {
        const std::string path = folder + "/" + entry.path;
        make_folder(std::filesystem::path(entry.path).parent_path());
        if (entry.size > (1 << 20)) {
          OA_ASSIGN(const auto file, AtomicFileSink::create(path, false, 0644));
          OA_TRY(content(*file));
          return file->commit();
        }
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0) return errno_error(errno, "bench.extract", path);
        DescriptorSink out(fd);
        const Status copied = content(out);
        ::close(fd);
        return copied;
      });
}

Status run(const std::vector<std::string>& args) {
  if (args.size() == 3 && args[0] == "create") return create(args[1], args[2]);
  if (args.size() == 2 && args[0] == "verify") return verify(args[1], false);
  if (args.size() == 3 && args[0] == "verify" && args[2] == "--every-signature")
    return verify(args[1], true);
  if (args.size() == 3 && args[0] == "cat") {
    DescriptorSink out(STDOUT_FILENO);
    return with_reader(args[1],
                       [&](const ArchiveReader& reader) { return reader.copy(args[2], out); });
  }
  if (args.size() == 2 && args[0] == "ls") {
    return with_reader(args[1], [](const ArchiveReader& reader) {
      return reader.for_each("", [](const EntryInfo& entry) -> Status {
        std::printf("%s\n", entry.path.c_str());
        return {};
      });
    });
  }
  if (args.size() == 3 && args[0] == "extract") {
    return with_reader(args[1],
                       [&](const ArchiveReader& reader) { return extract(reader, args[2]); });
  }
  return make_error(ErrorCode::kInvalidArgument, "bench",
                    "see the first lines of archive_bench.cc");
}

}  // namespace

int main(int argc, char** argv) {
  const Status status = run({argv + 1, argv + argc});
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s %s\n", status.error().op.c_str(), status.error().message.c_str(),
               status.error().cause.c_str());
  return error_info(status.error().code).exit_status;
}
