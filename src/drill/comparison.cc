#include "comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "oa/base/io.h"
#include "oa/catalog/repositories.h"
#include "oa/reports/open_report.h"
#include "oa/reports/probes.h"
#include "steps.h"

namespace oa::drill {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::size_t kTried = 5;  // reports that the archive has not probed

Result<Blake2bDigest> digest_of(const RangedSource& source, const Progress& progress) {
  Blake2b hash;
  Bytes piece(kPiece);
  for (std::uint64_t offset = 0; offset < source.size(); offset += piece.size()) {
    if (progress.cancelled()) return make_error(ErrorCode::kCancelled, "drill", "cancelled");
    piece.resize(std::min<std::uint64_t>(kPiece, source.size() - offset));
    OA_TRY(source.read_at(offset, piece));
    hash.update(piece);
  }
  return hash.finish();
}

// The rows as they lie in the recovery tenant, byte by byte.
Status compare_rows(instance::Instance& instance, const Recovery& recovery,
                    catalog::TenantTransaction& snapshot, const restore::Contents& contents,
                    json::object& figures, const Progress& progress) {
  std::uint64_t datasets = 0, rows = 0;
  for (const auto& [id, archived] : contents.datasets) {
    const auto live = catalog::Datasets(snapshot).get(id);
    if (!live.ok()) return failed("a dataset is missing: " + id.str());
    if (!archived.rows.has_value()) continue;
    if (!live->rows.has_value() || live->row_count != archived.record.row_count)
      return failed(fmt::format("dataset {} has {} rows of {}", id.str(),
                                live->rows.has_value() ? live->row_count : 0,
                                archived.record.row_count));
    OA_ASSIGN(const auto source,
              instance.objects().open(
                  {recovery.tenant.id, RetentionClass::kRows, live->rows->object_name},
                  VersionId{live->rows->object_version}));
    OA_ASSIGN(const auto digest, digest_of(*source, progress));
    if (digest != archived.rows->digest)
      return failed("the rows of a dataset differ: " + id.str());
    ++datasets;
    rows += live->row_count;
  }
  figures["datasets"] = datasets;
  figures["rows"] = rows;
  return {};
}

// An archive without probes is one whose reports show nothing, not one that nobody can compare.
Status check_nothing_to_probe(instance::Instance& instance, const Recovery& recovery,
                              catalog::TenantTransaction& snapshot,
                              const restore::Contents& contents, Progress& progress) {
  const auto has_rows = [&](DatasetId id) {
    const auto found = contents.datasets.find(id);
    return found != contents.datasets.end() && found->second.rows.has_value();
  };
  std::size_t tried = 0;
  for (const auto& [id, brief] : contents.reports) {
    if (brief.datasets.empty() || !std::ranges::all_of(brief.datasets, has_rows)) continue;
    if (++tried > kTried) break;
    OA_ASSIGN(const auto report, catalog::Reports(snapshot).get(id));
    semantics::Viewer viewer;
    viewer.user = recovery.visitor;
    reports::OpenOptions options;
    options.now = Timestamp::now();
    options.row_security = reports::RowSecurity::kIgnored;
    OA_ASSIGN(const auto shown, reports::show_report(snapshot, instance.objects(), report, viewer,
                                                     options, progress));
    const bool whole = std::ranges::none_of(
        shown.visuals, [](const auto& visual) { return visual.error.has_value(); });
    if (whole) return failed("the archive has no probe of report " + id.str());
  }
  return {};
}

Status compare_reports(instance::Instance& instance, const Recovery& recovery,
                       catalog::TenantTransaction& snapshot,
                       const archive::ArchiveReader& reader, const restore::Contents& contents,
                       json::object& figures, Progress& progress) {
  OA_ASSIGN(const auto probes, reports::probes_from_json(reader.manifest().content.probes));
  if (probes.reports.empty())
    OA_TRY(check_nothing_to_probe(instance, recovery, snapshot, contents, progress));
  OA_ASSIGN(const auto results,
            reports::compare_probes(snapshot, instance.objects(), probes, {}, progress));
  std::uint64_t same = 0;
  for (const auto& result : results) {
    if (result.state != reports::ProbeState::kSame)
      return failed(fmt::format("report {} is {}", result.report.str(),
                                reports::to_text(result.state)));
    ++same;
  }
  figures["probes"] = same;
  return {};
}

// Everything is there that the signed manifest counts.
Status compare_counts(const archive::ArchiveReader& reader, const restore::Contents& contents) {
  const auto& counts = reader.manifest().content.counts;
  const std::pair<const char*, std::size_t> kinds[] = {{"workspaces", contents.workspaces.size()},
                                                       {"datasets", contents.datasets.size()},
                                                       {"reports", contents.reports.size()},
                                                       {"alerts", contents.alerts.size()}};
  for (const auto& [kind, found] : kinds) {
    const auto counted = counts.find(kind);
    const std::uint64_t wanted = counted == counts.end() ? 0 : counted->second;
    if (wanted != found) return failed(fmt::format("{} {} of {}", found, kind, wanted));
  }
  return {};
}

}  // namespace

Status compare(instance::Instance& instance, const Recovery& recovery,
               const archive::ArchiveReader& reader, const restore::Contents& contents,
               json::object& figures, Progress& progress) {
  OA_TRY(compare_counts(reader, contents));
  OA_ASSIGN(auto snapshot,
            instance.database().begin(recovery.tenant.id, catalog::Isolation::kSnapshot));
  OA_TRY(compare_rows(instance, recovery, snapshot, contents, figures, progress));
  return compare_reports(instance, recovery, snapshot, reader, contents, figures, progress);
}

}  // namespace oa::drill
