// UUIDs (RFC 9562) and one strong type per kind of thing, so that two ids cannot be swapped.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "oa/base/result.h"

namespace oa {

/// A 128-bit UUID. The nil UUID is the default value.
class Uuid {
 public:
  using Raw = std::array<std::uint8_t, 16>;
  constexpr Uuid() = default;
  constexpr explicit Uuid(const Raw& raw) : raw_(raw) {}

  /// Version 4 from the kernel's generator. Aborts when the kernel has no entropy.
  static Uuid random();
  /// The canonical 36-character form, either case; kInvalidArgument otherwise.
  static Result<Uuid> parse(std::string_view text);

  std::string str() const;  // lower case
  const Raw& raw() const { return raw_; }
  bool is_nil() const { return *this == Uuid{}; }
  auto operator<=>(const Uuid&) const = default;

 private:
  Raw raw_{};
};

template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(const Uuid& uuid) : uuid_(uuid) {}
  static Id random() { return Id(Uuid::random()); }
  static Result<Id> parse(std::string_view text) {
    OA_ASSIGN(Uuid uuid, Uuid::parse(text));
    return Id(uuid);
  }
  const Uuid& uuid() const { return uuid_; }
  std::string str() const { return uuid_.str(); }
  bool is_nil() const { return uuid_.is_nil(); }
  auto operator<=>(const Id&) const = default;

 private:
  Uuid uuid_;
};

using TenantId = Id<struct TenantTag>;
using WorkspaceId = Id<struct WorkspaceTag>;
using UserId = Id<struct UserTag>;
using TeamId = Id<struct TeamTag>;
using DatasetId = Id<struct DatasetTag>;
using ReportId = Id<struct ReportTag>;
using VisualId = Id<struct VisualTag>;
using BookmarkId = Id<struct BookmarkTag>;
using AlertId = Id<struct AlertTag>;
using SecretId = Id<struct SecretTag>;
using EventId = Id<struct EventTag>;
using ArchiveId = Id<struct ArchiveTag>;
using RestoreId = Id<struct RestoreTag>;
using SessionId = Id<struct SessionTag>;
using TokenId = Id<struct TokenTag>;
using JobId = Id<struct JobTag>;
using UploadId = Id<struct UploadTag>;
using ScheduleId = Id<struct ScheduleTag>;
using CellRunId = Id<struct CellRunTag>;

}  // namespace oa

template <>
struct std::hash<oa::Uuid> {
  std::size_t operator()(const oa::Uuid& uuid) const noexcept;
};
template <class Tag>
struct std::hash<oa::Id<Tag>> {
  std::size_t operator()(const oa::Id<Tag>& id) const noexcept {
    return std::hash<oa::Uuid>{}(id.uuid());
  }
};
