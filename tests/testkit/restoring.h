// The steps of a restore with what they need of an instance, for tests that are about something
// else.
#pragma once

#include "oa/instance/instance.h"
#include "oa/restore/engine.h"

namespace oa::testkit {

inline Result<restore::PreparedRestore> plan_restore(instance::Instance& instance, TenantId tenant,
                                                     const archive::ArchiveReader& reader,
                                                     const restore::Request& request) {
  OA_ASSIGN(const auto signer, instance.signing_key(tenant));
  OA_ASSIGN(auto keys, instance.own_keys(tenant));
  const restore::Engine engine{
      instance.database(), instance.objects(), tenant, signer, std::move(keys), nullptr};
  OA_ASSIGN(auto prepared, restore::prepare_restore(engine, reader, request, no_progress()));
  OA_TRY(restore::save_plan(engine, prepared, JsonText()));
  return prepared;
}

inline Result<catalog::RestoreRecord> apply_restore(instance::Instance& instance,
                                                    const restore::PreparedRestore& prepared) {
  const TenantId tenant = prepared.plan.tenant_id;
  OA_ASSIGN(const auto signer, instance.signing_key(tenant));
  OA_ASSIGN(auto keys, instance.own_keys(tenant));
  const restore::Engine engine{
      instance.database(), instance.objects(), tenant, signer, std::move(keys), nullptr};
  return restore::apply_plan(engine, prepared, {prepared.hash, {}}, no_progress());
}

}  // namespace oa::testkit
