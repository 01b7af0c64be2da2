#include "smoke_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "oa/archive/reader.h"
#include "oa/catalog/repositories.h"
#include "oa/datasets/datasets.h"
#include "oa/privacy/erased_user.h"
#include "oa/reports/open_report.h"
#include "oa/reports/probes.h"
#include "steps.h"

namespace oa::drill {
namespace {

constexpr std::size_t kDatasets = 3, kLookedAt = 8;

// What an answer lacks is what the drill is there to find.
Error lacks(std::string_view what) {
  return failed(fmt::format("an answer of the service lacks {}", what));
}

Result<json::value> member(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  if (found == nullptr) return lacks(name);
  return *found;
}

Result<std::string> text(const json::value& value, std::string_view name) {
  OA_ASSIGN(const auto found, member(value, name));
  if (!found.is_string()) return lacks(name);
  return std::string(found.as_string());
}

// Every item of a list, whatever its pages hold.
Result<json::array> all_of(Visitor& visitor, const std::string& path) {
  json::array all;
  for (std::string cursor;;) {
    OA_ASSIGN(const auto page,
              visitor.get(path + "?limit=200" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    OA_ASSIGN(const auto data, member(page, "data"));
    if (!data.is_array()) return lacks("data");
    for (const auto& item : data.as_array()) all.push_back(item);
    OA_ASSIGN(const auto about, member(page, "page"));
    const auto next = text(about, "next_cursor");
    if (!next.ok() || next->empty()) return all;
    if (data.as_array().empty()) return lacks("items of a page");
    cursor = *next;
  }
}

// By id, what the lists show of every workspace.
Result<std::set<std::string>> listed(Visitor& visitor, const json::array& workspaces,
                                     const std::string& kind) {
  std::set<std::string> ids;
  for (const auto& workspace : workspaces) {
    OA_ASSIGN(const auto id, text(workspace, "id"));
    OA_ASSIGN(const auto items, all_of(visitor, "/v1/workspaces/" + id + "/" + kind));
    for (const auto& item : items) {
      OA_ASSIGN(auto item_id, text(item, "id"));
      ids.insert(std::move(item_id));
    }
  }
  return ids;
}

template <class Map>
Status check_listed(const std::set<std::string>& found, const Map& archived, const char* kind) {
  for (const auto& [id, value] : archived)
    if (!found.contains(id.str())) return failed(fmt::format("{} of the {} are not listed",
                                                             archived.size() - found.size(), kind));
  return {};
}

enum class BrokenVisuals { kRefused, kUnlessOfStorage };

bool of_storage(const Error& error) {
  const std::string_view name = error_info(error.code).name;
  return name.starts_with("storage/") || name.starts_with("key/");
}

// A visual that shows nothing where the rows say something is the service's fault.
Status check_report(instance::Instance& instance, const Recovery& recovery, ReportId id,
                    BrokenVisuals broken, Visitor& visitor, std::uint64_t& visuals,
                    Progress& progress) {
  OA_ASSIGN(const auto answer, visitor.get("/v1/reports/" + id.str() + "/data"));
  reports::OpenOptions options;
  options.now = Timestamp::now();
  OA_ASSIGN(const auto opened,
            reports::open_report(instance.database(), instance.objects(), recovery.tenant.id, id,
                                 recovery.visitor, options, progress));
  for (const auto& visual : opened.visuals)
    if (visual.error.has_value() &&
        (broken == BrokenVisuals::kRefused || of_storage(*visual.error)))
      return failed(fmt::format("a visual of report {} cannot be shown: {}", id.str(),
                                error_info(visual.error->code).name));
  OA_ASSIGN(const auto shown, member(answer, "visuals"));
  const json::value expected = reports::to_json(opened);
  if (canonical_json(shown) != canonical_json(expected.as_object().at("visuals")))
    return failed("the service does not show what the rows of report " + id.str() + " say");
  visuals += opened.visuals.size();
  return {};
}

}  // namespace

Status open_reports(instance::Instance& instance, const Recovery& recovery,
                    const archive::ArchiveReader& reader, const restore::Contents& contents,
                    Visitor& visitor, json::object& figures, Progress& progress) {
  OA_ASSIGN(const auto workspaces, all_of(visitor, "/v1/workspaces"));
  OA_ASSIGN(const auto reports, listed(visitor, workspaces, "reports"));
  OA_ASSIGN(const auto datasets, listed(visitor, workspaces, "datasets"));
  if (workspaces.size() != contents.workspaces.size())
    return failed(fmt::format("{} workspaces of {} are listed", workspaces.size(),
                              contents.workspaces.size()));
  OA_TRY(check_listed(reports, contents.reports, "reports"));
  OA_TRY(check_listed(datasets, contents.datasets, "datasets"));
  OA_ASSIGN(const auto probes, reports::probes_from_json(reader.manifest().content.probes));
  std::uint64_t visuals = 0;
  for (const auto& probe : probes.reports)
    OA_TRY(check_report(instance, recovery, probe.report, BrokenVisuals::kRefused, visitor,
                        visuals, progress));
  figures["listed"] = reports.size();
  figures["opened"] = probes.reports.size();
  figures["visuals"] = visuals;
  return {};
}

Status look_around(instance::Instance& instance, const Recovery& somebody, Visitor& visitor,
                   Seen& seen, Progress& progress) {
  OA_ASSIGN(const auto workspaces, all_of(visitor, "/v1/workspaces"));
  OA_ASSIGN(const auto reports, listed(visitor, workspaces, "reports"));
  OA_ASSIGN(const auto datasets, listed(visitor, workspaces, "datasets"));
  std::map<ReportId, bool> kept_reports;
  std::map<DatasetId, bool> kept_datasets;
  {
    OA_ASSIGN(auto snapshot,
              instance.database().begin(somebody.tenant.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto kept, catalog::Workspaces(snapshot).list());
    if (kept.size() != workspaces.size())
      return failed(fmt::format("{} workspaces of {} are listed", workspaces.size(), kept.size()));
    for (const auto& workspace : kept) {
      OA_ASSIGN(const auto names, catalog::Reports(snapshot).names(workspace.id));
      for (const auto& [id, name] : names) kept_reports[id] = true;
      OA_ASSIGN(const auto some, catalog::Datasets(snapshot).list(workspace.id));
      for (const auto& dataset : some) kept_datasets[dataset.id] = true;
    }
  }
  OA_TRY(check_listed(reports, kept_reports, "reports"));
  OA_TRY(check_listed(datasets, kept_datasets, "datasets"));
  std::size_t opened = 0;
  for (const auto& [id, kept] : kept_reports) {
    if (++opened > kLookedAt) break;
    OA_TRY(check_report(instance, somebody, id, BrokenVisuals::kUnlessOfStorage, visitor,
                        seen.visuals, progress));
    ++seen.opened;
  }
  seen.reports += reports.size();
  return {};
}

Status refresh_datasets(instance::Instance& instance, const Recovery& recovery, TenantId source,
                        const restore::Contents& contents, Visitor& visitor, json::object& figures,
                        Progress& progress) {
  datasets::DatasetService service({instance.database(), instance.objects(), instance.keys()},
                                   recovery.tenant.id);
  std::uint64_t refreshed = 0, rows = 0;
  for (const auto& [id, archived] : contents.datasets) {
    if (refreshed == kDatasets) break;
    if (archived.record.mode != catalog::DatasetMode::kImport ||
        archived.record.source_ref.has_value())
      continue;
    std::optional<catalog::KeptOriginal> original;
    {
      OA_ASSIGN(auto snapshot, instance.database().begin(source, catalog::Isolation::kSnapshot));
      OA_ASSIGN(const auto kept, catalog::DatasetSources(snapshot).get(id));
      original = kept.original;
    }
    if (!original.has_value()) continue;
    OA_ASSIGN(const auto file,
              instance.objects().open({source, RetentionClass::kOriginals, original->object_name},
                                      VersionId{original->object_version}));
    OA_ASSIGN(const auto options, analytics::file_options_from_json(original->options.value()));
    analytics::RejectedRows rejected;
    OA_TRY(service.replace_file(id, *file, options, rejected,
                                {"user", recovery.visitor, "", {}}, progress));
    OA_ASSIGN(const auto job, visitor.post("/v1/datasets/" + id.str() + "/refresh"));
    OA_TRY(visitor.finish(job));
    OA_ASSIGN(const auto dataset, visitor.get("/v1/datasets/" + id.str()));
    OA_ASSIGN(const auto count, member(dataset, "row_count"));
    const auto now = unsigned_of(count);
    if (!now.has_value()) return lacks("row_count");
    const bool unchanged = original->uploaded_at < contents.snapshot_time;
    if (unchanged && *now != archived.record.row_count)
      return failed(fmt::format("dataset {} has {} rows of {} after it was refreshed", id.str(),
                                *now, archived.record.row_count));
    ++refreshed;
    rows += *now;
  }
  figures["datasets"] = refreshed;
  figures["rows"] = rows;
  return {};
}

Status archive_again(instance::Instance& instance, const Recovery& recovery, Visitor& visitor,
                     json::object& figures, Progress& progress) {
  OA_ASSIGN(const auto job, visitor.post("/v1/archives", {{"rows", true}, {"audit", false}}));
  OA_ASSIGN(const auto result, visitor.finish(job));
  OA_ASSIGN(const auto id, text(result, "archive_id"));
  OA_ASSIGN(const auto archive, visitor.get("/v1/archives/" + id));
  OA_ASSIGN(const auto size, member(archive, "size_bytes"));
  const auto bytes = unsigned_of(size);
  if (!bytes.has_value()) return lacks("size_bytes");
  const Downloaded file(visitor, "/v1/archives/" + id + "/content",
                        *bytes);
  OA_ASSIGN(auto keys, instance.own_keys(recovery.tenant.id));
  OA_ASSIGN(const auto reader, archive::ArchiveReader::open(file, {std::move(keys), false}));
  OA_ASSIGN(const auto verified, reader->verify({.every_signature = true}, progress));
  figures["entries"] = verified.entries;
  figures["signatures"] = verified.signatures_checked;
  figures["bytes"] = verified.archive_bytes;
  return {};
}

Status export_somebody(instance::Instance& instance, const Recovery& recovery, Visitor& visitor,
                       json::object& figures) {
  catalog::User person;
  {
    OA_ASSIGN(auto snapshot,
              instance.database().begin(recovery.tenant.id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto people, catalog::Users(snapshot).list());
    for (const auto& one : people)  // the visitor when nobody else is there
      if (!privacy::is_erased(one) && (person.email.empty() || one.id != recovery.visitor)) person = one;
  }
  OA_ASSIGN(const auto job, visitor.post("/v1/privacy/exports", {{"user_id", person.id.str()}}));
  OA_ASSIGN(const auto result, visitor.finish(job));
  OA_ASSIGN(const auto id, text(result, "export_id"));
  OA_ASSIGN(const auto bundle, visitor.get("/v1/privacy/exports/" + id + "/content"));
  OA_ASSIGN(const auto profile, member(bundle, "profile"));
  OA_ASSIGN(const auto email, text(profile, "email"));
  if (email != person.email) return failed("an export is not of the person that was asked for");
  OA_ASSIGN(const auto counts, member(bundle, "counts"));
  if (!counts.is_object()) return lacks("counts");
  std::uint64_t items = 0;
  for (const auto& section : counts.as_object()) {
    OA_ASSIGN(const auto content, member(bundle, section.key()));
    const std::size_t found = content.is_array() ? content.as_array().size() : 1;
    if (unsigned_of(section.value()) != found)
      return failed("an export does not hold what it counts");
    items += found;
  }
  figures["items"] = items;
  return {};
}

}  // namespace oa::drill
