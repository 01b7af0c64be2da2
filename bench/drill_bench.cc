// drill_bench FOLDER [REPORTS] [MIB]: a recovery drill of a tenant with so many reports and so many MiB of rows, step by step, over the
// HTTP API of this process; beside it a plain copy of the same archive's bytes out of the sealed store. FOLDER must not exist.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "large_tenant.h"
#include "oa/api/service.h"
#include "oa/catalog/repositories.h"
#include "oa/datasets/datasets.h"
#include "oa/drill/drill.h"
#include "oa/operations/operations.h"

namespace {

using namespace oa;         // NOLINT: a program of one file
using namespace oa::bench;  // NOLINT
using Clock = std::chrono::steady_clock;

constexpr std::size_t kFiles = 4;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Rows of 128 bytes that do not compress well; each follows from its number.
class Csv final : public RangedSource {
 public:
  Csv(std::uint64_t seed, std::uint64_t rows) : seed_(seed), rows_(rows) {}
  std::uint64_t size() const override { return kHeader.size() + rows_ * kWidth; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    std::array<char, kWidth> row{};
    std::uint64_t made = ~std::uint64_t{0};
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t at = offset + i;
      if (at < kHeader.size()) {
        out[i] = static_cast<std::uint8_t>(kHeader[at]);
        continue;
      }
      const std::uint64_t number = (at - kHeader.size()) / kWidth;
      if (number != made) make(made = number, row);
      out[i] = static_cast<std::uint8_t>(row[(at - kHeader.size()) % kWidth]);
    }
    return {};
  }

 private:
  static constexpr std::string_view kHeader = "id,amount,note\n";
  static constexpr std::size_t kWidth = 128;
  void make(std::uint64_t number, std::array<char, kWidth>& row) const {
    static constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const auto head = fmt::format("{:012},{:08},", number, (number * 2654435761U) % 100'000'000);
    std::copy(head.begin(), head.end(), row.begin());
    std::uint64_t state = seed_ ^ (number * 0x9E3779B97F4A7C15U);
    for (std::size_t i = head.size(); i + 1 < kWidth; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      row[i] = kLetters[state & 63];
    }
    row[kWidth - 1] = '\n';
  }
  const std::uint64_t seed_, rows_;
};

class Nowhere final : public ByteSink {
 public:
  Status write(ByteView) override { return {}; }
};

void add_rows(instance::Instance& instance, TenantId tenant, std::uint64_t mib) {
  WorkspaceId workspace;
  UserId user;
  {
    auto snapshot = must(instance.database().begin(tenant, catalog::Isolation::kSnapshot));
    workspace = must(catalog::Workspaces(snapshot).list()).front().id;
    user = must(catalog::Users(snapshot).list()).front().id;
  }
  datasets::DatasetService service({instance.database(), instance.objects(), instance.keys()}, tenant);
  for (std::size_t file = 0; file < kFiles; ++file) {
    datasets::NewDataset made;
    made.workspace = workspace;
    made.created_by = user;
    made.name = fmt::format("Rows {}", file + 1);
    const Csv csv(file + 1, (mib << 20) / kFiles / 128);
    analytics::RejectedRows rejected;
    must(service.import_file(made, csv, {}, rejected, {"user", user, "", {}}, no_progress()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    fmt::print(stderr, "usage: drill_bench FOLDER [REPORTS] [MIB]\n");
    return 2;
  }
  const std::size_t reports = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10'000;
  const std::uint64_t mib = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 2048;
  instance::Settings settings;
  settings.data_folder = argv[1];
  settings.create = settings.run_server = true;
  const auto instance = must(instance::Instance::open(settings));
  must(instance->erasures().replay(no_progress()));
  auto begun = Clock::now();
  const auto tenant = make_large_tenant(*instance, "Bench", {reports, 200});
  add_rows(*instance, tenant.id, mib);
  fmt::print("tenant of {} reports and {} MiB of rows made in {:.0f} s\n", reports, mib,
             seconds_since(begun));
  must(drill::set_consent(*instance, tenant.id, true, std::nullopt, ""));
  api::ServiceSettings serving;
  serving.upkeep = false;
  const auto service = must(api::Service::start(*instance, serving));
  drill::Settings drilled;
  drilled.url = fmt::format("http://127.0.0.1:{}", service->port());
  drilled.seed = "bench";
  begun = Clock::now();
  const auto drill = must(drill::run_tenant_drill(*instance, tenant.id, drilled, no_progress()));
  const double took = seconds_since(begun);
  for (const auto& step : drill.steps)
    fmt::print("  {:<16} {:<11} {:8.2f} s {}\n", step.name, drill::to_text(step.state), step.seconds,
               step.message);
  fmt::print("drill {}: {:.1f} s, people could work again after {:.1f} s\n",
             drill::to_text(drill.state), took, drill.recovery_seconds.value_or(0));

  std::vector<catalog::ArchiveRecord> archives;
  {
    auto snapshot = must(instance->database().begin(tenant.id, catalog::Isolation::kSnapshot));
    archives = must(catalog::Archives(snapshot).list());
  }
  begun = Clock::now();
  const auto opened = must(operations::open_archive(*instance, tenant.id, archives.front().id));
  Nowhere nowhere;
  must(copy_all(*opened.source, nowhere));
  fmt::print("the archive's {} bytes read and unsealed: {:.1f} s; the drill takes {:.1f} times as long\n",
             opened.source->size(), seconds_since(begun), took / seconds_since(begun));
  return drill.state == drill::StepState::kSuccessful ? 0 : 1;
}
