#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "oa/continuity/scratch_cluster.h"

namespace oa::continuity {
namespace {

constexpr const char* kOp = "recovery.target";
constexpr std::size_t kMaxName = 63;
constexpr Timestamp kEver{std::numeric_limits<std::int64_t>::max()};

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

Error outside(std::string message, std::string hint) {
  return make_error(ErrorCode::kOutsideWindow, kOp, std::move(message)).with_hint(std::move(hint));
}

// Whether what `backup` holds came before `timeline` in the cell's history.
bool leads_to(const BackupInfo& backup, const TimelineInfo* timeline, wal::Timeline number) {
  if (backup.timeline == number) return true;
  if (timeline == nullptr) return false;
  const auto ancestor =
      std::ranges::find(timeline->ancestors, backup.timeline, &wal::Ancestor::timeline);
  return ancestor != timeline->ancestors.end() && backup.stop_lsn <= ancestor->end;
}

// The one that the cell was on at `moment`: none for the first. Mostly the latest that had begun;
// but one that was led again after that had begun is where the cell went on.
const TimelineInfo* in_force(const std::vector<TimelineInfo>& timelines, Timestamp moment) {
  const TimelineInfo* found = nullptr;
  for (const auto& timeline : timelines)
    if (timeline.began_at <= moment) found = &timeline;
  Timestamp since = found == nullptr ? Timestamp{} : found->began_at;
  for (const auto& timeline : timelines) {
    for (const Timestamp again : timeline.led_again_at) {
      if (again > moment || again <= since) continue;
      found = &timeline;
      since = again;
    }
  }
  return found;
}

// Whether the backup is consistent before the target.
bool ended_before(const BackupInfo& backup, const Target& target) {
  return std::visit(
      Overloaded{
          [&](const Target::Time& time) { return backup.restorable_from() <= time.at; },
          [&](const Target::Position& place) { return backup.stop_lsn <= place.lsn; },
          [](const auto&) { return true; },
      },
      target.where);
}

// Hexadecimal digits and a slash: mistyped, and no restore point's name.
bool looks_like_position(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF") == slash;
}

}  // namespace

std::string Target::text() const {
  return std::visit(Overloaded{
                        [](const Latest&) { return std::string("latest"); },
                        [](const Immediate&) { return std::string("immediate"); },
                        [](const Time& time) {
                          return (time.inclusive ? "" : "just before ") + time.at.rfc3339();
                        },
                        [](const Position& place) {
                          return (place.inclusive ? "" : "just before ") + place.lsn.str();
                        },
                        [](const Name& point) { return "restore point " + point.name; },
                    },
                    where);
}

Result<Target> Target::parse(std::string_view text) {
  if (text == "latest") return latest();
  if (text == "immediate") return immediate();
  if (const auto moment = Timestamp::parse(text); moment.ok()) return at(*moment);
  if (const auto lsn = wal::Lsn::parse(text); lsn.ok()) return position(*lsn);
  if (looks_like_position(text)) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "this is no position in the log")
        .with_hint("write it as two hexadecimal numbers of up to eight digits: 16/B374D848");
  }
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() >= 10 && text[4] == '-' && text[7] == '-' && digit(text[0]) && digit(text[5])) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "the moment is not complete")
        .with_hint(
            "write it as 2026-04-16T09:42:11Z, or with an offset: 2026-04-16T11:42:11+02:00");
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  if (text.empty() || text.size() > kMaxName || !is_utf8(text) ||
      std::ranges::any_of(text, control)) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      "neither a moment, a position in the log nor a restore point")
        .with_hint("for example 2026-04-16T09:42:11Z, 16/B374D848 or latest");
  }
  return restore_point(std::string(text));
}

Result<RecoveryPath> choose_path(const RepositoryInfo& info,
                                 const std::vector<TimelineInfo>& timelines, const Target& target,
                                 Timestamp now, const std::optional<std::string>& label) {
  if (info.backups.empty()) return outside("there is no backup yet", "make a full backup first");
  const auto* time = std::get_if<Target::Time>(&target.where);
  if (time != nullptr && time->at > now)
    return outside("the moment is in the future", "it is now " + now.rfc3339());
  const TimelineInfo* newest = timelines.empty() ? nullptr : &timelines.back();
  const TimelineInfo* line = in_force(timelines, time != nullptr ? time->at : kEver);
  const wal::Timeline number = line == nullptr ? wal::Timeline{1} : line->timeline;
  // Only the newest one may go on in the streamed log under a name that the archive does not know.
  const RecoveryPath path{{}, line == newest && time == nullptr ? wal::Timeline{} : number};
  if (label) {
    const BackupInfo* backup = info.find(*label);
    if (backup == nullptr)
      return make_error(ErrorCode::kNotFound, kOp, "there is no such backup: " + *label)
          .with_hint("see the list of backups");
    if (!ended_before(*backup, target))
      return outside("the backup had not ended at that moment", "begin with an older one");
    return RecoveryPath{*backup, path.timeline};
  }
  const bool oldest_first = std::holds_alternative<Target::Name>(target.where);
  const BackupInfo* chosen = nullptr;
  for (const auto& backup : info.backups) {
    if (!ended_before(backup, target) || !leads_to(backup, line, number)) continue;
    if (chosen == nullptr || !oldest_first) chosen = &backup;
  }
  if (chosen == nullptr) {
    return outside(
        "the moment is before the first backup that is kept",
        "the earliest that can be restored is " + info.backups.front().restorable_from().rfc3339());
  }
  return RecoveryPath{*chosen, path.timeline};
}

}  // namespace oa::continuity
