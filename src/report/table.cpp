#include "report/table.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <cstddef>

namespace lockstep::report {
namespace {

constexpr std::size_t kGap = 3;

// Characters, not bytes: continuation bytes of UTF-8 take no place.
std::size_t width_of(const std::string& cell) {
  return static_cast<std::size_t>(std::count_if(cell.begin(), cell.end(), [](char symbol) {
    return (static_cast<unsigned char>(symbol) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  LOCKSTEP_CHECK(cells.size() == alignment_.size(), "one cell a column");
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::size_t indent) const {
  std::vector<std::size_t> widths(alignment_.size(), 0);
  for (const auto& cells : rows_) {
    for (std::size_t k = 0; k < cells.size(); ++k) {
      widths[k] = std::max(widths[k], width_of(cells[k]));
    }
  }
  std::string out;
  for (const auto& cells : rows_) {
    std::string line(indent, ' ');
    for (std::size_t k = 0; k < cells.size(); ++k) {
      if (k > 0) line.append(kGap, ' ');
      const std::size_t blanks = widths[k] - width_of(cells[k]);
      if (alignment_[k] == 'r') line.append(blanks, ' ');
      line += cells[k];
      if (alignment_[k] == 'l') line.append(blanks, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace lockstep::report
