// Each check turns red by the one fact that is wrong, and is green without it.
#include "oa/doctor/checks.h"

#include <gtest/gtest.h>

namespace oa::doctor {
namespace {

using instance::VolumeCrypt;
using instance::VolumeEncryption;

const VolumeCrypt kGood{VolumeEncryption::kLuks2, false, "dm-0", {"aes-xts-plain64", 512}};
const VolumeCrypt kPlain{VolumeEncryption::kNone, false, "vda", {}};

VolumeCrypt with(VolumeEncryption kind, instance::CipherSpec spec) {
  return {kind, false, "dm-0", std::move(spec)};
}

Severity folder(const VolumeCrypt& volume, FolderFact::Holds holds = FolderFact::Holds::kClear) {
  const auto finding = check_folder({"postgres", "Postgres' folder", "/x", holds, volume});
  EXPECT_EQ(finding.remedy.empty(), finding.severity <= Severity::kNote) << finding.what;
  return finding.severity;
}

Severity worst(const Findings& findings) {
  Severity found = Severity::kOk;
  for (const auto& each : findings) {
    found = std::max(found, each.severity);
    EXPECT_FALSE(each.what.empty()) << each.id;
    EXPECT_NE(each.id.find('.'), std::string::npos) << each.id;
    if (each.severity >= Severity::kWarning) {
      EXPECT_FALSE(each.remedy.empty()) << each.id;
    }
    if (each.severity == Severity::kBroken) {
      EXPECT_NE(each.promise, Promise::kOperation) << each.id;
    }
  }
  return found;
}

TEST(FolderCheck, OnlyLuks2WithAes256KeepsThePromise) {
  EXPECT_EQ(folder(kGood), Severity::kOk);
  EXPECT_EQ(folder(kPlain), Severity::kBroken);
  EXPECT_EQ(folder(with(VolumeEncryption::kLuks1, {"aes-xts-plain64", 512})), Severity::kBroken);
  EXPECT_EQ(folder(with(VolumeEncryption::kOtherCrypt, {"aes-xts-plain64", 512})),
            Severity::kBroken);
  EXPECT_EQ(folder(with(VolumeEncryption::kLuks2, {"aes-xts-plain64", 256})), Severity::kBroken);
  EXPECT_EQ(folder(with(VolumeEncryption::kLuks2, {"serpent-xts-plain64", 512})),
            Severity::kBroken);
  EXPECT_EQ(folder(with(VolumeEncryption::kLuks2, {})), Severity::kWarning);
  EXPECT_EQ(folder({}), Severity::kWarning);
  EXPECT_EQ(folder({VolumeEncryption::kUnknown, true, "tmpfs", {}}), Severity::kOk);
  const auto weak = check_folder({"postgres", "Postgres' folder", "/x", FolderFact::Holds::kClear,
                                  with(VolumeEncryption::kLuks2, {"aes-xts-plain64", 256})});
  EXPECT_NE(weak.what.find("256 bits"), std::string::npos) << weak.what;
  EXPECT_NE(weak.what.find("not AES-256"), std::string::npos) << weak.what;
}

TEST(FolderCheck, WhatIsSealedMayLieAnywhere) {
  EXPECT_EQ(folder(kPlain, FolderFact::Holds::kSealed), Severity::kNote);
  EXPECT_EQ(folder(kPlain, FolderFact::Holds::kNothing), Severity::kNote);
  EXPECT_EQ(folder(kGood, FolderFact::Holds::kSealed), Severity::kOk);
}

TEST(SwapCheck, PlainSwapBreaksThePromise) {
  HostFacts host;
  EXPECT_EQ(worst(check_swap(host)), Severity::kWarning);
  host.swaps_known = true;
  EXPECT_EQ(worst(check_swap(host)), Severity::kOk);
  host.swaps = {{"/dev/dm-1", false, with(VolumeEncryption::kOtherCrypt, {})},
                {"/dev/zram0", true, {}}};
  EXPECT_EQ(worst(check_swap(host)), Severity::kOk);
  host.swaps.push_back({"/swapfile", false, {}});
  EXPECT_EQ(worst(check_swap(host)), Severity::kWarning);
  host.swaps.push_back({"/dev/vda2", false, kPlain});
  EXPECT_EQ(worst(check_swap(host)), Severity::kBroken);
}

TEST(CoreDumpCheck, EachWayToADumpIsSeen) {
  CoreDumpFacts dumps{0, false, 0, "core"};
  EXPECT_EQ(worst(check_core_dumps(dumps)), Severity::kOk);
  dumps.own_limit = 1;
  EXPECT_EQ(worst(check_core_dumps(dumps)), Severity::kBroken);
  dumps = {0, true, 0, "core"};
  EXPECT_EQ(worst(check_core_dumps(dumps)), Severity::kBroken);
  dumps = {0, false, 4096, "core"};
  EXPECT_EQ(worst(check_core_dumps(dumps)), Severity::kBroken);
  dumps = {0, false, 0, "|/usr/local/bin/collect %p"};
  EXPECT_EQ(worst(check_core_dumps(dumps)), Severity::kWarning);
  dumps.pattern = "|/lib/systemd/systemd-coredump %P";
  EXPECT_EQ(worst(check_core_dumps(dumps)), Severity::kNote);
  dumps.pattern = "|/bin/false";
  EXPECT_EQ(worst(check_core_dumps(dumps)), Severity::kOk);
}

TEST(HibernationCheck, ToAPlainDeviceBreaksThePromise) {
  HibernationFacts hibernation;
  EXPECT_EQ(worst({check_hibernation(hibernation)}), Severity::kOk);
  hibernation = {true, "8:3", kPlain};
  EXPECT_EQ(worst({check_hibernation(hibernation)}), Severity::kBroken);
  hibernation.volume = {};
  EXPECT_EQ(worst({check_hibernation(hibernation)}), Severity::kWarning);
  hibernation.volume = kGood;
  EXPECT_EQ(worst({check_hibernation(hibernation)}), Severity::kOk);
}

TEST(FileCheck, ModeOwnerAndAbsence) {
  FileFact file{"root-key", "the root key", "/x", true, 0600, 0077, 0, {0}, true};
  EXPECT_EQ(worst({check_file(file)}), Severity::kOk);
  file.mode = 0640;
  EXPECT_EQ(worst({check_file(file)}), Severity::kBroken);
  EXPECT_EQ(check_file(file).remedy, "chmod 0600 /x");
  file.secret = false;
  EXPECT_EQ(worst({check_file(file)}), Severity::kWarning);
  file = {"root-key", "the root key", "/x", true, 0600, 0077, 1000, {0}, true};
  EXPECT_EQ(worst({check_file(file)}), Severity::kBroken);
  file = {"root-key", "the root key", "/x", false, 0, 0077, 0, {0}, true};
  EXPECT_EQ(worst({check_file(file)}), Severity::kBroken);
}

TEST(SpaceCheck, LowAndOut) {
  EXPECT_EQ(worst({check_space({"data", "it", "/x", 50, 100})}), Severity::kOk);
  EXPECT_EQ(worst({check_space({"data", "it", "/x", 9, 100})}), Severity::kWarning);
  EXPECT_EQ(worst({check_space({"data", "it", "/x", 1, 100})}), Severity::kBroken);
}

TEST(ClockCheck, SynchronisedAndAgreeing) {
  ClockFacts clock{true, {{"database", "the database's clock", 0.1, 0.05}}};
  EXPECT_EQ(worst(check_clock(clock)), Severity::kOk);
  clock.synchronised = false;
  EXPECT_EQ(worst(check_clock(clock)), Severity::kWarning);
  clock.synchronised.reset();
  EXPECT_EQ(worst(check_clock(clock)), Severity::kNote);
  clock = {true, {{"database", "the database's clock", -3, 0.5}}};
  EXPECT_EQ(worst(check_clock(clock)), Severity::kWarning);
  clock.offsets[0].doubt = 2;
  EXPECT_EQ(worst(check_clock(clock)), Severity::kOk);
  clock.offsets[0].seconds = 100;
  EXPECT_EQ(worst(check_clock(clock)), Severity::kBroken);
}

TEST(BucketCheck, ReachAndDriftOfTheBucketAndOfItsReplica) {
  using durability::BucketAspect;
  using durability::FindingLevel;
  BucketFacts bucket;
  EXPECT_EQ(worst(check_bucket(bucket)), Severity::kOk);
  bucket.places = {{"primary", {}, {}}, {"replica", {}, {}}};
  EXPECT_EQ(worst(check_bucket(bucket)), Severity::kOk);
  const auto with = [&](std::size_t place, FindingLevel level) {
    auto drifted = bucket;
    drifted.places[place].findings = {
        {BucketAspect::kVersioning, level, bucket.places[place].name, "it is so", "mend it", ""}};
    return check_bucket(drifted);
  };
  EXPECT_EQ(worst(with(0, FindingLevel::kNote)), Severity::kNote);
  EXPECT_EQ(worst(with(0, FindingLevel::kWarning)), Severity::kWarning);
  EXPECT_EQ(worst(with(1, FindingLevel::kCritical)), Severity::kBroken);
  EXPECT_EQ(with(0, FindingLevel::kCritical)[1].id, "objects.versioning");
  EXPECT_EQ(with(1, FindingLevel::kCritical).back().id, "objects.replica-versioning");
  const auto away = make_error(ErrorCode::kObjectStoreUnavailable, "x", "no answer");
  bucket.places = {{"primary", {}, {}}, {"replica", away, {}}};
  EXPECT_EQ(worst(check_bucket(bucket)), Severity::kWarning);
  bucket.places = {{"primary", away, {}}, {"replica", {}, {}}};
  EXPECT_EQ(worst(check_bucket(bucket)), Severity::kWarning);  // the copy is read from meanwhile
  bucket.places = {{"primary", away, {}}, {"replica", away, {}}};
  EXPECT_EQ(worst(check_bucket(bucket)), Severity::kBroken);
  const auto refused = make_error(ErrorCode::kPermissionDenied, "x", "SignatureDoesNotMatch");
  bucket.places = {{"primary", refused, {}}, {"replica", {}, {}}};
  EXPECT_EQ(worst(check_bucket(bucket)), Severity::kBroken);
}

TEST(KeyCheck, ReachAndTheRootKeysPlace) {
  EXPECT_EQ(worst(check_keys({{}, true, false})), Severity::kOk);
  EXPECT_EQ(worst(check_keys({{}, false, false})), Severity::kNote);
  EXPECT_EQ(worst(check_keys({{}, true, true})), Severity::kWarning);
  EXPECT_EQ(worst(check_keys({make_error(ErrorCode::kKeyDisabled, "x", "disabled"), true, false})),
            Severity::kBroken);
}

TEST(NetworkCheck, InTheClearAndCertificatesThatEnd) {
  EXPECT_EQ(worst({check_connection({"serve", "it", false, true})}), Severity::kOk);
  EXPECT_EQ(worst({check_connection({"serve", "it", true, false})}), Severity::kOk);
  EXPECT_EQ(worst({check_connection({"serve", "it", false, false})}), Severity::kBroken);
  const Timestamp now = Timestamp::now();
  const auto after = [&](int days) {
    const Timestamp end{now.unix_us + (std::int64_t{days} * 86'400 + 60) * 1'000'000};
    return worst({check_certificate({"serve", "it", end, {}}, now)});
  };
  EXPECT_EQ(after(90), Severity::kOk);
  EXPECT_EQ(after(20), Severity::kNote);
  EXPECT_EQ(after(6), Severity::kWarning);
  EXPECT_EQ(after(-1), Severity::kBroken);
  EXPECT_EQ(worst({check_certificate({"serve", "it", {}, make_error(ErrorCode::kIo, "x", "no TLS")},
                                     now)}),
            Severity::kWarning);
}

TEST(VersionCheck, AnotherMajorAndAnUpgradeUnderneath) {
  VersionFacts versions{15,    false, "postgres (PostgreSQL) 15.8", "pgBackRest 2.45", "", true,
                        false, 12};
  EXPECT_EQ(worst(check_versions(versions)), Severity::kOk);
  versions.postgres_replaced = true;
  EXPECT_EQ(worst(check_versions(versions)), Severity::kWarning);
  versions.postgres_replaced = false;
  versions.postgres_major = 14;
  EXPECT_EQ(worst(check_versions(versions)), Severity::kWarning);
  versions.postgres_major = 15;
  versions.pgbackrest.clear();
  EXPECT_EQ(worst(check_versions(versions)), Severity::kWarning);
}

TEST(ContinuityCheck, AlarmsAreFindingsAndAServiceThatIsStoppedIsNone) {
  InstanceFacts service;
  service.cell.emplace();
  service.cell->on = true;
  service.kept = true;
  EXPECT_EQ(worst(check_continuity(service)), Severity::kOk);
  service.cell->alarms = {
      {continuity::AlarmCode::kReceiverDown, continuity::Severity::kWarning, "down"}};
  EXPECT_EQ(worst(check_continuity(service)), Severity::kWarning);
  service.kept = false;
  EXPECT_EQ(worst(check_continuity(service)), Severity::kNote);
  service.cell->alarms = {
      {continuity::AlarmCode::kArchiveFailing, continuity::Severity::kCritical, "fails"}};
  EXPECT_EQ(worst(check_continuity(service)), Severity::kNote);
  service.cell->cluster.emplace();  // which archives whether a service runs or not
  EXPECT_EQ(worst(check_continuity(service)), Severity::kBroken);
  service.cell->cluster.reset();
  service.kept = true;
  EXPECT_EQ(worst(check_continuity(service)), Severity::kBroken);
  EXPECT_EQ(check_continuity(service).back().id, "continuity.archive-failing");
  service.cell.reset();
  service.cell_trouble = make_error(ErrorCode::kDatabaseUnavailable, "x", "away");
  EXPECT_EQ(worst(check_continuity(service)), Severity::kBroken);
}

TEST(ExamineTest, AnInstanceThatDoesNotOpenIsBrokenAndNoneIsANote) {
  Facts facts;
  facts.host.swaps_known = true;
  EXPECT_EQ(worst(examine(facts)), Severity::kNote);
  facts.opening = make_error(ErrorCode::kKeyWrong, "x", "wrong key");
  EXPECT_EQ(worst(examine(facts)), Severity::kBroken);
  EXPECT_EQ(check(examine(facts)).error().code, ErrorCode::kPromiseBroken);
}

TEST(FindingTest, JsonLinesAndTheErrorNameWhatIsBroken) {
  const Findings findings{
      {"memory.swap", Severity::kBroken, "plain", "off with it", Promise::kMemoryOnly},
      {"at-rest.tmp", Severity::kNote, "known", "", Promise::kMemoryOnly},
      {"memory.hibernation", Severity::kOk, "none", "", Promise::kMemoryOnly}};
  const auto document = to_json(findings);
  EXPECT_FALSE(document.at("ok").as_bool());
  EXPECT_EQ(document.at("counts").at("broken").to_number<int>(), 1);
  EXPECT_EQ(document.at("findings").at(0).at("group").as_string(), "memory");
  EXPECT_TRUE(document.at("findings").at(1).at("remedy").is_null());
  EXPECT_EQ(to_lines(findings),
            (std::vector<std::string>{"memory", "  broken   plain", "           to do: off with it",
                                      "  ok       none", "at-rest", "  note     known"}));
  const auto status = check(findings);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kPromiseBroken);
  EXPECT_NE(status.error().message.find("memory.swap"), std::string::npos);
  EXPECT_TRUE(check({findings.begin() + 1, findings.end()}).ok());
}

}  // namespace
}  // namespace oa::doctor
