#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <sstream>
#include <variant>

#include "bucket.h"
#include "certificates.h"
#include "oa/catalog/cell.h"
#include "oa/doctor/gather.h"
#include "server.h"

namespace oa::doctor {
namespace {

// Whoever keeps the cell holds this lock (continuity/keeper_lock.h).
bool is_kept(const continuity::Cell& cell) {
  const int fd = ::open((cell.folder() + "/keeper.lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  return held;
}

// A data key of the cell's, else of a tenant's: given and opened again.
void try_keys(KeyFacts& facts, instance::Instance& instance) {
  std::optional<TenantId> id;
  if (instance.cell() != nullptr) {
    id = instance.cell()->id();
  } else if (const auto tenants = instance.database().list_tenants(std::nullopt, 1);
             tenants.ok() && !tenants->empty()) {
    id = tenants->front().id;
  }
  if (!id.has_value()) return;
  facts.asked = true;
  const auto made = instance.keys().generate_data_key(*id, KeyPurpose::kWal);
  if (!made.ok()) {
    facts.trouble = made.error();
    return;
  }
  const auto opened = instance.keys().unwrap(*id, KeyPurpose::kWal, made->wrapped);
  if (!opened.ok())
    facts.trouble = opened.error();
  else if (!constant_time_equal(opened->view(), made->plaintext.view()))
    facts.trouble =
        make_error(ErrorCode::kKeyWrong, "doctor.keys", "the key service opens another key");
}

void look_at_root_key(KeyFacts& facts, const Place& place, const HostFacts& host) {
  struct stat root_key {
  }, store{};
  const std::string keys = place.data_folder + "/keys/";
  if (::stat((keys + "root.key").c_str(), &root_key) != 0 ||
      ::stat((keys + "keystore").c_str(), &store) != 0)
    return;
  bool encrypted = false;
  for (const auto& folder : host.folders)
    if (folder.name == "data") encrypted = instance::is_luks2_aes256(folder.volume);
  facts.root_key_beside_store = root_key.st_dev == store.st_dev && !encrypted;
}

void ask_database_clock(ClockFacts& clock, instance::Instance& instance) {
  const auto asked_at = Timestamp::now();
  const auto server = catalog::CellCatalog(instance.database()).server_state("", "");
  if (!server.ok()) return;
  const double took = static_cast<double>(Timestamp::now().unix_us - asked_at.unix_us) / 1e6;
  const double ours = static_cast<double>(asked_at.unix_us) / 1e6 + took / 2;
  clock.offsets.push_back({"database", "the database's clock",
                           static_cast<double>(server->now.unix_us) / 1e6 - ours, took / 2});
}

void add_certificate(SurroundingFacts& around, std::string name, std::string of,
                     const Result<Timestamp>& end) {
  CertificateFact fact{std::move(name), std::move(of), {}, {}};
  if (end.ok())
    fact.ends_at = *end;
  else
    fact.trouble = end.error();
  around.certificates.push_back(std::move(fact));
}

void add_url(SurroundingFacts& around, const std::string& name, const std::string& of,
             const std::string& url) {
  const HostPort place = host_port(url);
  around.connections.push_back(
      {name, "the connection to " + of, is_this_machine(place.host), place.tls});
  if (place.tls)
    add_certificate(around, name + "-certificate", "the certificate of " + of,
                    peer_certificate_end(place.host, place.port, Before::kNothing));
}

void add_cluster_connections(SurroundingFacts& around, const instance::ClusterDeployment& cluster) {
  const auto& postgres = cluster.postgres;
  const bool tls = postgres.tcp.has_value() && postgres.tcp->sslmode.starts_with("verify");
  std::istringstream hosts(postgres.host), ports(postgres.port);
  std::string host, port;
  while (std::getline(hosts, host, ',') && std::getline(ports, port, ',')) {
    around.connections.push_back(
        {"postgres", "the connection to Postgres at " + host, is_this_machine(host), tls});
    if (tls)
      add_certificate(around, "postgres-certificate", "the certificate of Postgres at " + host,
                      peer_certificate_end(host, port, Before::kPostgres));
  }
  for (const auto& url : cluster.rest.urls)
    add_url(around, "patroni", "Patroni at " + host_port(url).host, url);
}

void add_connections(SurroundingFacts& around, const Place& place) {
  if (!place.address.empty())
    around.connections.push_back({"serve", "what the service says", is_this_machine(place.address),
                                  !place.certificate.empty()});
  if (!place.certificate.empty())
    add_certificate(around, "serve-certificate", "the certificate of the service",
                    certificate_end(place.certificate));
  const auto* deployment = place.deployment;
  if (deployment == nullptr || !deployment->cluster.has_value())
    around.connections.push_back({"postgres", "the connection to Postgres", true, false});
  else
    add_cluster_connections(around, *deployment->cluster);
  if (deployment == nullptr) return;
  if (deployment->objects.has_value())
    add_url(around, "objects", "the object store", deployment->objects->connection.endpoint);
  if (deployment->replica.has_value())
    add_url(around, "replica", "the replica", deployment->replica->connection.endpoint);
  if (!deployment->keys.has_value()) return;
  if (const auto* aws = std::get_if<AwsKeySettings>(&deployment->keys->provider))
    add_url(
        around, "keys", "the key service",
        aws->endpoint.empty() ? "https://kms." + aws->region + ".amazonaws.com" : aws->endpoint);
}

}  // namespace

void gather_surroundings(Facts& facts, const Place& place) {
  if (place.deployment == nullptr) return;
  SurroundingFacts around;
  auto look = look_at_bucket(*place.deployment);
  around.bucket = std::move(look.facts);
  timex now{};
  const int state = ::adjtimex(&now);
  if (state >= 0) around.clock.synchronised = (now.status & STA_UNSYNC) == 0;
  if (look.clock.has_value()) around.clock.offsets.push_back(*look.clock);
  add_connections(around, place);
  around.versions = look_at_versions(place);
  facts.surroundings = std::move(around);
}

void gather_instance(Facts& facts, const Place& place, instance::Instance& instance) {
  InstanceFacts found;
  try_keys(found.keys, instance);
  look_at_root_key(found.keys, place, facts.host);
  if (facts.surroundings.has_value()) {
    ask_database_clock(facts.surroundings->clock, instance);
    facts.surroundings->versions.migration = catalog::Database::newest_migration();
  }
  found.kept = instance.cell() != nullptr && is_kept(*instance.cell());
  const auto seen = continuity::observe(instance.cell(), instance.database());
  if (seen.ok())
    found.cell = continuity::status_of(*seen);
  else
    found.cell_trouble = seen.error();
  facts.instance = std::move(found);
}

}  // namespace oa::doctor
