// A KMS for tests, as no server of that kind can be installed here. It does what the "AWS Key
// Management Service API Reference" and the table "Key states of AWS KMS keys" of the developer
// guide say of the operations that the provider uses: which names of a key each takes, what it
// refuses in which state and under which name, limits and formats of what it is given.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "oa/crypto/secret.h"

namespace oa {

class FakeKms {
 public:
  struct Reply {
    int status = 200;
    json::object body = {};
  };

  Reply handle(const std::string& operation, const json::value& input);

  // What a test does to it.
  void advance(std::chrono::microseconds time);
  /// The next `count` requests of `operation` (empty: of any) fail so. Done or not: with `after`
  /// the operation is carried out and its answer lost.
  void fail_next(std::string operation, int status, std::string type, int count,
                 bool after = false);
  void deny(std::string operation, bool denied = true);
  /// What is made from now on is unknown to the first `lookups` requests that name it.
  void settle_slowly(int lookups);
  /// Called, unlocked, before the next request of `operation` is looked at; once.
  void before_next(std::string operation, std::function<void()> action);

  // What a test looks at.
  int calls(const std::string& operation);
  /// Texts of all requests' encryption contexts.
  std::set<std::string> contexts();
  /// State of the key of an alias; empty when there is none.
  std::string state_of(const std::string& alias);
  /// States of all keys that no alias points to.
  std::vector<std::string> states_without_alias();
  Timestamp now();

 private:
  struct Refusal {
    std::string type;
    std::string message;
  };
  struct Material {
    std::string id;
    SecretBytes key;
    Timestamp made_at;
  };
  struct Key {
    std::string id;
    std::string state = "Enabled";
    Timestamp made_at;
    Timestamp deleted_at;
    std::vector<Material> materials = {};
    std::map<std::string, std::string> tags = {};
    int unknown_to = 0;
  };
  struct Alias {
    std::string key_id;
    int unknown_to = 0;
  };
  struct Failure {
    std::string operation;
    Reply reply;
    int count;
    bool after;
  };
  using Operation = json::object (FakeKms::*)(const json::object&);
  static const std::map<std::string, Operation>& operations();

  Reply carry_out(const std::string& operation, const json::value& input);
  static Reply reply_of(int status, const std::string& type, const std::string& message);
  [[noreturn]] static void refuse(std::string type, std::string message = "");
  static void allow_only(const json::object& input, std::initializer_list<std::string_view> names);
  static std::string text(const json::object& input, std::string_view name, std::size_t most);
  static Bytes blob(const json::object& input);
  std::string context(const json::object& input, std::string_view name);

  Timestamp time() const { return {Timestamp::now().unix_us + ahead_us_}; }
  static std::string arn(const std::string& id);
  /// A key by its id or ARN, and by an alias where the operation takes one.
  Key& named(const std::string& name, bool alias_too);
  Key& usable(const std::string& name);
  void forbid_pending(const Key& key);
  json::object metadata(const Key& key);
  void add_material(Key& key);
  Bytes wrap(Key& key, const std::string& bound, const SecretBytes& plaintext);
  /// The key's material that opens it, and the plaintext.
  std::pair<std::string, SecretBytes> open(Key& key, ByteView wrapped, const std::string& bound);
  static json::object secret_answer(const Key& key, const std::string& material,
                                    const SecretBytes& plaintext);
  static void tag(Key& key, const json::object& input);

  json::object create_key(const json::object& input);
  json::object create_alias(const json::object& input);
  json::object delete_alias(const json::object& input);
  json::object describe_key(const json::object& input);
  json::object generate_data_key(const json::object& input);
  json::object decrypt(const json::object& input);
  json::object re_encrypt(const json::object& input);
  json::object rotate_on_demand(const json::object& input);
  json::object list_rotations(const json::object& input);
  json::object disable_key(const json::object& input);
  json::object enable_key(const json::object& input);
  json::object schedule_deletion(const json::object& input);
  json::object cancel_deletion(const json::object& input);
  json::object tag_resource(const json::object& input);
  json::object list_tags(const json::object& input);

  std::mutex mutex_;  // guards all below
  std::map<std::string, Key> keys_;
  std::map<std::string, Alias> aliases_;
  std::vector<Failure> failures_;
  std::set<std::string> denied_;
  std::map<std::string, std::function<void()>> before_;
  std::map<std::string, int> calls_;
  std::set<std::string> contexts_;
  std::int64_t ahead_us_ = 0;
  int settle_lookups_ = 0;
};

}  // namespace oa
