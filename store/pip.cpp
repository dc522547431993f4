#include "store/pip.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "store/address.h"
#include "store/package_index.h"
#include "store/process.h"
#include "store/system.h"
#include "store/url.h"

namespace ingle::store {
namespace {

constexpr uint64_t max_config_bytes = 1 << 20;

std::string_view trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!(text = trim(text)).empty()) {
    const size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

// "index_url", "--index-url" and "Index-URL" are the same option.
std::string option_name(std::string_view key) {
  std::string name = to_lower(trim(key));
  std::replace(name.begin(), name.end(), '_', '-');
  while (name.starts_with('-')) name.erase(0, 1);
  return name;
}

// pip's strtobool.
bool is_true(std::string_view text) {
  const std::string value = to_lower(trim(text));
  return value == "y" || value == "yes" || value == "t" || value == "true" || value == "on" || value == "1";
}

void apply_options(PipConfiguration& configuration, const PipOptions& options) {
  const auto value = [&](const char* name) -> const std::string* {
    const auto at = options.find(name);
    return at == options.end() ? nullptr : &at->second;
  };
  if (const auto* text = value("index-url")) configuration.index_url = trim(*text);
  if (const auto* text = value("pypi-url")) configuration.index_url = trim(*text);
  if (const auto* text = value("extra-index-url")) configuration.extra_index_urls = words(*text);
  if (const auto* text = value("find-links")) configuration.find_links = words(*text);
  if (const auto* text = value("trusted-host")) configuration.trusted_hosts = words(*text);
  if (const auto* text = value("cert")) configuration.cert = trim(*text);
  if (const auto* text = value("proxy")) configuration.proxy = trim(*text);
  if (const auto* text = value("no-index")) configuration.no_index = is_true(*text);
}

std::vector<std::filesystem::path> config_files(const Environment& environment) {
  std::vector<std::filesystem::path> files;
  const std::string explicit_file = environment.get("PIP_CONFIG_FILE");
  if (explicit_file == "/dev/null") return files;  // pip's documented way to load none
  std::string system_folders = environment.get("XDG_CONFIG_DIRS");
  if (system_folders.empty()) system_folders = "/etc/xdg";
  for (size_t begin = 0; begin <= system_folders.size();) {
    const size_t end = std::min(system_folders.find(':', begin), system_folders.size());
    if (end > begin) files.push_back(std::filesystem::path(system_folders.substr(begin, end - begin)) / "pip/pip.conf");
    begin = end + 1;
  }
  files.emplace_back("/etc/pip.conf");
  const std::string home = environment.get("HOME");
  if (!home.empty()) files.push_back(std::filesystem::path(home) / ".pip/pip.conf");
  const std::string user = environment.get("XDG_CONFIG_HOME");
  if (!user.empty()) {
    files.push_back(std::filesystem::path(user) / "pip/pip.conf");
  } else if (!home.empty()) {
    files.push_back(std::filesystem::path(home) / ".config/pip/pip.conf");
  }
  const std::string site = environment.get("VIRTUAL_ENV");
  if (!site.empty()) files.push_back(std::filesystem::path(site) / "pip.conf");
  if (!explicit_file.empty()) files.emplace_back(explicit_file);
  return files;
}

std::string find_program(const Environment& environment, std::string_view name) {
  const std::string path = environment.get("PATH");
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    begin = end + 1;
    if (!folder.starts_with('/')) continue;  // the current folder is not a place for programs
    std::string file = folder + "/" + std::string(name);
    struct stat info{};
    if (::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

std::vector<std::string> child_environment(const Environment& environment) {
  std::vector<std::string> variables;
  for (const std::string& variable : environment.variables()) {
    if (!variable.starts_with("COLUMNS=") && !variable.starts_with("PIP_NO_INPUT=") &&
        !variable.starts_with("PIP_DISABLE_PIP_VERSION_CHECK=") && !variable.starts_with("LC_ALL="))
      variables.push_back(variable);
  }
  // Wide enough that help is not wrapped; never a question; no call home about pip's own version.
  variables.insert(variables.end(),
                   {"COLUMNS=1000", "PIP_NO_INPUT=1", "PIP_DISABLE_PIP_VERSION_CHECK=1", "LC_ALL=C.UTF-8"});
  return variables;
}

// The last line that says something, without control characters: what pip ends a failure with.
std::string last_line(std::string_view text) {
  text = trim(text);
  std::string line(trim(text.substr(text.rfind('\n') + 1)));
  std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return redact_url(line.substr(0, 300));
}

}  // namespace

std::string Environment::get(std::string_view name) const {
  for (const std::string& variable : variables_) {
    if (variable.size() > name.size() && variable[name.size()] == '=' && variable.starts_with(name))
      return variable.substr(name.size() + 1);
  }
  return {};
}

std::vector<std::string> PipConfiguration::indexes() const {
  if (no_index) return {};
  std::vector<std::string> out;
  if (!index_url.empty()) out.push_back(index_url);
  out.insert(out.end(), extra_index_urls.begin(), extra_index_urls.end());
  return out;
}

PipOptions parse_pip_config(std::string_view text) {
  PipOptions global, command;
  PipOptions* section = nullptr;
  std::string* continued = nullptr;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view content = trim(line);
    if (content.empty() || content.starts_with('#') || content.starts_with(';')) continue;
    if ((line.front() == ' ' || line.front() == '\t') && continued != nullptr) {
      *continued += "\n" + std::string(content);
      continue;
    }
    continued = nullptr;
    if (content.starts_with('[')) {
      const std::string_view name = content.substr(1, std::min(content.find(']'), content.size()) - 1);
      section = name == "global" ? &global : name == "download" ? &command : nullptr;
      continue;
    }
    const size_t separator = content.find_first_of("=:");
    if (section == nullptr || separator == std::string_view::npos) continue;
    continued = &((*section)[option_name(content.substr(0, separator))] = trim(content.substr(separator + 1)));
  }
  for (auto& [name, value] : command) global[name] = std::move(value);
  return global;
}

PipConfiguration read_pip_configuration(const Environment& environment) {
  PipConfiguration configuration;
  for (const std::filesystem::path& file : config_files(environment)) {
    const Result<std::string> text = base::read_file(file, max_config_bytes);
    if (text.ok()) apply_options(configuration, parse_pip_config(*text));
  }
  PipOptions variables;
  for (const std::string& variable : environment.variables()) {
    const size_t equals = variable.find('=');
    // An empty variable counts as unset.
    if (!variable.starts_with("PIP_") || equals == std::string::npos || equals + 1 == variable.size()) continue;
    variables[option_name(std::string_view(variable).substr(4, equals - 4))] = variable.substr(equals + 1);
  }
  apply_options(configuration, variables);
  return configuration;
}

std::vector<std::string> find_pip(const Environment& environment) {
  for (const char* name : {"pip", "pip3"}) {
    if (std::string program = find_program(environment, name); !program.empty()) return {program};
  }
  if (std::string python = find_program(environment, "python3"); !python.empty()) return {python, "-m", "pip"};
  return {};
}

std::string parse_pip_help(std::string_view help) {
  const size_t option = help.find("--index-url");
  if (option == std::string_view::npos) return {};
  // Up to the next option, which starts a line with a dash.
  size_t end = help.size();
  for (size_t line = help.find('\n', option); line != std::string_view::npos; line = help.find('\n', line + 1)) {
    if (trim(help.substr(line, std::min(help.find('\n', line + 1), help.size()) - line)).starts_with('-')) {
      end = line;
      break;
    }
  }
  const std::string_view text = help.substr(option, end - option);
  constexpr std::string_view marker = "(default";  // then a space, or a line break where the help was wrapped
  const size_t begin = text.find(marker);
  if (begin == std::string_view::npos) return {};
  const size_t close = text.find(')', begin);
  if (close == std::string_view::npos) return {};
  std::string url(trim(text.substr(begin + marker.size(), close - begin - marker.size())));
  if (url.find("****") != std::string::npos || url.find_first_of(" \n") != std::string::npos || !parse_url(url))
    return {};
  return url;
}

Result<std::string> ask_pip_for_index(const Environment& environment, const std::function<bool()>& cancelled) {
  std::vector<std::string> command = find_pip(environment);
  if (command.empty()) return Error{ErrorCode::not_found, "no package index is configured and pip is not installed"};
  command.insert(command.end(), {"download", "--help"});
  INGLE_TRY(const ProcessResult result, run_process(command, child_environment(environment), 60, cancelled));
  const std::string url = result.exit_code == 0 ? parse_pip_help(result.output) : std::string();
  if (url.empty()) return Error{ErrorCode::not_found, "no package index is configured and pip does not name one"};
  return url;
}

Result<std::filesystem::path> pip_download(const Environment& environment, std::string_view package,
                                           std::string_view version, const std::filesystem::path& folder,
                                           const std::function<bool()>& cancelled) {
  std::vector<std::string> command = find_pip(environment);
  if (command.empty()) return Error{ErrorCode::not_found, "pip is not installed"};
  command.insert(command.end(), {"download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--quiet", "-d",
                                 folder.string(), std::string(package) + "==" + std::string(version)});
  // Half a day: the time is for a process that hangs, a slow line is for the person to judge.
  INGLE_TRY(const ProcessResult result, run_process(command, child_environment(environment), 43200, cancelled));
  if (result.exit_code != 0)
    return Error{ErrorCode::network,
                 "pip download failed: " + last_line(result.errors.empty() ? result.output : result.errors)};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (is_wheel_of(entry.path().filename().string(), package, version)) return entry.path();
  }
  return Error{ErrorCode::network, "pip download left no wheel of " + std::string(package)};
}

}  // namespace ingle::store
