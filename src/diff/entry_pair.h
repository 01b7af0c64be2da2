// One path on both sides, or on one of them.
#pragma once

#include <optional>
#include <string>

#include "oa/diff/compare.h"

namespace oa::diff {

/// Minor versions of the format that the sides' documents have.
struct FormatMinors {
  std::uint32_t before = archive::kFormatMinor, after = archive::kFormatMinor;
};

/// Borrows all it is given. At least one side is there.
class EntryPair {
 public:
  EntryPair(const Listing& listing, const archive::EntryInfo* before, const PassingEntry* after,
            FormatMinors minors)
      : listing_(listing), before_(before), after_(after), minors_(minors) {}

  const std::string& path() const { return before_ != nullptr ? before_->path : after_->path; }
  bool has_before() const { return before_ != nullptr; }
  bool has_after() const { return after_ != nullptr; }
  Change change() const {
    return before_ == nullptr  ? Change::kAdded
           : after_ == nullptr ? Change::kRemoved
                               : Change::kChanged;
  }
  /// By size and digest.
  Result<bool> equal() const;

  /// Each side's JSON object, in today's form; nullopt where there is none, or none within the
  /// limits.
  struct Documents {
    std::optional<json::value> before, after;
    bool migrated = false;  // one of them was written in another form
  };
  Result<Documents> documents(std::size_t max_bytes) const;

  /// Sizes, and where those are equal the beginnings of the digests.
  Result<FieldChange> content_field(std::string name) const;
  /// Sizes and numbers of lines, of all and of those that only one side has.
  Result<FieldChange> text_field(std::string name, std::size_t max_bytes) const;

 private:
  FieldChange field(std::string name, FieldChangeKind kind, const json::value& before,
                    const json::value& after) const;
  const Listing& listing_;
  const archive::EntryInfo* before_;
  const PassingEntry* after_;
  FormatMinors minors_;
};

}  // namespace oa::diff
