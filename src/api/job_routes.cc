// Jobs, and how they go on, as server-sent events.
#include <charconv>

#include "access.h"
#include "documents.h"
#include "operation.h"
#include "paging.h"

namespace oa::api {
namespace {

Result<http::Response> list_jobs(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<JobId> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_id<JobId>(*page.after));
  }
  const auto only = call.who.owner ? std::optional<UserId>() : std::optional(call.who.user);
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(auto jobs, catalog::Jobs(snapshot).list(only, after, page.limit + 1));
  std::optional<std::string> next;
  if (jobs.size() > page.limit) {
    jobs.pop_back();
    next = jobs.back().id.str();
  }
  People people(snapshot);
  json::array data;
  for (const auto& job : jobs) data.push_back(job_document(job, people));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> get_job(TenantCall& call) {
  OA_ASSIGN(const auto job, job_of(call));
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  return json_response(200, job_document(job, people));
}

// Whoever may start an operation of a kind may cancel one.
accounts::Scope scope_of(std::string_view kind) {
  if (kind.starts_with("archive.")) return accounts::Scope::kBackup;
  if (kind.starts_with("restore.")) return accounts::Scope::kRestore;
  if (kind.starts_with("dataset.")) return accounts::Scope::kDatasets;
  return accounts::Scope::kAdmin;
}

Result<http::Response> cancel_job(TenantCall& call) {
  OA_ASSIGN(const auto job, job_of(call));
  const auto scope = scope_of(job.kind);
  if (call.who.scopes.has_value() && !call.who.scopes->contains(scope)) {
    return make_error(ErrorCode::kScopeDenied, "job.cancel",
                      "this needs a token with the scope \"" +
                          std::string(accounts::to_text(scope)) + "\"")
        .with_hint("make another token");
  }
  return call.write([&](catalog::TenantTransaction& transaction) -> Result<http::Response> {
    OA_ASSIGN(const auto asked, catalog::Jobs(transaction).request_cancel(job.id));
    auto event = call.event("backup.job.cancel", "job", job.id.str());
    event.detail = JsonText::of(json::object{{"kind", job.kind}});
    OA_TRY(catalog::Audit(transaction).append({&event, 1}));
    People people(transaction);
    return json_response(200, job_document(asked, people));
  });
}

Result<http::Response> job_events(TenantCall& call) {
  OA_ASSIGN(const auto job, job_of(call));
  std::uint64_t seen = 0;
  if (const auto id = call.arrived.request->header("last-event-id")) {
    const auto [end, error] = std::from_chars(id->data(), id->data() + id->size(), seen);
    if (error != std::errc() || end != id->data() + id->size())
      return make_error(ErrorCode::kInvalidArgument, "request", "Last-Event-ID is a number");
  }
  // Whose job it is does not change; it is looked up once.
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  const json::value creator = people.person(job.created_by);
  http::Response response;
  response.headers = {{"Content-Type", "text/event-stream"},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"}};
  // A stream that begins behind the last change of a job that is over has nothing to tell.
  if (catalog::over(job.state) && job.revision <= seen) {
    response.status = 204;
    response.headers.erase(response.headers.begin());
    return response;
  }
  OA_ASSIGN(auto place, call.streams().open(call.who, job.created_by != call.who.user));
  response.body = http::EventStream(
      [&watcher = call.watcher(), tenant = call.tenant(), id = job.id, seen, creator,
       place = std::move(place)](std::shared_ptr<http::EventSender> sender) {
        place->hold(sender);
        const auto tell = [sender, creator, place](const catalog::Job& changed) {
          const bool open =
              sender->send(std::to_string(changed.revision), "job",
                           json::serialize(job_document(changed, creator)));
          if (catalog::over(changed.state)) sender->close();
          return open;
        };
        watcher.listen(tenant, id, seen, tell, [sender] { return sender->open(); });
      });
  return response;
}

using enum accounts::Scope;
constexpr Operation kOperations[] = {
    {"listJobs", "GET", "/v1/jobs", TenantHandler(list_jobs)},
    {"getJob", "GET", "/v1/jobs/{job_id}", TenantHandler(get_job)},
    {"cancelJob", "POST", "/v1/jobs/{job_id}/cancel", TenantHandler(cancel_job), Right::kAnybody,
     kRead, 0, Repeats::kRememberedInside},
    {"jobEvents", "GET", "/v1/jobs/{job_id}/events", TenantHandler(job_events)},
};

}  // namespace

std::span<const Operation> job_operations() { return kOperations; }

}  // namespace oa::api
