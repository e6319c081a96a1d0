// Text layout shared by --help and the documentation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lockstep::config {

// `text` in lines of at most `width` columns, each behind `indent` blanks and ended by a newline.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width = 100);

}  // namespace lockstep::config
