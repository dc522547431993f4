// Reading the command line with CLI11. It gets one flat set of options, made from the records of the command; the
// command's name and everything after "--" are taken out first, so that a prompt which happens to be the name of a
// command, or which looks like an option, stays a prompt.
#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/settings.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

Error usage(std::string message, const Command* command) {
  std::string hint = "see 'ingle ";
  if (command != nullptr) hint += std::string(command->name) + " ";
  return {ErrorCode::invalid_argument, std::move(message) + "; " + hint + "--help'"};
}

/// The option that the word `--name`, `--no-name`, `--name=value`, `-n` or `-nvalue` names, or nullptr.
const Option* option_of_word(const std::vector<const Option*>& options, std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return nullptr;
  const bool is_long = word[1] == '-';
  const std::string_view name = is_long ? word.substr(2, word.find('=') - 2) : word.substr(1, 1);
  for (const Option* option : options) {
    if (is_long ? option->name == name : option->letter == name[0]) return option;
  }
  return nullptr;
}

/// Whether the value of the option in `word` is the next word.
bool value_follows(const std::vector<const Option*>& options, std::string_view word) {
  const Option* option = option_of_word(options, word);
  if (option == nullptr || !takes_value(*option)) return false;
  return word.starts_with("--") ? word.find('=') == std::string_view::npos : word.size() == 2;
}

std::vector<const Option*> every_option() {
  std::vector<const Option*> out;
  for (const Option& option : all_settings()) out.push_back(&option);
  return out;
}

/// Where the command's name stands: the first word that is neither an option nor an option's value.
size_t command_place(std::span<const std::string> words) {
  const std::vector<const Option*> options = every_option();
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].empty() || words[i][0] != '-' || words[i] == "--") return i;
    if (value_follows(options, words[i])) ++i;
  }
  return words.size();
}

struct SplitWords {
  std::vector<std::string> options;    ///< what CLI11 reads
  std::vector<std::string> arguments;  ///< after "--"
};

SplitWords split_words(const std::vector<const Option*>& options, std::span<const std::string> words) {
  SplitWords out;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      out.arguments.assign(words.begin() + static_cast<ptrdiff_t>(i) + 1, words.end());
      break;
    }
    const Option* option = option_of_word(options, word);
    if (option != nullptr && takes_value(*option) && word.starts_with("--") && word.ends_with('=') &&
        word.size() == option->name.size() + 3) {
      // CLI11 would take the next word as the value of "--name=".
      out.options.push_back(word.substr(0, word.size() - 1));
      out.options.emplace_back();
      continue;
    }
    out.options.push_back(word);
    if (value_follows(options, word) && i + 1 < words.size()) out.options.push_back(words[++i]);
  }
  return out;
}

Error unknown_option(const std::string& word, const std::vector<const Option*>& options, const Command* command) {
  std::vector<std::string> names;
  for (const Option* option : options) {
    names.push_back("--" + std::string(option->name));
    if (option->type == ValueType::toggle) names.push_back("--no-" + std::string(option->name));
  }
  const std::string shown = word.substr(0, word.starts_with("--") ? word.find('=') : 2);
  std::string message = "unknown option '" + shown + "'";
  const std::string_view near = word.starts_with("--") ? nearest(shown, names) : std::string_view();
  if (!near.empty()) {
    message += "; did you mean '" + std::string(near) + "'? put text that starts with a dash after '--'";
    return {ErrorCode::invalid_argument, message};
  }
  return usage(message + "; put text that starts with a dash after '--'", command);
}

/// The flag's description in CLI11's notation: "-q,--quiet".
std::string cli11_name(const Option& option) {
  std::string name;
  if (option.letter != 0) name = std::string("-") + option.letter + ",";
  return name + "--" + std::string(option.name);
}

