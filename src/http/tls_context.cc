#include "tls_context.h"

#include <openssl/err.h>

#include "oa/base/io.h"

namespace oa::http {
namespace {

constexpr unsigned char kProtocols[] = "\x08http/1.1";

std::string openssl_reason() {
  char text[256] = "";
  if (const auto code = ERR_peek_last_error(); code != 0)
    ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return text;
}

Error refused(std::string message, std::string hint) {
  return make_error(ErrorCode::kInvalidArgument, "http.tls", std::move(message))
      .with_hint(std::move(hint))
      .with_cause(openssl_reason());
}

Status check_readable(const std::string& path) {
  const auto file = FileSource::open(path);
  if (file.ok()) return {};
  return refused("cannot read " + path, "Name a file that this program's user may read.")
      .with_cause(file.error().message);
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kProtocols, sizeof(kProtocols) - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<SslContext> load_tls(const TlsFiles& files) {
  OA_TRY(check_readable(files.certificate_chain));
  OA_TRY(check_readable(files.private_key));
  ERR_clear_error();
  const SslContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  OA_ASSERT(context != nullptr);
  SSL_CTX* raw = context.get();
  // A key with a passphrase is refused rather than asked for on the terminal.
  SSL_CTX_set_default_passwd_cb(raw, [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_certificate_chain_file(raw, files.certificate_chain.c_str()) != 1)
    return refused(files.certificate_chain + " holds no certificate in PEM form",
                   "Name a file that begins with the server's certificate, followed by those "
                   "between it and the root.");
  if (SSL_CTX_use_PrivateKey_file(raw, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1)
    return refused(files.private_key + " does not hold the certificate's private key",
                   "Name the PEM file of the key that the certificate was made for, without a "
                   "passphrase.");
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  OA_ASSERT(SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);  // tickets need no memory here
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);          // nor do connections that are idle
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return context;
}

}  // namespace oa::http
