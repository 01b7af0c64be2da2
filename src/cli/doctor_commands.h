// `doctor`, and what `serve` and `up` ask it.
#pragma once

#include "commands.h"
#include "oa/doctor/finding.h"
#include "oa/doctor/gather.h"

namespace oa::cli {

struct DoctorOptions {
  std::string certificate;  // of the service
};

/// Exit status 12 when a promise is broken.
Status run_doctor(const Context& context, const DoctorOptions& options);

/// The place that the global options name; borrows `settings`.
doctor::Place place_of(const GlobalOptions& options, const instance::Settings& settings);

}  // namespace oa::cli
