// Writers hold FOLDER/keys.lock (flock) from reading the file to renaming the new one over it. Readers take no lock: a
// rename shows them the old file or the new one.
#include "security/keys/keys.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <mutex>
#include <thread>
#include <utility>

#include "base/files.h"
#include "base/utf8.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Result;
using base::Status;

constexpr const char* kFileName = "keys.json";
constexpr const char* kLockName = "keys.lock";
constexpr std::chrono::seconds kLockPatience{5};
// File systems note times by the kernel's tick, at most 10 ms. A file that was younger when it was read may have been
// replaced since within the same tick.
constexpr int64_t kSettledNs = 100'000'000;

// `what` is the user's own and nobody else's.
Status check_private(const struct stat& info, const std::filesystem::path& path, const char* mode) {
  if (info.st_uid != ::geteuid())
    return Error{ErrorCode::permission_denied, path.string() + " belongs to user " + std::to_string(info.st_uid) +
                                                   ", not to the one who runs this (" + std::to_string(::geteuid()) +
                                                   "); keys are not read from there"};
  if ((info.st_mode & 077) != 0)
    return Error{
        ErrorCode::permission_denied,
        "others can reach " + path.string() + "; keys are read when only you can: chmod " + mode + " " + path.string()};
  return {};
}

// Which file was read. A file that is not there has one, too.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t changed_ns = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const struct stat& info) {
  return {info.st_dev, info.st_ino, info.st_size, info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec};
}

int64_t wall_clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

Result<std::string> read_whole(int fd, const std::filesystem::path& path) {
  std::string text(kMaxKeyFileBytes + 1, '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::read(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::errno_error(errno, "read", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  if (done > kMaxKeyFileBytes)
    return Error{ErrorCode::limit_exceeded, path.string() + " is too large for a file of keys"};
  text.resize(done);
  return text;
}

struct Contents {
  std::vector<Key> keys;
  Stamp stamp;
  bool settled = false;  ///< any change from now on shows in the stamp
};

Status check_folder(const std::filesystem::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return base::errno_error(errno, "open", folder);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return base::errno_error(errno, "stat", folder);
  return check_private(info, folder, "700");
}

// No file: no keys.
Result<Contents> read_contents(const std::filesystem::path& folder) {
  INGLE_CHECK(check_folder(folder));
  const auto path = folder / kFileName;
  const int64_t now = wall_clock_ns();
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (fd.get() < 0 && errno == ENOENT) return Contents{};
  if (fd.get() < 0) return base::errno_error(errno, "open", path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return base::errno_error(errno, "stat", path);
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::corrupt, path.string() + " is not a regular file"};
  INGLE_CHECK(check_private(info, path, "600"));
  INGLE_TRY(const std::string text, read_whole(fd.get(), path));
  Contents contents;
  INGLE_TRY(contents.keys, parse_key_file(text));
  contents.stamp = stamp_of(info);
  contents.settled = now - contents.stamp.changed_ns > kSettledNs;
  return contents;
}

Result<FileDescriptor> lock_folder(const std::filesystem::path& folder) {
  const auto path = folder / kLockName;
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return base::errno_error(errno, "open", path);
  const auto end = std::chrono::steady_clock::now() + kLockPatience;
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return base::errno_error(errno, "lock", path);
    if (std::chrono::steady_clock::now() >= end)
      return Error{ErrorCode::busy, "another process is changing the keys in " + folder.string()};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return fd;
}

Status write_contents(const std::filesystem::path& folder, const std::vector<Key>& keys) {
  base::remove_abandoned(folder, kFileName);
  return base::write_file_atomic(folder / kFileName, write_key_file(keys), base::Readers::owner);
}

}  // namespace

struct Keys::State {
  std::filesystem::path folder;
  std::mutex mutex;  // guards contents
  Contents contents;

  // What is in the file now. The lock is held while it is read: few keys, rare changes.
  Status refresh() {
    struct stat info{};
    const auto path = folder / kFileName;
    const bool there = ::lstat(path.c_str(), &info) == 0;
    if (there && contents.settled && stamp_of(info) == contents.stamp && (info.st_mode & 077) == 0) return {};
    auto read = read_contents(folder);
    if (!read) {
      contents = {};
      return std::move(read).error();
    }
    contents = std::move(*read);
    return {};
  }
};

Keys::Keys(std::unique_ptr<State> state) : state_(std::move(state)) {}
Keys::Keys(Keys&&) noexcept = default;
Keys& Keys::operator=(Keys&&) noexcept = default;
Keys::~Keys() = default;

const std::filesystem::path& Keys::folder() const {
  return state_->folder;
}

Result<Keys> Keys::open(const std::filesystem::path& folder) {
  std::error_code failure;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), failure);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return base::errno_error(errno, "make", folder);
  auto state = std::make_unique<State>();
  state->folder = folder;
  INGLE_CHECK(state->refresh());
  return Keys(std::move(state));
}

