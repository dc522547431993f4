// The servers of this user that run now. Each keeps a record of itself, FOLDER/PORT.json, locked (flock) for as long as
// it lives: a record without a lock is what a killed one left, and counts for nothing.
//   {"format":1,"pid":1234,"version":"0.1.0","host":"127.0.0.1","port":11911,"socket":"/run/…","tls":false}
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "cli/session.h"

namespace ingle::cli {

/// $XDG_RUNTIME_DIR/ingle/servers, or where there is no such folder, the state folder's.
std::filesystem::path servers_folder(const Session& session);

struct RunningServer {
  pid_t pid = 0;
  std::string version;
  std::string host;
  uint16_t port = 0;
  std::string socket;  ///< Unix socket; empty: none
  bool tls = false;
  /// "http://127.0.0.1:11911"
  std::string address() const;
  /// "'ingle serve' is already running at http://127.0.0.1:11911 (pid 1234)"
  std::string already_running() const;
};

/// By port. What is no record is left out. Errors: permission_denied (others may write into the folder), io_error.
base::Result<std::vector<RunningServer>> running_servers(const std::filesystem::path& folder);
base::Result<std::optional<RunningServer>> running_server(const std::filesystem::path& folder, uint16_t port);
/// The only one, or that on --port. Errors: not_found, invalid_argument (several), those of running_servers.
base::Result<RunningServer> choose_server(const Session& session);
/// Whether it runs still.
bool still_runs(const std::filesystem::path& folder, const RunningServer& server);

/// A process that stays the same one, whoever gets its number later (pidfd_open(2)); -1: there is none, or the kernel
/// is too old. Readable once it has ended.
base::FileDescriptor open_process(pid_t pid);
/// Errors: not_found (it has ended), permission_denied, io_error.
base::Status signal_process(const base::FileDescriptor& process, int signal);

/// A record of this process, until the end of this object.
class ServerRecord {
 public:
  /// Makes the folder (0700). Errors: busy (another holds it), permission_denied, io_error, no_space.
  static base::Result<ServerRecord> create(const std::filesystem::path& folder, const RunningServer& server);
  ServerRecord() = default;
  ServerRecord(ServerRecord&& other) noexcept;
  ServerRecord& operator=(ServerRecord&& other) noexcept;
  ~ServerRecord();

 private:
  std::filesystem::path path_;
  base::FileDescriptor file_;
};

}  // namespace ingle::cli
