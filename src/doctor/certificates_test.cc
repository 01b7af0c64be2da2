#include "certificates.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace oa::doctor {
namespace {

TEST(CertificateTest, TheEndOfAFile) {
  char name[] = "/tmp/oa-cert-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  const std::string file = folder / "cert.pem";
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=x "
      "-keyout /dev/null -out " +
      file + " 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);
  const auto end = certificate_end(file);
  ASSERT_TRUE(end.ok());
  const double days = static_cast<double>(end->unix_us - Timestamp::now().unix_us) / 86'400e6;
  EXPECT_NEAR(days, 10, 0.1);
  std::ofstream(file) << "nothing";
  EXPECT_FALSE(certificate_end(file).ok());
  EXPECT_EQ(certificate_end(file + "x").error().code, ErrorCode::kNotFound);
  std::filesystem::remove_all(folder);
}

TEST(CertificateTest, WhereNobodyListensThereIsNone) {
  EXPECT_FALSE(peer_certificate_end("127.0.0.1", "1", Before::kNothing).ok());
}

TEST(AddressTest, PartsOfAUrl) {
  const auto parts = [](const char* url) {
    const auto found = host_port(url);
    return found.host + " " + found.port + (found.tls ? " tls" : "");
  };
  EXPECT_EQ(parts("https://s3.example.com"), "s3.example.com 443 tls");
  EXPECT_EQ(parts("https://s3.example.com:8443/"), "s3.example.com 8443 tls");
  EXPECT_EQ(parts("http://[::1]:8008"), "::1 8008");
  EXPECT_EQ(parts("https://[::1]"), "::1 443 tls");
  EXPECT_TRUE(is_this_machine("127.0.0.1"));
  EXPECT_FALSE(is_this_machine("10.0.0.1"));
}

}  // namespace
}  // namespace oa::doctor
