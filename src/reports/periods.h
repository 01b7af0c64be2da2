// Calendar periods in UTC; weeks begin on Monday (ISO 8601), as a query's grains do.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "oa/base/clock.h"
#include "oa/semantics/model.h"

namespace oa::reports {

using Day = std::chrono::sys_days;

/// 2024-02-29; nothing for another text.
std::optional<Day> day_of(std::string_view text);
std::string to_text(Day day);
Day day_of(Timestamp moment);
/// The first day of the period that `day` lies in, and of those beside it.
Day period_start(Day day, semantics::Grain grain);
Day previous_period(Day start, semantics::Grain grain);
Day next_period(Day start, semantics::Grain grain);

}  // namespace oa::reports
