#include "oa/privacy/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/base/json.h"
#include "oa/catalog/records.h"

namespace oa::privacy {
namespace {

constexpr const char* kOp = "privacy.ledger";
constexpr std::string_view kFormat = "oa-erasure-ledger:v1";
constexpr std::string_view kEntryFormat = "oa-erasure-ledger-entry:v1";
constexpr std::string_view kPrefix = "erasures/";
constexpr std::size_t kSeedBytes = 32, kTombstoneBytes = 16;
constexpr std::uint64_t kMaxObjectBytes = 16 << 10, kMaxNumber = 999'999'999'999;
constexpr std::size_t kPage = 500;

std::string name_of(std::uint64_t number) { return fmt::format("{}{:012}", kPrefix, number); }

Error broken(std::uint64_t number, std::string_view what) {
  return make_error(ErrorCode::kLedgerBroken, kOp,
                    fmt::format("entry {} of the ledger of erasures {}", number, what))
      .with_hint("bring the object back from the store's other copy or from a backup of it; until "
                 "then nobody is served");
}

// An unsealed object that is not what was sealed there is damage of the ledger; a store or a key
// provider that does not answer is not.
Error unreadable(std::uint64_t number, const Error& error) {
  const bool damaged = error.code == ErrorCode::kSealCorrupt ||
                       error.code == ErrorCode::kKeyWrong ||
                       error.code == ErrorCode::kLimitExceeded;
  return damaged ? broken(number, "is damaged").with_cause(error.message + " " + error.cause)
                 : error;
}

bool read_digest(ObjectReader& reader, std::string_view name, Sha256Digest& digest) {
  const auto bytes = from_hex(reader.text(name));
  if (!bytes.ok() || bytes->size() != digest.size()) {
    reader.fail(name, "is no digest");
    return false;
  }
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return true;
}

// What is hashed, behind the hash of the entry before.
json::object hashed_form(std::uint64_t number, const Erased& erased) {
  return {{"format", kEntryFormat},
          {"number", number},
          {"tenant", erased.tenant.str()},
          {"user", erased.user.str()},
          {"at", erased.at.rfc3339()},
          {"address", to_hex(erased.address)}};
}

Sha256Digest hash_of(const Sha256Digest& previous, std::uint64_t number, const Erased& erased) {
  Sha256 hash;
  hash.update(previous);
  hash.update(as_bytes(canonical_json(hashed_form(number, erased))));
  return hash.finish();
}

// What is signed: the entry without its signature.
std::string signed_text(const LedgerEntry& entry) {
  auto document = hashed_form(entry.number, entry.erased);
  document["previous"] = to_hex(entry.previous);
  document["hash"] = to_hex(entry.hash);
  return canonical_json(document);
}

std::string text_of(const LedgerEntry& entry) {
  auto document = hashed_form(entry.number, entry.erased);
  document["previous"] = to_hex(entry.previous);
  document["hash"] = to_hex(entry.hash);
  document["signature"] = entry.signature;
  return canonical_json(document);
}

Result<LedgerEntry> parse_entry(std::string_view text) {
  OA_ASSIGN(const auto document, parse_json(text, {kMaxObjectBytes, 4}));
  ObjectReader reader(document, "entry");
  LedgerEntry entry;
  if (reader.text("format") != kEntryFormat) reader.fail("format", "is unknown");
  entry.number = reader.unsigned_integer("number");
  entry.erased.tenant = reader.id<TenantId>("tenant");
  entry.erased.user = reader.id<UserId>("user");
  entry.erased.at = reader.timestamp("at");
  read_digest(reader, "address", entry.erased.address);
  read_digest(reader, "previous", entry.previous);
  read_digest(reader, "hash", entry.hash);
  entry.signature = reader.text("signature");
  OA_TRY(reader.finish());
  if (text_of(entry) == text) return entry;
  return make_error(ErrorCode::kInvalidArgument, kOp, "the entry is not in canonical form");
}

// The secrets, each out of the seed by its own domain.
struct Secrets {
  explicit Secrets(const SecretBytes& seed)
      : signing(signing_of(seed)),
        address(derive(seed, "address")),
        tombstone(derive(seed, "tombstone")) {
    const auto& key = signing.public_key();
    Sha256 hash;
    hash.update(as_bytes(kFormat));
    hash.update(key.id());
    hash.update(key.bytes());
    begin = hash.finish();
  }

