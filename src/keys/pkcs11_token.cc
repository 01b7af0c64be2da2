#include "pkcs11_token.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>

#include "oa/crypto/aead.h"

namespace oa {
namespace {

constexpr std::size_t kMaxIdleSessions = 16;
constexpr std::size_t kMaxFound = 65'536;
constexpr CK_ULONG kMaxAttribute = 4096;
constexpr CK_ULONG kMaxSlots = 1024;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = kWrapOverhead - kNonceSize;
constexpr CK_ULONG kAesKeySize = 32;

std::string number_of(CK_RV rv) {
  char text[32];
  std::snprintf(text, sizeof(text), "CKR 0x%lx", rv);
  return text;
}

Error unavailable(std::string what, std::string cause) {
  return make_error(ErrorCode::kKeyServiceUnavailable, "pkcs11", std::move(what))
      .with_hint("check the module's path and that the token is there, then try again")
      .with_cause(std::move(cause));
}

Error refused(std::string what, CK_RV rv) {
  return make_error(ErrorCode::kKeyServiceRefused, "pkcs11", std::move(what))
      .with_hint("give the PIN of the token's user; a locked one is for its security officer")
      .with_cause(number_of(rv));
}

Status checked(CK_RV rv, const char* call) {
  switch (rv) {
    case CKR_OK:
      return {};
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
      return make_error(ErrorCode::kGone, "pkcs11", "an object of the token is gone");
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
    case CKR_ATTRIBUTE_TYPE_INVALID:
    case CKR_ATTRIBUTE_VALUE_INVALID:
    case CKR_TEMPLATE_INCONSISTENT:
      return make_error(ErrorCode::kUnsupported, "pkcs11",
                        "the token cannot hold keys as we need them")
          .with_hint("it must make AES-256 keys and use them by CKM_AES_GCM with a nonce of ours")
          .with_cause(std::string(call) + ": " + number_of(rv));
    case CKR_DEVICE_MEMORY:
      return make_error(ErrorCode::kLimitExceeded, "pkcs11", "the token is full")
          .with_cause(std::string(call) + ": " + number_of(rv));
    default:
      return unavailable("the token does not work now", std::string(call) + ": " + number_of(rv));
  }
}

// The C form of attributes; borrows them.
class Template {
 public:
  explicit Template(const Pkcs11Attributes& attributes) : booleans_(attributes.size()) {
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const auto& [type, value] = attributes[i];
      if (const auto* flag = std::get_if<bool>(&value)) {
        booleans_[i] = *flag ? CK_TRUE : CK_FALSE;
        entries_.push_back({type, &booleans_[i], sizeof(CK_BBOOL)});
      } else if (const auto* number = std::get_if<CK_ULONG>(&value)) {
        entries_.push_back({type, const_cast<CK_ULONG*>(number), sizeof(CK_ULONG)});
      } else {
        const auto& bytes = std::get<Bytes>(value);
        entries_.push_back({type, const_cast<std::uint8_t*>(bytes.data()), bytes.size()});
      }
    }
  }
  CK_ATTRIBUTE* data() { return entries_.data(); }
  CK_ULONG size() const { return entries_.size(); }

 private:
  std::vector<CK_BBOOL> booleans_;
  std::vector<CK_ATTRIBUTE> entries_;
};

CK_GCM_PARAMS gcm_of(ByteView nonce, std::string_view context) {
  CK_GCM_PARAMS parameters{};
  parameters.iv_ptr = const_cast<std::uint8_t*>(nonce.data());
  parameters.iv_len = nonce.size();
  parameters.iv_bits = nonce.size() * 8;
  parameters.aad_ptr = const_cast<std::uint8_t*>(as_bytes(context).data());
  parameters.aad_len = context.size();
  parameters.tag_bits = kTagSize * 8;
  return parameters;
}

// Who uses which module in this process: a module can be initialised once only.
struct Use {
  CK_FUNCTION_LIST* functions = nullptr;
  pid_t process = 0;  // a forked one initialises it for itself
  int users = 0;
  bool ours = false;  // to be finalised by us
};
std::mutex uses_mutex;
std::map<std::string, Use>& uses() {
  static std::map<std::string, Use> all;
  return all;
}

Result<CK_FUNCTION_LIST*> functions_of(const std::string& path) {
  // Never closed: modules leave threads and exit handlers behind.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    return unavailable("the PKCS#11 module " + path + " cannot be loaded",
                       why == nullptr ? "" : why);
  }
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr)
    return unavailable(path + " is not a PKCS#11 module", "C_GetFunctionList");
  return functions;
}

}  // namespace

