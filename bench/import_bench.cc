// import_bench [MIB] [ROUNDS] [FOLDER]: CSV to sealed Parquet by import_file() against DuckDB's own
// COPY of the same file to plain Parquet, in turn, each in a process of its own.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "oa/analytics/file_import.h"
#include "oa/keys/local_key_service.h"

namespace {

// What a child tells its parent.
struct Work {
  double seconds = 0;
  double parquet_mib = 0;
};

struct Run {
  Work work;
  double cpu_seconds = 0;
  double peak_mib = 0;
};

double to_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Orders: numbers, codes with leading zeros, dates, moments, decimals, booleans and texts.
void generate(const std::string& path, std::uint64_t bytes) {
  std::ofstream file(path, std::ios::binary);
  file << "order_id,zip_code,customer,ordered_on,created_at,net_amount,quantity,paid,comment\n";
  const char* const words[] = {"carefully", "final", "deposits", "sleep",    "quickly",
                               "furiously", "bold",  "requests", "packages", "ironic"};
  std::uint64_t state = 42, written = 0;
  const auto random = [&](std::uint64_t below) {
    return ((state = state * 6364136223846793005ULL + 1442695040888963407ULL) >> 33) % below;
  };
  char line[512];
  for (std::uint64_t id = 1; written < bytes; ++id) {
    const auto r = [&](std::uint64_t below) { return static_cast<unsigned>(random(below)); };
    const unsigned month = 1 + r(12), day = 1 + r(28), year = 2015 + r(10);
    const int length = std::snprintf(
        line, sizeof(line),
        "%llu,%05u,Customer#%09u,%04u-%02u-%02u,%04u-%02u-%02u %02u:%02u:%02u,%u.%02u,%u,%s,\"%s "
        "%s "
        "%s, %s %s\"\n",
        static_cast<unsigned long long>(id), r(100000), r(150000), year, month, day, year, month,
        day, r(24), r(60), r(60), r(100000), r(100), 1 + r(50), r(2) == 0 ? "true" : "false",
        words[r(10)], words[r(10)], words[r(10)], words[r(10)], words[r(10)]);
    file.write(line, length);
    written += static_cast<std::uint64_t>(length);
  }
}

// The seconds that `work` says, and the peak memory of a process that did nothing else.
Run in_own_process(const auto& work) {
  int ends[2];
  OA_ASSERT(pipe(ends) == 0);
  const pid_t child = fork();
  OA_ASSERT(child >= 0);
  if (child == 0) {
    const Work done = work();
    const bool told = write(ends[1], &done, sizeof(done)) == sizeof(done);
    _exit(told ? 0 : 1);
  }
  Run run;
  OA_ASSERT(read(ends[0], &run.work, sizeof(run.work)) == sizeof(run.work));
  int status = 0;
  rusage usage{};
  OA_ASSERT(wait4(child, &status, 0, &usage) == child && status == 0);
  run.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  run.cpu_seconds = to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
  close(ends[0]);
  close(ends[1]);
  return run;
}

Work ours(const std::string& csv, const std::string& folder) {
  using namespace oa;
  RootKeySource root;
  root.key_file = folder + "/root.key";
  const auto keys = LocalKeyService::create(folder + "/keys", root).value();
  const auto store = open_local_store(folder + "/objects").value();
  SealedObjects objects(*store, *keys);
  const ObjectKey target{TenantId::random(), RetentionClass::kRows, "datasets/rows.parquet"};
  keys->create_tenant_key(target.tenant).value();
  const auto source = FileSource::open(csv).value();
  Work work;
  work.seconds = seconds_of([&] {
    analytics::RejectedRows rejected;
    const auto result =
        analytics::import_file(objects, *source, target, {}, rejected, no_progress()).value();
    work.parquet_mib = static_cast<double>(result.parquet_bytes) / (1 << 20);
  });
  return work;
}

Work theirs(const std::string& csv, const std::string& folder) {
  duckdb::DBConfig config;
  config.options.maximum_threads = 2;
  duckdb::DuckDB database(nullptr, &config);
  duckdb::Connection connection(database);
  Work work;
  work.seconds = seconds_of([&] {
    const auto result = connection.Query("COPY (FROM read_csv('" + csv + "')) TO '" + folder +
                                         "/rows.parquet' (FORMAT parquet, COMPRESSION zstd)");
    OA_ASSERT(!result->HasError());
  });
  work.parquet_mib =
      static_cast<double>(std::filesystem::file_size(folder + "/rows.parquet")) / (1 << 20);
  return work;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t mib = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1024;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  const std::string scratch = std::string(argc > 3 ? argv[3] : "/tmp") + "/oa-import-bench";
  if (mib == 0 || rounds <= 0 || !std::filesystem::create_directory(scratch)) {
    std::fprintf(stderr, "usage: import_bench [MIB] [ROUNDS] [FOLDER]\n");
    return 2;
  }
  const std::string csv = scratch + "/orders.csv";
  generate(csv, mib << 20);
  double our_mib = 0, their_mib = 0;
  std::vector<double> our_seconds, their_seconds, our_cpu, their_cpu, our_peak, their_peak;
  for (int round = 0; round < rounds; ++round) {
    const std::string folder = scratch + "/round" + std::to_string(round);
    std::filesystem::create_directory(folder);
    const Run mine = in_own_process([&] { return ours(csv, folder); });
    const Run peer = in_own_process([&] { return theirs(csv, folder); });
    our_seconds.push_back(mine.work.seconds);
    our_mib = mine.work.parquet_mib;
    their_mib = peer.work.parquet_mib;
    our_cpu.push_back(mine.cpu_seconds);
    their_cpu.push_back(peer.cpu_seconds);
    our_peak.push_back(mine.peak_mib);
    their_seconds.push_back(peer.work.seconds);
    their_peak.push_back(peer.peak_mib);
    std::filesystem::remove_all(folder);
  }
  const double size = static_cast<double>(mib << 20) / 1e6;
  std::printf("%-36s %8s %8s %8s %10s %11s\n", "CSV, medians", "seconds", "MB/s", "CPU s",
              "peak MiB", "Parquet MiB");
  const auto line = [&](const char* what, double seconds, double cpu, double peak, double parquet) {
    std::printf("%-36s %8.2f %8.1f %8.2f %10.0f %11.1f\n", what, seconds, size / seconds, cpu, peak,
                parquet);
  };
  line("sealed Parquet by import_file()", median(our_seconds), median(our_cpu), median(our_peak),
       our_mib);
  line("plain Parquet by DuckDB's COPY", median(their_seconds), median(their_cpu),
       median(their_peak), their_mib);
  std::printf("%-36s %8.2f %8s %8.2f\n", "ours to theirs",
              median(our_seconds) / median(their_seconds), "", median(our_cpu) / median(their_cpu));
  std::filesystem::remove_all(scratch);
  return 0;
}
