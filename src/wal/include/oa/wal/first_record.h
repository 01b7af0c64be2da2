// When a timeline began, by its own first record.
#pragma once

#include <optional>

#include "oa/base/clock.h"
#include "oa/wal/position.h"

namespace oa::wal {

/// The server that ends a recovery writes the moment, by its clock, into the first record of the
/// new timeline, at `fork`, where its parent was left: an end of recovery, or a checkpoint
/// (Postgres 15, access/xlogrecord.h, access/xlog_internal.h, catalog/pg_control.h). `bytes` is
/// `segment`, whole, of the new timeline. None when no such record, sound by its checksum, is
/// there.
std::optional<Timestamp> began_at(const SegmentName& segment, ByteView bytes, Lsn fork);

}  // namespace oa::wal
