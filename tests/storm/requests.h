// Requests that nobody would write: the operations of docs/openapi.yaml with parts that do not fit,
// and bytes that are none.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace oa::storm {

struct Operation {
  std::string method, path;  // with {parameters}
};

/// What the contract says: operations, names of parameters and of members of bodies.
struct Contract {
  std::vector<Operation> operations;
  std::vector<std::string> names;
};
Contract read_contract(const std::string& path);

struct Made {
  std::string bytes;
  bool sound = true;  // its framing is: it must be answered
  bool is_head = false;
};

/// Not thread-safe; the same seed makes the same requests.
class Requests {
 public:
  /// `known` are ids that exist, by the name of their parameter.
  Requests(const Contract& contract, std::string credentials,
           std::map<std::string, std::string> known, std::uint32_t seed)
      : contract_(contract),
        credentials_(std::move(credentials)),
        known_(std::move(known)),
        random_(seed) {}
  Made next();

 private:
  bool one_in(std::uint32_t n) { return random_() % n == 0; }
  template <class List>
  const auto& pick(const List& list) {
    return list[random_() % std::size(list)];
  }
  std::string text();
  std::string escaped(const std::string& raw);
  std::string target(const std::string& path);
  std::string headers();
  std::string json(unsigned depth);
  std::string body();

  const Contract& contract_;
  const std::string credentials_;
  const std::map<std::string, std::string> known_;
  std::mt19937 random_;
};

}  // namespace oa::storm
