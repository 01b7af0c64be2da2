// What of texts, documents and audit events names a person. Pure: live rows, restored ones and
// rewritten archives go through the same functions.
//
// A mention is the e-mail address, or "First Last" or "Last, First" when both are known, in any
// case, also percent-encoded; not as a part of a longer word or address.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oa/audit/audit.h"
#include "oa/base/json.h"
#include "oa/catalog/records.h"

namespace oa::privacy {

/// By what a person is found. Made by values_of().
struct PersonValues {
  UserId id;
  std::string tombstone;  // Ledger::tombstone()
  std::string email, first_name, last_name;
  /// What a mention contains at the least, ASCII letters in lower case: a text in which, itself in
  /// lower case, none of these is mentions nobody. Empty of a person who is erased already.
  std::vector<std::string> needles;
  /// Values that are the person's when a text is nothing else: address, first name, last name, both
  /// in either order; in lower case as needles.
  std::vector<std::string> values;
};
/// Of a person who is erased already only id and tombstone.
PersonValues values_of(const catalog::User& user, std::string tombstone);

/// Plain text, such as a semantic model: each mention is replaced by its person's tombstone.
std::string without_mentions(std::string_view text, std::span<const PersonValues> people);
/// The same in every text of the document, names of members too.
JsonText without_mentions(const JsonText& document, std::span<const PersonValues> people);
/// A list {"items":[…]} without the items that mention somebody; other documents as above.
JsonText without_items(const JsonText& document, std::span<const PersonValues> people);
bool mentions(std::string_view text, std::span<const PersonValues> people);
bool mentions(const JsonText& document, std::span<const PersonValues> people);
/// A name without mentions; all of it is the tombstone where it would become longer than a name may
/// be.
std::string name_without_mentions(std::string_view name, std::span<const PersonValues> people);

void remove_mentions(catalog::Team& team, std::span<const PersonValues> people);
void remove_mentions(catalog::Workspace& workspace, std::span<const PersonValues> people);
void remove_mentions(catalog::Dataset& dataset, std::span<const PersonValues> people);
void remove_mentions(catalog::Report& report, std::span<const PersonValues> people);
/// Channels that lead to them go.
void remove_mentions(catalog::Alert& alert, std::span<const PersonValues> people);

/// What erasure makes of an event: "actor." values of what they did, the other values of what was
/// done to them, and values anywhere that are or mention theirs become redacted. Hash, commitments
/// and other people's values stay.
void redact(AuditEvent& event, std::span<const PersonValues> people);

}  // namespace oa::privacy
