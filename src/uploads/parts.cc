#include "parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <mutex>

namespace oa::uploads {
namespace {

constexpr std::size_t kOpenParts = 16;

using catalog::UploadPart;

class JoinedParts final : public RangedSource {
 public:
  JoinedParts(SealedObjects& objects, TenantId tenant, UploadId id, std::vector<UploadPart> parts)
      : objects_(objects), tenant_(tenant), id_(id), parts_(std::move(parts)) {
    for (const auto& part : parts_) {
      OA_ASSERT(part.start_bytes == size_);
      size_ += part.size_bytes;
    }
  }

  std::uint64_t size() const override { return size_; }

  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    OA_ASSERT(offset <= size_ && out.size() <= size_ - offset);
    while (!out.empty()) {
      const std::size_t index = index_of(offset);
      const std::uint64_t inside = offset - parts_[index].start_bytes;
      const auto count = static_cast<std::size_t>(
          std::min<std::uint64_t>(out.size(), parts_[index].size_bytes - inside));
      OA_TRY(read_part(index, inside, out.first(count)));
      out = out.subspan(count);
      offset += count;
    }
    return {};
  }

 private:
  // Shared: a reader may still use a part that others have put out of the cache.
  using OpenPart = std::shared_ptr<const RangedSource>;

  std::size_t index_of(std::uint64_t offset) const {
    const auto behind = std::ranges::upper_bound(parts_, offset, {}, &UploadPart::start_bytes);
    return static_cast<std::size_t>(behind - parts_.begin()) - 1;
  }

  Status read_part(std::size_t index, std::uint64_t offset, std::span<std::uint8_t> out) const {
    const auto part = open_part(index);
    const Status read = part.ok() ? (*part)->read_at(offset, out) : Status(part.error());
    if (read.ok() || read.error().code != ErrorCode::kNotFound) return read;
    return corrupt("a part of the upload is lost");
  }

  Result<OpenPart> open_part(std::size_t index) const {
    {
      const std::lock_guard lock(mutex_);
      for (auto found = open_.begin(); found != open_.end(); ++found) {
        if (found->first != index) continue;
        open_.splice(open_.begin(), open_, found);
        return found->second;
      }
    }
    const auto& part = parts_[index];
    OA_ASSIGN(auto opened, objects_.open(part_key(tenant_, id_, part.start_bytes),
                                         VersionId{part.object_version}));
    if (opened->size() != part.size_bytes) return corrupt("a part of the upload is another's");
    OpenPart shared = std::move(opened);
    const std::lock_guard lock(mutex_);
    open_.emplace_front(index, shared);
    if (open_.size() > kOpenParts) open_.pop_back();
    return shared;
  }

  static Error corrupt(std::string message) {
    return make_error(ErrorCode::kSealCorrupt, "upload.read", std::move(message))
        .with_hint("upload the file again");
  }

  SealedObjects& objects_;
  const TenantId tenant_;
  const UploadId id_;
  const std::vector<UploadPart> parts_;
  std::uint64_t size_ = 0;
  mutable std::mutex mutex_;
  mutable std::list<std::pair<std::size_t, OpenPart>> open_;  // by index, the last used first
};

}  // namespace

std::string folder_of(UploadId id) { return std::string(kFolder) + id.str() + "/"; }

std::optional<UploadId> upload_of(std::string_view object_name) {
  if (!object_name.starts_with(kFolder)) return std::nullopt;
  object_name.remove_prefix(kFolder.size());
  const auto id = UploadId::parse(object_name.substr(0, object_name.find('/')));
  return id.ok() ? std::optional(*id) : std::nullopt;
}

ObjectKey part_key(TenantId tenant, UploadId id, std::uint64_t start_bytes) {
  return {tenant, RetentionClass::kArchives, fmt::format("{}{:013}", folder_of(id), start_bytes)};
}

std::unique_ptr<RangedSource> join_parts(SealedObjects& objects, TenantId tenant, UploadId id,
                                         std::vector<UploadPart> parts) {
  return std::make_unique<JoinedParts>(objects, tenant, id, std::move(parts));
}

}  // namespace oa::uploads
