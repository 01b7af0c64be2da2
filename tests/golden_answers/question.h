// One question, asked twice: of our engine through a model, of Postgres in SQL that was written by
// hand and knows nothing of the compiler's ways.
#pragma once

#include <span>
#include <string>

namespace oa::golden_answers {

struct Question {
  const char* name;
  std::string model;
  const char* request;  // a QueryRequest
  const char* sql;      // the columns of the request, in its order
  const char* viewer = R"({"roles": [], "teams": [], "attributes": {}})";
  bool no_rows = false;  // is the right answer
};

/// When questions are asked: relative dates are relative to it.
inline constexpr char kNow[] = "2025-06-15T10:30:00Z";
/// Who asks.
inline constexpr char kUser[] = "7d1f2f0a-3a53-4b0e-9d5c-2f1f7f3f9a10";

std::span<const Question> retail_questions();
/// Of the tables in ../shared/data: airports, birdstrikes, weather, stocks and zipcodes.
std::span<const Question> real_questions();

}  // namespace oa::golden_answers
