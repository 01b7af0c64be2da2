// s3_archive_bench FOLDER [GB] [REPORTS] [ROUNDS]: an archive made into a bucket beside the same one made
// into a folder; then one of GB gigabytes in a bucket, and one report out of it: requests, bytes and
// milliseconds. The S3 server is RADOS Gateway on this machine with its storage in FOLDER (in /tmp),
// which must not exist.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "oa/archive/reader.h"
#include "oa/archive/writer.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/s3_store.h"
#include "oa/objects/sealed_objects.h"
#include "oa/objects/unseal.h"
#include "rgw_testkit.h"

namespace {

using namespace oa;  // NOLINT(google-build-using-namespace): a program of one file
using namespace oa::archive;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kRowsBytes = std::uint64_t{40} << 20, kPiece = std::uint64_t{1} << 20;
constexpr std::uint64_t kCompared = std::uint64_t{1} << 30;

template <class T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{} {}\n", result.error().message, result.error().cause);
  std::exit(1);
}
void must(Status status) {
  if (status.ok()) return;
  fmt::print(stderr, "{} {}\n", status.error().message, status.error().cause);
  std::exit(1);
}

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

// What does not compress, another each time.
class Noise {
 public:
  ByteView next() {
    for (std::size_t i = 0; i < bytes_.size(); i += 8) {
      state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
      std::memcpy(bytes_.data() + i, &state_, 8);
    }
    return bytes_;
  }

 private:
  Bytes bytes_ = Bytes(kPiece);
  std::uint64_t state_ = 88172645463325252u;
};

std::string report_path(std::size_t number) {
  return fmt::format("workspaces/00000000-0000-4000-8000-000000000000/reports/{:08}.json", number);
}

Bytes report(std::size_t number) {
  std::string text = fmt::format(R"({{"id":"{:08}","visuals":[)", number);
  for (std::size_t i = 0; i < 10 + number % 60; ++i)
    text += fmt::format(R"({{"kind":"bar","field":"column_{}","filter":{}}},)", i * number, i);
  text.back() = ']';
  text += '}';
  return {text.begin(), text.end()};
}

// An archive of `bytes`: rows that do not compress, and reports behind them.
VersionId create(SealedObjects& objects, const ObjectKey& key, const SigningKey& signer,
                 std::uint64_t bytes, std::size_t reports) {
  const auto sink = must(objects.create(key));
  WriterOptions options;
  options.snapshot_time = Timestamp{1776332531000000};
  auto writer = must(ArchiveWriter::create(options, signer, *sink));
  Noise noise;
  for (std::uint64_t at = 0; at < bytes; at += kRowsBytes) {
    const std::uint64_t size = std::min(kRowsBytes, bytes - at);
    must(writer->add_stream(
        fmt::format("workspaces/00000000-0000-4000-8000-000000000000/datasets/{:08}/rows.parquet",
                    at / kRowsBytes),
        size, [&](ByteSink& out) -> Status {
          for (std::uint64_t done = 0; done < size; done += kPiece)
            OA_TRY(out.write(noise.next().first(std::min(kPiece, size - done))));
          return {};
        }));
  }
  for (std::size_t i = 0; i < reports; ++i) must(writer->add(report_path(i), report(i)));
  must(writer->finish({}));
  writer.reset();
  return must(sink->commit());
}

// Counts the stored bytes that are asked for.
class CountedSource final : public RangedSource {
 public:
  CountedSource(std::unique_ptr<RangedSource> source, std::atomic<std::uint64_t>& bytes)
      : source_(std::move(source)), bytes_(bytes) {}
  std::uint64_t size() const override { return source_->size(); }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    bytes_ += out.size();
    return source_->read_at(offset, out);
  }

 private:
  const std::unique_ptr<RangedSource> source_;
  std::atomic<std::uint64_t>& bytes_;
};

