// Models by name: a catalogue, sources to fetch from, and one content-addressed folder that holds what was fetched.
//
// Folder layout (version 1; everything below StoreOptions::root):
//   blobs/sha256/HEX          the model file whose SHA-256 is HEX; complete and verified, or absent
//   models/NAME.json          manifest: which blob a name means, and where it came from
//   partial/...               downloads under way, resumed by the next pull; garbage after a week
//   locks/...                 flock files, so that processes never write the same blob at once
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/catalogue.h"

namespace ingle::store {

/// What the caller's surroundings say. Libraries never read the environment: the CLI fills this in.
struct StoreOptions {
  std::filesystem::path root;  ///< e.g. $XDG_DATA_HOME/ingle
  /// For downloads that somebody else asks for: connections only to public addresses, whatever a name or a redirect
  /// resolves to, and to the hosts that the endpoints and pip's configuration name. A proxy looks after itself.
  bool public_addresses_only = false;
  bool offline = false;                                ///< never touch the network; a pull that needs it is an error
  std::string hf_endpoint = "https://huggingface.co";  ///< HF_ENDPOINT
  std::string hf_token;                                ///< HF_TOKEN; sent to the endpoint's host and to nobody else
  std::string modelscope_endpoint = "https://modelscope.cn";
  std::vector<std::string> environment;  ///< the process's whole environment, "KEY=VALUE": PIP_*, HOME, PATH
                                         ///< and XDG_* locate pip and its configuration; pip inherits it
  std::string http_proxy, https_proxy, all_proxy, no_proxy;  ///< empty: none
  std::string ca_bundle;                                     ///< PEM file of trusted roots; empty: the system's
  std::vector<std::filesystem::path> catalogues;  ///< user catalogue files, merged over the built-in one in order
  unsigned retries = 4;                           ///< further attempts after a transient failure
  double retry_delay_seconds = 0.5;               ///< before the first of them; doubles up to 8 s
  double stall_seconds = 30;                      ///< no byte for this long fails the attempt
};

/// Fills every field of StoreOptions that has an environment variable (HF_*, *_PROXY, SSL_CERT_FILE, ...) from
/// "KEY=VALUE" strings, and keeps them all for pip. root, offline and catalogues stay as they are.
void apply_environment(StoreOptions& options, std::vector<std::string> environment);

enum class Hub { huggingface, modelscope };
/// Where a hub's files are. Errors: invalid_argument, naming the variable and its value, where it is not an https
/// address (or http on this machine). Only what asks the hub fails for it.
Result<std::string> hub_endpoint(const StoreOptions& options, Hub hub);

enum class Stage { waiting, probing, downloading, extracting, verifying, done };

struct Progress {
  Stage stage = Stage::waiting;
  std::string message;       ///< "downloading part 3/6", "waiting for another download"; no numbers that the rest has
  uint64_t bytes_done = 0;   ///< of the bytes to fetch, resumed ones included
  uint64_t bytes_total = 0;  ///< 0 while unknown
  double bytes_per_second = 0;  ///< smoothed; 0 while unknown
};
using ProgressCallback = std::function<void(const Progress&)>;  ///< called at most about ten times a second
using CancelledCallback = std::function<bool()>;                ///< polled; true makes the pull return `cancelled`

struct InstalledModel {
  std::string name;            ///< the catalogue's spelling, or the one derived from an address
  std::filesystem::path path;  ///< the model file (or a folder, where the user named one)
  uint64_t bytes = 0;
  std::string sha256;        ///< empty for a path outside the store
  std::string source;        ///< the address that delivered it; "already installed" never appears here
  std::string installed_at;  ///< UTC, 2026-11-22T21:00:00Z; empty for a path outside the store
  bool fetched = false;      ///< this pull downloaded it (false: it was there)
  bool verified = false;     ///< and a checksum that was known beforehand agreed
};

/// What `show` prints: the catalogue's entry, the installed file, or both.
struct ModelInfo {
  std::optional<CatalogueEntry> entry;
  std::optional<InstalledModel> installed;
};

class Store {
 public:
  /// Creates the folders, reads the catalogues, drops stale partial downloads.
  /// Errors: permission_denied, io_error, no_space; corrupt for a broken user catalogue.
  static Result<Store> open(StoreOptions options);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  const Catalogue& catalogue() const;

  /// The local file for a name, alias, address or path; never uses the network.
  /// A text with a '/' or one that names no model is taken as a path. Errors: not_found (says whether it can be
  /// pulled).
  Result<InstalledModel> resolve(std::string_view model) const;

  /// Fetches a name or an address (hf: modelscope: https: pypi: file: or a path) unless it is there; verified.
  /// Errors: not_found, invalid_argument, offline, network, corrupt (checksum), no_space, cancelled, permission_denied.
  Result<InstalledModel> pull(std::string_view model, const ProgressCallback& progress = {},
                              const CancelledCallback& cancelled = {});

  /// resolve, and where that finds nothing, pull.
  Result<InstalledModel> ensure(std::string_view model, const ProgressCallback& progress = {},
                                const CancelledCallback& cancelled = {});

  /// The first bytes of the file that pull(model) would fetch, at most 256 MiB, as they come, until `enough` says so of
  /// those that are there. Nothing is kept. Sources in packages are left out. Errors: as pull; unsupported where there
  /// is no other source.
  Status read_start(std::string_view model, const std::function<bool(std::span<const std::byte>)>& enough,
                    const CancelledCallback& cancelled = {}) const;

  /// How much of a model's file an unfinished pull left here; 0: nothing, or the name means none. The next pull of the
  /// model goes on from there.
  uint64_t partial_bytes(std::string_view model) const;
  /// Removes that. Errors: busy (it is being pulled); not_found, invalid_argument (the name means no model).
  Status discard_partial(std::string_view model);

  /// Installed models by name.
  Result<std::vector<InstalledModel>> list() const;

  Result<ModelInfo> show(std::string_view model) const;

  struct Removed {
    std::string name;
    uint64_t bytes_freed = 0;  ///< 0 where another name still uses the file
  };
  Result<Removed> remove(std::string_view model);

  /// Gives an installed model a further name; remove() of either leaves the other. Errors: not_found; invalid_argument
  /// (no valid name, or one that means something else).
  Result<InstalledModel> copy(std::string_view model, std::string_view name);

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ingle::store
