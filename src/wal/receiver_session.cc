#include "receiver_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace oa::wal {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kOp = "wal.receive";
constexpr milliseconds kStatusInterval{5'000};
constexpr Lsn kNoEnd{~std::uint64_t{0}};
// SQLSTATE of a file that is not there: the segment was removed, or a history.
constexpr std::string_view kUndefinedFile = "58P01";

Error not_understood() {
  return make_error(ErrorCode::kDatabase, kOp, "the database answers what is not understood")
      .with_hint("this program works with Postgres 15");
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// "16MB", as SHOW prints it.
Result<SegmentSize> parse_segment_size(std::string_view text) {
  if (text.size() < 3) return not_understood();
  const auto unit = text.substr(text.size() - 2);
  const int shift = unit == "GB" ? 30 : unit == "MB" ? 20 : 0;
  const auto number = parse_number<std::uint32_t>(text.substr(0, text.size() - 2));
  if (shift == 0 || !number) return not_understood();
  return SegmentSize::of(std::uint64_t{*number} << shift);
}

}  // namespace

bool is_valid_slot_name(const std::string& name) {
  return !name.empty() && name.size() <= 63 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Error ReceiverSession::run() {
  auto opened = ReplicationConnection::open(settings_, wakeup_);
  if (!opened.ok()) return std::move(opened).error();
  const Status ended = receive(*opened);
  OA_ASSERT(!ended.ok());
  return ended.error();
}

Result<ReceiverSession::Server> ReceiverSession::identify(ReplicationConnection& connection) {
  OA_ASSIGN(const auto system, connection.command("IDENTIFY_SYSTEM"));
  OA_ASSIGN(const auto size, connection.command("SHOW wal_segment_size"));
  if (system.size() != 1 || system[0].size() < 3 || !system[0][0] || !system[0][1] ||
      !system[0][2] || size.size() != 1 || size[0].size() != 1 || !size[0][0])
    return not_understood();
  Server server;
  const auto identifier = parse_number<std::uint64_t>(*system[0][0]);
  const auto timeline = parse_number<std::uint32_t>(*system[0][1]);
  if (!identifier || !timeline || *timeline == 0) return not_understood();
  OA_ASSIGN(server.end, Lsn::parse(*system[0][2]));
  OA_ASSIGN(server.cluster.segment_size, parse_segment_size(*size[0][0]));
  server.cluster.system_identifier = *identifier;
  server.timeline = {*timeline};
  return server;
}

Status ReceiverSession::fetch_history(ReplicationConnection& connection, Timeline timeline) {
  OA_ASSIGN(const auto rows,
            connection.command(fmt::format("TIMELINE_HISTORY {}", timeline.value)));
  if (rows.size() != 1 || rows[0].size() != 2 || !rows[0][1]) return not_understood();
  return log_.put_history(timeline, as_bytes(*rows[0][1]));
}

// Keeps the histories on the way, too: a recovery looks for each in turn.
Result<std::vector<Ancestor>> ReceiverSession::fetch_lineage(ReplicationConnection& connection,
                                                             Timeline timeline) {
  std::vector<Ancestor> lineage;
  if (timeline.value > 1) {
    OA_TRY(fetch_history(connection, timeline));
    OA_ASSIGN(const Bytes file, log_.read_history(timeline));
    OA_ASSIGN(lineage, parse_history(timeline, file));
    OA_ASSIGN(const auto kept, log_.histories());
    for (const auto& ancestor : lineage) {
      if (ancestor.timeline.value < 2 || std::ranges::count(kept, ancestor.timeline) > 0) continue;
      const Status fetched = fetch_history(connection, ancestor.timeline);
      if (!fetched.ok() && connection.last_sqlstate() != kUndefinedFile) return fetched.error();
    }
  }
  lineage.push_back({timeline, kNoEnd});
  return lineage;
}

// Where the server keeps its log for us from. Makes the slot when there is none, and anew when it
// keeps nothing: one that the server gave up comes back with the position that we report, of which
// it has nothing.
Result<ReceiverSession::Place> ReceiverSession::slot_position(ReplicationConnection& connection,
                                                              const Server& server) {
  const std::string read = fmt::format("READ_REPLICATION_SLOT \"{}\"", settings_.slot);
  OA_ASSIGN(auto rows, connection.command(read));
  if (rows.size() != 1 || rows[0].size() != 3) return not_understood();
  if (rows[0][0] && *rows[0][0] != "physical") {
    return make_error(ErrorCode::kConflict, kOp, "the replication slot is of another kind")
        .with_hint("name another slot");
  }
  if (go_on_at_slot_ && kept_ && rows[0][1]) return *kept_;
  if (!rows[0][1] || go_on_at_slot_) {
    if (rows[0][0])
      OA_TRY(connection.command(fmt::format("DROP_REPLICATION_SLOT \"{}\"", settings_.slot)));
    OA_TRY(connection.command(
        fmt::format("CREATE_REPLICATION_SLOT \"{}\" PHYSICAL RESERVE_WAL", settings_.slot)));
    OA_ASSIGN(rows, connection.command(read));
  }
  if (rows.size() != 1 || rows[0].size() != 3 || !rows[0][1] || !rows[0][2])
    return not_understood();
  OA_ASSIGN(const Lsn kept_from, Lsn::parse(*rows[0][1]));
  const auto timeline = parse_number<std::uint32_t>(*rows[0][2]);
  if (!timeline || *timeline == 0) return not_understood();
  kept_ = Place{{*timeline}, server.cluster.segment_size.floor(kept_from)};
  return *kept_;
}

// What the log wants next was removed. The next session goes on where the slot was found to keep it
// from (it takes the position that we reported since, of which the server has nothing), or at a new
// slot when that was what failed.
void ReceiverSession::note_removed(Place asked) {
  go_on_at_slot_ = true;
  if (kept_ && asked.lsn >= kept_->lsn) kept_.reset();
}

// Where the log ends, without what is damaged there: it goes on at that segment's begin, which the
// server mostly still has, since it removes whole segments.
Result<std::optional<Lsn>> ReceiverSession::end_of(Timeline timeline) {
  OA_ASSIGN(const auto damaged, log_.set_aside_damaged(timeline));
  if (!damaged) return log_.end_of(timeline);
  events_.damaged({*damaged, Timestamp::now()});
  set_aside_at_ = damaged->begin();
  return set_aside_at_;
}

// Where the log goes on in the server's own history; none when it has nothing of that.
Result<std::optional<ReceiverSession::Place>> ReceiverSession::end_in_lineage(
    const Server& server) {
  for (auto at = server.lineage.rbegin(); at != server.lineage.rend(); ++at) {
    OA_ASSIGN(const auto end, end_of(at->timeline));
    if (!end) continue;
    if (*end < at->end) return std::optional(Place{at->timeline, *end});
    // What lies behind the fork stays where it is; the new timeline's first segment begins with a
    // copy of the old one's.
    return std::optional(
        Place{std::prev(at)->timeline, server.cluster.segment_size.floor(at->end)});
  }
  return std::optional<Place>();
}

Status ReceiverSession::note_gap(Place start) {
  OA_ASSIGN(const auto timelines, log_.timelines());
  std::optional<Lsn> end = set_aside_at_;
  if (!timelines.empty()) {
    OA_ASSIGN(end, end_of(timelines.back()));
  }
  if (end) events_.gap({start.timeline, *end, start.lsn, Timestamp::now()});
  return {};
}

Result<ReceiverSession::Place> ReceiverSession::choose_start(ReplicationConnection& connection,
                                                             const Server& server) {
  OA_ASSIGN(const Place kept, slot_position(connection, server));
  OA_ASSIGN(const auto end, end_in_lineage(server));
  if (end && !go_on_at_slot_) return *end;
  OA_TRY(note_gap(kept));
  return kept;
}

Status ReceiverSession::take_batch(ReplicationConnection& connection, Place& place) {
  batch_.clear();
  while (batch_.size() < settings_.batch_bytes) {
    OA_ASSIGN(const auto message, connection.next_message());
    if (!message) break;
    heard_ = true;
    go_on_at_slot_ = false;
    reply_wanted_ |= message->reply_wanted;
    events_.heard(message->server_end);
    if (message->kind != StreamMessage::Kind::kData || message->data.empty()) continue;
    if (message->start.value != place.lsn.value + batch_.size())
      return make_error(ErrorCode::kDatabase, kOp, "the database left out a part of its log");
    if (batch_.empty()) batch_sent_ = message->sent;
    batch_.insert(batch_.end(), message->data.begin(), message->data.end());
  }
  if (batch_.empty()) return {};
  const Lsn end{place.lsn.value + batch_.size()};
  events_.received(end);
  OA_TRY(log_.append(place.timeline, place.lsn, batch_));
  place.lsn = end;
  events_.durable(end, batch_sent_);
  return connection.send_status(end, end, false);
}

Result<TimelineEnd> ReceiverSession::stream(ReplicationConnection& connection, Place place) {
  events_.streaming(place.timeline, place.lsn);
  OA_TRY(connection.send_status(place.lsn, place.lsn, false));
  auto last_heard = Clock::now(), last_status = last_heard, asked = last_heard;
  while (!connection.stream_ended()) {
    heard_ = false;
    OA_TRY(take_batch(connection, place));
    const auto now = Clock::now();
    if (!batch_.empty()) last_status = now;
    if (heard_) last_heard = now;
    if (now - last_heard > settings_.silence_timeout) {
      return make_error(ErrorCode::kDatabaseUnavailable, kOp, "the database fell silent")
          .with_hint("the receiver connects again");
    }
    const bool ask = now - std::max(last_heard, asked) > settings_.silence_timeout / 3;
    if (std::exchange(reply_wanted_, false) || ask || now - last_status >= kStatusInterval) {
      OA_TRY(connection.send_status(place.lsn, place.lsn, ask));
      last_status = now;
      if (ask) asked = now;
    }
    if (batch_.empty() && !connection.stream_ended()) {
      const auto rest = std::min(kStatusInterval, settings_.silence_timeout / 3);
      OA_TRY(connection.wait(rest));
    } else if (wakeup_.fired()) {
      return make_error(ErrorCode::kCancelled, kOp, "stopped");
    }
  }
  return connection.finish_stream();
}

Result<TimelineEnd> ReceiverSession::start_and_stream(ReplicationConnection& connection,
                                                      Place place) {
  OA_ASSIGN(const auto end, connection.start(settings_.slot, place.timeline, place.lsn));
  if (end) return *end;
  return stream(connection, place);
}

Status ReceiverSession::receive(ReplicationConnection& connection) {
  OA_ASSIGN(Server server, identify(connection));
  OA_TRY(log_.bind(server.cluster));
  OA_ASSIGN(server.lineage, fetch_lineage(connection, server.timeline));
  OA_ASSIGN(Place place, choose_start(connection, server));
  for (;;) {
    // One that it had before is still sent from: only the server's own is led.
    if (place.timeline == server.timeline)
      OA_TRY(log_.note_lead({Timestamp::now(), place.timeline}));
    const auto end = start_and_stream(connection, place);
    if (!end.ok() && connection.last_sqlstate() == kUndefinedFile) note_removed(place);
    if (!end.ok()) return end.error();
    OA_TRY(fetch_history(connection, end->next));
    server.timeline = std::max(server.timeline, end->next);
    place = {end->next, server.cluster.segment_size.floor(end->at)};
  }
}

}  // namespace oa::wal
