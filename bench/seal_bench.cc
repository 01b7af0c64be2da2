// seal_bench [MIB] [ROUNDS]: OAS1 seal and unseal of memory against bare AES-256-GCM of the same
// chunks, in turn.
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "oa/crypto/seal.h"

namespace {

using oa::Bytes;
using oa::ByteView;

double seconds(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Borrows bytes in memory; the benchmark must not time a copy.
class Borrowed final : public oa::RangedSource {
 public:
  explicit Borrowed(const Bytes& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  oa::Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    std::copy_n(bytes_.data() + offset, out.size(), out.data());
    return {};
  }

 private:
  const Bytes& bytes_;
};

// Keeps what it gets in memory that was touched before.
class Reserved final : public oa::ByteSink {
 public:
  explicit Reserved(Bytes& out) : out_(out) {}
  oa::Status write(ByteView bytes) override {
    std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += bytes.size();
    return {};
  }
  std::size_t written() const { return at_; }

 private:
  Bytes& out_;
  std::size_t at_ = 0;
};

void bare_gcm(const Bytes& plain, Bytes& out, const std::uint8_t* key) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nullptr, key, nullptr);
  std::uint8_t nonce[12] = {};
  std::size_t at = 0;
  for (std::size_t from = 0; from < plain.size(); from += oa::kSealChunkSize) {
    int length = 0;
    nonce[0] = static_cast<std::uint8_t>(from >> 16);
    EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce);
    EVP_EncryptUpdate(
        context, out.data() + at, &length, plain.data() + from,
        static_cast<int>(std::min<std::size_t>(oa::kSealChunkSize, plain.size() - from)));
    at += static_cast<std::size_t>(length);
    EVP_EncryptFinal_ex(context, out.data() + at, &length);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, out.data() + at);
    at += 16;
  }
  EVP_CIPHER_CTX_free(context);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 512;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  if (mib == 0 || rounds <= 0) {
    std::fprintf(stderr, "usage: seal_bench [MIB] [ROUNDS]\n");
    return 2;
  }
  Bytes plain(mib << 20);
  oa::random_fill(plain);
  Bytes sealed(plain.size() + plain.size() / 1024 + 4096), opened(plain.size());
  const auto key = oa::SecretBytes::random(oa::kDataKeySize);
  std::vector<double> seal, unseal, bare;
  for (int round = 0; round < rounds; ++round) {
    seal.push_back(seconds([&] {
      Reserved sink(sealed);
      auto writer = oa::SealWriter::create(sink, {"bench", Bytes(60)}, key, "bench").value();
      writer->write(plain).value();
      writer->finish().value();
      sealed.resize(sink.written());
    }));
    unseal.push_back(seconds([&] {
      auto source =
          oa::SealedSource::open(std::make_unique<Borrowed>(sealed), key, "bench").value();
      constexpr std::size_t kPiece = std::size_t{1} << 20;
      for (std::size_t at = 0; at < opened.size(); at += kPiece) {
        source->read_at(at, {opened.data() + at, kPiece}).value();
      }
    }));
    OA_ASSERT(opened == plain);
    sealed.resize(plain.size() + plain.size() / 1024 + 4096);
    bare.push_back(seconds([&] { bare_gcm(plain, sealed, key.view().data()); }));
  }
  const double gb = static_cast<double>(plain.size()) / 1e9;
  std::printf("%-28s %8s %8s\n", "one thread, in memory", "GB/s", "of bare");
  std::printf("%-28s %8.2f %8.2f\n", "OAS1 seal", gb / median(seal), median(bare) / median(seal));
  std::printf("%-28s %8.2f %8.2f\n", "OAS1 unseal", gb / median(unseal),
              median(bare) / median(unseal));
  std::printf("%-28s %8.2f %8.2f\n", "bare AES-256-GCM (OpenSSL)", gb / median(bare), 1.0);
  return 0;
}
