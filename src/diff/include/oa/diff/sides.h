// The two sides of a comparison, each an ordered walk over entries. One is gone through at the
// comparison's pace, the other passes by, so that neither has to be held in memory.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oa/archive/reader.h"

namespace oa::diff {

/// What a side was made to hold, and in which version of the format. What one side leaves out is
/// not compared.
struct Scope {
  std::optional<std::set<WorkspaceId>> workspaces;  // nullopt: all of the tenant
  bool rows = true;
  bool audit = true;
  std::uint32_t format_minor = archive::kFormatMinor;
};

/// The `options` of a manifest. Where those say nothing, the side holds whatever it holds.
Scope scope_of(const JsonText& options);

/// What a side says of itself beside its entries.
struct Facts {
  TenantId tenant_id;
  JsonText tenant;                              // the manifest's member
  std::map<std::string, std::uint64_t> counts;  // the manifest's member
};

/// The side before. Safe for calls while the other side passes.
class Listing {
 public:
  virtual ~Listing() = default;
  virtual Scope scope() const = 0;
  virtual Facts facts() const = 0;
  /// The next entries whose paths come behind `after`, ascending in byte order; none at the end.
  virtual Result<std::vector<archive::EntryInfo>> list_after(std::string_view after) const = 0;
  /// A whole entry; kLimitExceeded when it is larger than `max_bytes`.
  virtual Result<Bytes> read(std::string_view path, std::size_t max_bytes) const = 0;
};

/// An entry of the side after, valid while it is visited.
struct PassingEntry {
  std::string path;
  std::uint64_t size = 0;
  std::function<Result<Blake2bDigest>()> digest;      // may read the whole entry
  std::function<Result<Bytes>(std::size_t)> content;  // as Listing::read
};

/// The side after.
class Passage {
 public:
  virtual ~Passage() = default;
  virtual Scope scope() const = 0;
  /// Visits every entry once, ascending in byte order of the paths; an error of `visit` ends it.
  /// The facts are known when all has passed.
  virtual Result<Facts> walk(const std::function<Status(const PassingEntry&)>& visit) = 0;
};

/// An archive, as either side. Errors are those of the reader, which is borrowed.
class ArchiveSide final : public Listing, public Passage {
 public:
  explicit ArchiveSide(const archive::ArchiveReader& reader) : reader_(reader) {}
  Scope scope() const override;
  Facts facts() const override;
  Result<std::vector<archive::EntryInfo>> list_after(std::string_view after) const override {
    return reader_.list_after(after);
  }
  Result<Bytes> read(std::string_view path, std::size_t max_bytes) const override {
    return reader_.read(path, max_bytes);
  }
  Result<Facts> walk(const std::function<Status(const PassingEntry&)>& visit) override;

 private:
  const archive::ArchiveReader& reader_;
};

}  // namespace oa::diff
