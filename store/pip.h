// What pip on this machine is configured with, so that models that ship inside packages come from the person's own
// index: the environment and the configuration files in pip's order, then pip itself.
// https://pip.pypa.io/en/stable/topics/configuration/
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ingle::store {

struct PipConfiguration {
  std::string index_url;  ///< empty: not configured
  std::vector<std::string> extra_index_urls;
  std::vector<std::string> find_links;
  std::vector<std::string> trusted_hosts;
  std::string cert;
  std::string proxy;
  bool no_index = false;

  /// All indexes in order, none where no_index is set.
  std::vector<std::string> indexes() const;
};

/// The process environment as given by the caller.
class Environment {
 public:
  explicit Environment(std::vector<std::string> variables) : variables_(std::move(variables)) {}
  /// Empty where it is unset.
  std::string get(std::string_view name) const;
  const std::vector<std::string>& variables() const { return variables_; }

 private:
  std::vector<std::string> variables_;
};

using PipOptions = std::map<std::string, std::string>;  ///< "index-url" -> value
/// The [global] section of a configuration file and, over it, [download]. Never fails: what is no option is skipped.
PipOptions parse_pip_config(std::string_view text);

/// From PIP_* variables and pip's configuration files (global, user, virtual environment, PIP_CONFIG_FILE).
PipConfiguration read_pip_configuration(const Environment& environment);

/// The command that runs pip ("…/pip" or "…/python3 -m pip"), found on the environment's PATH; empty where there is
/// none.
std::vector<std::string> find_pip(const Environment& environment);

/// The index that pip itself would use when nothing configures one: what "pip download --help" names as the default.
base::Result<std::string> ask_pip_for_index(const Environment& environment, const std::function<bool()>& cancelled);
/// The default that pip's help text names for --index-url; empty where it names none, or hides a password in it.
std::string parse_pip_help(std::string_view help);

/// Downloads one wheel into an empty folder: pip download --no-deps --only-binary :all:, which runs nothing from it.
/// Returns the wheel's path. Errors: not_found (no pip), network (what pip said), cancelled.
base::Result<std::filesystem::path> pip_download(const Environment& environment, std::string_view package,
                                                 std::string_view version, const std::filesystem::path& folder,
                                                 const std::function<bool()>& cancelled);

}  // namespace ingle::store
