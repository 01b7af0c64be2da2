#include "recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "oa/accounts/accounts.h"
#include "oa/accounts/people.h"
#include "oa/catalog/repositories.h"
#include "oa/catalog/tenant_rows.h"
#include "oa/operations/operations.h"
#include "oa/operations/shredding.h"
#include "oa/operations/tenant_keys.h"
#include "oa/privacy/erased_user.h"
#include "steps.h"

namespace oa::drill {

Result<Recovery> add_visitor(instance::Instance& instance, const Uuid& drill,
                             const catalog::Tenant& tenant) {
  Recovery recovery;
  recovery.tenant = tenant;
  recovery.email = fmt::format("drill-{}@recovery.invalid", drill.str());  // RFC 2606
  recovery.password = accounts::make_password();
  OA_ASSIGN(const auto person, accounts::add_person(instance.database(), tenant.id,
                                                    {recovery.email, "Recovery", "Drill", true}));
  recovery.visitor = person.id;
  accounts::Accounts accounts(instance.database());
  OA_TRY(accounts.set_password(tenant.id, person.id,
                               SecretBytes::copy_of(as_bytes(recovery.password))));
  return recovery;
}

Result<Recovery> make_recovery(instance::Instance& instance, const Uuid& drill,
                               catalog::Plan plan) {
  OA_ASSIGN(const auto tenant, instance.provision_tenant("Recovery drill " + drill.str(), plan));
  return add_visitor(instance, drill, tenant);
}

Result<restore::Contents> fill_recovery(instance::Instance& instance, const Recovery& recovery,
                                        TenantId source, const archive::ArchiveReader& reader,
                                        json::object& figures, Progress& progress) {
  OA_ASSIGN(const auto place, operations::workplace_of(instance, recovery.tenant.id));
  const auto engine = place.engine(instance, recovery.tenant.id);
  restore::Request request;
  request.id = RestoreId::random();
  request.kind = catalog::RestoreKind::kImport;
  request.selection.everything = true;
  request.with_roles = request.all_people = true;
  OA_ASSIGN(auto prepared, restore::prepare_restore(engine, reader, request, progress,
                                                    restore::Verify::kNothingMore));
  OA_TRY(restore::save_plan(
      engine, prepared,
      JsonText::of(json::object{{"kind", "stored"}, {"tenant_id", source.str()}})));
  OA_TRY(restore::apply_plan(engine, prepared, {prepared.hash, std::nullopt}, progress));
  figures["assets"] = prepared.plan.items.size();
  figures["people"] = prepared.contents.users.size();
  return std::move(prepared.contents);
}

Status check_erased(instance::Instance& instance, const Recovery& recovery, TenantId source,
                    const restore::Contents& contents, json::object& figures) {
  OA_TRY(instance.erasures().replay(no_progress()));
  OA_ASSIGN(const auto* const ledger, instance.erasures().ledger());
  const restore::ErasedByLedger ledgered(instance.database(), *ledger);
  OA_ASSIGN(auto snapshot,
            instance.database().begin(recovery.tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto people, catalog::Users(snapshot).list());
  std::map<UserId, catalog::User> here;
  for (const auto& person : people) here.emplace(person.id, person);
  // Asked of the tenant that they were erased from: whoever is in another counts as somebody there.
  OA_ASSIGN(const auto erased, ledgered.among(source, contents.users));
  std::set<UserId> gone;
  std::uint64_t alive = 0;
  for (const auto& person : erased) {
    gone.insert(person.id);
    const auto found = here.find(person.id);
    if (found != here.end() && !privacy::is_erased(found->second)) ++alive;
  }
  std::uint64_t missing = 0;
  for (const auto& [id, user] : contents.users)
    missing += here.contains(id) || gone.contains(id) ? 0 : 1;
  figures["people"] = here.size() - 1;  // without the visitor
  figures["erased"] = gone.size();
  if (alive > 0) return failed(fmt::format("{} erased people came back", alive));
  if (missing > 0) return failed(fmt::format("{} people did not come back", missing));
  return {};
}

Status take_down(instance::Instance& instance, TenantId recovery, json::object& figures,
                 Progress& progress) {
  const auto found = instance.database().find_tenant(recovery.str());
  if (!found.ok() && found.error().code == ErrorCode::kNotFound) return {};  // done before
  OA_TRY(found);
  const auto key = instance.keys().describe(recovery);
  if (key.ok() && key->state != KeyState::kPendingDestruction) {
    const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(
        instance.keys().destruction_window().shortest);
    OA_TRY(instance.keys().schedule_destroy(recovery,
                                            {Timestamp::now().unix_us + wait.count()}));
  }
  OA_ASSIGN(const auto remains, operations::remove_remains(instance, *found, progress));
  OA_ASSIGN(const auto proof, operations::prove_shredding(instance, *found, progress));
  figures["objects"] = remains.objects;
  figures["rows"] = remains.rows;
  std::uint64_t objects = 0;
  OA_TRY(operations::for_each_version(instance.objects().store(), recovery,
                                      [&](const ObjectVersion&) -> Status {
                                        ++objects;
                                        return {};
                                      }));
  std::uint64_t rows = 0;
  {
    OA_ASSIGN(auto snapshot, instance.database().begin(recovery, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto counts, catalog::count_tenant_rows(snapshot));
    for (const auto& [table, count] : counts) rows += table == "tenants" ? 0 : count;
  }
  if (!proof.proven || objects > 0 || rows > 0) {
    return failed(fmt::format("{} objects and {} rows are left; the key is {}", objects, rows,
                              proof.proven ? "destroyed" : "there"));
  }
  OA_TRY(catalog::Drills(instance.database()).remove_recovery_tenant(recovery));
  return {};
}

}  // namespace oa::drill
