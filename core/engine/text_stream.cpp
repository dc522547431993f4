// Holding back what is not certain yet.
#include "core/engine/text_stream.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace ingle::core {
namespace {

/// Length of the longest end of `text` that is the beginning of `stop`, but not all of it.
size_t unfinished_match(std::string_view text, std::string_view stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
    if (text.ends_with(stop.substr(0, length))) return length;
  }
  return 0;
}

/// Length of the bytes at the start of `text`, which is not valid there, that one U+FFFD stands for.
size_t invalid_length(std::string_view text) {
  for (size_t length = std::min<size_t>(text.size(), 3); length > 1; --length) {
    if (base::complete_utf8_prefix(text.substr(0, length)) == 0) return length;
  }
  return 1;
}

}  // namespace

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t valid = base::find_invalid_utf8(bytes);
    text += bytes.substr(0, valid);
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    text += "\uFFFD";
    bytes.remove_prefix(invalid_length(bytes));
  }
  return text;
}

TextStream::TextStream(std::vector<std::string> stop_strings) : stop_strings_(std::move(stop_strings)) {
  std::erase_if(stop_strings_, [](const std::string& stop) { return stop.empty(); });
}

std::string TextStream::push(std::string_view bytes) {
  if (stopped_) return {};
  bytes_ += bytes;
  const size_t complete = base::complete_utf8_prefix(bytes_);
  held_ += replace_invalid_utf8(std::string_view(bytes_).substr(0, complete));
  bytes_.erase(0, complete);
  return release(false);
}

std::string TextStream::finish() {
  if (stopped_) return {};
  held_ += replace_invalid_utf8(bytes_);
  bytes_.clear();
  return release(true);
}

std::string TextStream::stopped_by() const {
  for (const std::string& stop : stop_strings_)
    if (stopped_ && held_.starts_with(stop)) return stop;
  return {};
}

std::string TextStream::release(bool all) {
  size_t stop_at = std::string::npos;
  for (const std::string& stop : stop_strings_) stop_at = std::min(stop_at, held_.find(stop));
  size_t certain = held_.size();
  if (stop_at != std::string::npos) {
    stopped_ = true;
    certain = stop_at;
  } else if (!all) {
    for (const std::string& stop : stop_strings_) {
      certain = std::min(certain, held_.size() - unfinished_match(held_, stop));
    }
  }
  std::string text = held_.substr(0, certain);
  held_.erase(0, certain);
  return text;
}

}  // namespace ingle::core