namespace {

/// A new token and what is kept of it.
Result<Keys::Created> make_key(std::string_view name, Scopes scopes, std::optional<int64_t> expires, int64_t now) {
  Keys::Created created;
  INGLE_TRY(created.token, new_token());
  INGLE_TRY(created.key.id, new_id());
  INGLE_TRY(created.key.hash, hash_token(created.token));
  created.key.name = name;
  created.key.scopes = scopes;
  created.key.created = now;
  created.key.expires = expires;
  return created;
}

/// Codes and pages' tokens of which nobody needs to see that they have expired.
void drop_expired_pages(std::vector<Key>& keys, int64_t now) {
  std::erase_if(keys, [now](const Key& key) {
    return (key.scopes.has(Scope::page) || !key.origin.empty()) && key.expires && *key.expires <= now;
  });
}

}  // namespace

Result<Keys::Created> Keys::create(std::string_view name, Scopes scopes, std::optional<int64_t> expires, int64_t now) {
  INGLE_CHECK(check_key_name(name));
  if (scopes.empty()) return Error{ErrorCode::invalid_argument, "a key needs a scope: chat, models, admin"};
  if (expires && *expires <= now) return Error{ErrorCode::invalid_argument, "a key can't expire in the past"};
  INGLE_CHECK(check_folder(state_->folder));
  INGLE_TRY(const FileDescriptor lock, lock_folder(state_->folder));
  INGLE_TRY(Contents contents, read_contents(state_->folder));
  drop_expired_pages(contents.keys, now);
  if (contents.keys.size() >= kMaxKeys) return Error{ErrorCode::limit_exceeded, "there are 256 keys; revoke one first"};
  for (const Key& key : contents.keys) {
    if (key.name == name) return Error{ErrorCode::invalid_argument, "there is a key '" + key.name + "' already"};
  }
  INGLE_TRY(Created created, make_key(name, scopes, expires, now));
  contents.keys.push_back(created.key);
  INGLE_CHECK(write_contents(state_->folder, contents.keys));
  return created;
}

Result<Keys::Created> Keys::exchange(std::string_view code, std::string_view origin, int64_t now) {
  constexpr int64_t kPageSeconds = 30 * 24 * 60 * 60;
  INGLE_TRY(const Principal known, verify(code, now));
  if (!known.scopes.has(Scope::page) || origin.empty())
    return Error{ErrorCode::permission_denied, "this token is no code for a page"};
  INGLE_CHECK(check_folder(state_->folder));
  INGLE_TRY(const FileDescriptor lock, lock_folder(state_->folder));
  INGLE_TRY(Contents contents, read_contents(state_->folder));
  if (std::erase_if(contents.keys, [&](const Key& key) { return key.id == known.id; }) == 0)
    return Error{ErrorCode::permission_denied, "the access token is not valid"};  // somebody was faster
  drop_expired_pages(contents.keys, now);
  INGLE_TRY(const std::string name, new_id());
  INGLE_TRY(Created created,
            make_key("page " + name, {Scope::chat, Scope::models, Scope::admin}, now + kPageSeconds, now));
  created.key.origin = origin;
  contents.keys.push_back(created.key);
  INGLE_CHECK(write_contents(state_->folder, contents.keys));
  return created;
}

Result<std::vector<Key>> Keys::list() const {
  INGLE_TRY(Contents contents, read_contents(state_->folder));
  return std::move(contents.keys);
}

Status Keys::revoke(std::string_view name_or_id) {
  INGLE_CHECK(check_folder(state_->folder));
  INGLE_TRY(const FileDescriptor lock, lock_folder(state_->folder));
  INGLE_TRY(Contents contents, read_contents(state_->folder));
  const auto removed =
      std::erase_if(contents.keys, [&](const Key& key) { return key.name == name_or_id || key.id == name_or_id; });
  if (removed == 0) return Error{ErrorCode::not_found, "there is no key '" + base::escape_controls(name_or_id) + "'"};
  return write_contents(state_->folder, contents.keys);
}

Result<Principal> Keys::verify(std::string_view token, int64_t now) const {
  const Error refused{ErrorCode::permission_denied, "the access token is not valid"};
  if (!is_token(token)) return refused;
  INGLE_TRY(const TokenHash hash, hash_token(token));
  const std::lock_guard lock(state_->mutex);
  INGLE_CHECK(state_->refresh());
  const Key* found = nullptr;
  for (const Key& key : state_->contents.keys) {
    if (same_hash(key.hash, hash)) found = &key;
  }
  if (found == nullptr || (found->expires && *found->expires <= now)) return refused;
  return Principal{found->id, found->name, found->scopes, found->origin};
}

}  // namespace ingle::security
