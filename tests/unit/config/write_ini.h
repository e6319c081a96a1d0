// Settings files of a test.
#pragma once

#include <support/temporary_folder.h>

#include <string>

namespace lockstep {

// The path of the file written.
inline std::string write_ini(const TemporaryFolder& folder,
                             const std::string& name,
                             const std::string& text) {
  write_file(folder / name, text);
  return (folder / name).string();
}

}  // namespace lockstep
