// `serve` and `up`: the HTTP service, over an instance that others may use too, or as the embedded
// default itself.
#include "serve_commands.h"

#include "doctor_rounds.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>

#include "oa/accounts/accounts.h"
#include "oa/api/service.h"
#include "oa/catalog/repositories.h"
#include "oa/console/program.h"
#include "oa/demo/main_job.h"
#include "oa/doctor/checks.h"

namespace oa::cli {
namespace {

constexpr auto kStopPoll = std::chrono::milliseconds(200);
constexpr auto kPatience = std::chrono::seconds(20);
constexpr int kUpTries = 15;  // kStopPoll apart

// Held for the life of `up`, so that a second one says so instead of seeming to run.
class UpLock {
 public:
  static Result<UpLock> take(const std::string& folder) {
    const std::string path = folder + "/up.lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return errno_error(errno, "up", "cannot open " + path);
    // One that was killed just now may still be on its way out.
    for (int tries = 0; tries < kUpTries; ++tries) {
      if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return UpLock(fd);
      std::this_thread::sleep_for(kStopPoll);
    }
    ::close(fd);
    return make_error(ErrorCode::kBusy, "up", "another `oa-backup up` runs in " + folder)
        .with_hint("use it as it is, end it first, or name another folder with --data");
  }
  UpLock(UpLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UpLock& operator=(UpLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UpLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit UpLock(int fd) : fd_(fd) {}
  int fd_;
};

// Lines of the log, to a file or to standard error. Several threads write.
class Log {
 public:
  static Result<std::shared_ptr<Log>> open(const std::string& path) {
    auto log = std::shared_ptr<Log>(new Log(path));
    OA_TRY(log->reopen());
    return log;
  }
  ~Log() { close(); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// After the file was moved away.
  Status reopen() {
    if (path_.empty() || path_ == "-") return {};
    const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return errno_error(errno, "serve", "cannot open the log " + path_);
    const std::lock_guard lock(mutex_);
    close();
    fd_ = fd;
    return {};
  }
  void write(const std::string& line) {
    const std::string text = line + "\n";
    const std::lock_guard lock(mutex_);
    if (fd_ < 0) return;
    // A log that cannot be written must not end the service.
    [[maybe_unused]] const auto written = ::write(fd_, text.data(), text.size());
  }

 private:
  explicit Log(std::string path) : path_(std::move(path)), fd_(path_ == "-" ? STDERR_FILENO : -1) {}
  void close() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  const std::string path_;
  int fd_;
  std::mutex mutex_;
};

bool of_this_machine(const ServeOptions& options) {
  return options.address == "127.0.0.1" || options.address == "::1";
}

Result<api::ServiceSettings> settings_of(const ServeOptions& options,
                                         const instance::Instance& instance,
                                         const std::shared_ptr<Log>& log) {
  api::ServiceSettings settings;
  settings.server.address = options.address;
  settings.server.port = options.port;
  settings.server.workers = 32;  // most of the time they wait for the database
  // Whoever comes from this machine may be a proxy with the connections of many.
  if (of_this_machine(options))
    settings.server.max_connections_per_peer = settings.server.max_connections;
  settings.job_workers = options.job_workers;
  settings.drill_sample = options.drill_sample;
  settings.scrub_days = options.scrub_days;
  settings.scrub_bytes_per_second = static_cast<std::uint64_t>(options.scrub_rate_mib) << 20;
  settings.drain = std::chrono::seconds(options.drain_seconds);
  settings.trusted_proxies.insert(options.trusted_proxies.begin(), options.trusted_proxies.end());
  if (options.certificate.empty() != options.private_key.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "serve", "TLS takes a certificate and its key")
        .with_hint("give both --tls-cert and --tls-key, or neither");
  }
  if (!options.certificate.empty())
    settings.server.tls = http::TlsFiles{options.certificate, options.private_key};
  if (options.operator_port.has_value()) {
    settings.operators = settings.server;
    settings.operators->tls.reset();  // on this machine only
    settings.operators->address = "127.0.0.1";
    settings.operators->port = *options.operator_port;
    settings.operators->workers = 2;
    settings.operators->max_connections = 100;
    settings.operator_token_file = instance.data_folder() + "/operator.token";
  }
  settings.log = [log](const std::string& line) { log->write(line); };
  return settings;
}

// Cookies are for https, and for http on this very machine, which browsers take for safe.
std::string address_of(const ServeOptions& options, std::uint16_t port) {
  const bool loopback = of_this_machine(options);
  const bool bare_ipv6 = options.address.find(':') != std::string::npos;
  const std::string host = loopback    ? "localhost"
                           : bare_ipv6 ? "[" + options.address + "]"
                                       : options.address;
  return fmt::format("{}://{}:{}", options.certificate.empty() ? "http" : "https", host, port);
}

Status check_clear_text(const ServeOptions& options) {
  if (of_this_machine(options) || !options.certificate.empty()) return {};
  return make_error(ErrorCode::kInvalidArgument, "serve",
                    "beyond this machine the service speaks TLS only")
      .with_hint("give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that does");
}

struct DemoSignIn {
  std::string organisation, password;
  std::vector<std::string> emails;  // an Owner, an Admin of one workspace, somebody without rights
};

// The demo tenant, made when it is not there, with a new password for three of its people.
Result<DemoSignIn> prepare_demo(instance::Instance& instance, std::uint64_t rows,
                                Progress& progress) {
  auto tenant = instance.database().find_tenant(demo::kDemoTenant);
  if (!tenant.ok()) {
    demo::Size size;
    size.order_rows = rows;
    tenant = demo::make_demo_tenant(instance, demo::kDemoTenant, size, {}, progress);
    if (!tenant.ok()) return std::move(tenant).error();
  }
  OA_ASSIGN(const auto people, demo::people_to_try(instance, tenant->id));
  DemoSignIn sign_in{tenant->name, accounts::make_password(), {}};
  accounts::Accounts accounts(instance.database());
  for (const auto& user : people) {
    OA_TRY(accounts.set_password(tenant->id, user.id,
                                 SecretBytes::copy_of(as_bytes(sign_in.password))));
    sign_in.emails.push_back(user.email);
  }
  return sign_in;
}

void tell(const Context& context, const instance::Instance& instance, const std::string& address,
          std::uint16_t operator_port, const std::optional<DemoSignIn>& demo) {
  json::object document{{"address", address},
                        {"data_folder", instance.data_folder()},
                        {"volume", instance::describe(instance.volume())}};
  const auto& output = context.output;
  output.line(fmt::format("oa-backup serves {}", address));
  output.line(fmt::format("  data folder      {}", instance.data_folder()));
  output.line(fmt::format("  Postgres' folder {}", instance::describe(instance.volume())));
  if (operator_port != 0) {
    const auto operators = fmt::format("http://localhost:{}", operator_port);
    document["operator_address"] = operators;
    output.line(fmt::format("  operators        {}/metrics, token in {}/operator.token", operators,
                            instance.data_folder()));
  }
  if (demo.has_value()) {
    output.line("");
    output.line(fmt::format("  organisation     {}", demo->organisation));
    output.line(fmt::format("  password         {}", demo->password));
    const char* const roles[] = {"Owner", "Admin", "Viewer"};
    for (std::size_t i = 0; i < demo->emails.size() && i < std::size(roles); ++i)
      output.line(fmt::format("  {:<16} {}", roles[i], demo->emails[i]));
    json::array emails;
    for (const auto& email : demo->emails) emails.push_back(json::string(email));
    document["demo"] = json::object{{"organisation", demo->organisation},
                                    {"password", demo->password},
                                    {"emails", std::move(emails)}};
  }
  output.line("");
  output.line("  other oa-backup commands with the same --data work beside it; Ctrl-C ends it");
  output.document(document);
  std::fflush(stdout);
}

// What cannot be read stays as it was.
void reload(api::Service& service, Log& log, bool tls) {
  const Status reopened = log.reopen();
  const Status certificate = tls ? service.reload_certificate() : Status();
  for (const Status& status : {reopened, certificate}) {
    if (status.ok()) continue;
    log.write(json::serialize(json::object{{"level", "error"},
                                           {"operation", "reload"},
                                           {"code", error_info(status.error().code).name},
                                           {"cause", status.error().cause}}));
  }
}

doctor::Place serving_place(const Context& context, const ServeOptions& options,
                             const instance::Settings& settings) {
  doctor::Place place = cli::place_of(context.options, settings);
  place.continuity_folder = options.continuity_folder;
  place.certificate = options.certificate;
  place.address = options.address;
  return place;
}

// Before anything is made, and before a private Postgres is on a volume that anybody can read.
Status check_host(const Context& context, const ServeOptions& options, const instance::Settings& settings) {
  if (!options.strict) return {};
  return doctor::check(doctor::examine(doctor::gather_host(serving_place(context, options, settings))));
}

std::map<std::string, std::size_t> by_severity(const doctor::Findings& findings) {
  std::map<std::string, std::size_t> counts;
  for (const auto severity : {doctor::Severity::kOk, doctor::Severity::kNote,
                              doctor::Severity::kWarning, doctor::Severity::kBroken})
    counts.emplace(to_text(severity), doctor::count(findings, severity));
  return counts;
}

Status serve(const Context& context, const ServeOptions& options, const instance::Settings& elsewhere,
             instance::Instance& instance, const std::optional<DemoSignIn>& demo) {
  OA_TRY(check_clear_text(options));
  const doctor::Place place = serving_place(context, options, elsewhere);
  if (options.strict) {
    // Of a new cell it is not there yet. What is wrong with it the doctor tells.
    if (instance.cell() != nullptr) static_cast<void>(instance.cell()->prepare_repository().ok());
    OA_TRY(doctor::check(examine_all(place, instance)));
  }
  OA_ASSIGN(const auto log, Log::open(options.log));
  OA_ASSIGN(const auto settings, settings_of(options, instance, log));
  console::install_reload_handler();
  OA_ASSIGN(const auto service, api::Service::start(instance, settings));
  BrokenLines broken;
  const DoctorRounds rounds(place, instance, [&](const doctor::Findings& findings) {
    service->set_findings(by_severity(findings));
    for (const auto& line : broken.of(findings)) log->write(line);
  });
  tell(context, instance, address_of(options, service->port()), service->operator_port(), demo);
  while (!console::stop_requested()) {
    std::this_thread::sleep_for(kStopPoll);
    if (console::take_reload_request()) reload(*service, *log, !options.certificate.empty());
  }
  service->stop(kPatience);
  return {};
}

}  // namespace

Status run_serve(const Context& context, const ServeOptions& options) {
  instance::Settings elsewhere;
  OA_TRY(read_place(context.options, elsewhere));
  OA_TRY(check_host(context, options, elsewhere));
  OA_ASSIGN(const auto instance, open_unfenced(context.options));
  return serve(context, options, elsewhere, *instance, std::nullopt);
}

Status run_up(const Context& context, const ServeOptions& options) {
  instance::Settings elsewhere;
  OA_TRY(read_place(context.options, elsewhere));
  if (elsewhere.deployment.cluster.has_value()) {
    return make_error(ErrorCode::kInvalidArgument, "up", "`up` runs a private Postgres")
        .with_hint("over what a deployment file names, use `oa-backup serve`");
  }
  OA_TRY(check_host(context, options, elsewhere));
  std::optional<UpLock> lock;
  if (instance::Instance::exists(context.options.data_folder)) {
    OA_ASSIGN(lock, UpLock::take(context.options.data_folder));
  }
  instance::Settings settings;
  settings.create = settings.run_server = settings.continuous = true;
  settings.synchronous = options.synchronous;
  settings.continuity_folder = options.continuity_folder;
  OA_ASSIGN(const auto instance, open_unfenced(context.options, std::move(settings)));
  if (!lock.has_value()) {
    OA_ASSIGN(lock, UpLock::take(instance->data_folder()));
  }
  std::optional<DemoSignIn> demo;
  if (options.demo) {
    const auto replayed = instance->erasures().replay(context.progress);
    if (!replayed.ok()) return replayed.error();
    OA_ASSIGN(demo, prepare_demo(*instance, options.demo_rows, context.progress));
  }
  return serve(context, options, elsewhere, *instance, demo);
}

}  // namespace oa::cli