Pkcs11Module::Pkcs11Module(std::string path, CK_FUNCTION_LIST* functions)
    : path_(std::move(path)), functions_(functions) {}

Result<std::unique_ptr<Pkcs11Module>> Pkcs11Module::load(const std::string& path) {
  const std::lock_guard lock(uses_mutex);
  Use& use = uses()[path];
  if (use.functions == nullptr) {
    OA_ASSIGN(use.functions, functions_of(path));
  }
  if (use.users == 0 || use.process != getpid()) {
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV rv = use.functions->C_Initialize(&arguments);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
      return unavailable("the PKCS#11 module " + path + " does not start", number_of(rv));
    use.ours = rv == CKR_OK;
    use.process = getpid();
    use.users = 0;
  }
  ++use.users;
  return std::unique_ptr<Pkcs11Module>(new Pkcs11Module(path, use.functions));
}

Pkcs11Module::~Pkcs11Module() {
  const std::lock_guard lock(uses_mutex);
  Use& use = uses()[path_];
  if (use.process != getpid() || --use.users > 0) return;
  if (use.ours) functions_->C_Finalize(nullptr);
}

Pkcs11Token::Pkcs11Token(std::unique_ptr<Pkcs11Module> module, std::string label, SecretBytes pin)
    : module_(std::move(module)), label_(std::move(label)), pin_(std::move(pin)) {}

Pkcs11Token::~Pkcs11Token() {
  for (const CK_SESSION_HANDLE session : idle_) module_->functions().C_CloseSession(session);
}

Result<std::unique_ptr<Pkcs11Token>> Pkcs11Token::open(const Pkcs11Settings& settings) {
  OA_ASSIGN(auto module, Pkcs11Module::load(settings.module_path));
  std::unique_ptr<Pkcs11Token> token(
      new Pkcs11Token(std::move(module), settings.token_label, settings.pin.clone()));
  OA_ASSIGN(const CK_SLOT_ID slot, token->find_slot());
  OA_TRY(token->check_mechanisms(slot));
  OA_ASSIGN(const Session first, token->session());
  return token;
}