void compare(SealedObjects& folder, SealedObjects& bucket, const ObjectKey& key,
             const SigningKey& signer, std::size_t reports, int rounds) {
  std::vector<double> to_folder, to_bucket;
  for (int round = 0; round < rounds; ++round) {
    for (const bool local : {true, false}) {
      SealedObjects& objects = local ? folder : bucket;
      const auto begin = Clock::now();
      const auto version = create(objects, key, signer, kCompared, reports);
      (local ? to_folder : to_bucket).push_back(ms_since(begin));
      must(objects.remove(key, version));
    }
  }
  fmt::print("create of {} MiB: to a bucket {:.2f} s, to a folder {:.2f} s, ratio {:.2f}\n",
             kCompared >> 20, median(to_bucket) / 1e3, median(to_folder) / 1e3,
             median(to_bucket) / median(to_folder));
}

void one_report(const S3Settings& settings, KeyService& keys, const ObjectKey& key,
                const VersionId& version, const PublicKey& trusted, std::size_t reports, int rounds) {
  std::vector<double> cold, warm;
  std::uint64_t requests = 0, warm_requests = 0, size = 0;
  std::atomic<std::uint64_t> bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto store = must(open_s3_store(settings));  // with connections of its own
    const std::uint64_t before = store->counts().requests;
    const auto read = [&](std::size_t number) {
      const auto source = must(open_sealed(
          keys, key, std::make_unique<CountedSource>(must(store->get(key, version)), bytes)));
      const auto reader = must(ArchiveReader::open(*source, {{trusted}, false}));
      OA_ASSERT(must(reader->read(report_path(number), 1 << 20)) == report(number));
      size = source->size();
    };
    bytes = 0;
    auto begin = Clock::now();
    read(reports / 2 + static_cast<std::size_t>(round));
    cold.push_back(ms_since(begin));
    requests = store->counts().requests - before;
    begin = Clock::now();
    const std::uint64_t so_far = store->counts().requests, bytes_so_far = bytes;
    read(reports / 3 + static_cast<std::size_t>(round));
    warm.push_back(ms_since(begin));
    warm_requests = store->counts().requests - so_far;
    bytes -= bytes_so_far;
  }
  fmt::print(
      "one report out of {:.1f} GB in a bucket: {:.1f} ms and {} requests at first, {:.1f} ms and {} on "
      "open connections; {} bytes asked for\n",
      static_cast<double>(size) / 1e9, median(cold), requests, median(warm), warm_requests,
      bytes.load());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: s3_archive_bench FOLDER [GB] [REPORTS] [ROUNDS]\n", stderr), 2;
  const std::string folder = argv[1];
  const std::uint64_t bytes = (argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10) * 1'000'000'000;
  const std::size_t reports = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 10'000;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 5;
  OA_ASSERT(std::filesystem::create_directory(folder));
  rgw::Cluster server({.durable = true, .device_bytes = 2 * bytes + (std::uint64_t{6} << 30)});
  server.start_all();
  server.admin({"user", "create", "--uid=test", "--display-name=test", "--access-key=AKTEST",
                "--secret-key=SKTEST"});
  const auto keys = must(LocalKeyService::create(folder + "/keys", {folder + "/root.key", {}}));
  const ObjectKey key{TenantId::random(), RetentionClass::kArchives, "bench"};
  must(keys->create_tenant_key(key.tenant));
  S3Settings settings;
  settings.connection = rgw::test_connection(server.url());
  settings.connection.idle_timeout = std::chrono::seconds(30);
  settings.bucket = rgw::make_bucket(server, true, false);
  const auto store = must(open_s3_store(settings));
  const auto local = must(open_local_store(folder + "/objects"));
  SealedObjects in_bucket(*store, *keys), in_folder(*local, *keys);
  const auto signer = SigningKey::generate();
  compare(in_folder, in_bucket, key, signer, reports, rounds);
  const auto version = create(in_bucket, key, signer, bytes, reports);
  one_report(settings, *keys, key, version, signer.public_key(), reports, rounds);
  std::filesystem::remove_all(folder);
}