Status parse_options(ParsedLine& line, const std::vector<const Option*>& options, std::span<const std::string> words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  struct Entry {
    const Option* option;
    CLI::Option* yes;
    CLI::Option* no = nullptr;
  };
  std::vector<Entry> entries;
  for (const Option* option : options) {
    Entry entry{option, nullptr};
    if (takes_value(*option)) {
      entry.yes =
          app.add_option(cli11_name(*option))->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      entry.yes = app.add_flag(cli11_name(*option))->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      if (option->type == ValueType::toggle) {
        entry.no =
            app.add_flag("--no-" + std::string(option->name))->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      }
    }
    entries.push_back(entry);
  }
  CLI::Option* help = app.add_flag("-h,--help")->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

  SplitWords split = split_words(options, words);
  std::vector<std::string> reversed(split.options.rbegin(), split.options.rend());
  app.parse(reversed);

  line.help = help->count() > 0;
  for (const std::string& word : app.remaining()) {
    if (word.size() > 1 && word[0] == '-') return unknown_option(word, options, line.command);
    line.arguments.push_back(word);
  }
  line.arguments.insert(line.arguments.end(), split.arguments.begin(), split.arguments.end());
  for (const Entry& entry : entries) {
    if (entry.no != nullptr && entry.no->count() > 0) {
      if (entry.yes->count() > 0) {
        const std::string name(entry.option->name);
        return usage("--" + name + " and --no-" + name + " contradict each other", line.command);
      }
      line.flags.push_back({entry.option, {"false"}});
    } else if (entry.yes->count() > 0) {
      line.flags.push_back({entry.option, entry.yes->results()});
    }
  }
  return {};
}

/// Whether it is one of the words of "a b c".
bool is_choice(std::string_view choices, std::string_view word) {
  return !word.empty() && word.find(' ') == std::string_view::npos &&
         (" " + std::string(choices) + " ").find(" " + std::string(word) + " ") != std::string::npos;
}

Status check_arguments(const ParsedLine& line) {
  const auto& arguments = line.command->arguments;
  for (size_t i = line.arguments.size(); i < arguments.size(); ++i) {
    if (arguments[i].required) return usage(std::string(arguments[i].name) + " is missing", line.command);
  }
  for (size_t i = 0; i < std::min(line.arguments.size(), arguments.size()); ++i) {
    if (arguments[i].type != ValueType::choice || is_choice(arguments[i].choices, line.arguments[i])) continue;
    std::string names(arguments[i].choices);
    for (size_t at = 0; (at = names.find(' ', at)) != std::string::npos; at += 2) names.insert(at, ",");
    return usage(std::string(arguments[i].name) + " is one of " + names + "; not '" + line.arguments[i] + "'",
                 line.command);
  }
  const bool any_number = !arguments.empty() && arguments.back().repeatable;
  if (line.arguments.size() > arguments.size() && !any_number) {
    return usage("unexpected argument '" + line.arguments[arguments.size()] + "'", line.command);
  }
  return {};
}

Error unknown_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command* command : all_commands()) {
    if (!command->hidden) names.push_back(command->name);
  }
  const std::string_view near = nearest(word, names);
  std::string message = "unknown command '" + word + "'";
  return {ErrorCode::not_found,
          message + (near.empty() ? "; see 'ingle --help'" : "; did you mean '" + std::string(near) + "'?")};
}

}  // namespace

Result<ParsedLine> parse_line(std::span<const std::string> words) {
  ParsedLine line;
  const size_t place = command_place(words);
  std::vector<std::string> rest(words.begin(), words.end());
  if (words.empty()) line.command = find_command("open");  // what a person wants who asks for nothing
  if (place < words.size()) {
    if (words[place] == "--") return usage("a command is missing before '--'", nullptr);
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(place));
    if (words[place] == "help") {
      // `ingle help run` is `ingle run --help`.
      line.help = true;
      if (rest.empty()) return line;
      line.command = find_command(rest.front());
      if (line.command == nullptr) return unknown_command(rest.front());
      return line;
    }
    line.command = find_command(words[place]);
    if (line.command == nullptr) return unknown_command(words[place]);
  } else if (std::find(words.begin(), words.end(), "--version") != words.end()) {
    line.version = true;
    return line;
  }
  const auto options = line.command != nullptr ? options_of(*line.command) : every_option();
  try {
    INGLE_CHECK(parse_options(line, options, rest));
  } catch (const CLI::ArgumentMismatch&) {
    return usage("'" + words.back() + "' needs a value", line.command);
  } catch (const CLI::Error& error) {
    return usage(error.what(), line.command);
  }
  if (line.command != nullptr && !line.help) INGLE_CHECK(check_arguments(line));
  return line;
}

}  // namespace ingle::cli
