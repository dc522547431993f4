#include "store/pull.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>

#include "base/files.h"
#include "store/race.h"

namespace ingle::store {
namespace {

constexpr double race_limit_seconds = 10;

bool is_network(const Address& address) {
  return address.kind != SourceKind::file;
}

// Errors that no other source can mend.
bool is_final(ErrorCode code) {
  return code == ErrorCode::cancelled || code == ErrorCode::no_space || code == ErrorCode::permission_denied ||
         code == ErrorCode::internal || code == ErrorCode::out_of_memory;
}

// What a sign-in page or a captive portal sends instead of a file, with status 200.
bool is_web_page(const std::filesystem::path& file) {
  const auto mapped = base::MappedFile::open(file);
  if (!mapped.ok()) return false;
  const std::span<const std::byte> bytes = mapped->bytes();
  std::string start;
  for (const std::byte byte : bytes.first(std::min<size_t>(bytes.size(), 256))) {
    const char c = static_cast<char>(byte);
    if (!start.empty() || !std::isspace(static_cast<unsigned char>(c))) start += c;
  }
  start = to_lower(start);
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

class Pull {
 public:
  Pull(const StoreOptions& options, const Layout& layout, PullPlan plan, Reporter& reporter)
      : options_(options), layout_(layout), plan_(std::move(plan)), reporter_(reporter), key_(key_of(plan_)) {}

  Result<InstalledModel> run() {
    if (std::optional<InstalledModel> there = find_installed()) return *there;
    if (!has_blob()) INGLE_CHECK(check_offline());
    INGLE_TRY(const FileLock lock, wait_for_lock(key_));
    if (std::optional<InstalledModel> there = find_installed()) return *there;
    if (has_blob()) return publish_manifest("", false);  // another name brought the same file
    INGLE_CHECK(make_folders(layout_.partial(key_)));
    Fetcher fetcher(options_, reporter_, layout_.partial(key_), plan_.target);
    reporter_.set_total(plan_.target.size);
    return fetch_from_any(fetcher);
  }

 private:
  bool has_blob() const { return layout_.has_blob(plan_.target.sha256, plan_.target.size); }

  std::optional<InstalledModel> find_installed() const {
    const std::optional<Manifest> manifest = layout_.read_manifest(plan_.target.name);
    if (!manifest || !layout_.has_blob(manifest->sha256, manifest->bytes)) return std::nullopt;
    if (!plan_.target.sha256.empty() && manifest->sha256 != plan_.target.sha256) return std::nullopt;
    return installed_from(layout_, *manifest);
  }

  Status check_offline() {
    if (!options_.offline) return {};
    std::string wanted;
    for (const RankedSource& source : plan_.sources) {
      if (is_network(source.address)) wanted += (wanted.empty() ? "" : ", or ") + source.address.text;
    }
    std::erase_if(plan_.sources, [](const RankedSource& source) { return is_network(source.address); });
    if (!plan_.sources.empty()) return {};
    const std::string size = plan_.target.size == 0 ? "" : megabytes(plan_.target.size) + " ";
    return Error{ErrorCode::offline, "model '" + plan_.target.name +
                                         "' is not downloaded and --offline forbids fetching " + size + "from " +
                                         wanted + "; pull it once without --offline"};
  }

  Result<FileLock> wait_for_lock(const std::string& key) {
    bool announced = false;
    while (true) {
      INGLE_TRY(std::optional<FileLock> lock, FileLock::try_acquire(layout_.lock(key)));
      if (lock) return std::move(*lock);
      if (!announced) reporter_.stage(Stage::waiting, "waiting for another download of " + plan_.target.name);
      announced = true;
      if (!sleep_unless_cancelled(0.1, [this] { return reporter_.cancelled(); }))
        return Error{ErrorCode::cancelled, "cancelled"};
      reporter_.done(watch_other());
    }
  }

  // How far the other process is, roughly: what lies in the partial folder.
  uint64_t watch_other() const {
    return std::max(reporter_.now().bytes_done,
                    file_size_if_exists(layout_.partial(key_) / "model.partial").value_or(0));
  }

  void race_sources(Fetcher& fetcher, size_t begin, size_t end) {
    reporter_.stage(Stage::probing, "choosing among " + std::to_string(end - begin) + " sources");
    std::vector<Address> addresses;
    std::vector<std::function<Result<double>(const std::atomic<bool>&)>> racers;
    for (size_t i = begin; i < end; ++i) addresses.push_back(plan_.sources[i].address);
    fetcher.prepare(addresses);
    for (const Address& address : addresses)
      racers.emplace_back([&](const std::atomic<bool>& stop) { return fetcher.probe(address, stop); });
    const RaceOutcome outcome = race(racers, race_limit_seconds, [this] { return reporter_.cancelled(); });
    std::vector<RankedSource> ordered;
    for (const size_t i : outcome.order) ordered.push_back(std::move(plan_.sources[begin + i]));
    std::move(ordered.begin(), ordered.end(), plan_.sources.begin() + static_cast<ptrdiff_t>(begin));
  }

  // Rank by rank; within a rank the fastest first.
  Result<InstalledModel> fetch_from_any(Fetcher& fetcher) {
    std::string failures;
    ErrorCode code = ErrorCode::network;
    size_t group_end = 0;
    for (size_t i = 0; i < plan_.sources.size(); ++i) {
      if (i == group_end) {
        while (group_end < plan_.sources.size() && plan_.sources[group_end].rank == plan_.sources[i].rank) ++group_end;
        if (group_end - i > 1) race_sources(fetcher, i, group_end);
      }
      if (reporter_.cancelled()) return Error{ErrorCode::cancelled, "cancelled"};
      const Address address = plan_.sources[i].address;
      Result<InstalledModel> done = fetch_verified(fetcher, address);
      if (done.ok() || is_final(done.error().code)) return done;
      // Bytes that are wrong are the worse news: they must not hide behind an unreachable mirror.
      if (done.error().code == ErrorCode::corrupt || i == 0) code = done.error().code;
      failures += (failures.empty() ? "" : "; ") + address.text + ": " + done.error().message;
    }
    return Error{code, "cannot fetch " + plan_.target.name + ": " + failures};
  }

  Result<InstalledModel> fetch_verified(Fetcher& fetcher, const Address& address) {
    for (int attempt = 0;; ++attempt) {
      INGLE_TRY(const Fetched fetched, fetcher.fetch(address));
      Result<std::string> sha256 = verify(fetcher, fetched);
      if (sha256.ok()) return publish(fetcher, *sha256, address.text);
      if (sha256.error().code != ErrorCode::corrupt) return sha256.error();
      INGLE_CHECK(fetcher.discard());
      // What another attempt or source left may have been the bad part: once more, all from here.
      if (!fetched.mixed || attempt > 0) return sha256.error();
    }
  }

  Result<std::string> verify(const Fetcher& fetcher, const Fetched& fetched) {
    const std::optional<uint64_t> size = file_size_if_exists(fetcher.model_file());
    if (!size || *size == 0) return Error{ErrorCode::corrupt, "it delivered an empty file"};
    const std::string& wanted = plan_.target.sha256.empty() ? fetched.announced_sha256 : plan_.target.sha256;
    if (plan_.target.size != 0 && *size != plan_.target.size)
      return Error{ErrorCode::corrupt,
                   "it delivered " + std::to_string(*size) + " bytes instead of " + std::to_string(plan_.target.size)};
    reporter_.set_total(*size);
    reporter_.stage(Stage::verifying, "verifying");
    INGLE_TRY(std::string sha256, sha256_file(fetcher.model_file(), [this](uint64_t done) {
                reporter_.done(done);
                return !reporter_.cancelled();
              }));
    if (!wanted.empty() && sha256 != wanted)
      return Error{ErrorCode::corrupt, "it delivered another file: SHA-256 " + sha256 + " instead of " + wanted};
    if (wanted.empty() && is_web_page(fetcher.model_file()))
      return Error{ErrorCode::corrupt,
                   "it delivered a web page, not a model; open the address in a browser to see why"};
    verified_ = !wanted.empty();
    return sha256;
  }

  Result<InstalledModel> publish(Fetcher& fetcher, const std::string& sha256, const std::string& source) {
    const std::filesystem::path blob = layout_.blob(sha256);
    // Without a checksum beforehand the lock so far was on the address; `remove` takes the one of the blob.
    std::optional<FileLock> blob_lock;
    if (sha256 != key_) {
      INGLE_TRY(FileLock acquired, wait_for_lock(sha256));
      blob_lock = std::move(acquired);
    }
    plan_.target.sha256 = sha256;
    plan_.target.size = file_size_if_exists(fetcher.model_file()).value_or(0);
    ::chmod(fetcher.model_file().c_str(), 0444);  // shared between names: nobody should write to it by accident
    if (std::rename(fetcher.model_file().c_str(), blob.c_str()) != 0) return base::errno_error(errno, "rename", blob);
    INGLE_CHECK(base::sync_folder(layout_.blob_folder()));
    INGLE_TRY(InstalledModel model, publish_manifest(source, true));
    (void)remove_path(layout_.partial(key_));  // garbage collection takes what stays
    return model;
  }

  Result<InstalledModel> publish_manifest(const std::string& source, bool fetched) {
    const Manifest manifest{plan_.target.name,      plan_.target.sha256,
                            plan_.target.size,      source.empty() ? "the file of another installed name" : source,
                            plan_.target.file_name, utc_now()};
    INGLE_CHECK(layout_.write_manifest(manifest));
    InstalledModel model = installed_from(layout_, manifest);
    model.fetched = fetched;
    model.verified = verified_;
    reporter_.done(manifest.bytes);
    reporter_.stage(Stage::done, "done");
    return model;
  }

  const StoreOptions& options_;
  const Layout& layout_;
  PullPlan plan_;
  Reporter& reporter_;
  std::string key_;
  bool verified_ = false;
};

}  // namespace

std::string key_of(const PullPlan& plan) {
  return plan.target.sha256.empty() ? sha256_text(plan.sources.front().address.text) : plan.target.sha256;
}

InstalledModel installed_from(const Layout& layout, const Manifest& manifest) {
  return InstalledModel{manifest.name,   layout.blob(manifest.sha256), manifest.bytes, manifest.sha256,
                        manifest.source, manifest.installed_at};
}

Result<InstalledModel> run_pull(const StoreOptions& options, const Layout& layout, PullPlan plan, Reporter& reporter) {
  if (plan.sources.empty()) return Error{ErrorCode::invalid_argument, plan.target.name + " has no source"};
  return Pull(options, layout, std::move(plan), reporter).run();
}

}  // namespace ingle::store
