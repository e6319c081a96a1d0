#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <fmt/args.h>
#include <spdlog/fmt/fmt.h>

namespace lockstep {

std::string format_args(std::string_view text, std::span<const FormatArg> args) {
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const FormatArg& arg : args) {
    std::visit([&store](const auto& value) { store.push_back(value); }, arg);
  }
  try {
    return fmt::vformat(text, store);
  } catch (const fmt::format_error& error) {
    throw internal_error(std::string("malformed text \"") + std::string(text) +
                         "\": " + error.what());
  }
}

}  // namespace lockstep
