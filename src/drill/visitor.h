// A person at the public HTTP API: what a drill sees is what people would see.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "oa/base/io.h"
#include "oa/base/json.h"
#include "oa/base/progress.h"

namespace oa::drill {

/// Where the API is.
struct Address {
  std::string url;      // "http://127.0.0.1:8080"; beyond this machine https alone
  std::string ca_file;  // PEM, of those that sign its certificate; empty: the system's
};

/// Thread-safe; one request at a time. Errors: kDrillFailed for an answer that nobody should get, with
/// its status and the problem's code; kServiceUnavailable-like ones of the connection are kIo;
/// kTimeout; kCancelled.
class Visitor {
 public:
  /// `progress` is borrowed: asked whether to go on.
  static Result<std::unique_ptr<Visitor>> open(const Address& address, const Progress& progress);
  ~Visitor();
  Status sign_in(const std::string& organisation, const std::string& email,
                 const std::string& password);
  Result<json::value> get(const std::string& path);
  Result<json::value> post(const std::string& path, const json::object& body);
  /// The same with no body at all.
  Result<json::value> post(const std::string& path);
  /// Waits for the job that an answer of post() is; its result. kDrillFailed when it did not succeed.
  Result<json::value> finish(const json::value& job);
  /// Bytes of `path` from `offset`.
  Status read(const std::string& path, std::uint64_t offset, std::span<std::uint8_t> out);

 private:
  struct Request;
  struct Answer;
  struct State;
  explicit Visitor(std::unique_ptr<State> state);
  Result<Answer> send(const Request& request);
  Result<json::value> document(const Request& request);
  std::unique_ptr<State> state_;
};

/// A document of the API that is downloaded in ranges. Borrows the visitor.
class Downloaded final : public RangedSource {
 public:
  Downloaded(Visitor& visitor, std::string path, std::uint64_t size)
      : visitor_(visitor), path_(std::move(path)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    return visitor_.read(path_, offset, out);
  }

 private:
  Visitor& visitor_;
  const std::string path_;
  const std::uint64_t size_;
};

}  // namespace oa::drill
