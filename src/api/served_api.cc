#include "oa/api/served_api.h"

#include <fmt/format.h>

#include "oa/api/service.h"

namespace oa::api {
namespace {

class OfService final : public drill::ServedApi {
 public:
  explicit OfService(std::unique_ptr<Service> service) : service_(std::move(service)) {}
  std::string url() const override { return fmt::format("http://127.0.0.1:{}", service_->port()); }

 private:
  std::unique_ptr<Service> service_;
};

}  // namespace

Result<std::unique_ptr<drill::ServedApi>> serve_for_drill(instance::Instance& instance,
                                                          unsigned job_workers) {
  ServiceSettings settings;
  settings.server.address = "127.0.0.1";
  settings.upkeep = false;
  settings.job_workers = job_workers;
  OA_ASSIGN(auto service, Service::start(instance, settings));
  return std::unique_ptr<drill::ServedApi>(std::make_unique<OfService>(std::move(service)));
}

}  // namespace oa::api
