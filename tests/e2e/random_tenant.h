// Random small tenants and random edits of them, with names, addresses and references that clash
// often. Deterministic by seed.
#pragma once

#include <functional>
#include <map>
#include <random>

#include "oa/restore/plan.h"
#include "random_tables.h"
#include "tenant_state.h"

namespace oa::testkit {

class RandomTenant {
 public:
  /// Gives a dataset of the state these rows.
  using GiveRows = std::function<void(TenantState&, DatasetId, const std::string& csv)>;

  /// `give_rows`: none for tenants without rows.
  RandomTenant(std::uint64_t seed, GiveRows give_rows);

  /// People, two or three workspaces and what is in them. The first user is an active Owner whom no
  /// edit touches.
  TenantState make();
  /// One change that the product allows. Edits whose result is to be written one by one: an address
  /// may go from one person to the next.
  TenantState edited(TenantState state);
  /// Without a dataset that `archived` lacks and something in it reads; unchanged when there is
  /// none.
  TenantState without_a_need_of(const TenantState& archived, TenantState state);
  /// Renames or rewrites one asset.
  TenantState with_edit_of(TenantState state, const restore::AssetRef& asset);
  /// What somebody might ask for of an archive that holds `archived`.
  restore::Request request(const TenantState& archived, const TenantState& live);

  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  Uuid uuid();
  UserId owner() const { return owner_; }

 private:
  std::string name();
  Timestamp moment();
  template <class Map>
  auto any(const Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(below(map.size())))->first;
  }
  catalog::User user();
  catalog::Team team(const TenantState& state);
  /// To some people and teams, up to `highest`.
  std::vector<catalog::RoleGrant> grants(const TenantState& state, catalog::Role highest);
  JsonText document(const TenantState& state, const catalog::Report* report);

  void add_user(TenantState& state);
  void add_team(TenantState& state);
  void add_workspace(TenantState& state);
  void add_dataset(TenantState& state, WorkspaceId home);
  void add_report(TenantState& state, WorkspaceId home);
  void add_alert(TenantState& state, WorkspaceId home);
  void give_table(TenantState& state, DatasetId dataset);
  void edit_people(TenantState& state);
  void edit_workspace(TenantState& state);
  void edit_dataset(TenantState& state);
  void edit_report(TenantState& state);
  void edit_alert(TenantState& state);
  void remove_user(TenantState& state);
  void remove_workspace(TenantState& state);
  static void remove_dataset(TenantState& state, DatasetId gone);

  std::mt19937_64 engine_;
  RandomTables tables_;
  GiveRows give_rows_;
  std::map<DatasetId, RandomTables::Table> made_;  // the rows that a dataset was given last
  UserId owner_;
};

}  // namespace oa::testkit
