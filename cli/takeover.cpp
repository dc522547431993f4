#include "cli/takeover.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/json.h"
#include "security/keys/peer.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Json;
using base::Result;
using base::Status;

constexpr int kProtocol = 1;
constexpr size_t kMaxPacket = 4096;
constexpr size_t kMaxSockets = 2;
constexpr timeval kPatience = {10, 0};

/// The folder's path may be longer than a socket's address holds; by way of its descriptor it is short.
struct Address {
  FileDescriptor folder;
  sockaddr_un name = {};
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

Result<Address> address_of(const fs::path& path) {
  Address address;
  address.folder = FileDescriptor(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (address.folder.get() < 0) return base::errno_error(errno, "open", path.parent_path());
  const std::string text = "/proc/self/fd/" + std::to_string(address.folder.get()) + "/" + path.filename().string();
  address.name.sun_family = AF_UNIX;
  text.copy(address.name.sun_path, sizeof(address.name.sun_path) - 1);
  return address;
}

fs::path socket_path(const fs::path& folder, uint16_t port) {
  return folder / (std::to_string(port) + ".sock");
}

FileDescriptor new_socket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

void be_patient(int socket) {
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
}

bool is_own(int socket) {
  const auto peer = security::unix_peer(socket);
  return peer && peer->uid == ::geteuid();
}

bool send_packet(int socket, const Json& json, const std::vector<int>& sockets = {}) {
  std::string text = json.dump();
  iovec part = {text.data(), text.size()};
  alignas(cmsghdr) char space[CMSG_SPACE(kMaxSockets * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!sockets.empty()) {
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(sockets.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sockets.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), sockets.data(), sockets.size() * sizeof(int));
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

struct Packet {
  Json json;
  std::vector<FileDescriptor> sockets;
};

/// Nothing: the other end is gone, silent, or does not keep to the protocol.
std::optional<Packet> receive_packet(int socket) {
  char text[kMaxPacket];
  iovec part = {text, sizeof text};
  alignas(cmsghdr) char space[CMSG_SPACE(kMaxSockets * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  ssize_t bytes = 0;
  do bytes = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (bytes < 0 && errno == EINTR);
  Packet packet;
  for (cmsghdr* header = bytes > 0 ? CMSG_FIRSTHDR(&message) : nullptr; header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      packet.sockets.emplace_back(descriptor);
    }
  }
  if (bytes <= 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return std::nullopt;
  auto json =
      base::parse_json(std::string_view(text, static_cast<size_t>(bytes)), {.max_bytes = kMaxPacket, .max_depth = 4});
  if (!json || !json->is_object()) return std::nullopt;
  packet.json = std::move(*json);
  return packet;
}

bool says(const Json& json, const char* name) {
  return json.value(name, Json()) == Json(true);
}

}  // namespace

Result<HandoverPoint> HandoverPoint::open(const fs::path& folder, const RunningServer& self,
                                          server::HttpServer::Listeners listeners) {
  HandoverPoint point;
  const fs::path path = socket_path(folder, self.port);
  INGLE_TRY(const Address address, address_of(path));
  // The record's lock says that this place is ours; what lies there was left by a process that was killed.
  ::unlink(path.c_str());
  point.listener_ = new_socket();
  if (point.listener_.get() < 0 || ::bind(point.listener_.get(), address.get(), sizeof address.name) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(point.listener_.get(), 4) != 0)
    return base::errno_error(errno, "listen on", path);
  point.path_ = path;
  point.socket_ = self.socket;
  point.listeners_ = std::move(listeners);
  return point;
}

HandoverPoint& HandoverPoint::operator=(HandoverPoint&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(socket_, other.socket_);
  std::swap(listener_, other.listener_);
  std::swap(newcomer_, other.newcomer_);
  std::swap(listeners_, other.listeners_);
  std::swap(taken_, other.taken_);
  return *this;
}

HandoverPoint::~HandoverPoint() {
  if (listener_.get() >= 0 && !path_.empty()) ::unlink(path_.c_str());
}

void HandoverPoint::welcome() {
  FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (socket.get() < 0 || !is_own(socket.get())) return;
  be_patient(socket.get());
  const auto hello = receive_packet(socket.get());
  if (!hello) return;
  if (hello->json.value("takeover", Json()) != Json(kProtocol)) {
    send_packet(socket.get(), {{"error", "it is too old to hand over to this version"}});
    return;
  }
  if (newcomer_.get() >= 0) {
    send_packet(socket.get(), {{"error", "another server is about to take its place already"}});
    return;
  }
  std::vector<int> sockets = {listeners_.tcp.get()};
  if (listeners_.socket.get() >= 0) sockets.push_back(listeners_.socket.get());
  if (send_packet(socket.get(), {{"takeover", kProtocol}, {"socket", socket_}}, sockets)) newcomer_ = std::move(socket);
}

std::optional<HandoverPoint::Taken> HandoverPoint::advance() {
  const auto readable = [](int descriptor) {
    pollfd one = {descriptor, POLLIN, 0};
    return descriptor >= 0 && ::poll(&one, 1, 0) == 1;
  };
  if (readable(newcomer_.get())) {
    const auto packet = receive_packet(newcomer_.get());
    if (packet && says(packet->json, "go")) {
      taken_ = true;
      return Taken{says(packet->json, "with_socket")};
    }
    newcomer_ = FileDescriptor();
  }
  if (readable(listener_.get())) welcome();
  return std::nullopt;
}

void HandoverPoint::leave() {
  listeners_ = server::HttpServer::Listeners();
  if (listener_.get() >= 0) ::unlink(path_.c_str());
  listener_ = FileDescriptor();
  if (taken_) send_packet(newcomer_.get(), {{"gone", true}});
  newcomer_ = FileDescriptor();
}

Result<Takeover> Takeover::begin(const fs::path& folder, const RunningServer& old, std::string_view version) {
  const std::string who = "the server that runs at " + old.address() + " (pid " + std::to_string(old.pid) + ")";
  const std::string hint = "; 'ingle stop' ends it";
  Takeover takeover;
  INGLE_TRY(const Address address, address_of(socket_path(folder, old.port)));
  takeover.line_ = new_socket();
  const int line = takeover.line_.get();
  be_patient(line);
  if (::connect(line, address.get(), sizeof address.name) != 0)
    return Error{ErrorCode::unsupported, who + " can't be replaced" + hint};
  if (!is_own(line) || !send_packet(line, {{"takeover", kProtocol}, {"version", version}}))
    return Error{ErrorCode::network, who + " does not answer" + hint};
  auto answer = receive_packet(line);
  if (!answer) return Error{ErrorCode::network, who + " does not answer" + hint};
  if (answer->sockets.empty()) {
    const Json why = answer->json.value("error", Json());
    return Error{ErrorCode::unsupported,
                 who + " does not hand over: " + (why.is_string() ? why.get<std::string>() : "no reason given") + hint};
  }
  takeover.listeners_.tcp = std::move(answer->sockets[0]);
  if (answer->sockets.size() > 1) takeover.listeners_.socket = std::move(answer->sockets[1]);
  return takeover;
}

Status Takeover::complete(bool with_socket) {
  if (send_packet(line_.get(), {{"go", true}, {"with_socket", with_socket}}))
    if (const auto answer = receive_packet(line_.get()); answer && says(answer->json, "gone")) return {};
  return Error{ErrorCode::network, "the server that was to be replaced ended meanwhile, or hangs; try again"};
}

}  // namespace ingle::cli
