// The text of a PDF, by Poppler's pdftotext in a process that has nothing but the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace ingle::assistant {

struct PdfLimits {
  size_t file_bytes = size_t{24} << 20;
  size_t text_bytes = size_t{4} << 20;
  uint64_t memory_bytes = uint64_t{1} << 30;  ///< all that the process maps
  int pages = 2000;
  std::chrono::seconds time{30};
};

/// Whether these bytes say that they are a PDF.
bool is_pdf(std::string_view bytes);

/// For any thread; one file is read at a time.
class PdfReader {
 public:
  /// `allowed`: an error where no document may be parsed (Core::may_parse_documents).
  explicit PdfReader(base::Status allowed, std::filesystem::path program = "/usr/bin/pdftotext",
                     const PdfLimits& limits = {})
      : allowed_(std::move(allowed)), program_(std::move(program)), limits_(limits) {}

  /// UTF-8, without control characters but for line breaks and tabs. Errors: `allowed`; unsupported (the program is
  /// missing, a password is needed, copying is forbidden, there is no text), limit_exceeded, corrupt; those of
  /// security::launch.
  base::Result<std::string> text_of(std::string_view bytes);

 private:
  const base::Status allowed_;
  const std::filesystem::path program_;
  const PdfLimits limits_;
  std::mutex mutex_;
};

}  // namespace ingle::assistant
