// The life of a dataset: imported from a file or read from a tenant's Postgres, refreshed, paused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oa/analytics/file_import.h"
#include "oa/catalog/database.h"
#include "oa/datasets/actor.h"
#include "oa/objects/sealed_objects.h"
#include "oa/sources/postgres_source.h"

namespace oa::datasets {

/// What datasets are made with. Borrowed; must outlive whoever has it.
struct Services {
  catalog::Database& database;
  SealedObjects& objects;
  KeyService& keys;
  sources::SourcePolicy policy = {};
};

struct NewDataset {
  WorkspaceId workspace;
  std::string name;
  UserId created_by;
  /// Exact text; empty: one made from the columns, of a file only.
  std::string model_yaml;
};

/// One tenant's datasets.
///
/// States: a dataset made from a file begins as `ready`; one over a source as `created`, and its
/// first refresh takes it through `syncing`. Later ones go `ready → refreshing → ready`. A refresh
/// that fails leaves rows, versions and row count as they were and is kept in the catalog's
/// DatasetSources; the state is then `error` when there never were rows, else `ready` again,
/// because what is there can still be asked for. `paused` is left only by resume().
///
/// What a model says of keys is true of the rows that it is asked of: whenever the two meet, all
/// keys whose columns the rows have are checked, and duplicates are kModelInvalid, naming position,
/// key and number of values. A refresh that would break a key so leaves the last good rows.
///
/// A refresh holds a lock that a killed process frees. A state that such a process has left is set
/// right by the next call here that concerns the dataset.
///
/// updated_at is when the dataset was edited; refreshes do not touch it. Thread-safe. Errors
/// besides those named: kNotFound (no such dataset), kCancelled, those of the database and of the
/// stores.
class DatasetService {
 public:
  DatasetService(const Services& services, TenantId tenant)
      : services_(services), tenant_(tenant) {}

  /// A dataset from a file, whose sealed original is kept for refreshes. All or nothing. Errors:
  /// those of analytics::import_file() (`rejected` is filled as there), kModelInvalid,
  /// kInvalidArgument. Audited as `dataset.create`.
  Result<catalog::Dataset> import_file(const NewDataset& dataset, const RangedSource& file,
                                       const analytics::FileOptions& options,
                                       analytics::RejectedRows& rejected, const Actor& actor,
                                       Progress& progress);
  /// A dataset over the tables that the model names, of the source that it names. They must be
  /// there and fit the model; no row is read yet. Errors: kModelInvalid, those of
  /// sources::PostgresSource. Audited as `dataset.create`.
  Result<catalog::Dataset> create_from_source(const NewDataset& dataset, const Actor& actor,
                                              Progress& progress);
  /// Keeps the exact text. It must fit the rows, keys included, and tables that the rows do not
  /// have yet must be there in the source; their keys are checked when they are read.
  /// kModelInvalid, kPreconditionFailed (other rows meanwhile). Audited as `dataset.update`.
  Result<catalog::Dataset> save_model(DatasetId id, std::string_view model_yaml, const Actor& actor,
                                      Progress& progress);

  /// Reads all rows anew, from the kept original or the source. Other columns (names, types, order)
  /// make a new version. Errors: kDatasetPaused, kDatasetRefreshInProgress, kPreconditionFailed (no
  /// original, see replace_file(); the dataset was changed or deleted meanwhile), kUnsupported (not
  /// of mode import), kModelInvalid (keys), those of imports and sources. Audited as
  /// `dataset.refresh.success` or `.failure`.
  Result<catalog::Dataset> refresh(DatasetId id, const Actor& actor, Progress& progress);
  /// Takes `file` as the dataset's original from now on, and its rows: what a refresh does, with
  /// its states, locks and lost races. For datasets whose file has a newer edition, and for those
  /// that came without an original, out of an archive into another tenant or as a fork. The rows
  /// may have other columns, which make a new version; the model stays, and has to be saved anew
  /// when it does not fit them. When it fails nothing has changed. The original before it stays
  /// until it expires. Errors: those of refresh() and of import_file(); kUnsupported, of a dataset
  /// over a source. Audited as `dataset.upload`.
  Result<catalog::Dataset> replace_file(DatasetId id, const RangedSource& file,
                                        const analytics::FileOptions& options,
                                        analytics::RejectedRows& rejected, const Actor& actor,
                                        Progress& progress);
  /// kDatasetRefreshInProgress. Nothing to do when it is in that state already. Audited as
  /// `dataset.pause` and `dataset.resume`.
  Result<catalog::Dataset> pause(DatasetId id, const Actor& actor);
  Result<catalog::Dataset> resume(DatasetId id, const Actor& actor);
  /// With its state set right if a killed process had left it.
  Result<catalog::Dataset> get(DatasetId id);

  /// Removes originals that were uploaded more than a year before `now`, also those that were
  /// replaced and those of deleted datasets and of interrupted imports; how many. Rows stay.
  /// Audited as `dataset.original.expire`.
  Result<std::uint64_t> expire_originals(Timestamp now, const Actor& actor, Progress& progress);

 private:
  Services services_;
  TenantId tenant_;
};

}  // namespace oa::datasets
