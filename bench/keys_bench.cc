// What a data key costs at each provider that runs here, with the cache and without.
// usage: keys_bench FOLDER TENANTS   (an empty folder; uses softhsm2-util)
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "oa/keys/caching_key_service.h"
#include "oa/keys/local_key_service.h"
#include "oa/keys/pkcs11_key_service.h"

namespace {

using namespace oa;
constexpr auto kRows = KeyPurpose::kRows;

// Microseconds of one call, over at least half a second.
template <class Call>
double time_of(Call call) {
  using std::chrono::steady_clock;
  const auto begun = steady_clock::now();
  int calls = 0;
  while (steady_clock::now() - begun < std::chrono::milliseconds(500)) {
    call(calls);
    ++calls;
  }
  return std::chrono::duration<double, std::micro>(steady_clock::now() - begun).count() / calls;
}

void measure(const char* name, std::unique_ptr<KeyService> keys, int tenants) {
  std::vector<TenantId> all(static_cast<std::size_t>(tenants));
  std::vector<WrappedKey> wrapped;
  const auto begun = std::chrono::steady_clock::now();
  for (TenantId& tenant : all) {
    tenant = TenantId::random();
    keys->create_tenant_key(tenant).value();
  }
  const std::chrono::duration<double, std::micro> created =
      std::chrono::steady_clock::now() - begun;
  for (const TenantId& tenant : all)
    wrapped.push_back((*keys->generate_data_key(tenant, kRows)).wrapped);
  const auto at = [&](int call) { return static_cast<std::size_t>(call) % all.size(); };
  const double generate =
      time_of([&](int call) { keys->generate_data_key(all[at(call)], kRows).value(); });
  const auto unwrap = [&](int call) {
    keys->unwrap(all[at(call)], kRows, wrapped[at(call)]).value();
  };
  const double asked = time_of(unwrap);
  keys = *CachingKeyService::create(std::move(keys), {.max_uses = 1'000'000});
  for (int call = 0; call < tenants && call < 4096; ++call) unwrap(call);
  const double cached = time_of(unwrap);
  std::printf(
      "%-8s %6d tenants: create %8.1f us, generate %8.1f us, unwrap %8.1f us, cached %6.1f us\n",
      name, tenants, created.count() / tenants, generate, asked, cached);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: keys_bench FOLDER TENANTS\n");
    return 2;
  }
  const std::string folder = argv[1];
  const int tenants = std::atoi(argv[2]);
  if (tenants < 1) return 2;
  measure("local", *LocalKeyService::create(folder + "/keys", {folder + "/root.key", {}}), tenants);

  std::filesystem::create_directory(folder + "/tokens");
  std::ofstream(folder + "/softhsm2.conf") << "directories.tokendir = " << folder << "/tokens\n";
  setenv("SOFTHSM2_CONF", (folder + "/softhsm2.conf").c_str(), 1);
  if (std::system("softhsm2-util --init-token --free --label bench --so-pin 12345678 --pin 4711 "
                  ">/dev/null") != 0)
    return 1;
  Pkcs11Settings settings{.module_path = "/usr/lib/softhsm/libsofthsm2.so",
                          .token_label = "bench",
                          .pin = SecretBytes::copy_of(as_bytes("4711")),
                          .lock_file = folder + "/lock"};
  measure("softhsm", *Pkcs11KeyService::open(std::move(settings)), tenants);
  return 0;
}
