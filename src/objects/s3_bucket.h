// The requests that the s3 driver makes of one bucket.
#pragma once

#include "oa/aws/client.h"
#include "oa/objects/s3_store.h"

namespace oa {

/// What an answer that is no success means. `what` names the thing, for people.
Error s3_error(std::string op, const std::string& what, const aws::Response& answer);

/// A version of a key, as S3 counts them.
struct NativeVersion {
  std::string key;
  std::string id;
  std::uint64_t size_bytes = 0;
  Timestamp modified_at;
  bool delete_marker = false;
};

/// One page of a listing: by key, the newest version of each key first.
struct NativePage {
  std::vector<NativeVersion> versions;
  bool more = false;
  std::string next_key, next_id;  // markers of the next page
};

struct PutOptions {
  std::optional<std::string> kms_key;
  std::string tags;  // "oa-class=rows"
  std::optional<Timestamp> locked_until;
};

/// Thread-safe. Borrows nothing; shared by the writers and readers of a store, which may outlive
/// it.
class S3Bucket {
 public:
  S3Bucket(std::unique_ptr<aws::Client> client, const S3Settings& settings);

  /// One PUT of a body in memory: S3's id of the version. Checks that the bucket keeps versions and
  /// that the KMS key was honoured; else what was put is removed.
  Result<std::string> put(const std::string& key, ByteView body, const PutOptions& options,
                          const std::atomic<bool>* cancelled);

  /// Fills `out` with bytes [offset, …) of an object of `size` bytes. `native` empty: the current
  /// version. All of the object: its digest is checked, which put() stored with it. Anything that
  /// is not exactly those bytes as far as can be told is fetched once more, then kSealCorrupt. S3's
  /// id of the version that was read.
  Result<std::string> read(const std::string& key, const std::string& native, std::uint64_t size,
                           std::uint64_t offset, std::span<std::uint8_t> out,
                           const std::atomic<bool>* cancelled);

  struct Fetched {
    Bytes body;
    std::string native;
  };
  /// All of an object of unknown size; kLimitExceeded when it is longer than `max_bytes`.
  Result<Fetched> fetch(const std::string& key, const std::string& native, std::size_t max_bytes);

  /// `max` at most 1000.
  Result<NativePage> list(const std::string& prefix, const std::string& key_marker,
                          const std::string& id_marker, std::size_t max);
  /// Every version and delete marker whose key begins with `prefix`; kLimitExceeded past a million.
  Result<std::vector<NativeVersion>> list_all(const std::string& prefix);
  /// Every version and delete marker of one key.
  Result<std::vector<NativeVersion>> versions_of(const std::string& key);
  /// For good. Those that are gone already count as removed; how many the server refuses to remove
  /// (locked).
  Result<std::size_t> remove(std::span<const NativeVersion> versions);
  Status lock(const std::string& key, const std::string& native, Timestamp until);

  Result<bool> keeps_versions();
  Result<bool> can_lock();
  Result<std::string> presigned_get(const std::string& key, const std::string& native,
                                    std::chrono::seconds lifetime);
  aws::ClientCounts counts() const { return client_->counts(); }

 private:
  aws::Request request(std::string method, const std::string& key) const;
  Result<std::string> read_once(const std::string& key, const std::string& native,
                                std::uint64_t size, std::uint64_t offset,
                                std::span<std::uint8_t> out, const std::atomic<bool>* cancelled);
  Error discard(const std::string& key, const std::string& native, Error why);
  Status remove_one(const NativeVersion& version, std::size_t& refused);
  Status remove_many(std::span<const NativeVersion> versions, std::size_t& refused);

  std::unique_ptr<aws::Client> client_;
  std::string bucket_;
  bool virtual_host_;
  bool compliance_;
};

}  // namespace oa
