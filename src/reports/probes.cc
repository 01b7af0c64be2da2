#include "oa/reports/probes.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "oa/reports/open_report.h"

namespace oa::reports {
namespace {

constexpr std::size_t kMaxProbes = 64;
constexpr std::uint64_t kMaxAskedRows = 200'000'000;  // rows of a visual's dataset, for each visual
// Long enough that it is never a slow machine that decides what is proven.
constexpr std::chrono::minutes kTimeout{10};
constexpr std::size_t kMaxManifestProbes = 10'000;

Result<OpenedReport> show(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                          const catalog::Report& report, Timestamp now, Progress& progress) {
  OpenOptions options;
  options.now = now;
  options.row_security = RowSecurity::kIgnored;
  options.limits.timeout = kTimeout;
  return show_report(snapshot, objects, report, {}, options, progress);
}

// A report that cannot be opened at all is the report's matter; what is not ends the work.
bool is_of_the_report(const Error& error) {
  return error.code == ErrorCode::kQueryInvalid || error.code == ErrorCode::kInvalidArgument;
}

bool whole(const OpenedReport& report) {
  return std::ranges::none_of(report.visuals,
                              [](const VisualResult& visual) { return visual.error.has_value(); });
}

// Chooses reports and asks them.
class Taker {
 public:
  Taker(catalog::TenantTransaction& snapshot, SealedObjects& objects, Progress& progress)
      : snapshot_(snapshot), objects_(objects), progress_(progress) {
    probes_.engine = analytics::engine_release();
    probes_.now = snapshot.started_at();
  }

  Status add_datasets(WorkspaceId id) {
    OA_ASSIGN(const auto datasets, catalog::Datasets(snapshot_).list(id));
    for (const auto& dataset : datasets) {
      if (dataset.rows.has_value()) rows_[dataset.id] = dataset.row_count;
    }
    return {};
  }

  // What each report would ask is noted first, then those that are asked are read one at a time.
  Status ask_reports(WorkspaceId id) {
    std::vector<Candidate> candidates;
    OA_TRY(catalog::Reports(snapshot_).for_each(id, [&](const catalog::Report& report) -> Status {
      Candidate candidate{report.id, {}, 0};
      for (const auto& visual : report.visuals) {
        const auto rows = rows_.find(visual.dataset_id);
        if (rows == rows_.end()) return {};
        candidate.cost += rows->second;
        candidate.datasets.insert(visual.dataset_id);
      }
      candidates.push_back(std::move(candidate));
      return {};
    }));
    for (const auto& candidate : candidates) OA_TRY(consider(candidate));
    return {};
  }

  Probes take() { return std::move(probes_); }

 private:
  struct Candidate {
    ReportId report;
    std::set<DatasetId> datasets;
    std::uint64_t cost = 0;  // rows that its visuals ask
  };

  Status consider(const Candidate& candidate) {
    if (probes_.reports.size() == kMaxProbes) return {};
    const bool new_dataset = !std::ranges::includes(asked_, candidate.datasets);
    if (!new_dataset || spent_ + candidate.cost > kMaxAskedRows) return {};
    OA_ASSIGN(const auto report, catalog::Reports(snapshot_).get(candidate.report));
    const auto opened = show(snapshot_, objects_, report, probes_.now, progress_);
    if (!opened.ok() && !is_of_the_report(opened.error())) return opened.error();
    spent_ += candidate.cost;
    if (!opened.ok() || !whole(*opened)) return {};
    asked_.insert(candidate.datasets.begin(), candidate.datasets.end());
    probes_.reports.push_back({report.id, to_hex(opened->digest)});
    return {};
  }

  catalog::TenantTransaction& snapshot_;
  SealedObjects& objects_;
  Progress& progress_;
  Probes probes_;
  std::map<DatasetId, std::uint64_t> rows_;  // of the datasets that have any
  std::set<DatasetId> asked_;
  std::uint64_t spent_ = 0;
};

}  // namespace

std::string_view to_text(ProbeState state) {
  switch (state) {
    case ProbeState::kSame:
      return "same";
    case ProbeState::kDifferent:
      return "different";
    case ProbeState::kMissing:
      return "missing";
    case ProbeState::kIncomparable:
      return "incomparable";
  }
  return "";
}

JsonText to_json(const Probes& probes) {
  if (probes.reports.empty()) return {};
  json::array reports;
  for (const Probe& probe : probes.reports)
    reports.push_back(json::object{{"id", probe.report.str()}, {"digest", probe.digest}});
  return JsonText::of(json::object{
      {"engine", probes.engine}, {"now", probes.now.rfc3339()}, {"reports", std::move(reports)}});
}

Result<Probes> probes_from_json(const JsonText& text) {
  Probes probes;
  const json::value value = text.value();
  if (value.is_object() && value.as_object().empty()) return probes;
  ObjectReader reader(value, "probes");
  probes.engine = reader.text("engine");
  probes.now = reader.timestamp("now");
  const json::array& reports = reader.array("reports");
  OA_TRY(reader.finish(true));
  if (reports.size() > kMaxManifestProbes) {
    return make_error(ErrorCode::kInvalidArgument, "probes.read", "probes.reports is too long");
  }
  for (const json::value& each : reports) {
    ObjectReader report(each, "probes.reports[]");
    Probe probe;
    probe.report = report.id<ReportId>("id");
    probe.digest = report.text("digest");
    OA_TRY(report.finish(true));
    probes.reports.push_back(std::move(probe));
  }
  return probes;
}

Result<Probes> take_probes(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                           const std::vector<WorkspaceId>& workspaces, Progress& progress) {
  OA_ASSIGN(const auto all, catalog::Workspaces(snapshot).list());
  Taker taker(snapshot, objects, progress);
  const auto wanted = [&](const catalog::Workspace& workspace) {
    return workspaces.empty() || std::ranges::find(workspaces, workspace.id) != workspaces.end();
  };
  for (const auto& workspace : all) {
    if (wanted(workspace)) OA_TRY(taker.add_datasets(workspace.id));
  }
  for (const auto& workspace : all) {
    if (wanted(workspace)) OA_TRY(taker.ask_reports(workspace.id));
  }
  return taker.take();
}

Result<std::vector<ProbeResult>> compare_probes(catalog::TenantTransaction& snapshot,
                                                SealedObjects& objects, const Probes& probes,
                                                const std::map<ReportId, ReportId>& ids,
                                                Progress& progress) {
  std::vector<ProbeResult> results;
  for (const Probe& probe : probes.reports) {
    ProbeResult result;
    const auto mapped = ids.find(probe.report);
    result.report = mapped == ids.end() ? probe.report : mapped->second;
    const auto report = catalog::Reports(snapshot).get(result.report);
    if (!report.ok() && report.error().code != ErrorCode::kNotFound) return report.error();
    if (!report.ok()) {
      result.state = ProbeState::kMissing;
    } else if (probes.engine != analytics::engine_release()) {
      result.name = report->name;
      result.state = ProbeState::kIncomparable;
    } else {
      result.name = report->name;
      const auto opened = show(snapshot, objects, *report, probes.now, progress);
      if (!opened.ok() && !is_of_the_report(opened.error())) return opened.error();
      const bool same = opened.ok() && to_hex(opened->digest) == probe.digest;
      if (!same) result.state = ProbeState::kDifferent;
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace oa::reports
