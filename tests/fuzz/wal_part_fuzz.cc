// Parts of the sealed write-ahead log: whatever was done to a part file, what is released is the
// begin of what was sealed, and only what was cut off at its end can be missing without an error.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fuzz_input.h"
#include "oa/base/io.h"
#include "oa/crypto/seal.h"
#include "part_reader.h"
#include "part_writer.h"

namespace oa::wal {
namespace {

constexpr std::size_t kFrames[] = {1, 100, 4096, 70'000, 8192, 12};
const WrappedKey kWrapped{"local:fuzz:1", Bytes(60, 9)};

// One data key for all; the parser's business ends where it is unwrapped.
class OneKey final : public KeyService {
 public:
  Status create_tenant_key(TenantId) override { return {}; }
  Result<TenantKeyInfo> describe(TenantId tenant) override { return TenantKeyInfo{tenant, {}, 1, {}, {}}; }
  Result<DataKey> generate_data_key(TenantId, KeyPurpose) override {
    return DataKey{SecretBytes::copy_of(Bytes(kDataKeySize, 7)), kWrapped};
  }
  Result<SecretBytes> unwrap(TenantId, KeyPurpose, const WrappedKey& wrapped) override {
    if (wrapped.key_id != kWrapped.key_id || wrapped.blob != kWrapped.blob)
      return make_error(ErrorCode::kKeyWrong, "fuzz", "another key");
    return SecretBytes::copy_of(Bytes(kDataKeySize, 7));
  }
  Result<WrappedKey> rewrap(TenantId, KeyPurpose, const WrappedKey& wrapped) override {
    return wrapped;
  }
  Status rotate(TenantId) override { return {}; }
  Status disable(TenantId) override { return {}; }
  Status enable(TenantId) override { return {}; }
  Status schedule_destroy(TenantId, Timestamp) override { return {}; }
  Status cancel_destroy(TenantId) override { return {}; }
};

const TenantId kCell = *TenantId::parse("6f2b1c3a-5d4e-4f60-8a7b-9c8d7e6f5a4b");
const ClusterIdentity kCluster{.system_identifier = 7, .segment_size = {}};
const PartName kName{{{1}, 3, {}}, 0};

struct Part {
  Bytes plain, file;
  std::size_t header = 0;  // where the first frame begins
};

// What the writer itself wrote, once.
const Part& part() {
  static const Part made = [] {
    char folder[] = "/dev/shm/oa-fuzz-XXXXXX";
    OA_ASSERT(mkdtemp(folder) != nullptr);
    OneKey keys;
    Part one;
    auto writer =
        *PartWriter::create(folder, {kCluster.system_identifier, kName, 0, false, {}}, keys, kCell);
    const std::string path = std::string(folder) + "/" + kName.str();
    one.header = read_file(path, 1 << 20).value().size();
    for (const std::size_t size : kFrames) {
      Bytes frame(size);
      for (std::size_t i = 0; i < size; ++i)
        frame[i] = static_cast<std::uint8_t>((one.plain.size() + i) * 131 + i / 997);
      writer.append(frame).value();
      one.plain.insert(one.plain.end(), frame.begin(), frame.end());
    }
    one.file = read_file(path, 1 << 20).value();
    ::unlink(path.c_str());
    ::rmdir(folder);
    return one;
  }();
  return made;
}

void read_part(const Bytes& bytes, bool ours) {
  const int fd = memfd_create("part", MFD_CLOEXEC);
  OA_ASSERT(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  OneKey keys;
  auto reader = PartReader::open(path, kName, keys, kCell, kCluster);
  Bytes released;
  bool whole = false;
  if (fuzz::accepted(reader)) {
    const auto end = reader->read([&](ByteView plain) -> Status {
      released.insert(released.end(), plain.begin(), plain.end());
      return {};
    });
    whole = fuzz::accepted(end);
    if (whole) OA_ASSERT(end->offset == released.size() && !end->finished);
    fuzz::accepted(reader->ends_with_mark());
  }
  ::close(fd);
  OA_ASSERT(released.empty() || ours);
  const Bytes& plain = part().plain;
  OA_ASSERT(released.size() <= plain.size() &&
            std::equal(released.begin(), released.end(), plain.begin()));
  if (bytes == part().file) OA_ASSERT(whole && released.size() == plain.size());
}

// Each edit: what, where (three bytes, of the file's length), and a byte more.
void edit_and_read(ByteView script) {
  Bytes bytes = part().file;
  for (; script.size() >= 5 && !bytes.empty(); script = script.subspan(5)) {
    const std::size_t at = (script[1] | script[2] << 8 | script[3] << 16) % bytes.size();
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const std::ptrdiff_t length = std::min<std::ptrdiff_t>(script[4], bytes.end() - place);
    switch (script[0] % 6) {
      case 0:
        *place ^= script[4];
        break;
      case 1:  // in the header, or at the first frame's
        bytes[at % (part().header + kFrameHeaderSize) % bytes.size()] ^= script[4];
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(place, place + length);
        break;
      case 4:
        bytes.insert(place, static_cast<std::size_t>(length), script[0]);
        break;
      default:  // a later piece over an earlier one
        std::memmove(bytes.data() + at / 2, bytes.data() + at, static_cast<std::size_t>(length));
    }
  }
  read_part(bytes, true);
}

}  // namespace
}  // namespace oa::wal

// First byte 0: a file of nobody, of which nothing is released; else edits of a part.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (*data == 0) {
    oa::wal::read_part(oa::Bytes(data + 1, data + size), false);
  } else {
    oa::wal::edit_and_read({data + 1, size - 1});
  }
  return 0;
}
