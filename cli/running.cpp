#include "cli/running.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <thread>

#include "base/json.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Json;
using base::Result;
using base::Status;

constexpr int kFormat = 1;
constexpr size_t kMaxBytes = 4096;
// Who asks whether a record is alive holds its lock for a moment.
constexpr int kTries = 50;
constexpr std::chrono::milliseconds kPause{10};

fs::path record_path(const fs::path& folder, uint16_t port) {
  return folder / (std::to_string(port) + ".json");
}

Json record_json(const RunningServer& server) {
  return {{"format", kFormat},   {"pid", server.pid},       {"version", server.version}, {"host", server.host},
          {"port", server.port}, {"socket", server.socket}, {"tls", server.tls}};
}

std::optional<RunningServer> parse_record(const std::string& text) {
  const auto json = base::parse_json(text, {.max_bytes = kMaxBytes, .max_depth = 4});
  if (!json || !json->is_object()) return std::nullopt;
  const auto number = [&](const char* name, int64_t most) -> int64_t {
    const auto found = json->find(name);
    const bool fits = found != json->end() && found->is_number_integer() && found->get<int64_t>() > 0;
    return fits && found->get<int64_t>() <= most ? found->get<int64_t>() : 0;
  };
  const auto text_of = [&](const char* name) {
    const auto found = json->find(name);
    return found != json->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  RunningServer server;
  server.pid = static_cast<pid_t>(number("pid", INT32_MAX));
  server.port = static_cast<uint16_t>(number("port", 65535));
  server.version = text_of("version");
  server.host = text_of("host");
  server.socket = text_of("socket");
  server.tls = json->value("tls", Json()) == Json(true);
  if (number("format", kFormat) != kFormat || server.pid == 0 || server.port == 0) return std::nullopt;
  return server;
}

/// Nothing where nobody holds its lock.
std::optional<RunningServer> read_record(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return std::nullopt;
  char text[kMaxBytes];
  const ssize_t bytes = ::pread(file.get(), text, sizeof text, 0);
  return bytes > 0 ? parse_record(std::string(text, static_cast<size_t>(bytes))) : std::nullopt;
}

Status check_folder(const fs::path& folder) {
  struct stat info = {};
  if (::lstat(folder.c_str(), &info) != 0) return base::errno_error(errno, "look at", folder);
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)
    return Error{ErrorCode::permission_denied,
                 folder.string() + " has to be a folder of yours that others cannot use; 'chmod 700' it, or remove it"};
  return {};
}

Status make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder.parent_path(), failed);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return base::errno_error(errno, "make", folder);
  return check_folder(folder);
}

/// Whether `path` names this file still: whoever ends removes it.
bool is_at(const fs::path& path, int file) {
  struct stat opened = {}, named = {};
  return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

fs::path servers_folder(const Session& session) {
  const std::string runtime = session.environment.get("XDG_RUNTIME_DIR");
  return (runtime.empty() ? session.paths.state : fs::path(runtime) / "ingle") / "servers";
}

std::string RunningServer::address() const {
  const bool six = host.find(':') != std::string::npos;
  return (tls ? "https://" : "http://") + (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string RunningServer::already_running() const {
  return "'ingle serve' is already running at " + address() + " (pid " + std::to_string(pid) + ")";
}

Result<std::vector<RunningServer>> running_servers(const fs::path& folder) {
  std::vector<RunningServer> servers;
  std::error_code failed;
  if (!fs::exists(folder, failed)) return servers;
  INGLE_CHECK(check_folder(folder));
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().extension() != ".json") continue;
    if (auto server = read_record(at->path())) servers.push_back(std::move(*server));
  }
  if (failed) return Error{ErrorCode::io_error, "cannot read the folder " + folder.string()};
  std::ranges::sort(servers, {}, &RunningServer::port);
  return servers;
}

Result<std::optional<RunningServer>> running_server(const fs::path& folder, uint16_t port) {
  INGLE_TRY(const std::vector<RunningServer> servers, running_servers(folder));
  for (const RunningServer& server : servers)
    if (server.port == port) return std::optional(server);
  return std::optional<RunningServer>();
}

Result<RunningServer> choose_server(const Session& session) {
  INGLE_TRY(const std::vector<RunningServer> servers, running_servers(servers_folder(session)));
  const auto port = static_cast<uint16_t>(session.values.integer("port"));
  std::string ports;
  for (const RunningServer& server : servers) {
    if (server.port == port || (port == 0 && servers.size() == 1)) return server;
    ports += (ports.empty() ? "" : ", ") + std::to_string(server.port);
  }
  if (servers.empty()) return Error{ErrorCode::not_found, "no server of yours is running; 'ingle serve' starts one"};
  if (port != 0)
    return Error{ErrorCode::not_found,
                 "no server of yours is running on port " + std::to_string(port) + "; there are some on " + ports};
  return Error{ErrorCode::invalid_argument, "several servers are running; choose one with --port: " + ports};
}

bool still_runs(const fs::path& folder, const RunningServer& server) {
  const auto now = read_record(record_path(folder, server.port));
  return now && now->pid == server.pid;
}

// By system calls: Debian 12's sys/pidfd.h does not say that its functions are C's.
FileDescriptor open_process(pid_t pid) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

Status signal_process(const FileDescriptor& process, int signal) {
  if (::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0) return {};
  if (errno == ESRCH) return Error{ErrorCode::not_found, "the process has ended"};
  return base::errno_error(errno, "signal", "a process");
}

Result<ServerRecord> ServerRecord::create(const fs::path& folder, const RunningServer& server) {
  INGLE_CHECK(make_folder(folder));
  ServerRecord record;
  record.path_ = record_path(folder, server.port);
  for (int i = 0; i < kTries; ++i, std::this_thread::sleep_for(kPause)) {
    FileDescriptor file(::open(record.path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return base::errno_error(errno, "write", record.path_);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 || !is_at(record.path_, file.get())) continue;
    const std::string text = record_json(server).dump() + "\n";
    if (::ftruncate(file.get(), 0) != 0 ||
        ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
      return base::errno_error(errno, "write", record.path_);
    record.file_ = std::move(file);
    return record;
  }
  return Error{ErrorCode::busy, "another server holds " + record.path_.string()};
}

ServerRecord::ServerRecord(ServerRecord&& other) noexcept
    : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}

ServerRecord& ServerRecord::operator=(ServerRecord&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  return *this;
}

ServerRecord::~ServerRecord() {
  if (file_.get() >= 0) ::unlink(path_.c_str());
}

}  // namespace ingle::cli
