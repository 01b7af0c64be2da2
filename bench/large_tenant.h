// A tenant as large as the restore benchmark wants it. All of it is generated from a fixed seed.
#pragma once

#include "oa/instance/instance.h"

namespace oa::bench {

struct TenantSize {
  std::size_t reports = 100'000;
  std::size_t datasets = 2'000;
};

/// On plan Scale: 20 workspaces, 200 people in 10 teams, datasets without rows, reports of 1 to 8
/// KB with one to six visuals. Ends the program when something fails.
catalog::Tenant make_large_tenant(instance::Instance& instance, const std::string& name,
                                  const TenantSize& size);
/// Gives every report another name and moment.
void edit_every_report(instance::Instance& instance, TenantId tenant);

/// The value, or the end of the program with the error's text.
[[noreturn]] void stop(const Error& error);
template <class T>
T must(Result<T> result) {
  if (!result.ok()) stop(result.error());
  return std::move(result).value();
}
inline void must(const Status& status) {
  if (!status.ok()) stop(status.error());
}

}  // namespace oa::bench
