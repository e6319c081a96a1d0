// Text in aligned columns.
#pragma once

#include <string>
#include <vector>

namespace lockstep::report {

class Table {
 public:
  // One letter a column: 'l' flush left, 'r' flush right.
  explicit Table(std::string alignment) : alignment_(std::move(alignment)) {}

  // Requires: one cell a column. Cells are printable ASCII or UTF-8.
  void row(std::vector<std::string> cells);
  // Every line starts with `indent` blanks and has none at its end.
  std::string text(std::size_t indent) const;

 private:
  std::string alignment_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace lockstep::report
