// What surrounds the process: environment variables and the XDG folders. Read once by main() and handed down.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ingle::cli {

class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string, std::less<>> variables) : variables_(std::move(variables)) {}
  /// The process's own.
  static Environment of_process();

  /// nullptr where it is not set.
  const std::string* find(std::string_view name) const;
  /// Empty where it is not set.
  std::string get(std::string_view name) const;
  const std::map<std::string, std::string, std::less<>>& all() const { return variables_; }
  /// "KEY=VALUE" strings.
  std::vector<std::string> strings() const;

 private:
  std::map<std::string, std::string, std::less<>> variables_;
};

/// Ingle's own folders by the XDG base directory specification; relative values of the variables are ignored, as it
/// asks. Nothing is created.
struct Paths {
  std::filesystem::path config_file;  ///< $XDG_CONFIG_HOME/ingle/config.toml, or INGLE_CONFIG
  std::filesystem::path data;         ///< $XDG_DATA_HOME/ingle
  std::filesystem::path cache;        ///< $XDG_CACHE_HOME/ingle
  std::filesystem::path state;        ///< $XDG_STATE_HOME/ingle
};
Paths find_paths(const Environment& environment);

/// `~/x` with the home folder.
std::filesystem::path expand_home(std::string_view path, const Environment& environment);

}  // namespace ingle::cli
