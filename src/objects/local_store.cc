#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "local_files.h"
#include "local_writer.h"
#include "oa/objects/version_repair.h"

namespace oa {
namespace {

// What a version's file says; nullopt when it was removed meanwhile.
Result<std::optional<ObjectVersion>> describe(const std::string& folder, const ObjectKey& key,
                                              const std::string& version) {
  struct stat info {};
  if (::lstat((folder + "/" + version).c_str(), &info) != 0) {
    if (errno == ENOENT) return std::optional<ObjectVersion>();
    return errno_error(errno, "object.head", "cannot examine the object " + key.name);
  }
  return std::optional(ObjectVersion{
      key, {version}, static_cast<std::uint64_t>(info.st_size), *parse_version(version)});
}

// The newest version; nullopt when there is none.
Result<std::optional<ObjectVersion>> newest(const std::string& root, const ObjectKey& key) {
  const std::string folder = object_folder(root, key);
  for (;;) {
    OA_ASSIGN(const auto versions, list_version_files(folder));
    if (versions.empty()) return std::optional<ObjectVersion>();
    OA_ASSIGN(auto version, describe(folder, key, versions.back()));
    // Else the newest was removed meanwhile, and there is another.
    if (version) return version;
  }
}

Error no_version(const ObjectKey& key) {
  return make_error(ErrorCode::kNotFound, "object.get",
                    "there is no such version of the object " + key.name);
}

// What failed to open a version or its folder.
Error missing_version(const Error& error, const ObjectKey& key) {
  return error.code == ErrorCode::kNotFound ? no_version(key) : error;
}

// Walks the objects of one tenant and class in the order of their names.
class Lister {
 public:
  Lister(const std::string& root, TenantId tenant, RetentionClass retention_class,
         std::string_view after, std::size_t limit)
      : root_(root), key_{tenant, retention_class, {}}, after_(after), limit_(limit) {}

  /// `prefix` is empty or ends in '/'.
  Status walk(const std::string& prefix) {
    auto entries =
        list_folder(class_folder(root_, key_.tenant, key_.retention_class) + "/" + prefix);
    if (!entries.ok()) {
      if (entries.error().code == ErrorCode::kNotFound) return {};
      return entries.error();
    }
    // Sorted as the names that come of them: "a" for object a, "a/…" for what is below folder a.
    for (std::string& entry : *entries) {
      if (entry.back() == kObjectMark) {
        entry.pop_back();
      } else {
        entry.push_back('/');
      }
    }
    std::ranges::sort(*entries);
    for (const std::string& entry : *entries) {
      if (found_.size() >= limit_) return {};
      OA_TRY(entry.back() == '/' ? visit_folder(prefix + entry) : visit_object(prefix + entry));
    }
    return {};
  }

  std::vector<ObjectVersion> take() { return std::move(found_); }

 private:
  Status visit_folder(const std::string& prefix) {
    if (after_.substr(0, prefix.size()) > prefix) return {};  // all names in it come before
    return walk(prefix);
  }

  Status visit_object(const std::string& name) {
    if (name <= after_) return {};
    key_.name = name;
    OA_ASSIGN(auto version, newest(root_, key_));
    if (version) found_.push_back(*std::move(version));
    return {};
  }

  const std::string& root_;
  ObjectKey key_;
  const std::string_view after_;
  const std::size_t limit_;
  std::vector<ObjectVersion> found_;
};

class LocalStore final : public ObjectStore, public VersionRepair {
 public:
  explicit LocalStore(std::string root) : root_(std::move(root)) {}

  Result<std::unique_ptr<ObjectWriter>> put(const ObjectKey& key) override {
    OA_TRY(check_object_key(key));
    return make_local_writer(root_, key);
  }

  Result<std::unique_ptr<RangedSource>> get(const ObjectKey& key,
                                            const VersionId& version) override {
    OA_TRY(check_object_key(key));
    // Also keeps a version from naming another file.
    if (!parse_version(version.value)) return no_version(key);
    auto opened = FileSource::open(object_folder(root_, key) + "/" + version.value);
    if (!opened.ok()) return missing_version(opened.error(), key);
    return std::unique_ptr<RangedSource>(std::move(*opened));
  }

