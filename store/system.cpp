#include "store/system.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>
#include <vector>

#include "base/files.h"

namespace ingle::store {

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<AppendFile> AppendFile::open(const std::filesystem::path& path, uint64_t keep) {
  AppendFile file;
  file.path_ = path;
  // O_NOFOLLOW: a link planted in the store must not make us write elsewhere.
  file.fd_ = UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.fd_) return base::errno_error(errno, "create", path);
  struct stat info{};
  if (::fstat(file.fd_.get(), &info) != 0) return base::errno_error(errno, "stat", path);
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::io_error, path.string() + " is not a regular file"};
  if (static_cast<uint64_t>(info.st_size) < keep)
    return Error{ErrorCode::internal, path.string() + " is shorter than the part to keep"};
  if (static_cast<uint64_t>(info.st_size) != keep && ::ftruncate(file.fd_.get(), static_cast<off_t>(keep)) != 0)
    return base::errno_error(errno, "truncate", path);
  file.size_ = keep;
  return file;
}

Status AppendFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return base::errno_error(n < 0 ? errno : EIO, "write", path_);
    size_ += static_cast<uint64_t>(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Status AppendFile::sync() {
  if (::fsync(fd_.get()) != 0) return base::errno_error(errno, "sync", path_);
  return {};
}

std::optional<uint64_t> file_size_if_exists(const std::filesystem::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<uint64_t>(info.st_size);
}

Status make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return base::errno_error(error.value(), "create", folder);
  return {};
}

Status remove_path(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error && error != std::errc::no_such_file_or_directory) return base::errno_error(error.value(), "remove", path);
  return {};
}

Result<uint64_t> free_space(const std::filesystem::path& folder) {
  struct statvfs info{};
  if (::statvfs(folder.c_str(), &info) != 0) return base::errno_error(errno, "inspect", folder);
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(info.f_bavail), static_cast<uint64_t>(info.f_frsize), &bytes))
    bytes = ~uint64_t{0};
  return bytes;
}

double age_seconds(const std::filesystem::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return 0;
  return std::difftime(std::time(nullptr), info.st_mtime);
}

Result<std::optional<FileLock>> FileLock::try_acquire(const std::filesystem::path& path) {
  FileLock lock;
  lock.fd_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!lock.fd_) return base::errno_error(errno, "create", path);
  while (::flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    if (errno != EINTR) return base::errno_error(errno, "lock", path);
  }
  return std::optional<FileLock>(std::move(lock));
}

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() { EVP_DigestInit_ex(evp, EVP_sha256(), nullptr); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size());
}

std::string Sha256::finish() {
  static constexpr char digits[] = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context_->evp, digest.data(), &length);
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += digits[digest[i] >> 4];
    out += digits[digest[i] & 15];
  }
  return out;
}

std::string sha256_text(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.finish();
}

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> sha256_file(const std::filesystem::path& path, const std::function<bool(uint64_t)>& step) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return base::errno_error(errno, "open", path);
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Sha256 hash;
  std::vector<std::byte> buffer(size_t{1} << 20);
  uint64_t done = 0;
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::errno_error(errno, "read", path);
    if (n == 0) return hash.finish();
    hash.update(std::span(buffer).first(static_cast<size_t>(n)));
    done += static_cast<uint64_t>(n);
    if (step && !step(done)) return Error{ErrorCode::cancelled, "cancelled"};
  }
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace ingle::store
