// The two forms of an answer that leave the program: its digest and its JSON.
#include <boost/json.hpp>
#include <cmath>

#include "oa/reports/dataset_reader.h"

namespace oa::reports {
namespace {

void add_number(std::uint64_t number, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(number >> shift);
}

void add_text(std::string_view text, std::string& out) {
  add_number(text.size(), out);
  out += text;
}

void add_cell(const Value& cell, std::string& out) {
  out += static_cast<char>(cell.index());
  if (const auto* flag = std::get_if<bool>(&cell)) out += static_cast<char>(*flag);
  if (const auto* integer = std::get_if<std::int64_t>(&cell))
    add_number(static_cast<std::uint64_t>(*integer), out);
  if (const auto* real = std::get_if<double>(&cell)) {
    // One zero and one NaN, so that what looks equal is equal.
    const double plain = std::isnan(*real) ? std::nan("") : *real + 0.0;
    add_number(std::bit_cast<std::uint64_t>(plain), out);
  }
  if (const auto* text = std::get_if<std::string>(&cell)) add_text(*text, out);
}

json::value cell_json(const Value& cell) {
  return std::visit(
      [](const auto& held) -> json::value {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>) return nullptr;
        if constexpr (std::is_same_v<Held, double>) {
          // JSON has no numbers for these (RFC 8259).
          if (std::isnan(held)) return "NaN";
          if (std::isinf(held)) return held > 0 ? "Infinity" : "-Infinity";
          return held;
        }
        if constexpr (!std::is_same_v<Held, std::monostate>) return json::value(held);
      },
      cell);
}

}  // namespace

Blake2bDigest answer_digest(const QueryAnswer& answer) {
  Blake2b hash;
  std::string piece = "oa-answer:v1";
  add_number(answer.fields.size(), piece);
  add_number(answer.row_count, piece);
  for (const AnswerField& field : answer.fields) {
    add_text(field.column.id, piece);
    add_text(analytics::to_text(field.kind), piece);
    for (const Value& cell : field.cells) {
      add_cell(cell, piece);
      if (piece.size() < (std::size_t{1} << 16)) continue;
      hash.update(as_bytes(piece));
      piece.clear();
    }
  }
  hash.update(as_bytes(piece));
  return hash.finish();
}

json::value to_json(const QueryAnswer& answer) {
  json::array columns, rows;
  for (const AnswerField& field : answer.fields) {
    json::object column{{"id", field.column.id},
                        {"label", field.column.label},
                        {"kind", analytics::to_text(field.kind)},
                        {"role", field.column.is_measure ? "measure" : "dimension"}};
    if (!field.column.format.empty()) column["format"] = field.column.format;
    if (field.column.grain) column["grain"] = semantics::to_text(*field.column.grain);
    columns.push_back(std::move(column));
  }
  for (std::uint64_t row = 0; row < answer.row_count; ++row) {
    json::array cells;
    for (const AnswerField& field : answer.fields) cells.push_back(cell_json(field.cells[row]));
    rows.push_back(std::move(cells));
  }
  json::object page{{"has_more", answer.next_cursor.has_value()}, {"next_cursor", nullptr}};
  if (answer.next_cursor) page["next_cursor"] = *answer.next_cursor;
  json::object object{{"columns", std::move(columns)},
                      {"rows", std::move(rows)},
                      {"row_count", answer.row_count},
                      {"page", std::move(page)},
                      {"sql_preview", answer.sql_preview}};
  if (answer.denied) object["denied"] = true;
  return object;
}

}  // namespace oa::reports
