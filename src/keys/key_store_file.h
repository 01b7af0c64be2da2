// The key store file: a clear header, then the key table as one sealed stream under a fresh data
// key, which the root key wraps. Replaced as a whole by each change.
#pragma once

#include "file_lock.h"
#include "key_table.h"
#include "root_key.h"

namespace oa {

class KeyStoreFile {
 public:
  /// See LocalKeyService::create() and open().
  static Result<std::unique_ptr<KeyStoreFile>> create(const std::string& path,
                                                      const RootKeySource& source);
  static Result<std::unique_ptr<KeyStoreFile>> open(const std::string& path,
                                                    const RootKeySource& source);
  ~KeyStoreFile();
  KeyStoreFile(const KeyStoreFile&) = delete;
  KeyStoreFile& operator=(const KeyStoreFile&) = delete;

  /// The table as the file has it now; read again only when another process, or save(), replaced
  /// the file.
  Result<KeyTable*> table();
  /// Makes table() the file's content. To be called with the lock held. After an error the file has
  /// the old content or the new, and table() says which.
  Status save();

  /// Excludes other processes from changing the file while it lives. A file of its own, because the
  /// store itself is replaced by each change.
  Result<FileLock> lock() const { return FileLock::take(path_ + ".lock"); }

 private:
  explicit KeyStoreFile(std::string path) : path_(std::move(path)) {}
  Result<Bytes> read();
  Status load(const Bytes& bytes);
  Status write(bool replace);
  void forget();

  std::string path_;
  RootKeyHeader header_;
  SecretBytes root_;
  KeyTable table_;
  // The file that table_ came from. Held open so that its inode number stays taken: same number,
  // same file.
  int fd_ = -1;
};

}  // namespace oa
