#include "store/download.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "base/files.h"
#include "base/json.h"
#include "store/system.h"
#include "store/url.h"

namespace ingle::store {
namespace {

using base::Json;

constexpr unsigned max_attempts = 500;  // whatever the progress between them

std::filesystem::path state_path(const std::filesystem::path& file) {
  return file.string() + ".json";
}

Status write_state(const std::filesystem::path& file, const DownloadState& state) {
  Json json;
  json["version"] = 1;
  json["url"] = state.url;
  json["etag"] = state.etag;
  json["total"] = state.total;
  // A header may hold any bytes: those that are not UTF-8 are replaced, and the tag then never matches again.
  return base::write_file_atomic(state_path(file), json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n");
}

std::optional<DownloadState> read_state(const std::filesystem::path& file) {
  const Result<std::string> text = base::read_file(state_path(file), 64 * 1024);
  if (!text.ok()) return std::nullopt;
  Result<DownloadState> state = parse_download_state(*text);
  if (!state.ok()) return std::nullopt;
  return std::move(state).value();
}

struct ContentRange {
  uint64_t first = 0;
  uint64_t total = 0;  ///< 0 where the server does not say
};

// "bytes 100-999/1000", RFC 9110 section 14.4.
std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  ContentRange range;
  const char* const begin = std::to_address(text.begin());
  const char* const end = begin + text.size();
  const auto [dash, error] = std::from_chars(begin, end, range.first);
  if (error != std::errc() || dash == end || *dash != '-') return std::nullopt;
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view total = text.substr(slash + 1);
  if (total == "*") return range;
  const auto [after, total_error] = std::from_chars(begin + slash + 1, end, range.total);
  if (total_error != std::errc() || after != end) return std::nullopt;
  return range;
}

enum class Next { finished, retry, restart, fail };

// One attempt and what it means.
class Attempt {
 public:
  Attempt(const DownloadRequest& request, const DownloadControl& control) : request_(request), control_(control) {}

  Next run(HttpClient& client, uint64_t have, const std::optional<DownloadState>& state) {
    have_ = have;
    HttpRequest http = request_.http;
    const bool same_url = state && state->url == redact_url(http.url);
    if (have > 0) {
      http.range_from = have;
      // A weak tag does not promise equal bytes, and may not be used here.
      if (same_url && !state->etag.empty() && !state->etag.starts_with("W/")) http.if_range = state->etag;
      if (same_url) known_ = *state;
    }
    HttpHandlers handlers;
    handlers.cancelled = control_.cancelled;
    handlers.head = [this](const HttpHead& head) { return on_head(head); };
    handlers.body = [this](std::span<const std::byte> piece) { return on_body(piece); };
    const HttpOutcome outcome = client.perform(http, handlers);
    return judge(outcome);
  }

  Status error;
  uint64_t have() const { return have_; }

 private:
  Status on_head(const HttpHead& head) {
    uint64_t keep = 0;
    if (head.status == 206) {
      const std::optional<ContentRange> range = parse_content_range(head.header("content-range"));
      const std::string etag = head.header("etag");
      const bool other_file = !known_.etag.empty() && !etag.empty() && known_.etag != etag;
      if (have_ == 0 || !range || range->first != have_ || other_file ||
          (known_.total != 0 && range->total != 0 && known_.total != range->total)) {
        restart_ = true;
        return Error{ErrorCode::network, "the file changed on the server"};
      }
      keep = have_;
      total_ = range->total;
    } else {
      const std::optional<uint64_t> length = head.content_length();
      if (length == uint64_t{0} && request_.expected_size != 0)
        return Error{ErrorCode::corrupt, "the server's file is empty"};
      total_ = length.value_or(0);
    }
    INGLE_CHECK(check_size());
    if (control_.before_body && total_ > keep) INGLE_CHECK(control_.before_body(total_ - keep));
    INGLE_TRY(AppendFile opened, AppendFile::open(request_.file, keep));
    file_ = std::move(opened);
    have_ = keep;
    if (control_.progress) control_.progress(have_, total_);
    return write_state(request_.file, DownloadState{redact_url(request_.http.url), head.header("etag"), total_});
  }

  Status check_size() const {
    if (request_.expected_size != 0 && total_ != 0 && total_ != request_.expected_size)
      return Error{ErrorCode::corrupt, "the server's file has " + std::to_string(total_) + " bytes instead of " +
                                           std::to_string(request_.expected_size)};
    if (request_.max_size != 0 && total_ > request_.max_size)
      return Error{ErrorCode::limit_exceeded, "the server's file has " + std::to_string(total_) +
                                                  " bytes, more than the " + std::to_string(request_.max_size) +
                                                  " allowed"};
    return {};
  }

  Status on_body(std::span<const std::byte> piece) {
    const uint64_t bound = request_.expected_size != 0 ? request_.expected_size : request_.max_size;
    if (bound != 0 && piece.size() > bound - std::min(bound, have_))
      return Error{ErrorCode::corrupt, "the server sends more than " + std::to_string(bound) + " bytes"};
    INGLE_CHECK(file_.write(piece));
    have_ = file_.size();
    if (control_.received) control_.received(piece.size());
    if (control_.progress) control_.progress(have_, total_);
    return {};
  }

