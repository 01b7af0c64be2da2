#include "key_store_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "oa/base/io.h"
#include "oa/crypto/aead.h"
#include "oa/crypto/seal.h"

namespace oa {
namespace {

constexpr std::uint64_t kMaxStoreBytes = std::uint64_t{256} << 20;

std::string context_of(const RootKeyHeader& header) {
  return "oa-keystore:v1:" + to_hex(header.encode());
}

Error missing(const std::string& path) {
  return make_error(ErrorCode::kKeyStoreMissing, "key_store.open",
                    "the key store " + path + " is not there")
      .with_hint(
          "bring it back from a backup; without it nothing of this installation can be decrypted");
}

}  // namespace

KeyStoreFile::~KeyStoreFile() { forget(); }

void KeyStoreFile::forget() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<std::unique_ptr<KeyStoreFile>> KeyStoreFile::create(const std::string& path,
                                                           const RootKeySource& source) {
  OA_ASSIGN(const RootKeyHeader header, new_root_key_header(source));
  std::unique_ptr<KeyStoreFile> file(new KeyStoreFile(path));
  OA_ASSIGN(const FileLock held, file->lock());
  if (::access(path.c_str(), F_OK) == 0) {
    return make_error(ErrorCode::kAlreadyExists, "key_store.create",
                      "the key store " + path + " exists already");
  }
  OA_TRY(ensure_root_key_file(source));
  file->header_ = header;
  OA_ASSIGN(file->root_, load_root_key(source, header));
  OA_TRY(file->write(false));
  return file;
}

Result<std::unique_ptr<KeyStoreFile>> KeyStoreFile::open(const std::string& path,
                                                         const RootKeySource& source) {
  std::unique_ptr<KeyStoreFile> file(new KeyStoreFile(path));
  OA_ASSIGN(const Bytes bytes, file->read());
  OA_ASSIGN(file->header_, RootKeyHeader::decode(bytes));
  OA_ASSIGN(file->root_, load_root_key(source, file->header_));
  OA_TRY(file->load(bytes));
  return file;
}

// Opens the file as it is now and keeps it open.
Result<Bytes> KeyStoreFile::read() {
  forget();
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0 && errno == ENOENT) return missing(path_);
  if (fd_ < 0) return errno_error(errno, "key_store.open", "cannot open " + path_);
  return read_file("/proc/self/fd/" + std::to_string(fd_), kMaxStoreBytes);
}

Status KeyStoreFile::load(const Bytes& bytes) {
  OA_ASSIGN(const RootKeyHeader header, RootKeyHeader::decode(bytes));
  if (header != header_) {
    return make_error(ErrorCode::kKeyWrong, "key_store.open",
                      "the key store " + path_ + " was made anew")
        .with_hint("start again with the root key of the new store");
  }
  auto sealed =
      std::make_unique<MemorySource>(Bytes(bytes.begin() + RootKeyHeader::kSize, bytes.end()));
  OA_ASSIGN(const SealHeader seal, read_seal_header(*sealed));
  auto data_key = unwrap_secret(root_, context_of(header_), seal.wrapped_key);
  if (!data_key.ok()) {
    return make_error(ErrorCode::kKeyWrong, "key_store.open",
                      "this root key or passphrase does not open " + path_)
        .with_hint(
            "put the root key file of this store back from its safe copy, or enter its own "
            "passphrase");
  }
  OA_ASSIGN(const auto source,
            SealedSource::open(std::move(sealed), *data_key, context_of(header_)));
  SecretBytes plain(source->size());
  OA_TRY(source->read_at(0, plain.mutable_view()));
  OA_ASSIGN(table_, KeyTable::decode(plain.view()));
  return {};
}

Result<KeyTable*> KeyStoreFile::table() {
  struct stat now {};
  struct stat loaded {};
  if (::stat(path_.c_str(), &now) != 0)
    return errno == ENOENT ? missing(path_)
                           : errno_error(errno, "key_store.open", "cannot examine " + path_);
  if (fd_ < 0 || ::fstat(fd_, &loaded) != 0 || now.st_ino != loaded.st_ino ||
      now.st_dev != loaded.st_dev) {
    auto loading = read();
    Status status = loading.ok() ? load(*loading) : Status(std::move(loading).error());
    if (!status.ok()) {
      forget();
      return std::move(status).error();
    }
  }
  return &table_;
}

Status KeyStoreFile::save() {
  forget();
  return write(true);
}

Status KeyStoreFile::write(bool replace) {
  // A fresh data key for each writing, because a data key seals one stream only.
  const SecretBytes data_key = SecretBytes::random(kDataKeySize);
  const std::string context = context_of(header_);
  OA_ASSIGN(const auto sink, AtomicFileSink::create(path_, replace, 0600));
  OA_TRY(sink->write(header_.encode()));
  OA_ASSIGN(const auto writer,
            SealWriter::create(*sink, {"root", wrap_secret(root_, context, data_key)}, data_key,
                               context));
  OA_TRY(writer->write(table_.encode().view()));
  OA_TRY(writer->finish());
  return sink->commit();
}

}  // namespace oa
