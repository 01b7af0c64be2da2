// What was found of a deployment, one thing each, with what to do about it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/json.h"
#include "oa/base/result.h"

namespace oa::doctor {

enum class Severity {
  kOk,
  kNote,     // to know
  kWarning,  // it holds, but not for ever, or it could not be seen
  kBroken,   // a promise does not hold
};
/// "ok", "note", "warning", "broken".
std::string_view to_text(Severity severity);

/// What is promised to tenants, and what operation rests on.
enum class Promise {
  kAtRest,      // Postgres on a LUKS2 volume, AES-256
  kMemoryOnly,  // never plaintext outside memory
  kObjects,     // versioned, sealed objects
  kKeys,        // keys are nobody else's, and at hand
  kNetwork,     // nothing readable on the network
  kContinuous,  // every moment of the window, less than 5 minutes lost, an hour to come back
  kOperation,   // it runs; no promise of its own
};
/// One line for people.
std::string_view to_text(Promise promise);

struct Finding {
  std::string id;  // "at-rest.postgres"; stable: scripts match on it. The part before the point is
                   // its group.
  Severity severity = Severity::kOk;
  std::string what;    // one sentence, without anything secret or personal
  std::string remedy;  // what to do; empty when all is well
  Promise promise = Promise::kOperation;
};
using Findings = std::vector<Finding>;

std::size_t count(const Findings& findings, Severity severity);
/// {"ok": …, "counts": {…}, "findings": […]}; `ok` is whether no promise is broken. A stable form.
json::object to_json(const Findings& findings);
/// Lines for people, by group, the worst of each first.
std::vector<std::string> to_lines(const Findings& findings);
/// kPromiseBroken with the findings that are broken; success when none is.
Status check(const Findings& findings);

}  // namespace oa::doctor
