// TLS, by curl and openssl.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "http_testkit.h"

namespace oa::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

struct Ran {
  int status;
  std::string output;
};

Ran run(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  OA_ASSERT(pipe != nullptr);
  char piece[4096];
  for (std::size_t got; (got = fread(piece, 1, sizeof(piece), pipe)) > 0;)
    output.append(piece, got);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

class Tls : public testing::Test {
 protected:
  Tls() {
    char name[] = "/tmp/oa-http-tls-XXXXXX";
    OA_ASSERT(mkdtemp(name) != nullptr);
    folder_ = name;
    make_certificate("one");
  }
  ~Tls() override { std::filesystem::remove_all(folder_); }

  void make_certificate(const std::string& name) const {
    const auto made = run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes " +
                          ("-days 2 -subj /CN=" + name) + " -addext subjectAltName=IP:127.0.0.1 " +
                          "-keyout " + path(name + ".key") + " -out " + path(name + ".crt"));
    OA_ASSERT(made.status == 0);
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  ServerSettings settings() const {
    ServerSettings settings;
    settings.tls = TlsFiles{path("one.crt"), path("one.key")};
    settings.head_timeout = std::chrono::milliseconds(1000);
    return settings;
  }
  std::string curl(const Running& running, const std::string& options) const {
    return "curl -sS --max-time 10 --cacert " + path("one.crt") + " " + options +
           " https://127.0.0.1:" + std::to_string(running.server->port()) + "/a";
  }
  std::string folder_;
};

Reaction answer(const Request& request) {
  if (request.has_body)
    return SmallBody{
        20 << 20, [](std::string body) { return text_response(200, std::to_string(body.size())); }};
  return text_response(200, request.secure ? "secure" : "not");
}

TEST_F(Tls, ServesCurl) {
  const Running running(answer, settings());
  for (const std::string version : {"--tlsv1.2 --tls-max 1.2", "--tlsv1.3"}) {
    EXPECT_EQ(run(curl(running, version)).output, "secure");
    const auto told = run(curl(running, "-v " + version));
    EXPECT_THAT(told.output, HasSubstr("ALPN: server accepted http/1.1"));
    EXPECT_THAT(told.output, testing::AnyOf(HasSubstr("AES_256_GCM"), HasSubstr("AES256-GCM")));
  }
}

TEST_F(Tls, LargeBodiesBothWays) {
  static const Bytes page(20 << 20, 'p');
  const Running running(
      [](const Request& request) -> Reaction {
        if (request.has_body) return answer(request);
        Response response;
        response.body = StaticBody{page};
        return response;
      },
      settings());
  EXPECT_EQ(run(curl(running, "-o " + path("page"))).status, 0);
  EXPECT_EQ(std::filesystem::file_size(path("page")), page.size());
  EXPECT_EQ(run(curl(running, "-T " + path("page"))).output, std::to_string(page.size()));
}

// A connection that ends in order says so (close_notify), so that no part can be cut off unseen.
TEST_F(Tls, EndsInOrder) {
  const Running running(answer, settings());
  const auto told =
      run("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:" +
          std::to_string(running.server->port()));
  EXPECT_THAT(told.output, HasSubstr("\r\n\r\nsecure"));
  EXPECT_THAT(told.output, Not(HasSubstr("unexpected eof")));
}

TEST_F(Tls, RefusesWhatIsOldOrOther) {
  const Running running(answer, settings());
  const auto port = std::to_string(running.server->port());
  EXPECT_NE(run("openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 -connect 127.0.0.1:" + port +
                " </dev/null")
                .status,
            0);
  EXPECT_NE(
      run("openssl s_client -tls1_2 -cipher AES256-SHA -connect 127.0.0.1:" + port + " </dev/null")
          .status,
      0);
  EXPECT_THAT(run("openssl s_client -alpn h2 -connect 127.0.0.1:" + port + " </dev/null").output,
              HasSubstr("no application protocol"));
  EXPECT_THAT(running.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Not(HasSubstr("HTTP/1.1")));
  auto silent = running.connect();
  silent.send("\x16\x03\x01");
  EXPECT_EQ(silent.read_all(), "");  // after head_timeout
  EXPECT_EQ(run(curl(running, "")).output, "secure");
}

TEST_F(Tls, NoRenegotiation) {
  const Running running(answer, settings());
  const auto told =
      run("(sleep 0.2; echo R; sleep 0.2) | openssl s_client -tls1_2 -connect 127.0.0.1:" +
          std::to_string(running.server->port()));
  EXPECT_THAT(told.output, HasSubstr("no renegotiation"));
}

TEST_F(Tls, CertificatesAreReadAgain) {
  const Running running(answer, settings());
  make_certificate("two");
  std::filesystem::copy_file(path("two.crt"), path("one.crt"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(running.server->reload_certificate().ok());  // the key is still the old one's
  const auto subject = [&] {
    return run("openssl s_client -connect 127.0.0.1:" + std::to_string(running.server->port()) +
               " </dev/null | grep subject=")
        .output;
  };
  EXPECT_THAT(subject(), HasSubstr("CN = one"));
  std::filesystem::copy_file(path("two.key"), path("one.key"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(running.server->reload_certificate().ok());
  EXPECT_THAT(subject(), HasSubstr("CN = two"));
}

TEST_F(Tls, SaysWhatIsWrongWithTheFiles) {
  make_certificate("two");
  ASSERT_EQ(run("openssl ec -in " + path("one.key") + " -aes128 -passout pass:x -out " +
                path("locked.key"))
                .status,
            0);
  std::ofstream(path("empty")) << "";
  TestHandler handler(answer);
  const auto refused = [&](const std::string& certificate, const std::string& key) {
    ServerSettings settings;
    settings.tls = TlsFiles{path(certificate), path(key)};
    const auto server = Server::start(settings, handler);
    if (server.ok()) return std::string("started");
    EXPECT_EQ(server.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(server.error().hint.empty());
    return server.error().message;
  };
  EXPECT_THAT(refused("none.crt", "one.key"), EndsWith("none.crt"));
  EXPECT_THAT(refused("one.crt", "none.key"), EndsWith("none.key"));
  EXPECT_THAT(refused("empty", "one.key"), HasSubstr("no certificate"));
  EXPECT_THAT(refused("one.key", "one.key"), HasSubstr("no certificate"));
  EXPECT_THAT(refused("one.crt", "two.key"), HasSubstr("private key"));
  EXPECT_THAT(refused("one.crt", "locked.key"), HasSubstr("private key"));
  EXPECT_THAT(refused("one.crt", "."), HasSubstr("cannot read"));
}

}  // namespace
}  // namespace oa::http
