// PUT and GET of sealed objects in a bucket, beside one bare libcurl transfer of as many bytes to
// and from the same server, which this program starts: RADOS Gateway with its storage in memory.
// usage: s3_bench [MIB] [ROUNDS]
#include <curl/curl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>

#include "oa/aws/sigv4.h"
#include "oa/crypto/hash.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/s3_store.h"
#include "oa/objects/sealed_objects.h"
#include "rgw_testkit.h"

namespace {

using namespace oa;
using Clock = std::chrono::steady_clock;

constexpr long kBuffer = 512 << 10;
constexpr std::size_t kPiece = std::size_t{1} << 20;

struct Measured {
  std::vector<double> mb_per_s;
  std::vector<double> cpu_s_per_gb;  // of this process
};

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void measure(Measured& into, std::size_t bytes, const std::function<void()>& work) {
  const auto start = Clock::now();
  const double cpu_before = cpu_s();
  work();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  into.mb_per_s.push_back(static_cast<double>(bytes) / 1e6 / seconds);
  into.cpu_s_per_gb.push_back((cpu_s() - cpu_before) * 1e9 / static_cast<double>(bytes));
}

struct Upload {
  ByteView left;
};

std::size_t read_some(char* out, std::size_t size, std::size_t count, void* of) {
  auto& upload = *static_cast<Upload*>(of);
  const std::size_t n = std::min(upload.left.size(), size * count);
  std::memcpy(out, upload.left.data(), n);
  upload.left = upload.left.subspan(n);
  return n;
}

// Counts what comes.
std::size_t take(char*, std::size_t size, std::size_t count, void* of) {
  *static_cast<std::size_t*>(of) += size * count;
  return size * count;
}

// One transfer with nothing but libcurl; the connection is used again.
std::size_t transfer(CURL* curl, const std::string& url, const Bytes* body,
                     curl_slist* headers = nullptr) {
  curl_easy_reset(curl);
  std::size_t received = 0;
  Upload upload{body == nullptr ? ByteView() : ByteView(*body)};
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 300L);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kBuffer);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  if (body != nullptr) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body->size()));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &read_some);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
  }
  OA_ASSERT(curl_easy_perform(curl) == CURLE_OK);
  return received;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void print(const char* what, const char* peer, const Measured& bare, const Measured& sealed) {
  const double theirs = median(bare.mb_per_s), ours = median(sealed.mb_per_s);
  std::printf("%s: sealed %.0f MB/s, %s %.0f MB/s, %.0f %%; CPU of the client %.2f and %.2f s/GB\n",
              what, ours, peer, theirs, 100 * ours / theirs, median(sealed.cpu_s_per_gb),
              median(bare.cpu_s_per_gb));
}

aws::RequestToSign request(const S3Settings& settings, const std::string& method) {
  return {.method = method,
          .host = settings.connection.endpoint.substr(std::strlen("http://")),
          .path = "/" + settings.bucket + "/bare"};
}

std::string signed_url(const S3Settings& settings, const std::string& method) {
  const auto credentials = *settings.connection.credentials->current();
  return *aws::presign("http", request(settings, method), *credentials, settings.connection.scope,
                       Timestamp::now(), std::chrono::seconds(3600));
}

// A PUT whose body is hashed and signed, as ours are.
void put_signed(CURL* curl, const S3Settings& settings, const Bytes& content) {
  auto to_sign = request(settings, "PUT");
  to_sign.payload_sha256 = to_hex(Sha256::of(content));
  const auto credentials = *settings.connection.credentials->current();
  curl_slist* headers = nullptr;
  for (const auto& [name, value] :
       aws::sign_headers(to_sign, *credentials, settings.connection.scope, Timestamp::now()))
    headers = curl_slist_append(headers, (name + ": " + value).c_str());
  transfer(curl, settings.connection.endpoint + to_sign.path, &content, headers);
  curl_slist_free_all(headers);
}

void remove_bare(const S3Settings& settings) {
  const auto client = *aws::Client::open(settings.connection);
  const std::string path = "/" + settings.bucket + "/bare";
  const auto found = *client->send({.method = "HEAD", .path = path});
  const std::string native(found.head.header("x-amz-version-id"));
  const auto removed =
      client->send({.method = "DELETE", .path = path, .query = {{"versionId", native}}});
  OA_ASSERT(removed.ok() && removed->ok());
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t size = (argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 512) << 20;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  char folder[] = "/tmp/oa-s3-bench-XXXXXX";
  OA_ASSERT(mkdtemp(folder) != nullptr);
  const auto keys = *LocalKeyService::create(std::string(folder) + "/keys",
                                             {std::string(folder) + "/root.key", {}});
  const ObjectKey key{TenantId::random(), RetentionClass::kArchives, "bench"};
  OA_ASSERT(keys->create_tenant_key(key.tenant).ok());
  S3Settings settings = rgw::Gateway::shared().fresh_store();
  settings.bucket = rgw::Gateway::shared().make_bucket(true, false);
  const auto store = *open_s3_store(settings);
  SealedObjects objects(*store, *keys);
  Bytes content(size);
  std::uint64_t state = 88172645463325252u;
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    std::memcpy(content.data() + i, &state, 8);
  }

  CURL* const curl = curl_easy_init();
  Measured bare_put, signed_put, bare_get, sealed_put, sealed_get;
  const std::string put_url = signed_url(settings, "PUT");
  const std::string get_url = signed_url(settings, "GET");
  for (int round = 0; round < rounds; ++round) {
    measure(bare_put, size, [&] { transfer(curl, put_url, &content); });
    measure(bare_get, size, [&] { OA_ASSERT(transfer(curl, get_url, nullptr) == size); });
    remove_bare(settings);
    measure(signed_put, size, [&] { put_signed(curl, settings, content); });
    remove_bare(settings);
    VersionId version;
    measure(sealed_put, size, [&] {
      const auto writer = *objects.create(key);
      for (std::size_t at = 0; at < size; at += kPiece)
        OA_ASSERT(writer->write(ByteView(content).subspan(at, std::min(kPiece, size - at))).ok());
      version = *writer->commit();
    });
    measure(sealed_get, size, [&] {
      const auto source = *objects.open(key, version);
      CountingSink sink;
      OA_ASSERT(copy_all(*source, sink).ok() && sink.count() == size);
    });
    OA_ASSERT(objects.remove(key, version).ok());
  }
  curl_easy_cleanup(curl);
  print("PUT", "bare (body not signed)", bare_put, sealed_put);
  print("PUT", "bare (body signed)", signed_put, sealed_put);
  print("GET", "bare", bare_get, sealed_get);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto counts = store->counts();
  std::printf(
      "memory %ld MiB beside the content, %llu requests in %llu attempts over %llu connections\n",
      usage.ru_maxrss / 1024 - static_cast<long>(size >> 20),
      static_cast<unsigned long long>(counts.requests),
      static_cast<unsigned long long>(counts.attempts),
      static_cast<unsigned long long>(counts.connections));
  std::filesystem::remove_all(folder);
}
