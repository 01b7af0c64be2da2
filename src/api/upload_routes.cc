// Uploads by tus 1.0 (https://tus.io/protocols/resumable-upload).
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>

#include "documents.h"
#include "oa/uploads/uploads.h"
#include "operation.h"
#include "paging.h"
#include "problem.h"

namespace oa::api {
namespace {

constexpr const char* kVersion = "1.0.0";

uploads::Uploads uploads_of(TenantCall& call) {
  return call.in_tenant([](instance::Instance& instance, TenantId tenant) {
    return uploads::Uploads(instance.database(), instance.objects(), tenant);
  });
}

http::Response tus_response(int status) {
  http::Response response;
  response.status = status;
  response.headers = {{"Tus-Resumable", kVersion}, {"Cache-Control", "no-store"}};
  return response;
}

// An HTTP date (RFC 9110, 5.6.7).
std::string http_date(Timestamp moment) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                     fmt::gmtime(static_cast<std::time_t>(moment.unix_seconds())));
}

void add_state(http::Response& response, const uploads::UploadRecord& upload) {
  response.headers.emplace_back("Upload-Offset", std::to_string(upload.offset_bytes));
  response.headers.emplace_back("Upload-Length", std::to_string(upload.length_bytes));
  response.headers.emplace_back("Upload-Expires", http_date(upload.expires_at));
}

Status check_version(const http::Request& request) {
  if (request.header("tus-resumable") == std::string_view(kVersion)) return {};
  return make_error(ErrorCode::kPreconditionFailed, "upload",
                    "uploads speak tus 1.0.0 here")
      .with_hint("send `Tus-Resumable: 1.0.0`");
}

Result<std::uint64_t> number_header(const http::Request& request, const char* name) {
  const auto text = request.header(name);
  std::uint64_t value = 0;
  if (text.has_value()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc() && end == text->data() + text->size()) return value;
  }
  return make_error(ErrorCode::kInvalidArgument, "upload",
                    fmt::format("the header {} must be a number of bytes", name));
}

// The member `filename` of Upload-Metadata: pairs of a name and base64, between commas.
Result<std::string> file_name_of(const http::Request& request) {
  std::string_view rest = request.header("upload-metadata").value_or("");
  if (rest.size() > 1024)
    return make_error(ErrorCode::kLimitExceeded, "upload", "Upload-Metadata has at most 1024 bytes");
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    const auto blank = pair.find(' ');
    if (blank == std::string_view::npos || pair.substr(0, blank) != "filename") continue;
    const auto bytes = from_base64(pair.substr(blank + 1));
    if (bytes.ok()) return std::string(as_text(*bytes));
    return make_error(ErrorCode::kInvalidArgument, "upload",
                      "the filename in Upload-Metadata is not base64");
  }
  return std::string();
}

// Somebody else's upload is not there, but for an Owner.
Result<uploads::UploadRecord> own_upload(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<UploadId>("upload_id"));
  OA_ASSIGN(auto record, uploads_of(call).get(id));
  if (call.who.owner || record.created_by == call.who.user) return record;
  return make_error(ErrorCode::kNotFound, "upload", "there is no upload of this id");
}

Result<http::Response> upload_options(PublicCall&) {
  auto response = tus_response(204);
  response.headers.emplace_back("Tus-Version", kVersion);
  response.headers.emplace_back("Tus-Extension", "creation,checksum,expiration,termination");
  response.headers.emplace_back("Tus-Checksum-Algorithm", "sha256,sha1");
  response.headers.emplace_back("Tus-Max-Size",
                                std::to_string(uploads::Limits{}.max_length_bytes));
  return response;
}

Result<http::Response> create_upload(TenantCall& call) {
  const http::Request& request = *call.arrived.request;
  OA_TRY(check_version(request));
  OA_ASSIGN(const auto length, number_header(request, "upload-length"));
  if (length == 0)
    return make_error(ErrorCode::kInvalidArgument, "upload", "there is nothing to upload");
  OA_ASSIGN(auto name, file_name_of(request));
  OA_ASSIGN(const auto record,
            uploads_of(call).create({length, std::move(name), call.who.user}));
  auto response = tus_response(201);
  response.headers.emplace_back("Location", "/v1/uploads/" + record.id.str());
  add_state(response, record);
  return response;
}

Result<http::Response> upload_offset(TenantCall& call) {
  OA_TRY(check_version(*call.arrived.request));
  OA_ASSIGN(const auto record, own_upload(call));
  auto response = tus_response(200);
  add_state(response, record);
  return response;
}

json::object upload_document(const uploads::UploadRecord& record, People& people) {
  return {{"id", record.id.str()},
          {"file_name", record.file_name},
          {"created_by", people.person(record.created_by)},
          {"length", record.length_bytes},
          {"offset", record.offset_bytes},
          {"created_at", record.created_at.rfc3339()},
          {"expires_at", record.expires_at.rfc3339()},
          {"complete", record.whole()}};
}

