#include "assistant/documents/pdf.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <vector>

#include "base/descriptors.h"
#include "base/utf8.h"
#include "security/sandbox/launch.h"

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Result;
using base::Status;
using std::chrono::steady_clock;

namespace {

constexpr size_t kComplaintBytes = 4096;
/// Poppler's tables of characters for Chinese, Japanese and Korean; not everybody has them.
constexpr const char* kTables = "/usr/share/poppler";

security::Policy policy_of(const PdfLimits& limits) {
  security::Policy policy;
  policy.access.threads = false;
  policy.access.calls = security::Calls::parser;
  if (::access(kTables, R_OK) == 0) policy.access.readable = {kTables};
  policy.limits.address_space = limits.memory_bytes;
  policy.limits.cpu_seconds = static_cast<uint64_t>(limits.time.count());
  policy.limits.file_size = 0;
  policy.limits.open_files = 32;
  policy.niceness = 10;  // a person waits, and so does whoever reads a reply meanwhile
  policy.environment = {{"LC_ALL", "C.UTF-8"}};
  return policy;
}

/// What a process writes, up to a bound; more is thrown away, and told by `overflowed`.
struct Output {
  FileDescriptor from;
  size_t most = 0;
  std::string text;
  bool overflowed = false;

  bool open() const { return from.get() >= 0; }
  /// When there is something to read.
  void take() {
    char buffer[16384];
    const ssize_t count = ::read(from.get(), buffer, sizeof(buffer));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {
      from = FileDescriptor();
      return;
    }
    const size_t room = most - text.size();
    text.append(buffer, std::min(room, static_cast<size_t>(count)));
    overflowed = overflowed || static_cast<size_t>(count) > room;
  }
};

struct Finished {
  std::string text, complaints;
  std::optional<security::Exit> exit;  ///< none: it was stopped
  bool overflowed = false;
};

Result<Finished> run(const std::filesystem::path& program, std::string_view bytes, const PdfLimits& limits) {
  INGLE_TRY(const FileDescriptor file, base::sealed_file(bytes));
  INGLE_TRY(base::Pipe answers, base::make_pipe());
  INGLE_TRY(base::Pipe errors, base::make_pipe());
  const std::vector<std::string> arguments = {"pdftotext", "-enc", "UTF-8", "-l", std::to_string(limits.pages + 1),
                                              "-",         "-"};
  INGLE_TRY(security::Child child,
            security::launch(policy_of(limits), program, arguments,
                             {{file.get(), 0}, {answers.write.get(), 1}, {errors.write.get(), 2}}));
  answers.write = FileDescriptor();
  errors.write = FileDescriptor();
  Output text{.from = std::move(answers.read), .most = limits.text_bytes};
  Output complaints{.from = std::move(errors.read), .most = kComplaintBytes};
  const auto deadline = steady_clock::now() + limits.time;
  while (text.open() && !text.overflowed) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) break;
    pollfd waiting[] = {{text.from.get(), POLLIN, 0}, {complaints.from.get(), POLLIN, 0}};
    if (::poll(waiting, 2, static_cast<int>(left)) < 0 && errno != EINTR)
      return base::errno_error(errno, "wait for", program);
    if (waiting[1].revents != 0) complaints.take();
    if (waiting[0].revents != 0) text.take();
  }
  Finished out{.text = std::move(text.text), .complaints = {}, .exit = {}, .overflowed = text.overflowed};
  if (!text.open()) {
    while (complaints.open() && !complaints.overflowed) complaints.take();  // it has ended, or is about to
    INGLE_TRY(out.exit, child.wait(limits.time));
  }
  child.kill();
  out.complaints = std::move(complaints.text);
  return out;
}

Error too_large(const PdfLimits& limits) {
  return {ErrorCode::limit_exceeded,
          "the PDF has more than " + std::to_string(limits.text_bytes >> 20) + " MB of text; attach a part of it"};
}

Status check_exit(const Finished& finished, const PdfLimits& limits) {
  if (finished.overflowed) return too_large(limits);
  const Error too_much{ErrorCode::limit_exceeded,
                       "the PDF takes too much time or memory to be read; attach a part of "
                       "it, or print it into a new PDF"};
  if (!finished.exit) return too_much;
  const security::Exit& exit = *finished.exit;
  if (exit.clean()) return {};
  const auto says = [&](std::string_view words) { return finished.complaints.find(words) != std::string::npos; };
  if (says("Incorrect password"))
    return Error{ErrorCode::unsupported, "the PDF is encrypted; save it without a password, and attach that"};
  if (exit.kind == security::Exit::Kind::exited && exit.status == 3)
    return Error{ErrorCode::unsupported, "the PDF's author forbids copying its text"};
  const bool starved = exit.kind == security::Exit::Kind::killed &&
                       (exit.signal == SIGXCPU || exit.signal == SIGKILL || says("Out of memory"));
  if (starved || says("Out of memory") || says("bad_alloc")) return too_much;
  return Error{ErrorCode::corrupt, "the PDF is damaged, or no PDF: its reader " + exit.describe()};
}

/// What a model is to read: pages are set apart, control characters are gone.
std::string cleaned(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const base::CodePoint point = base::decode_utf8(text);
    const size_t length = std::max<size_t>(point.length, 1);
    if (text.front() == '\f') {
      out.erase(out.find_last_not_of(kSpace) + 1);
      out += "\n\n";
    } else if (text.front() == '\n' || text.front() == '\t') {
      out += text.front();
    } else if (!base::is_control(point.value)) {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out.erase(out.find_last_not_of(kSpace) + 1);
  out.erase(0, out.find_first_not_of(kSpace));
  return out;
}

}  // namespace

bool is_pdf(std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
  return bytes.starts_with("%PDF-");
}

Result<std::string> PdfReader::text_of(std::string_view bytes) {
  INGLE_CHECK(Status(allowed_));
  if (bytes.size() > limits_.file_bytes)
    return Error{ErrorCode::limit_exceeded,
                 "the PDF is larger than " + std::to_string(limits_.file_bytes >> 20) + " MB; attach a part of it"};
  if (::access(program_.c_str(), X_OK) != 0)
    return Error{ErrorCode::unsupported,
                 "to read PDFs, " + program_.string() +
                     " is needed; 'sudo apt install poppler-utils' installs it, nothing has to be started again"};
  const std::lock_guard lock(mutex_);
  INGLE_TRY(const Finished finished, run(program_, bytes, limits_));
  INGLE_CHECK(check_exit(finished, limits_));
  if (std::ranges::count(finished.text, '\f') > limits_.pages)
    return Error{ErrorCode::limit_exceeded,
                 "the PDF has more than " + std::to_string(limits_.pages) + " pages; attach a part of it"};
  if (!base::is_valid_utf8(finished.text))
    return Error{ErrorCode::corrupt, "the PDF is damaged: what was read of it is no text"};
  std::string text = cleaned(finished.text);
  if (text.empty())
    return Error{ErrorCode::unsupported,
                 "the PDF has no text; its pages may be pictures, which can't be read yet, or it may be cut short"};
  return text;
}

}  // namespace ingle::assistant
