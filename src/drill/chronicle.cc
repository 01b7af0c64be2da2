#include "oa/drill/chronicle.h"

#include <fmt/format.h>

#include "oa/base/io.h"
#include "oa/instance/erasure_gate.h"
#include "oa/privacy/ledger.h"
#include "steps.h"

namespace oa::drill {
namespace {

constexpr const char* kOp = "drill.records";
constexpr std::string_view kPrefix = "drills/";
constexpr std::size_t kPage = 500, kMaxBytes = 1 << 20;

std::string name_of(std::uint64_t number) { return fmt::format("{}{:012}", kPrefix, number); }

ObjectKey key_of(std::uint64_t number) {
  return {instance::ledger_owner(), RetentionClass::kLedger, name_of(number)};
}

Error broken(std::uint64_t number, std::string_view what) {
  return make_error(ErrorCode::kDrillFailed, kOp,
                    fmt::format("record {} of the drills {}", number, what))
      .with_hint("bring the object back from the store's other copy (`oa-backup storage scrub --all`)");
}

std::string hash_of(std::string_view canonical) { return to_hex(Sha256::of(as_bytes(canonical))); }

Result<Entry> read(SealedObjects& objects, std::uint64_t number) {
  OA_ASSIGN(const auto versions, objects.store().list_versions(key_of(number)));
  if (versions.empty()) return broken(number, "is missing");
  OA_ASSIGN(const auto source, objects.open(key_of(number), versions.front().version));
  OA_ASSIGN(const auto bytes, read_all(*source, kMaxBytes));
  OA_ASSIGN(const auto value, parse_json(as_text(bytes), {kMaxBytes, 16}));
  return parse_entry(value);
}

}  // namespace

json::object to_json(const Entry& entry) {
  return {{"record", entry.record}, {"hash", entry.hash}, {"signature", entry.signature}};
}

Result<Entry> parse_entry(const json::value& value) {
  ObjectReader reader(value, "entry");
  Entry entry;
  const auto* record = reader.find("record");
  if (record == nullptr || !record->is_object())
    reader.fail("record", "is an object");
  else
    entry.record = record->as_object();
  entry.hash = reader.text("hash");
  entry.signature = reader.text("signature");
  OA_TRY(reader.finish());
  return entry;
}

Status verify(const std::vector<Entry>& entries, const PublicKey& key) {
  std::string previous;
  std::uint64_t number = 0;
  for (const Entry& entry : entries) {
    ++number;
    const std::string text = canonical_json(entry.record);
    const auto* given = entry.record.if_contains("number");
    const auto* link = entry.record.if_contains("previous");
    if (given == nullptr || unsigned_of(*given) != number) return broken(number, "carries another number");
    if (hash_of(text) != entry.hash) return broken(number, "does not fit its hash");
    if (link == nullptr || !link->is_string() || link->as_string() != previous)
      return broken(number, "does not follow the one before");
    if (!verify_signature(entry.signature, key, Blake2b::of(as_bytes(text))).ok())
      return broken(number, "is not signed by this installation's key");
    previous = entry.hash;
  }
  return {};
}

Result<Chronicle> Chronicle::open(instance::Instance& instance) {
  OA_ASSIGN(auto* const ledger, instance.erasures().ledger());
  return Chronicle(instance, ledger->signing_key());
}

Result<std::vector<Entry>> Chronicle::entries() const {
  auto& objects = instance_->objects();
  std::vector<Entry> all;
  for (std::string after(kPrefix);;) {
    OA_ASSIGN(const auto page, objects.store().list(instance::ledger_owner(),
                                                    RetentionClass::kLedger, after, kPage));
    bool below = true;
    for (const auto& object : page) {
      below = object.key.name.starts_with(kPrefix);
      if (!below) break;
      const std::uint64_t number = all.size() + 1;
      if (object.key.name != name_of(number)) return broken(number, "is missing");
      auto entry = read(objects, number);
      if (!entry.ok()) return broken(number, "is damaged").with_cause(entry.error().message);
      all.push_back(std::move(entry).value());
    }
    if (!below || page.size() < kPage) break;
    after = page.back().key.name;
  }
  OA_TRY(verify(all, key_));
  return all;
}

Result<Entry> Chronicle::append(json::object record) {
  OA_ASSIGN(const auto before, entries());
  const std::uint64_t number = before.size() + 1;
  record["number"] = number;
  record["previous"] = before.empty() ? std::string() : before.back().hash;
  Entry entry;
  const std::string text = canonical_json(record);
  entry.hash = hash_of(text);
  entry.signature =
      signer_->sign(Blake2b::of(as_bytes(text)), fmt::format("recovery drill, record {}", number));
  entry.record = std::move(record);
  auto& objects = instance_->objects();
  OA_ASSIGN(const auto writer, objects.create(key_of(number)));
  OA_TRY(writer->write(as_bytes(canonical_json(to_json(entry)))));
  OA_ASSIGN(const VersionId made, writer->commit());
  OA_ASSIGN(const auto versions, objects.store().list_versions(key_of(number)));
  if (!versions.empty() && versions.front().version == made) return entry;
  return make_error(ErrorCode::kConflict, kOp, "another drill was recorded at the same moment")
      .with_hint("try again");
}

}  // namespace oa::drill
