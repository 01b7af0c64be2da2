// Looks at a host and at what runs on it.
#pragma once

#include <optional>
#include <string>

#include "oa/doctor/facts.h"
#include "oa/instance/instance.h"

namespace oa::doctor {

struct Place {
  std::string data_folder;
  std::string config_file;      // deployment file; empty: none
  std::string passphrase_file;  // empty: none
  const instance::Deployment* deployment =
      nullptr;  // what it says; borrowed, null when it could not be read
  std::string
      continuity_folder;    // of an instance that is still to be made; empty: in the data folder
  std::string certificate;  // PEM file of the service's listener; empty: not known, or none
  std::string address;      // that it listens on; empty: not known
};

/// What of the host matters to `place`: volumes, swap, core dumps, hibernation, files, space. Reads
/// only. What cannot be seen is unknown, never an error; the folder need not be there yet.
/// `view`: for the volumes, swap, core pattern and hibernation.
Facts gather_host(const Place& place, const instance::SystemView& view = {});

/// Adds what is around an instance, whether it opens or not: bucket, connections, certificates,
/// clock, programs. Waits at most some seconds for each that does not answer. Nothing without a
/// deployment.
void gather_surroundings(Facts& facts, const Place& place);

/// Adds what can be asked of an instance that is open: its keys, its database's clock, its cell.
void gather_instance(Facts& facts, const Place& place, instance::Instance& instance);

}  // namespace oa::doctor
