#include "bucket.h"

#include <array>
#include <ctime>

#include "oa/aws/client.h"
#include "oa/continuity/retention.h"

namespace oa::doctor {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(3'000);

// How long the scrub may take to get round, as `serve` has it unless told otherwise.
constexpr int kScrubDays = 30;

S3Settings impatient(S3Settings settings) {
  auto& connection = settings.connection;
  connection.connect_timeout = connection.idle_timeout = connection.total_timeout = kPatience;
  connection.retries.attempts = 1;
  return settings;
}

// The date has whole seconds, rounded down.
std::optional<ClockFacts::Offset> clock_of(const S3Settings& settings) {
  const auto client = aws::Client::open(settings.connection);
  if (!client.ok()) return std::nullopt;
  aws::Request request;
  if (settings.virtual_host) request.bucket = settings.bucket;
  request.path = settings.virtual_host ? "/" : "/" + settings.bucket;
  request.query = {{"versioning", ""}};
  const auto asked_at = Timestamp::now();
  const auto answer = (*client)->send(request);
  if (!answer.ok()) return std::nullopt;
  const double took = static_cast<double>(Timestamp::now().unix_us - asked_at.unix_us) / 1e6;
  const auto date = parse_http_date(std::string(answer->head.header("date")));
  if (!date.has_value()) return std::nullopt;
  const double ours = static_cast<double>(asked_at.unix_us) / 1e6 + took / 2;
  return ClockFacts::Offset{"object-store", "the object store's clock",
                            static_cast<double>(date->unix_us) / 1e6 + 0.5 - ours, took / 2 + 0.5};
}

}  // namespace

std::optional<Timestamp> parse_http_date(const std::string& text) {
  tm parts{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(timegm(&parts)) * 1'000'000};
}

BucketLook look_at_bucket(const instance::Deployment& deployment) {
  BucketLook look;
  if (!deployment.objects.has_value()) return look;
  const S3Settings primary = impatient(*deployment.objects);
  std::optional<S3Settings> replica;
  if (deployment.replica.has_value()) replica = impatient(*deployment.replica);
  const std::array longest{catalog::Plan::kScale};
  const int kept_days =
      continuity::kept_days(longest) + continuity::kRegretDays + continuity::kMarginDays;
  const auto buckets = durability::open_buckets(primary, replica, kept_days, kScrubDays);
  if (!buckets.ok()) {
    look.facts.places.push_back({"primary", buckets.error(), {}});
    return look;
  }
  for (const auto& bucket : *buckets) {
    BucketFacts::Place place{bucket.required.place, {}, {}};
    // As reads and writes ask it: what only its properties refuse is no more than a warning.
    const auto store =
        open_s3_store_unasked(bucket.required.place == "primary" ? primary : *replica);
    const Status seen = store.ok() ? (*store)->look() : Status(store.error());
    auto findings = durability::check_bucket(*bucket.admin, bucket.required);
    const bool refused = !seen.ok() && seen.error().code != ErrorCode::kPreconditionFailed;
    if (refused)
      place.trouble = seen.error();
    else if (findings.ok())
      place.findings = std::move(*findings);
    else
      place.trouble = findings.error();
    look.facts.places.push_back(std::move(place));
  }
  if (!look.facts.places.front().trouble.has_value()) look.clock = clock_of(primary);
  return look;
}

}  // namespace oa::doctor