  static SecretBytes derive(const SecretBytes& seed, std::string_view domain) {
    const auto digest =
        hmac_sha256(seed.view(), as_bytes(std::string(kFormat) + ":" + std::string(domain)));
    return SecretBytes::copy_of(digest);
  }
  static SigningKey signing_of(const SecretBytes& seed) {
    const auto id = derive(seed, "key-id"), key = derive(seed, "signing");
    SecretBytes both(SigningKey::kSeedSize);
    const auto end = std::copy_n(id.view().begin(), 8, both.mutable_view().begin());
    std::copy(key.view().begin(), key.view().end(), end);
    auto made = SigningKey::from_seed(both);
    OA_ASSERT(made.ok());
    return std::move(made).value();
  }

  SigningKey signing;
  SecretBytes address, tombstone;
  Sha256Digest begin{};
};

class StoredLedger final : public Ledger {
 public:
  StoredLedger(SealedObjects& objects, TenantId owner, const SecretBytes& seed)
      : objects_(objects), owner_(owner), secrets_(seed) {}

  Result<LedgerEntry> append(const LedgerMark& last, const Erased& erased) override;
  Result<std::vector<LedgerEntry>> after(const LedgerMark& mark, std::size_t limit) override;
  LedgerMark begin() const override { return {0, secrets_.begin}; }

  const SigningKey& signing_key() const override { return secrets_.signing; }
  PublicKey public_key() const override { return secrets_.signing.public_key(); }
  Sha256Digest address_of(TenantId tenant, std::string_view address) const override {
    return hmac_sha256(secrets_.address.view(),
                       as_bytes(tenant.str() + ":" + catalog::email_key(address)));
  }
  std::string tombstone(TenantId tenant, UserId user) const override {
    const auto digest = hmac_sha256(secrets_.tombstone.view(),
                                    as_bytes(tenant.str() + ":" + user.str()));
    return "redacted-" + to_hex(ByteView(digest).first(kTombstoneBytes));
  }

 private:
  Result<LedgerEntry> read(std::uint64_t number) const;
  Status check(const LedgerEntry& entry, std::uint64_t number) const;
  Status check_mark(const LedgerMark& mark) const;

