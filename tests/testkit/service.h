// A running `oa-backup up` or `serve`, and its API for a person.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa::testkit {

/// A server whose first document has arrived. Killed when dropped.
class Service {
 public:
  /// `name` is a file of its own in `scratch`; the data folder is `scratch`/`folder`. Throws when it
  /// does not come up.
  Service(const Scratch& scratch, const std::string& name, std::vector<std::string> arguments,
          const std::string& folder = "data");
  const json::value& document() const { return document_; }
  const std::string& address() const { return address_; }
  Running& process() { return *process_; }
  /// Asks it to end and waits; its exit status.
  int stop();

 private:
  std::optional<Running> process_;
  json::value document_;
  std::string address_;
};

/// Signs the Owner of the demo in at the service that made it, for a token with `scopes`, a JSON
/// array.
std::string demo_token(const Scratch& scratch, const Service& service, const std::string& scopes);
/// An answer of the API by curl; null when it is empty. Throws unless its status is 2xx.
json::value call_api(const Service& service, const std::string& token, const std::string& method,
                     const std::string& path, const std::string& body = "");

}  // namespace oa::testkit
