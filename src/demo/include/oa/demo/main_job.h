// The product's main job, end to end, on real parts: archive, verify, damage, restore, fork, move
// to a new tenant.
#pragma once

#include <string_view>

#include "oa/demo/demo_tenant.h"

namespace oa::demo {

/// Hears what happens. Called in order, on the caller's thread.
class Narrator {
 public:
  virtual ~Narrator() = default;
  virtual void step(std::string_view title) = 0;
  virtual void fact(std::string_view name, std::string_view value) = 0;
};

inline constexpr char kDemoTenant[] = "Demo";

/// Runs it on the demo tenant, which is made when it is not there and otherwise kept with all it
/// has. Every proof that fails is an error (kInternal): nothing is claimed that was not compared.
Status run_main_job(instance::Instance& instance, const Size& size, Narrator& narrator,
                    Progress& progress);

}  // namespace oa::demo