  SealedObjects& objects_;
  const TenantId owner_;
  const Secrets secrets_;
};

ObjectKey key_of(TenantId owner, std::uint64_t number) {
  return {owner, RetentionClass::kLedger, name_of(number)};
}

// The oldest version counts: nothing that is put there later changes an entry. Empty: no such entry.
Result<std::optional<Bytes>> read_object(SealedObjects& objects, TenantId owner,
                                         std::uint64_t number) {
  const auto key = key_of(owner, number);
  OA_ASSIGN(const auto versions, objects.store().list_versions(key));
  if (versions.empty()) return std::optional<Bytes>();
  const auto source = objects.open(key, versions.front().version);
  if (!source.ok()) return unreadable(number, source.error());
  auto bytes = read_all(**source, kMaxObjectBytes);
  if (!bytes.ok()) return unreadable(number, bytes.error());
  return std::optional(std::move(bytes).value());
}

// kConflict when the number exists, or another writer was quicker. Its version then hides nothing.
Status write_object(SealedObjects& objects, TenantId owner, std::uint64_t number, ByteView text) {
  const auto key = key_of(owner, number);
  const auto taken = [&] {
    return make_error(ErrorCode::kConflict, kOp,
                      fmt::format("entry {} of the ledger of erasures exists already", number))
        .with_hint("try again");
  };
  OA_ASSIGN(const auto before, objects.store().list_versions(key));
  if (!before.empty()) return taken();
  OA_ASSIGN(const auto writer, objects.create(key));
  OA_TRY(writer->write(text));
  OA_ASSIGN(const VersionId made, writer->commit());
  OA_ASSIGN(const auto after, objects.store().list_versions(key));
  if (after.empty() || after.front().version != made) return taken();
  return {};
}

Status StoredLedger::check(const LedgerEntry& entry, std::uint64_t number) const {
  if (entry.number != number) return broken(number, "carries another number");
  if (hash_of(entry.previous, number, entry.erased) != entry.hash)
    return broken(number, "does not fit its hash");
  const auto verified = verify_signature(entry.signature, public_key(),
                                         Blake2b::of(as_bytes(signed_text(entry))));
  if (!verified.ok()) return broken(number, "is not signed by the ledger's key");
  return {};
}

Result<LedgerEntry> StoredLedger::read(std::uint64_t number) const {
  OA_ASSIGN(const auto bytes, read_object(objects_, owner_, number));
  if (!bytes.has_value()) return broken(number, "is missing");
  auto entry = parse_entry(as_text(*bytes));
  if (!entry.ok()) return broken(number, "is malformed").with_cause(entry.error().message);
  OA_TRY(check(*entry, number));
  return entry;
}

Status StoredLedger::check_mark(const LedgerMark& mark) const {
  if (mark.number == 0) {
    if (mark.hash == secrets_.begin) return {};
    return broken(0, "is not the beginning that this database has");
  }
  OA_ASSIGN(const auto entry, read(mark.number));
  if (entry.hash == mark.hash) return {};
  return broken(mark.number, "is another than this database has carried out");
}

Result<LedgerEntry> StoredLedger::append(const LedgerMark& last, const Erased& erased) {
  if (last.number >= kMaxNumber)
    return make_error(ErrorCode::kLimitExceeded, kOp, "the ledger of erasures is full");
  LedgerEntry entry;
  entry.number = last.number + 1;
  entry.erased = erased;
  entry.previous = last.hash;
  entry.hash = hash_of(entry.previous, entry.number, erased);
  entry.signature = secrets_.signing.sign(Blake2b::of(as_bytes(signed_text(entry))),
                                          fmt::format("ledger of erasures, entry {}", entry.number));
  OA_TRY(write_object(objects_, owner_, entry.number, as_bytes(text_of(entry))));
  return entry;
}

Result<std::vector<LedgerEntry>> StoredLedger::after(const LedgerMark& mark, std::size_t limit) {
  OA_TRY(check_mark(mark));
  std::vector<LedgerEntry> entries;
  LedgerMark last = mark;
  while (entries.size() < limit) {
    const std::size_t wanted = std::min(kPage, limit - entries.size());
    OA_ASSIGN(const auto listed, objects_.store().list(owner_, RetentionClass::kLedger,
                                                       name_of(last.number), wanted));
    for (const auto& object : listed) {
      const std::uint64_t number = last.number + 1;
      if (object.key.name != name_of(number)) return broken(number, "is missing");
      OA_ASSIGN(auto entry, read(number));
      if (entry.previous != last.hash) return broken(number, "does not follow the one before");
      last = {number, entry.hash};
      entries.push_back(std::move(entry));
    }
    if (listed.size() < wanted) break;
  }
  return entries;
}

Status begin_ledger(SealedObjects& objects, KeyService& keys, TenantId owner) {
  // Entries without their beginning were not written by an installation that begins now.
  OA_ASSIGN(const auto entries,
            objects.store().list(owner, RetentionClass::kLedger, kPrefix, 1));
  if (!entries.empty()) return broken(0, "is missing");
  const Status made = keys.create_tenant_key(owner);
  if (!made.ok() && made.error().code != ErrorCode::kAlreadyExists) return made.error();
  const auto seed = SecretBytes::random(kSeedBytes);
  const std::string text = canonical_json(
      json::object{{"format", kFormat}, {"number", 0}, {"seed", to_hex(seed.view())}});
  const Status written = write_object(objects, owner, 0, as_bytes(text));
  // Another process may have been quicker: then its own counts.
  return written.ok() || written.error().code == ErrorCode::kConflict ? Status() : written;
}

Result<SecretBytes> parse_seed(std::string_view text) {
  OA_ASSIGN(const auto document, parse_json(text, {kMaxObjectBytes, 4}));
  ObjectReader reader(document, "ledger");
  if (reader.text("format") != kFormat) reader.fail("format", "is unknown");
  if (reader.unsigned_integer("number") != 0) reader.fail("number", "is not 0");
  const auto seed = from_hex(reader.text("seed"));
  if (!seed.ok() || seed->size() != kSeedBytes) reader.fail("seed", "is not 32 bytes");
  OA_TRY(reader.finish());
  return SecretBytes::copy_of(*seed);
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(SealedObjects& objects, KeyService& keys,
                                             TenantId owner) {
  OA_ASSIGN(auto text, read_object(objects, owner, 0));
  if (!text.has_value()) {
    OA_TRY(begin_ledger(objects, keys, owner));
    OA_ASSIGN(text, read_object(objects, owner, 0));
    if (!text.has_value()) return broken(0, "is missing");
  }
  const auto seed = parse_seed(as_text(*text));
  if (!seed.ok()) return broken(0, "is malformed").with_cause(seed.error().message);
  return std::unique_ptr<Ledger>(new StoredLedger(objects, owner, *seed));
}

}  // namespace oa::privacy