Result<CK_SLOT_ID> Pkcs11Token::find_slot() const {
  CK_FUNCTION_LIST& api = module_->functions();
  CK_ULONG count = 0;
  OA_TRY(checked(api.C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList"));
  count = std::min(count + 16, kMaxSlots);  // some may come meanwhile
  std::vector<CK_SLOT_ID> slots(count);
  OA_TRY(checked(api.C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList"));
  slots.resize(std::min<std::size_t>(count, slots.size()));
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    if (api.C_GetTokenInfo(slot, &info) != CKR_OK) continue;
    std::string label(reinterpret_cast<const char*>(info.label), sizeof(info.label));
    label.erase(label.find_last_not_of(' ') + 1);
    if (label == label_ && (info.flags & CKF_TOKEN_INITIALIZED) != 0) return slot;
  }
  return unavailable("there is no token " + label_, "");
}

Status Pkcs11Token::check_mechanisms(CK_SLOT_ID slot) const {
  CK_MECHANISM_INFO gcm{};
  CK_MECHANISM_INFO make{};
  CK_FUNCTION_LIST& api = module_->functions();
  OA_TRY(checked(api.C_GetMechanismInfo(slot, CKM_AES_GCM, &gcm), "CKM_AES_GCM"));
  OA_TRY(checked(api.C_GetMechanismInfo(slot, CKM_AES_KEY_GEN, &make), "CKM_AES_KEY_GEN"));
  if ((gcm.flags & CKF_ENCRYPT) == 0 || (gcm.flags & CKF_DECRYPT) == 0 ||
      (make.flags & CKF_GENERATE) == 0)
    return checked(CKR_MECHANISM_INVALID, "C_GetMechanismInfo");
  return {};
}

Status Pkcs11Token::log_in(CK_SESSION_HANDLE session) {
  // One attempt for all threads: a wrong PIN that is tried again locks the token.
  const std::lock_guard lock(mutex_);
  if (pin_refused_) return refused("the token refused the PIN before", CKR_PIN_INCORRECT);
  const CK_RV rv = module_->functions().C_Login(
      session, CKU_USER, const_cast<std::uint8_t*>(pin_.view().data()), pin_.size());
  switch (rv) {
    case CKR_OK:
    case CKR_USER_ALREADY_LOGGED_IN:
      return {};
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_ARGUMENTS_BAD:  // an empty one
      pin_refused_ = true;
      return refused("the token refuses the PIN", rv);
    case CKR_PIN_LOCKED:
      pin_refused_ = true;
      return refused("the token's PIN is locked", rv);
    case CKR_PIN_EXPIRED:
    case CKR_USER_PIN_NOT_INITIALIZED:
      return refused("the token's PIN must be set first", rv);
    default:
      return checked(rv, "C_Login");
  }
}

Result<CK_SESSION_HANDLE> Pkcs11Token::open_session() {
  OA_ASSIGN(const CK_SLOT_ID slot, find_slot());
  CK_SESSION_HANDLE session = 0;
  OA_TRY(checked(module_->functions().C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                                    nullptr, nullptr, &session),
                 "C_OpenSession"));
  const Status in = usable(session) ? Status() : log_in(session);
  if (!in.ok()) {
    module_->functions().C_CloseSession(session);
    return in.error();
  }
  return session;
}

bool Pkcs11Token::usable(CK_SESSION_HANDLE session) const {
  CK_SESSION_INFO info{};
  return module_->functions().C_GetSessionInfo(session, &info) == CKR_OK &&
         info.state == CKS_RW_USER_FUNCTIONS;
}

Result<Pkcs11Token::Session> Pkcs11Token::session() {
  for (;;) {
    CK_SESSION_HANDLE handle = 0;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty()) break;
      handle = idle_.back();
      idle_.pop_back();
    }
    if (usable(handle)) return Session(*this, handle);
    module_->functions().C_CloseSession(handle);
  }
  OA_ASSIGN(const CK_SESSION_HANDLE handle, open_session());
  return Session(*this, handle);
}

void Pkcs11Token::give_back(CK_SESSION_HANDLE session) {
  {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMaxIdleSessions) {
      idle_.push_back(session);
      return;
    }
  }
  module_->functions().C_CloseSession(session);
}

Pkcs11Token::Session::~Session() {
  if (token_ != nullptr) token_->give_back(handle_);
}

Result<std::vector<CK_OBJECT_HANDLE>> Pkcs11Token::Session::find(const Pkcs11Attributes& like) {
  Template wanted(like);
  OA_TRY(
      checked(api().C_FindObjectsInit(handle_, wanted.data(), wanted.size()), "C_FindObjectsInit"));
  std::vector<CK_OBJECT_HANDLE> found;
  std::array<CK_OBJECT_HANDLE, 64> some{};
  CK_ULONG count = 0;
  Status status;
  do {
    status =
        checked(api().C_FindObjects(handle_, some.data(), some.size(), &count), "C_FindObjects");
    if (!status.ok()) break;
    found.insert(found.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
  } while (count > 0 && found.size() < kMaxFound);
  const Status ended = checked(api().C_FindObjectsFinal(handle_), "C_FindObjectsFinal");
  OA_TRY(status);
  OA_TRY(ended);
  return found;
}

Result<Bytes> Pkcs11Token::Session::read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  OA_TRY(checked(api().C_GetAttributeValue(handle_, object, &attribute, 1), "C_GetAttributeValue"));
  if (attribute.ulValueLen > kMaxAttribute)
    return unavailable("an object of the token is not one of ours", "attribute too long");
  Bytes value(attribute.ulValueLen);
  attribute.pValue = value.data();
  OA_TRY(checked(api().C_GetAttributeValue(handle_, object, &attribute, 1), "C_GetAttributeValue"));
  value.resize(std::min<std::size_t>(attribute.ulValueLen, value.size()));
  return value;
}

