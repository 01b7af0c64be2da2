#pragma once

namespace oa {

/// Makes libsodium ready (idempotent, thread-safe); aborts when it cannot be. To be called before
/// any use of it.
void require_sodium();

}  // namespace oa
