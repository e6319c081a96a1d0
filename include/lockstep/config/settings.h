// All settings of lockstep as one table, the checks that need more than one of them, and their text
// forms. Knows options only, nothing of what they do.
#pragma once

#include <lockstep/base/option.h>
#include <lockstep/train/settings.h>

#include <string>

namespace lockstep::config {

using Settings = train::Settings;

// Every setting, section by section in the order of the documentation.
// Requires: `settings` outlives the table and stays where it is.
OptionTable make_table(Settings& settings);

// The checks of every module and those across modules.
// Throws: Error(kConfig) naming the key, its value and what to write.
void validate(const Settings& settings);

// The text of config.resolved.ini: every setting with its value. Read back, it gives the same
// settings, bit for bit.
std::string resolved_ini(const Settings& settings);

// A value as an INI line holds it: quoted when the reader would cut it otherwise.
std::string ini_value(const std::string& value);

// docs/configuration.md, made from the table.
std::string markdown_reference();

}  // namespace lockstep::config
