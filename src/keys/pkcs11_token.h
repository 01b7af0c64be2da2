// One token behind a PKCS#11 module: sessions, objects and AES-GCM.
#pragma once

#include <p11-kit/pkcs11.h>

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "oa/crypto/secret.h"
#include "oa/keys/pkcs11_key_service.h"

namespace oa {

/// A module that is loaded and initialised in this process while at least one of these lives.
/// Thread-safe.
class Pkcs11Module {
 public:
  /// kKeyServiceUnavailable.
  static Result<std::unique_ptr<Pkcs11Module>> load(const std::string& path);
  ~Pkcs11Module();
  Pkcs11Module(const Pkcs11Module&) = delete;
  Pkcs11Module& operator=(const Pkcs11Module&) = delete;
  CK_FUNCTION_LIST& functions() const { return *functions_; }

 private:
  Pkcs11Module(std::string path, CK_FUNCTION_LIST* functions);
  const std::string path_;
  CK_FUNCTION_LIST* const functions_;
};

/// What an object has, or is to have.
struct Pkcs11Attribute {
  CK_ATTRIBUTE_TYPE type;
  std::variant<bool, CK_ULONG, Bytes> value;
};
using Pkcs11Attributes = std::vector<Pkcs11Attribute>;

/// Logged in. Thread-safe.
class Pkcs11Token {
 public:
  /// Finds the token and logs in. Errors: see Pkcs11KeyService.
  static Result<std::unique_ptr<Pkcs11Token>> open(const Pkcs11Settings& settings);
  ~Pkcs11Token();

  /// One caller's session at a time. Errors of all its calls: kKeyServiceUnavailable and
  /// kUnsupported; kGone for an object that is not there any more.
  class Session {
   public:
    Session(Pkcs11Token& token, CK_SESSION_HANDLE handle) : token_(&token), handle_(handle) {}
    Session(Session&& other) noexcept
        : token_(std::exchange(other.token_, nullptr)), handle_(other.handle_) {}
    Session& operator=(Session&&) = delete;
    ~Session();

    /// At most 65,536.
    Result<std::vector<CK_OBJECT_HANDLE>> find(const Pkcs11Attributes& like);
    /// At most 4096 bytes.
    Result<Bytes> read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
    Status create(const Pkcs11Attributes& object);
    Status generate_aes_256(const Pkcs11Attributes& object);
    /// An object that is not there any more is no error.
    Status destroy(CK_OBJECT_HANDLE object);
    /// Nonce, ciphertext and tag, as wrap_secret() makes them.
    Result<Bytes> wrap(CK_OBJECT_HANDLE key, std::string_view context, const SecretBytes& secret);
    /// kKeyWrong when `wrapped` does not authenticate.
    Result<SecretBytes> unwrap(CK_OBJECT_HANDLE key, std::string_view context, ByteView wrapped);

   private:
    CK_FUNCTION_LIST& api() const { return token_->module_->functions(); }
    Result<SecretBytes> decrypt(CK_OBJECT_HANDLE key, std::string_view context, ByteView wrapped,
                                CK_RV& rv);
    bool key_works(CK_OBJECT_HANDLE key);
    Pkcs11Token* token_;
    CK_SESSION_HANDLE handle_;
  };
  Result<Session> session();

 private:
  Pkcs11Token(std::unique_ptr<Pkcs11Module> module, std::string label, SecretBytes pin);
  Result<CK_SLOT_ID> find_slot() const;
  Status check_mechanisms(CK_SLOT_ID slot) const;
  Result<CK_SESSION_HANDLE> open_session();
  Status log_in(CK_SESSION_HANDLE session);
  bool usable(CK_SESSION_HANDLE session) const;
  void give_back(CK_SESSION_HANDLE session);

  const std::unique_ptr<Pkcs11Module> module_;
  const std::string label_;
  const SecretBytes pin_;
  std::mutex mutex_;
  std::vector<CK_SESSION_HANDLE> idle_;  // guarded by mutex_
  bool pin_refused_ = false;             // guarded by mutex_
};

}  // namespace oa
