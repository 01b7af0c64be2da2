// upload_bench SCRATCH [MIB] [ROUNDS]: an upload appended and read again, against a plain file of
// the same bytes on the same disk, in turn. Peak memory is what a round adds to the idle process.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "oa/crypto/hash.h"
#include "oa/instance/instance.h"
#include "oa/uploads/uploads.h"

namespace {

using namespace oa;  // NOLINT: a program of one file
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 64 << 10;  // as a connection hands them on

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}: {}\n", result.error().op, result.error().message);
    std::exit(1);
  }
  return std::move(result).value();
}
void must(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}: {}\n", status.error().op, status.error().message);
  std::exit(1);
}

double seconds(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// A line of /proc/self/status, in MiB.
double memory_mib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":"))
      return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
  }
  return 0;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

Bytes noise(std::size_t size) {
  Bytes bytes(size);
  std::uint64_t state = 88172645463325252;
  for (auto& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;  // xorshift64
    byte = static_cast<std::uint8_t>(state);
  }
  return bytes;
}

class Bench {
 public:
  Bench(std::string folder, std::uint64_t pieces)
      : folder_(std::move(folder)), pieces_(pieces), piece_(noise(kPieceBytes)) {
    instance::Settings settings;
    settings.data_folder = folder_ + "/data";
    settings.create = true;
    instance_ = must(instance::Instance::open(settings));
    tenant_ =
        must(instance_->provision_tenant("Bench " + Uuid::random().str(), catalog::Plan::kScale))
            .id;
  }

  struct Times {
    std::vector<double> append, checked, read, plain_write, plain_read;
    double peak_mib = 0;  // above idle
  };
  void round(Times& times) {
    uploads::Uploads uploads(instance_->database(), instance_->objects(), tenant_);
    const double idle = memory_mib("VmRSS");
    forget_peak();
    UploadId id;
    times.append.push_back(seconds([&] { id = upload(uploads, std::nullopt); }));
    times.read.push_back(seconds([&] { read(*must(uploads.open(id))); }));
    must(uploads.remove(id));
    const uploads::Checksum checksum = checksum_of();
    times.checked.push_back(seconds([&] { id = upload(uploads, checksum); }));
    must(uploads.remove(id));
    times.peak_mib = std::max(times.peak_mib, memory_mib("VmHWM") - idle);
    const std::string path = folder_ + "/plain";
    times.plain_write.push_back(seconds([&] { write_plain(path); }));
    times.plain_read.push_back(seconds([&] { read(*must(FileSource::open(path))); }));
    std::filesystem::remove(path);
  }

 private:
  UploadId upload(uploads::Uploads& uploads, const std::optional<uploads::Checksum>& checksum) {
    const auto record = must(uploads.create({pieces_ * kPieceBytes, "bench", std::nullopt}));
    const auto append = must(uploads.append(record.id, 0, checksum));
    for (std::uint64_t n = 0; n < pieces_; ++n) must(append->write(piece_));
    must(append->finish());
    return record.id;
  }

  uploads::Checksum checksum_of() const {
    Sha256 hash;
    for (std::uint64_t n = 0; n < pieces_; ++n) hash.update(piece_);
    const auto digest = hash.finish();
    return {uploads::ChecksumAlgorithm::kSha256, Bytes(digest.begin(), digest.end())};
  }

  void write_plain(const std::string& path) const {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool good = fd >= 0;
    for (std::uint64_t n = 0; n < pieces_ && good; ++n)
      good = ::write(fd, piece_.data(), piece_.size()) == static_cast<ssize_t>(piece_.size());
    if (!good || ::fsync(fd) != 0) std::exit(1);
    ::close(fd);
  }

  static void read(const RangedSource& source) {
    Bytes buffer(kPieceBytes);
    for (std::uint64_t at = 0; at < source.size(); at += kPieceBytes)
      must(source.read_at(at, buffer));
  }

  const std::string folder_;
  const std::uint64_t pieces_;
  const Bytes piece_;
  std::unique_ptr<instance::Instance> instance_;
  TenantId tenant_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: upload_bench SCRATCH [MIB] [ROUNDS]\n");
    return 2;
  }
  const std::uint64_t mib = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2048;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  Bench bench(argv[1], (mib << 20) / kPieceBytes);
  Bench::Times times;
  for (int n = 0; n < rounds; ++n) bench.round(times);
  const auto tell = [&](const char* what, const std::vector<double>& ours,
                        const std::vector<double>& theirs) {
    const double mine = static_cast<double>(mib) / median(ours);
    const double peer = static_cast<double>(mib) / median(theirs);
    fmt::print("{:<22} ours {:7.0f} MiB/s   plain file {:7.0f} MiB/s   ratio {:.2f}\n", what, mine,
               peer, mine / peer);
  };
  fmt::print("{} MiB, medians of {} rounds\n", mib, rounds);
  tell("append", times.append, times.plain_write);
  tell("append, sha256 checked", times.checked, times.plain_write);
  tell("read", times.read, times.plain_read);
  fmt::print("peak memory {:.1f} MiB above idle\n", times.peak_mib);
  return 0;
}
