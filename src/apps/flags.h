// Flags of a subcommand out of one table: parsing, --help and the nearest name of a wrong one.
// Settings of a training run are not here: they are options of the modules.
#pragma once

#include "commands.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::apps {

struct Flag {
  std::string name;   // "--out"
  std::string value;  // what follows it, "FILE"; empty: a switch
  std::string help;
};

struct FlagTable {
  std::string usage;    // "lockstep inspect FILE.h5 [flags]"
  std::string summary;  // one or more lines
  std::vector<Flag> flags;
};

class Flags {
 public:
  // Accepts `--name value`, `--name=value` and `--name` for switches; `--` ends the flags; --help
  // is always known. A flag given twice: the last wins.
  // Throws: Error(kUsage) naming the flag, with the nearest one when it is unknown.
  Flags(const FlagTable& table, Arguments arguments);

  bool help() const { return help_; }
  bool has(const std::string& name) const { return values_.contains(name); }
  const std::vector<std::string>& positional() const { return positional_; }
  std::string text(const std::string& name, const std::string& missing = "") const;
  // Throws: Error(kUsage) when the flag is missing.
  std::string required_text(const std::string& name) const;
  // Throws: Error(kUsage) when it is not a whole number.
  std::int64_t whole(const std::string& name, std::int64_t missing) const;
  // Comma-separated, blanks around names removed.
  std::vector<std::string> list(const std::string& name) const;

 private:
  const Flag& find(const std::string& name) const;

  const FlagTable& table_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> positional_;
  bool help_ = false;
};

std::string help_text(const FlagTable& table);

// The known word with the smallest edit distance; empty when none is near.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace lockstep::apps
