// Where personal data lives: every column of the database is in one of two lists, and a test holds
// them against a migrated database. Erasure (erasure.h) and export (export.h) walk the first; the
// certificate of erasure and docs/privacy.md take from it what is kept, and why.
#pragma once

#include <span>
#include <string_view>

namespace oa::privacy {

enum class Category {
  kIdentity,    // who somebody is
  kCredential,  // what they prove it with
  kMembership,  // what they may do
  kActivity,    // what they did, from where
  kAuthorship,  // what they made or changed
  kFreeText     // what somebody wrote, which may name a person
};
std::string_view to_text(Category);

enum class OnExport {
  kNever,      // secrets, and what is only kept to tell people apart
  kValue,      // as it is
  kReference,  // what they made: type, id, name, workspace, dates, link
  kEvent       // events of and about the person, without other people's values
};

enum class OnErasure {
  kKept,            // with a reason
  kBlanked,         // as erased_user() has it
  kRowRemoved,      // of the rows that are theirs
  kRedacted,        // personal values of audit events
  kReplaced,        // mentions of them, by the tombstone (mentions.h)
  kAllReplaced,     // a text that mentions them, all of it
  kItemRemoved,     // items of a list that mention them
  kMentionRemoved,  // rows that mention them
  kExpired,         // removed with its object at the next sweep
  kForgotten        // by itself within a day: a hash, in no tenant
};
std::string_view to_text(OnErasure);

struct PersonalColumn {
  std::string_view table, column;  // of schema oa
  Category category;
  /// Which rows are of a person: a condition in SQL, their id as $1. Empty: whichever mention them.
  std::string_view owner;
  /// Section of the exported bundle, and of the counts in it; empty exactly when never exported.
  std::string_view section;
  OnExport exported = OnExport::kNever;
  OnErasure erased = OnErasure::kKept;
  /// Under which name the effect is counted; empty when it is kept or forgotten.
  std::string_view effect;
  /// Why it stays, in words for the certificate; empty unless kept.
  std::string_view kept_because;
};

/// In the order of the bundle. Static.
std::span<const PersonalColumn> registry();

struct ImpersonalColumn {
  std::string_view table, column;
};
/// Columns that hold nothing of a person.
std::span<const ImpersonalColumn> impersonal_columns();

}  // namespace oa::privacy