  Next judge(const HttpOutcome& outcome) {
    if (!outcome.status.ok()) {
      error = outcome.status;
      if (restart_) return Next::restart;
      return outcome.transient ? Next::retry : Next::fail;
    }
    const int status = outcome.head.status;
    if (status == 416) {
      error = status_error(outcome.head, false);
      return Next::restart;
    }
    if (status != 200 && status != 206) {
      error = status_error(outcome.head, !request_.http.bearer_token.empty());
      return is_transient_status(status) ? Next::retry : Next::fail;
    }
    const uint64_t wanted = request_.expected_size != 0 ? request_.expected_size : total_;
    if (wanted != 0 && have_ != wanted) {
      error = Error{ErrorCode::network,
                    "the transfer ended after " + std::to_string(have_) + " of " + std::to_string(wanted) + " bytes"};
      return have_ < wanted ? Next::retry : Next::restart;
    }
    error = file_.sync();
    return error.ok() ? Next::finished : Next::fail;
  }

  const DownloadRequest& request_;
  const DownloadControl& control_;
  DownloadState known_;
  AppendFile file_;
  uint64_t have_ = 0;
  uint64_t total_ = 0;
  bool restart_ = false;
};

// How many bytes of an earlier attempt may be continued.
uint64_t usable_bytes(const DownloadRequest& request, const std::optional<DownloadState>& state) {
  const uint64_t have = file_size_if_exists(request.file).value_or(0);
  const bool same_url = state && state->url == redact_url(request.http.url);
  if (!same_url && !request.verified_later) return 0;
  if (same_url && state->etag.empty() && state->total == 0 && !request.verified_later) return 0;
  if (request.expected_size != 0 && have > request.expected_size) return 0;
  if (same_url && state->total != 0 && have > state->total) return 0;
  return have;
}

}  // namespace

Result<DownloadState> parse_download_state(std::string_view text) {
  INGLE_TRY(const Json json, base::parse_json(text, {.max_bytes = 64 * 1024, .max_depth = 4}));
  const Error broken{ErrorCode::corrupt, "the state of a partial download is broken"};
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return broken;
  if (json["version"] != 1u) return Error{ErrorCode::unsupported, "a partial download has an unknown version"};
  for (const char* field : {"url", "etag"}) {
    if (!json.contains(field) || !json[field].is_string()) return broken;
  }
  if (!json.contains("total") || !json["total"].is_number_unsigned()) return broken;
  DownloadState state{json["url"].get<std::string>(), json["etag"].get<std::string>(), json["total"].get<uint64_t>()};
  // The tag goes back into a request header.
  for (const char c : state.etag) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return broken;
  }
  return state;
}

bool sleep_unless_cancelled(double seconds, const std::function<bool()>& cancelled) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (true) {
    if (cancelled && cancelled()) return false;
    const auto left = end - Clock::now();
    if (left <= Clock::duration::zero()) return true;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, std::chrono::milliseconds(50)));
  }
}

Status discard_download(const std::filesystem::path& file) {
  INGLE_CHECK(remove_path(file));
  return remove_path(state_path(file));
}

Result<Downloaded> download(HttpClient& client, const DownloadRequest& request, const DownloadControl& control) {
  bool restarted = false;
  bool from_scratch = false;
  unsigned failures = 0, attempts = 0;
  const uint64_t before = usable_bytes(request, read_state(request.file));
  uint64_t furthest = before;
  while (true) {
    const std::optional<DownloadState> state = from_scratch ? std::nullopt : read_state(request.file);
    const uint64_t have = from_scratch ? 0 : usable_bytes(request, state);
    if (have != 0 && have == request.expected_size) return Downloaded{have, true};
    Attempt attempt(request, control);
    from_scratch = false;
    switch (attempt.run(client, have, state)) {
      case Next::finished:
        return Downloaded{attempt.have(), before != 0 && !restarted};
      case Next::fail:
        if (attempt.error.error().code == ErrorCode::corrupt) INGLE_CHECK(discard_download(request.file));
        return attempt.error.error();
      case Next::restart:
        if (restarted) return attempt.error.error();
        restarted = true;
        from_scratch = true;
        break;
      case Next::retry: {
        // Progress pays the attempts back: a long download over a bad line goes on as long as it moves. Bytes that
        // came before are none: a server that cannot resume and always stops at the same place must not go on for ever.
        failures = attempt.have() > furthest ? 1 : failures + 1;
        furthest = std::max(furthest, attempt.have());
        if (failures > control.retries || ++attempts > max_attempts) return attempt.error.error();
        const double delay =
            std::min(8.0, control.retry_delay_seconds * static_cast<double>(1u << std::min(failures - 1, 10u)));
        if (!sleep_unless_cancelled(delay, control.cancelled)) return Error{ErrorCode::cancelled, "cancelled"};
        break;
      }
    }
  }
}

}  // namespace ingle::store
