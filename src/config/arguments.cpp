// The command line, through Boost.Program_options (this file is its only door).
#include "sources.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>

namespace lockstep::config {
namespace {

namespace po = boost::program_options;

bool is_boolean(const OptionTable& table, std::string_view name) {
  const Option* option = table.find(name);
  return option != nullptr && option->type == "boolean";
}

constexpr std::array<std::string_view, 4> kTrue{"true", "1", "yes", "on"};
constexpr std::array<std::string_view, 4> kFalse{"false", "0", "no", "off"};

bool is_true(std::string_view text) { return std::ranges::find(kTrue, text) != kTrue.end(); }
bool is_truth_word(std::string_view text) {
  return is_true(text) || std::ranges::find(kFalse, text) != kFalse.end();
}

bool is_switch(const Command& command, std::string_view name) {
  return std::ranges::any_of(command.flags, [name](const Flag& flag) {
    return flag.name == name && flag.value_name.empty();
  });
}

// Brings the forms that Boost does not know into one it does: --no-x becomes --x=false, a boolean's
// word in the next argument is joined to it, --x= becomes --x and an empty argument, -h --help.
std::vector<std::string> normalised(Arguments arguments, const OptionTable& table) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const std::string name = argument.starts_with("--") ? argument.substr(2) : "";
    if (argument == "-h") {
      result.emplace_back("--help");
    } else if (name.starts_with("no-") && is_boolean(table, name.substr(3))) {
      result.push_back("--" + name.substr(3) + "=false");
    } else if (is_boolean(table, name) && i + 1 < arguments.size() &&
               is_truth_word(arguments[i + 1])) {
      result.push_back(argument + "=" + arguments[++i]);
    } else if (name.size() > 1 && name.find('=') == name.size() - 1) {
      result.push_back(argument.substr(0, argument.size() - 1));
      result.emplace_back();
    } else {
      result.push_back(argument);
    }
  }
  return result;
}

po::options_description describe(const Command& command, const OptionTable& table) {
  po::options_description all;
  const auto add_switch = [&all](const std::string& name) {
    all.add_options()(name.c_str(), po::value<std::string>()->implicit_value("true"), "");
  };
  const auto add_value = [&all](const std::string& name) {
    all.add_options()(name.c_str(), po::value<std::string>(), "");
  };
  add_value("config");
  add_switch("help");
  for (const Flag& flag : command.flags) {
    flag.value_name.empty() ? add_switch(flag.name) : add_value(flag.name);
  }
  for (const Option& option : table.options()) {
    option.type == "boolean" ? add_switch(option.name()) : add_value(option.name());
  }
  return all;
}

std::string bare(const std::string& option_name) {
  const std::size_t begin = option_name.find_first_not_of('-');
  if (begin == std::string::npos) return option_name;
  return option_name.substr(begin, option_name.find('=', begin) - begin);
}

Error unknown(const Command& command, const OptionTable& table, const std::string& name) {
  if (name.starts_with("no-") && table.find(name.substr(3)) != nullptr) {
    return usage_error(format("--{} is not understood: {} is not a boolean", name, name.substr(3)));
  }
  std::vector<std::string> flags{"config", "help"};
  for (const Flag& flag : command.flags) flags.push_back(flag.name);
  std::string near = suggest_key(table, name);
  // A name without a dot was rather meant to be a flag.
  if (near.empty() && name.find('.') == std::string::npos) near = nearest_name(name, flags);
  if (near.empty()) near = table.nearest(name);
  return usage_error(format("unknown setting --{}{}",
                            name,
                            near.empty() ? format("; `lockstep {} --help` names all", command.name)
                                         : format("; did you mean --{}?", near)));
}

Error missing_value(const std::string& name) {
  return usage_error(format("--{} needs a value: write --{} VALUE", name, name));
}

std::vector<po::option> run_boost(const Command& command,
                                  Arguments arguments,
                                  const OptionTable& table) {
  namespace style = po::command_line_style;
  const po::options_description known = describe(command, table);
  try {
    return po::command_line_parser(normalised(arguments, table))
        .options(known)
        .style(style::allow_long | style::long_allow_next | style::long_allow_adjacent)
        .run()
        .options;
  } catch (const po::unknown_option& error) {
    throw unknown(command, table, bare(error.get_option_name()));
  } catch (const po::invalid_command_line_syntax& error) {
    throw missing_value(bare(error.get_option_name()));
  } catch (const po::error& error) {
    throw usage_error(error.what());
  }
}

}  // namespace

ReadArguments read_arguments(const Command& command,
                             Arguments arguments,
                             const OptionTable& table) {
  ReadArguments result;
  for (const po::option& option : run_boost(command, arguments, table)) {
    const std::string& name = option.string_key;
    const std::string value = option.value.empty() ? "true" : option.value.front();
    // Boost takes the next option for the value of one that lacks it.
    if (option.original_tokens.size() > 1 && value.starts_with("--")) throw missing_value(name);
    if (name.empty()) {
      result.positional.push_back(value);
    } else if (name == "config") {
      result.config_files.push_back(value);
    } else if (name == "help") {
      result.help = true;
    } else if (table.find(name) != nullptr) {
      result.assignments.push_back({{name, Source::kCommandLine, "command line"}, value});
    } else if (is_switch(command, name)) {
      if (!is_truth_word(value)) {
        throw usage_error(format("--{}=\"{}\" is not understood: write --{}", name, value, name));
      }
      result.flags.erase(name);
      if (is_true(value)) result.flags[name] = "true";
    } else {
      result.flags[name] = value;
    }
  }
  if (!result.help && result.positional.size() > command.max_positional) {
    throw usage_error(format("unexpected argument \"{}\"; usage: lockstep {}",
                             result.positional[command.max_positional],
                             command.usage));
  }
  return result;
}

}  // namespace lockstep::config
