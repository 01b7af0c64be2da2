#include "oa/reports/open_report.h"

#include <atomic>
#include <boost/json.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "oa/reports/viewer.h"
#include "visual.h"

namespace oa::reports {
namespace {

constexpr unsigned kMaxThreads = 4;
constexpr auto kPoll = std::chrono::milliseconds(20);

// The datasets of a report, each opened once; one that cannot be opened fails its visuals alone.
using Readers = std::map<DatasetId, Result<std::unique_ptr<DatasetReader>>>;

struct Filters {
  std::vector<semantics::Filter> items;
  std::optional<std::string> bookmark;
};

Result<Filters> filters_of(const catalog::Report& report, const OpenOptions& options) {
  Filters filters;
  if (!options.bookmark.has_value()) {
    const json::value document = report.filters.value();
    const json::value* items =
        document.is_object() ? document.as_object().if_contains("items") : nullptr;
    if (items == nullptr) return filters;
    OA_ASSIGN(filters.items, semantics::decode_filters(*items, "filters.items"));
    return filters;
  }
  for (const auto& bookmark : report.bookmarks) {
    if (bookmark.id != *options.bookmark) continue;
    filters.bookmark = bookmark.name;
    const json::value state = bookmark.state.value();
    const json::value* items =
        state.is_object() ? state.as_object().if_contains("filters") : nullptr;
    if (items == nullptr) return filters;
    OA_ASSIGN(filters.items, semantics::decode_filters(*items, "bookmark.filters"));
    return filters;
  }
  return make_error(ErrorCode::kNotFound, "reports.open", "the report has no such bookmark");
}

Result<Readers> open_datasets(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                              const catalog::Report& report, RowSecurity security) {
  Readers readers;
  for (const auto& visual : report.visuals) {
    if (readers.contains(visual.dataset_id)) continue;
    auto dataset = dataset_in(snapshot, visual.dataset_id, report.workspace_id);
    if (!dataset.ok() && dataset.error().code != ErrorCode::kNotFound) return dataset.error();
    readers.emplace(visual.dataset_id,
                    dataset.ok() ? DatasetReader::open(objects, snapshot.tenant(),
                                                       std::move(dataset).value(), security)
                                 : Result<std::unique_ptr<DatasetReader>>(dataset.error()));
  }
  return readers;
}

// Lets the questions on other threads see a cancellation; progress itself is told by one thread.
class SharedCancel final : public Progress {
 public:
  void begin(std::string_view, std::uint64_t, std::string_view) override {}
  void update(std::uint64_t) override {}
  bool cancelled() const override { return cancelled_; }
  void cancel() { cancelled_ = true; }

 private:
  std::atomic<bool> cancelled_ = false;
};

VisualResult show_one(const catalog::Visual& visual, const Readers& readers, const Filters& filters,
                      const semantics::Viewer& viewer, const AskOptions& options,
                      Progress& cancel) {
  VisualResult result;
  result.id = visual.id;
  result.kind = visual.kind;
  result.title = visual.title;
  result.options = visual.options;
  const Status shown = [&]() -> Status {
    const auto& reader = readers.at(visual.dataset_id);
    if (!reader.ok()) return reader.error();
    OA_ASSIGN(VisualQuery query, decode_visual(visual));
    return show_visual(**reader, std::move(query), filters.items, viewer, options,
                       visual.dataset_version, cancel, result);
  }();
  if (!shown.ok()) {
    result.error = shown.error();
    result.answer = {};
    result.subtotals.clear();
    result.comparison.reset();
  }
  result.digest = visual_digest(result);
  return result;
}

// Shows all visuals on as many threads as there are cores; the calling thread tells progress.
Status show_all(const catalog::Report& report, const Readers& readers, const Filters& filters,
                const semantics::Viewer& viewer, const AskOptions& options, Progress& progress,
                std::vector<VisualResult>& results) {
  results.resize(report.visuals.size());
  progress.begin("visuals", results.size(), "visuals");
  SharedCancel cancel;
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::condition_variable finished;
  std::size_t done = 0;
  const auto work = [&] {
    for (std::size_t i; (i = next++) < results.size();) {
      results[i] = show_one(report.visuals[i], readers, filters, viewer, options, cancel);
      const std::lock_guard lock(mutex);
      ++done;
      finished.notify_one();
    }
  };
  std::vector<std::jthread> threads;
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads);
  for (unsigned i = 0; i < std::min<std::size_t>(cores, results.size()); ++i)
    threads.emplace_back(work);
  std::unique_lock lock(mutex);
  while (done < results.size()) {
    finished.wait_for(lock, kPoll);
    if (progress.cancelled()) cancel.cancel();
    progress.update(done);
  }
  if (!cancel.cancelled()) return {};
  return make_error(ErrorCode::kCancelled, "reports.open", "cancelled");
}

Blake2bDigest report_digest(const std::vector<VisualResult>& visuals) {
  Blake2b hash;
  hash.update(as_bytes("oa-report:v1"));
  for (const auto& visual : visuals) hash.update(visual.digest);
  return hash.finish();
}

Status record_view(catalog::Database& database, TenantId tenant, ReportId report, UserId user) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "user";
  event.actor_id = user.uuid();
  event.action = "report.view";
  event.resource_type = "report";
  event.resource_id = report.str();
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

}  // namespace

Result<OpenedReport> show_report(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                                 const catalog::Report& report, const semantics::Viewer& viewer,
                                 const OpenOptions& options, Progress& progress) {
  OA_ASSIGN(const Filters filters, filters_of(report, options));
  OA_ASSIGN(const Readers readers, open_datasets(snapshot, objects, report, options.row_security));
  OpenedReport opened;
  opened.id = report.id;
  opened.name = report.name;
  opened.bookmark = filters.bookmark;
  opened.layout = report.layout;
  const AskOptions ask{options.now, std::nullopt, options.limits};
  OA_TRY(show_all(report, readers, filters, viewer, ask, progress, opened.visuals));
  opened.digest = report_digest(opened.visuals);
  return opened;
}

Result<OpenedReport> open_report(catalog::Database& database, SealedObjects& objects,
                                 TenantId tenant, ReportId id, UserId user,
                                 const OpenOptions& options, Progress& progress) {
  OA_ASSIGN(auto snapshot, database.begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const catalog::Report report, catalog::Reports(snapshot).get(id));
  OA_ASSIGN(const auto viewer, reader_of(snapshot, user, report));
  OA_ASSIGN(OpenedReport opened, show_report(snapshot, objects, report, viewer, options, progress));
  OA_TRY(record_view(database, tenant, id, user));
  return opened;
}

}  // namespace oa::reports