Result<http::Response> get_upload(TenantCall& call) {
  OA_ASSIGN(const auto record, own_upload(call));
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  return json_response(200, upload_document(record, people));
}

// There are few (uploads::Limits), so a page is cut out of them all.
Result<http::Response> list_uploads(TenantCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<catalog::Archives::After> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_position(*page.after));
  }
  const auto only = call.who.owner ? std::optional<UserId>() : std::optional(call.who.user);
  OA_ASSIGN(const auto records, uploads_of(call).list(only));
  OA_ASSIGN(auto snapshot, call.snapshot());
  People people(snapshot);
  json::array data;
  std::optional<std::string> next;
  std::string last;
  for (const auto& record : records) {
    const auto place = std::pair(-record.created_at.unix_us, record.id.uuid());  // newest first
    if (after.has_value() && place <= std::pair(-after->created_at.unix_us, after->id)) continue;
    if (data.size() == page.limit) {
      next = last;
      break;
    }
    last = position_of(record.created_at, record.id.uuid());
    data.push_back(upload_document(record, people));
  }
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<std::optional<uploads::Checksum>> checksum_of(const http::Request& request) {
  const auto header = request.header("upload-checksum");
  if (!header.has_value()) return std::optional<uploads::Checksum>();
  const auto blank = header->find(' ');
  if (blank == std::string_view::npos) {
    return make_error(ErrorCode::kInvalidArgument, "upload",
                      "Upload-Checksum is an algorithm and base64");
  }
  uploads::Checksum checksum;
  OA_ASSIGN(checksum.algorithm, uploads::parse_checksum_algorithm(header->substr(0, blank)));
  OA_ASSIGN(checksum.digest, from_base64(header->substr(blank + 1)));
  return std::optional(std::move(checksum));
}

// The body of a PATCH on its way into the store. When the connection breaks it is dropped, and what
// arrived counts.
class UploadBody final : public http::BodyTarget {
 public:
  UploadBody(std::unique_ptr<uploads::Append> append, std::string target, std::string trace_id)
      : append_(std::move(append)),
        target_(std::move(target)),
        trace_id_(std::move(trace_id)) {}
  Status write(ByteView bytes) override { return append_->write(bytes); }
  http::Response finish() override {
    const auto offset = append_->finish();
    if (!offset.ok()) return failed(offset.error());
    auto response = tus_response(204);
    response.headers.emplace_back("Upload-Offset", std::to_string(*offset));
    return response;
  }
  http::Response failed(const Error& error) override {
    auto response = problem_response(error, target_, trace_id_);
    response.headers.emplace_back("Tus-Resumable", kVersion);
    return response;
  }

 private:
  std::unique_ptr<uploads::Append> append_;
  std::string target_, trace_id_;
};

Result<http::Reaction> append_upload(TenantCall& call) {
  const http::Request& request = *call.arrived.request;
  OA_TRY(check_version(request));
  if (request.header("content-type") != std::string_view("application/offset+octet-stream")) {
    return make_error(ErrorCode::kUnsupportedMediaType, "upload",
                      "the body must be application/offset+octet-stream")
        .with_hint("send that as the Content-Type");
  }
  OA_ASSIGN(const auto offset, number_header(request, "upload-offset"));
  OA_ASSIGN(auto checksum, checksum_of(request));
  OA_ASSIGN(const auto record, own_upload(call));
  OA_ASSIGN(auto append, uploads_of(call).append(record.id, offset, std::move(checksum)));
  return http::Reaction(std::make_unique<UploadBody>(std::move(append), request.target,
                                                     call.trace_id()));
}

Result<http::Response> abandon_upload(TenantCall& call) {
  OA_TRY(check_version(*call.arrived.request));
  OA_ASSIGN(const auto record, own_upload(call));
  OA_TRY(uploads_of(call).remove(record.id));
  return tus_response(204);
}

using enum accounts::Scope;
constexpr Operation kOperations[] = {
    {"uploadOptions", "OPTIONS", "/v1/uploads", PublicHandler(upload_options)},
    {"listUploads", "GET", "/v1/uploads", TenantHandler(list_uploads), Right::kBackup, kRestore},
    {"createUpload", "POST", "/v1/uploads", TenantHandler(create_upload), Right::kBackup,
     kRestore},
    {"uploadOffset", "HEAD", "/v1/uploads/{upload_id}", TenantHandler(upload_offset),
     Right::kBackup, kRestore},
    {"getUpload", "GET", "/v1/uploads/{upload_id}", TenantHandler(get_upload), Right::kBackup,
     kRestore},
    {"appendUpload", "PATCH", "/v1/uploads/{upload_id}", StreamHandler(append_upload),
     Right::kBackup, kRestore},
    {"abandonUpload", "DELETE", "/v1/uploads/{upload_id}", TenantHandler(abandon_upload),
     Right::kBackup, kRestore},
};

}  // namespace

std::span<const Operation> upload_operations() { return kOperations; }

}  // namespace oa::api