  Result<ObjectVersion> head(const ObjectKey& key) override {
    OA_TRY(check_object_key(key));
    OA_ASSIGN(auto version, newest(root_, key));
    if (!version)
      return make_error(ErrorCode::kNotFound, "object.head", "there is no object " + key.name);
    return *std::move(version);
  }

  Result<std::vector<ObjectVersion>> list(TenantId tenant, RetentionClass retention_class,
                                          std::string_view after, std::size_t limit) override {
    Lister lister(root_, tenant, retention_class, after, limit);
    OA_TRY(lister.walk(""));
    return lister.take();
  }

  Result<std::vector<ObjectVersion>> list_versions(const ObjectKey& key) override {
    OA_TRY(check_object_key(key));
    const std::string folder = object_folder(root_, key);
    OA_ASSIGN(const auto names, list_version_files(folder));
    std::vector<ObjectVersion> versions;
    for (const std::string& name : names) {
      OA_ASSIGN(auto version, describe(folder, key, name));
      if (version) versions.push_back(*std::move(version));
    }
    return versions;
  }

  Status remove(const ObjectKey& key, const VersionId& version) override;
  Result<std::vector<std::unique_ptr<RangedSource>>> other_copies(const ObjectKey&,
                                                                  const VersionId&) override {
    return std::vector<std::unique_ptr<RangedSource>>();
  }
  Status restore_version(const ObjectKey& key, const VersionId& version, const RangedSource& sealed,
                         const std::atomic<bool>* cancelled) override {
    OA_TRY(check_object_key(key));
    if (!parse_version(version.value)) return no_version(key);
    return restore_local_version(root_, key, version, sealed, cancelled);
  }
  StoreCapabilities capabilities() const override {
    return {.write_once = true, .server_side_kms = false};
  }

 private:
  void remove_empty_folders(const ObjectKey& key);
  const std::string root_;
};

Status LocalStore::remove(const ObjectKey& key, const VersionId& version) {
  OA_TRY(check_object_key(key));
  if (key.retention_class == RetentionClass::kLedger) {
    return make_error(ErrorCode::kPermissionDenied, "object.remove", "the ledger is write-once");
  }
  const std::string folder = object_folder(root_, key);
  if (!parse_version(version.value)) return no_version(key);
  auto opened = open_folder(folder);
  if (!opened.ok()) return missing_version(opened.error(), key);
  if (::unlinkat(opened->get(), version.value.c_str(), 0) != 0) {
    if (errno == ENOENT) return no_version(key);
    return errno_error(errno, "object.remove", "cannot remove a version of the object " + key.name);
  }
  OA_TRY(sync(*opened, folder));
  remove_empty_folders(key);
  return {};
}

// From the object's folder upwards until one is not empty. Nothing depends on its success.
void LocalStore::remove_empty_folders(const ObjectKey& key) {
  const std::string top = class_folder(root_, key.tenant, key.retention_class);
  std::string folder = object_folder(root_, key);
  while (folder.size() > top.size() && ::rmdir(folder.c_str()) == 0)
    folder.resize(folder.rfind('/'));
}

}  // namespace

VersionRepair* repair_of(ObjectStore& store) { return dynamic_cast<VersionRepair*>(&store); }

Result<std::unique_ptr<ObjectStore>> open_local_store(const std::string& root) {
  if (root.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "object_store.open",
                      "the object store needs a folder");
  }
  const bool absolute = root.front() == '/';
  OA_TRY(make_folders(absolute ? "/" : ".", std::string_view(root).substr(absolute ? 1 : 0)));
  OA_TRY(make_folders(root, "tmp"));
  OA_TRY(sweep_temporaries(root));
  return std::unique_ptr<ObjectStore>(new LocalStore(root));
}

}  // namespace oa
