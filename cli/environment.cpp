// Environment variables and XDG folders.
#include "cli/environment.h"

#include <pwd.h>
#include <unistd.h>

namespace ingle::cli {
namespace {

std::filesystem::path home_folder(const Environment& environment) {
  if (std::string home = environment.get("HOME"); !home.empty()) return home;
  // A service or a bare container may have no HOME; the password database still knows.
  passwd record{};
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(getuid(), &record, buffer, sizeof buffer, &found) == 0 && found != nullptr &&
      record.pw_dir != nullptr) {
    return record.pw_dir;
  }
  return "/";
}

std::filesystem::path xdg_folder(const Environment& environment, std::string_view variable,
                                 std::string_view below_home) {
  const std::filesystem::path value = environment.get(variable);
  return (value.is_absolute() ? value : home_folder(environment) / below_home) / "ingle";
}

}  // namespace

Environment Environment::of_process() {
  Environment environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.variables_.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

const std::string* Environment::find(std::string_view name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? nullptr : &found->second;
}

std::string Environment::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string() : *value;
}

std::vector<std::string> Environment::strings() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : variables_) out.push_back(name + "=" + value);
  return out;
}

Paths find_paths(const Environment& environment) {
  Paths paths;
  paths.config_file = xdg_folder(environment, "XDG_CONFIG_HOME", ".config") / "config.toml";
  if (const std::string file = environment.get("INGLE_CONFIG"); !file.empty()) {
    paths.config_file = expand_home(file, environment);
  }
  paths.data = xdg_folder(environment, "XDG_DATA_HOME", ".local/share");
  paths.cache = xdg_folder(environment, "XDG_CACHE_HOME", ".cache");
  paths.state = xdg_folder(environment, "XDG_STATE_HOME", ".local/state");
  return paths;
}

std::filesystem::path expand_home(std::string_view path, const Environment& environment) {
  if (path == "~") return home_folder(environment);
  if (path.starts_with("~/")) return home_folder(environment) / path.substr(2);
  return path;
}

}  // namespace ingle::cli
