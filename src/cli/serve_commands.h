// `serve` and `up`.
#pragma once

#include "commands.h"

namespace oa::cli {

struct ServeOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: one that is free
  std::string certificate, private_key;  // PEM files
  std::optional<std::uint16_t> operator_port;  // none: the operators' API is not served
  unsigned job_workers = 2;
  std::size_t drill_sample = 5;
  std::vector<std::string> trusted_proxies;  // addresses whose X-Forwarded-For is believed
  std::string log;  // file, "-" for standard error; empty: none
  std::string continuity_folder;  // empty: in the data folder
  bool synchronous = false;  // commits wait for the receiver of the log
  int scrub_days = 30;  // within which all that is stored is verified
  int scrub_rate_mib = 20;  // a second; 0: as fast as it goes
  unsigned drain_seconds = 0;  // between /readyz saying no and the end of listening
  bool strict = false;  // do not start while a promise is broken
  bool demo = false;
  std::uint64_t demo_rows = 200'000;
};

/// Serves over an instance that is there, beside other processes that do.
Status run_serve(const Context& context, const ServeOptions& options);
/// The embedded default: makes the instance when there is none and runs its Postgres, too.
Status run_up(const Context& context, const ServeOptions& options);

}  // namespace oa::cli
