// The server's side of TLS: certificate, key and what is offered.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "oa/base/result.h"
#include "oa/http/server.h"

namespace oa::http {

using SslContext = std::shared_ptr<SSL_CTX>;  // shared by the connections that began with it

/// TLS 1.2 and 1.3 with forward secrecy, AEAD ciphers and http/1.1 by ALPN; no renegotiation, no
/// compression. kInvalidArgument: a file that is not readable, not PEM, protected by a passphrase,
/// or a key that is not the certificate's.
Result<SslContext> load_tls(const TlsFiles& files);

}  // namespace oa::http
