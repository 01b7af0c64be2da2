// The tenant that a drill restores into: made, filled, taken down.
#pragma once

#include "oa/drill/drill.h"
#include "oa/restore/contents.h"
#include "oa/restore/engine.h"

namespace oa::drill {

struct Recovery {
  catalog::Tenant tenant;
  UserId visitor;  // an Owner of it who was never in the archive
  std::string email, password;
};

/// Somebody of this drill in the tenant, an Owner with a password.
Result<Recovery> add_visitor(instance::Instance& instance, const Uuid& drill,
                             const catalog::Tenant& tenant);
/// With a key of its own, and nothing in it but the visitor.
Result<Recovery> make_recovery(instance::Instance& instance, const Uuid& drill, catalog::Plan plan);
/// Everything of the archive into it. The tenant that it came from is not touched.
Result<restore::Contents> fill_recovery(instance::Instance& instance, const Recovery& recovery,
                                        TenantId source, const archive::ArchiveReader& reader,
                                        json::object& figures, Progress& progress);
/// The ledger was replayed; whoever was erased from `source` is so in it, too, and everybody else is
/// there. kDrillFailed otherwise.
Status check_erased(instance::Instance& instance, const Recovery& recovery, TenantId source,
                    const restore::Contents& contents, json::object& figures);
/// Destroys the key, removes rows and objects, and proves that nothing of it opens. With a provider
/// that destroys keys only days later the key is disabled until then, and calling again finishes it:
/// kConflict until then.
Status take_down(instance::Instance& instance, TenantId recovery, json::object& figures,
                 Progress& progress);

}  // namespace oa::drill