Status Pkcs11Token::Session::create(const Pkcs11Attributes& object) {
  Template wanted(object);
  CK_OBJECT_HANDLE handle = 0;
  return checked(api().C_CreateObject(handle_, wanted.data(), wanted.size(), &handle),
                 "C_CreateObject");
}

Status Pkcs11Token::Session::generate_aes_256(const Pkcs11Attributes& object) {
  Pkcs11Attributes all = object;
  all.push_back({CKA_VALUE_LEN, kAesKeySize});
  Template wanted(all);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE handle = 0;
  return checked(api().C_GenerateKey(handle_, &mechanism, wanted.data(), wanted.size(), &handle),
                 "C_GenerateKey");
}

Status Pkcs11Token::Session::destroy(CK_OBJECT_HANDLE object) {
  const Status done = checked(api().C_DestroyObject(handle_, object), "C_DestroyObject");
  if (!done.ok() && done.error().code == ErrorCode::kGone) return {};
  return done;
}

Result<Bytes> Pkcs11Token::Session::wrap(CK_OBJECT_HANDLE key, std::string_view context,
                                         const SecretBytes& secret) {
  Bytes wrapped(secret.size() + kWrapOverhead);
  const std::span<std::uint8_t> nonce = std::span(wrapped).first(kNonceSize);
  random_fill(nonce);
  CK_GCM_PARAMS parameters = gcm_of(nonce, context);
  CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof(parameters)};
  OA_TRY(checked(api().C_EncryptInit(handle_, &mechanism, key), "C_EncryptInit"));
  CK_ULONG size = wrapped.size() - kNonceSize;
  OA_TRY(checked(api().C_Encrypt(handle_, const_cast<std::uint8_t*>(secret.view().data()),
                                 secret.size(), wrapped.data() + kNonceSize, &size),
                 "C_Encrypt"));
  if (size != wrapped.size() - kNonceSize)
    return checked(CKR_MECHANISM_PARAM_INVALID, "C_Encrypt").error();
  return wrapped;
}

Result<SecretBytes> Pkcs11Token::Session::decrypt(CK_OBJECT_HANDLE key, std::string_view context,
                                                  ByteView wrapped, CK_RV& rv) {
  CK_GCM_PARAMS parameters = gcm_of(wrapped.first(kNonceSize), context);
  CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof(parameters)};
  OA_TRY(checked(api().C_DecryptInit(handle_, &mechanism, key), "C_DecryptInit"));
  const ByteView sealed = wrapped.subspan(kNonceSize);
  SecretBytes plain(sealed.size());
  CK_ULONG size = plain.size();
  rv = api().C_Decrypt(handle_, const_cast<std::uint8_t*>(sealed.data()), sealed.size(),
                       plain.mutable_view().data(), &size);
  OA_TRY(checked(rv, "C_Decrypt"));
  return SecretBytes::copy_of(plain.view().first(std::min<std::size_t>(size, plain.size())));
}

bool Pkcs11Token::Session::key_works(CK_OBJECT_HANDLE key) {
  const auto wrapped = wrap(key, "probe", SecretBytes(kAesKeySize));
  CK_RV rv = CKR_OK;
  return wrapped.ok() && decrypt(key, "probe", *wrapped, rv).ok();
}

Result<SecretBytes> Pkcs11Token::Session::unwrap(CK_OBJECT_HANDLE key, std::string_view context,
                                                 ByteView wrapped) {
  const Error wrong =
      make_error(ErrorCode::kKeyWrong, "pkcs11", "the data key was wrapped by another key");
  if (wrapped.size() != kAesKeySize + kWrapOverhead) return wrong;
  CK_RV rv = CKR_OK;
  auto plain = decrypt(key, context, wrapped, rv);
  // Which error says "does not authenticate" differs from token to token, and some say just
  // "general error". When the key opens something else, it was this.
  if (!plain.ok() && rv != CKR_OK && key_works(key)) return wrong;
  return plain;
}

}  // namespace oa
