#include "oa/privacy/mentions.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "oa/audit/personal_values.h"
#include "oa/privacy/erased_user.h"

namespace oa::privacy {
namespace {

const std::string kTombstone = "redacted-0123456789abcdef0123456789abcdef";

PersonValues person(std::string email = "Jane.Doe@example.org", std::string first = "Jane",
                    std::string last = "Doe") {
  catalog::User user;
  user.id = UserId::random();
  user.email = std::move(email);
  user.first_name = std::move(first);
  user.last_name = std::move(last);
  return values_of(user, kTombstone);
}

JsonText json_text(std::string_view text) { return JsonText::parse(std::string(text)).value(); }

std::string without(std::string_view text, const PersonValues& who = person()) {
  return without_mentions(text, {&who, 1});
}

TEST(Mentions, AreReplacedInAnyCaseAndOrder) {
  const std::string& t = kTombstone;
  EXPECT_EQ(without("ask jane.doe@EXAMPLE.org, or JANE DOE; Doe, Jane knows"),
            "ask " + t + ", or " + t + "; " + t + " knows");
  EXPECT_EQ(without("mailto:jane.doe%40example.org?x"), "mailto:" + t + "?x");
  EXPECT_EQ(without("https://x.example/Jane%20Doe and Jane+Doe"), "https://x.example/" + t + " and " + t);
  EXPECT_EQ(without("jane.doe@example.org"), t);
  EXPECT_EQ(without(""), "");
}

TEST(Mentions, AreNoPartsOfSomethingElse) {
  for (const char* text : {"mary-jane.doe@example.org", "x.jane.doe@example.org", "jane.doe@example.organ",
                           "jane.doe@example.org.uk", "Jane Doering", "Mary-jane", "Jane", "Doe", "Janet Doe"})
    EXPECT_EQ(without(text), text);
  EXPECT_EQ(without("(Jane Doe)."), "(" + kTombstone + ").");
  EXPECT_EQ(without("jane.doe@example.org."), kTombstone + ".");
}

TEST(Mentions, LettersOfOtherScriptsHaveCasesToo) {
  const auto who = person("jürgen@example.org", "Jürgen", "Groß");
  EXPECT_EQ(without("JÜRGEN GROß", who), kTombstone);
  const auto greek = person("x@example.org", "Ελένη", "Παπά");
  EXPECT_EQ(without("by ελένη παπά", greek), "by " + kTombstone);
  const auto russian = person("y@example.org", "Анна", "Ёлкина");
  EXPECT_EQ(without("АННА ЁЛКИНА", russian), kTombstone);
}

TEST(Mentions, OfOneNameOnlyTheAddressIsLookedFor) {
  const auto who = person("ada@example.org", "Ada", "");
  EXPECT_EQ(without("Ada is a language; ada@example.org is not", who),
            "Ada is a language; " + kTombstone + " is not");
}

TEST(Mentions, OfWhoIsErasedThereAreNone) {
  const auto gone = erased_user(UserId::random(), {});
  const auto who = values_of(gone, kTombstone);
  EXPECT_TRUE(who.needles.empty());
  EXPECT_EQ(without("Erased user, " + gone.email, who), "Erased user, " + gone.email);
}

TEST(Mentions, DocumentsAreWalkedEscapesToo) {
  const auto who = person();
  const auto document =
      json_text(R"({"a":["Jane D\u006fe",{"jane.doe@example.org":1}],"n":2,"z":null})");
  const auto changed = without_mentions(document, {&who, 1}).value();
  EXPECT_EQ(changed.at("a").at(0).as_string(), kTombstone);
  EXPECT_TRUE(changed.at("a").at(1).as_object().contains(kTombstone));
  EXPECT_EQ(changed.at("n").as_int64(), 2);
  EXPECT_TRUE(mentions(document, {&who, 1}));
  const auto other = json_text(R"({"a":"nobody"})");
  EXPECT_EQ(without_mentions(other, {&who, 1}), other);
}

TEST(Mentions, ItemsThatLeadToSomebodyGo) {
  const auto who = person();
  const auto channels = json_text(
      R"({"items":[{"kind":"email","to":"jane.doe@example.org"},{"kind":"in_app"}]})");
  EXPECT_EQ(without_items(channels, {&who, 1}), json_text(R"({"items":[{"kind":"in_app"}]})"));
}

TEST(Mentions, ANameStaysWithinItsLimit) {
  const auto who = person();
  std::string name(480, 'x');
  name += " Jane Doe";
  EXPECT_EQ(name_without_mentions(name, {&who, 1}), kTombstone);
  EXPECT_EQ(name_without_mentions("of Jane Doe", {&who, 1}), "of " + kTombstone);
}

TEST(Mentions, AnEventIsRedactedAndStillFitsItsHash) {
  const auto who = person();
  AuditEvent event;
  event.id = EventId::random();
  event.sequence = 1;
  event.actor_type = "user";
  event.actor_id = who.id.uuid();
  event.action = "report.rename";
  event.resource_type = "report";
  event.resource_id = "r";
  for (const auto& [path, value] :
       std::map<std::string, std::string>{{"actor.email", "other@example.org"},
                                          {"detail.boss", "boss@example.org"},
                                          {"detail.first", "jane"},
                                          {"detail.name", "by Jane Doe"}})
    event.personal.emplace(path, commit_to(path, value));
  const TenantId tenant = TenantId::random();
  event.previous_hash = audit_chain_start(tenant);
  event.hash = audit_hash(event);
  redact(event, {&who, 1});
  EXPECT_EQ(event.personal.at("actor.email").value, kTombstone) << "the actor is they, whatever the value";
  EXPECT_EQ(event.personal.at("detail.first").value, kTombstone);
  EXPECT_EQ(event.personal.at("detail.name").value, kTombstone);
  EXPECT_EQ(event.personal.at("detail.boss").value, "boss@example.org");
  EXPECT_TRUE(event.personal.at("detail.name").redacted);
  EXPECT_TRUE(event.personal.at("detail.name").salt.empty());
  AuditChainVerifier verifier(tenant);
  EXPECT_TRUE(verifier.check(event).ok());
}

}  // namespace
}  // namespace oa::privacy
