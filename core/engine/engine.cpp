// Loading a model: open, configure, plan, build, pack. Then forward passes over it.
#include "core/engine/engine.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>

#include "base/hash.h"
#include "base/json.h"
#include "core/backends/cpu/cpu_device.h"
#include "core/backends/cpu/isa.h"
#include "core/engine/defaults.h"
#include "core/engine/device_inspector.h"
#include "core/engine/device_sequence.h"
#include "core/engine/encoder.h"
#include "core/engine/memory_plan.h"
#include "core/engine/profile.h"
#include "core/engine/trace.h"
#include "core/graph/program.h"
#include "core/memory/sequence_state.h"
#include "core/memory/state_file.h"
#include "core/models/model.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

constexpr uint64_t kTemplateFileLimit = uint64_t{4} << 20;

std::string_view pooling_text(Pooling pooling) {
  switch (pooling) {
    case Pooling::none:
      break;
    case Pooling::mean:
      return "mean";
    case Pooling::cls:
      return "cls";
    case Pooling::rank:
      return "rank";
  }
  return "";
}

std::string_view weights_text(PackedCopyUse use) {
  switch (use) {
    case PackedCopyUse::none:
      return "packed";
    case PackedCopyUse::written:
      return "packed, copy kept";
    case PackedCopyUse::replaced:
      return "packed, damaged copy replaced";
    case PackedCopyUse::mapped:
      return "copy";
    case PackedCopyUse::mended:
      return "copy, mended";
    case PackedCopyUse::broken:
      return "copy, damaged";
  }
  return "";
}

void use_tuning(const ModelFile& file, EngineOptions& options) {
  if (options.tuned.empty()) return;
  const auto known = std::ranges::find(options.tuned, model_shape(file), &ShapeTuning::shape);
  if (known == options.tuned.end()) return;
  if (options.threads == 0) options.threads = known->threads;
  if (options.batch == 0) options.batch = known->batch;
}

// By worker, as Workers takes them.
std::vector<CpuSet> places(Pinning pinning, uint32_t threads) {
  std::vector<CpuSet> places;
  if (pinning == Pinning::on)
    for (Core& core : usable_cores()) places.push_back(std::move(core.cpus));
  if (pinning == Pinning::automatic)
    if (CpuSet fast = fast_enough(usable_cores(), threads); !fast.empty()) places.push_back(std::move(fast));
  return places;
}

class CpuEngine final : public Engine {
 public:
  static base::Result<std::unique_ptr<Engine>> load(const std::filesystem::path& path, const EngineOptions& asked,
                                                    const LoadProgress& progress) {
    const auto start = std::chrono::steady_clock::now();
    std::unique_ptr<CpuEngine> engine(new CpuEngine());
    INGLE_TRY(engine->file_, ModelFile::open(path));
    EngineOptions options = asked;
    use_tuning(engine->file_, options);
    // First what the model is: of a model that is not supported, it matters little that its tokenizer is not either.
    INGLE_TRY(const Architecture* architecture, find_architecture(engine->file_));
    INGLE_TRY(engine->tokenizer_, load_tokenizer(engine->file_));
    engine->load_template();
    engine->default_sampling_ = core::default_sampling(engine->file_.metadata);
    INGLE_TRY(const ModelConfig config, architecture->configure(engine->file_));
    INGLE_TRY(engine->loras_, open_adapters(options, *architecture));
    INGLE_TRY(const Kernels* kernels, choose_kernels(options.isa, options.cache_folder));
    const PlanInputs inputs{engine->file_,           *architecture, config,
                            engine->loras_.adapters, *kernels,      engine->tokenizer_->memory_bytes()};
    INGLE_TRY(const MemoryPlan plan, plan_of(inputs, options));
    INGLE_CHECK(check_fits(plan, path));
    INGLE_CHECK(engine->build(*architecture, config, plan.context_length));
    engine->drop_tokenizer_lists();
    // The description was read through the mappings, and so were samples of the weights and what packing needs of
    // adapters. Around what is looked at, the system may have given the process megabytes.
    engine->release_files();
    INGLE_CHECK(engine->prepare(*kernels, options, plan, progress));
    engine->fill_info(*architecture, config, plan.context_length);
    engine->release_files();
    engine->info_.load_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return std::unique_ptr<Engine>(std::move(engine));
  }

  ~CpuEngine() override {
    if (logits_ != nullptr) device_->deallocate(reinterpret_cast<std::byte*>(logits_), logit_rows_ * row_bytes());
  }

  const EngineInfo& info() const override { return info_; }
  const ModelFile& file() const override { return file_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }
  const ChatTemplate* chat_template() const override { return template_.get(); }
  const SamplingParams& default_sampling() const override { return default_sampling_; }

  void start_profile() override { device_->start_timing(); }
  std::vector<OperationProfile> profile() const override { return profile_of(graph_, *device_); }
  base::Result<MachineLimits> measure_limits() override {
    // Several times what the largest caches hold, where there is that much to spare.
    return device_->measure_limits(std::min(uint64_t{512} << 20, std::max(available_memory() / 8, uint64_t{1} << 20)));
  }
  base::Status start_trace() override { return device_->start_trace(kTraceBytes); }
  base::Status write_trace(const std::filesystem::path& path) const override {
    return core::write_trace(path, graph_, *device_);
  }

  Inspector* inspector() override { return inspector_.get(); }

  uint64_t preload(uint64_t from, uint64_t bytes) override { return device_->weights().preload(from, bytes); }

  void use_threads(uint32_t count) override { device_->set_active_threads(count); }

  base::Result<std::unique_ptr<Sequence>> new_sequence() override {
    if (encoder_ != nullptr)
      return Error{
          ErrorCode::unsupported,
          "the model is an encoder: it makes embeddings and writes no text; 'ingle serve' answers with them at "
          "/v1/embeddings"};
    INGLE_TRY(SequenceState state, SequenceState::create(*states_));
    return std::unique_ptr<Sequence>(std::make_unique<DeviceSequence>(std::move(state)));
  }

  uint64_t sequence_bytes(uint32_t tokens) const override {
    return states_ == nullptr ? 0 : states_->sequence_bytes(tokens);
  }
  uint64_t sequence_bytes_in_use() const override {
    uint64_t bytes = 0;
    if (states_ == nullptr) return bytes;
    for (size_t group = 0; group < states_->groups(); ++group)
      bytes += states_->pool(group).used() * states_->pool(group).page_bytes();
    return bytes;
  }

  base::Status save_sequence(const Sequence& sequence, std::span<const TokenId> tokens,
                             const std::filesystem::path& path) override {
    return write_state_file(path, static_cast<const DeviceSequence&>(sequence).state, state_key_, tokens);
  }

  base::Result<RestoredSequence> restore_sequence(const std::filesystem::path& path) override {
    return restored([&](SequenceState& state) { return read_state_file(path, state_key_, state); });
  }

  base::Status write_sequence(const Sequence& sequence, std::span<const TokenId> tokens, std::string_view owner,
                              const StateWriter& write) override {
    return write_state(write, static_cast<const DeviceSequence&>(sequence).state, state_key_, owner, tokens);
  }

  base::Result<RestoredSequence> read_sequence(const StateReader& read, uint64_t size,
                                               std::string_view owner) override {
    return restored([&](SequenceState& state) { return read_state(read, size, state_key_, owner, state); });
  }

  base::Result<StateHead> read_sequence_head(const StateReader& read, uint64_t size) override {
    return read_state_head(read, size, state_key_);
  }

  base::Result<std::span<float>> forward(Sequence& sequence, std::span<const TokenId> tokens, LogitRows rows,
                                         const std::function<bool()>& cancelled) override {
    INGLE_CHECK(pass(sequence, tokens, rows, 0, cancelled));
    return std::span<float>(logits_, rows_ * graph_.vocabulary_size);
  }

  base::Result<std::span<const TokenLogit>> forward_best(Sequence& sequence, std::span<const TokenId> tokens,
                                                         LogitRows rows, uint32_t count,
                                                         const std::function<bool()>& cancelled) override {
    INGLE_CHECK(pass(sequence, tokens, rows, count, cancelled));
    return found_best();
  }

  base::Result<std::span<float>> forward_batch(std::span<const SequenceTokens> batch) override {
    INGLE_CHECK(batch_pass(batch, 0));
    return std::span<float>(logits_, rows_ * graph_.vocabulary_size);
  }

  base::Result<std::span<const TokenLogit>> forward_batch_best(std::span<const SequenceTokens> batch,
                                                               uint32_t count) override {
    INGLE_CHECK(batch_pass(batch, count));
    return found_best();
  }

  base::Status check_text(const EncoderText& text) const override {
    if (encoder_ == nullptr)
      return Error{ErrorCode::unsupported,
                   "the model writes text and makes no embeddings; use an encoder, such as all-minilm-l6-v2"};
    if (text.tokens.empty()) return Error{ErrorCode::invalid_argument, "a text to embed has no tokens"};
    if (text.tokens.size() > info_.context_length)
      return Error{ErrorCode::limit_exceeded, "a text of " + std::to_string(text.tokens.size()) +
                                                  " tokens is longer than the context of " +
                                                  std::to_string(info_.context_length) + "; shorten or split it"};
    if (text.second < text.tokens.size() && token_types_ < 2)
      return Error{ErrorCode::unsupported, "the model takes no pairs of texts"};
    return check_ids(text.tokens);
  }

  base::Result<std::span<const float>> embed(std::span<const EncoderText> texts,
                                             const std::function<bool()>& cancelled) override {
    if (encoder_ == nullptr) return check_text({}).error();
    for (const EncoderText& text : texts) INGLE_CHECK(check_text(text));
    embeddings_.resize(texts.size() * encoder_->width());
    for (size_t done = 0; done < texts.size();) {
      if (cancelled && cancelled()) return Error{ErrorCode::cancelled, "cancelled"};
      const size_t count = encoder_->fitting(texts.subspan(done));
      encoder_->run(texts.subspan(done, count), embeddings_.data() + done * encoder_->width());
      INGLE_CHECK(check_run());
      done += count;
    }
    return std::span<const float>(embeddings_);
  }

 private:
  CpuEngine() = default;

  base::Status build(const Architecture& architecture, const ModelConfig& config, uint32_t context);
  void drop_tokenizer_lists();
  void release_files() const;
  base::Status prepare(const Kernels& kernels, const EngineOptions& options, const MemoryPlan& plan,
                       const LoadProgress& progress);
  base::Status prepare_encoder();
  std::string state_key(const EngineOptions& options) const;
  // What `fill` puts into a new sequence.
  base::Result<RestoredSequence> restored(
      const std::function<base::Result<std::vector<TokenId>>(SequenceState&)>& fill) {
    INGLE_TRY(auto sequence, new_sequence());
    INGLE_TRY(std::vector<TokenId> tokens, fill(static_cast<DeviceSequence&>(*sequence).state));
    for (const TokenId token : tokens)
      if (token < 0 || static_cast<uint32_t>(token) >= graph_.vocabulary_size)
        return Error{ErrorCode::corrupt, "the saved state holds tokens that the model does not have"};
    return RestoredSequence{std::move(sequence), std::move(tokens)};
  }
  void load_template();
  void fill_info(const Architecture& architecture, const ModelConfig& config, uint32_t context);

  // One sequence's tokens; the results are in logits_ or, of count != 0, in best_.
  base::Status pass(Sequence& sequence, std::span<const TokenId> tokens, LogitRows rows, uint32_t count,
                    const std::function<bool()>& cancelled) {
    SequenceState& state = static_cast<DeviceSequence&>(sequence).state;
    INGLE_CHECK(check_tokens(state, tokens));
    const size_t wanted = rows == LogitRows::all ? tokens.size() : rows == LogitRows::last && !tokens.empty() ? 1 : 0;
    INGLE_CHECK(reserve_results(wanted, count));
    const uint32_t start = state.length();
    // Windows move on: to be able to go back, what they leave behind in a long prompt is kept until its end.
    const bool moves_on = before_ && tokens.size() > max_rows_;
    if (moves_on) before_->become(state);
    base::Status ran = run_batches(state, tokens, rows, cancelled);
    if (!ran.ok()) moves_on ? state.become(*before_) : static_cast<void>(state.truncate(start));
    if (moves_on) before_->truncate(0);
    return ran;
  }

  // A run of several sequences.
  base::Status batch_pass(std::span<const SequenceTokens> batch, uint32_t count) {
    size_t rows = 0;
    for (const SequenceTokens& part : batch) {
      if (part.tokens.empty()) return Error{ErrorCode::invalid_argument, "a sequence of a batch without tokens"};
      INGLE_CHECK(check_tokens(static_cast<const DeviceSequence*>(part.sequence)->state, part.tokens));
      rows += part.tokens.size();
    }
    if (rows > max_rows_)
      return Error{ErrorCode::limit_exceeded,
                   std::to_string(rows) + " tokens in a batch of at most " + std::to_string(max_rows_)};
    INGLE_CHECK(reserve_results(batch.size(), count));
    batch_tokens_.clear();
    batch_rows_.clear();
    batch_sequences_.clear();
    for (const SequenceTokens& part : batch) {
      SequenceState& state = static_cast<DeviceSequence*>(part.sequence)->state;
      const auto tokens = static_cast<uint32_t>(part.tokens.size());
      state.extend(tokens);
      batch_sequences_.push_back({tokens, state.length(), state.pages()});
      batch_tokens_.insert(batch_tokens_.end(), part.tokens.begin(), part.tokens.end());
      batch_rows_.push_back(static_cast<uint32_t>(batch_tokens_.size() - 1));
    }
    run_device(batch_tokens_, batch_sequences_, batch_rows_, 0);
    INGLE_CHECK(check_run());
    for (const SequenceTokens& part : batch)
      static_cast<DeviceSequence*>(part.sequence)->state.append(static_cast<uint32_t>(part.tokens.size()));
    return {};
  }

  size_t row_bytes() const { return size_t{graph_.vocabulary_size} * sizeof(float); }

  // The tokens in as many runs as that takes.
  base::Status run_batches(SequenceState& state, std::span<const TokenId> tokens, LogitRows rows,
                           const std::function<bool()>& cancelled) {
    for (size_t done = 0; done < tokens.size();) {
      if (cancelled && cancelled()) return Error{ErrorCode::cancelled, "cancelled"};
      const size_t count = std::min<size_t>(max_rows_, tokens.size() - done);
      std::span<const uint32_t> output_rows;
      if (rows == LogitRows::all)
        output_rows = std::span(row_indices_).first(count);
      else if (rows == LogitRows::last && done + count == tokens.size())
        output_rows = std::span(row_indices_).subspan(count - 1, 1);
      state.extend(static_cast<uint32_t>(count));
      const SequenceRows sequence{static_cast<uint32_t>(count), state.length(), state.pages()};
      run_device(tokens.subspan(done, count), {&sequence, 1}, output_rows, rows == LogitRows::all ? done : 0);
      INGLE_CHECK(check_run());
      state.append(static_cast<uint32_t>(count));
      done += count;
    }
    return {};
  }

  // A run whose first result is that of the pass's row `first`.
  void run_device(std::span<const TokenId> tokens, std::span<const SequenceRows> sequences,
                  std::span<const uint32_t> output_rows, size_t first) {
    RunArgs args{.tokens = tokens, .sequences = sequences, .output_rows = output_rows};
    if (device_finds_best()) {
      args.best = best_.data() + first * best_count_;
      args.best_count = best_count_;
    } else {
      args.logits = logits_ + first * graph_.vocabulary_size;
    }
    if (inspector_ != nullptr) inspector_->add_taps(args);
    device_->run(args);
  }

  bool device_finds_best() const {
    return best_count_ > 0 && best_count_ <= kMostBest && rows_ <= kMostBestRows && device_->program().logits_once;
  }

  // Of the last pass, in best_.
  std::span<const TokenLogit> found_best() {
    for (size_t row = 0; row < rows_ && !device_finds_best(); ++row) {
      BestTokens best{std::span(best_).subspan(row * best_count_, best_count_)};
      best.offer({logits_ + row * graph_.vocabulary_size, graph_.vocabulary_size}, 0);
      best.sort();
    }
    return std::span(best_).first(rows_ * best_count_);
  }

  base::Status check_tokens(const SequenceState& sequence, std::span<const TokenId> tokens) const {
    const uint32_t room = sequence.capacity() - sequence.length();
    if (tokens.size() > room)
      return Error{ErrorCode::limit_exceeded, std::to_string(tokens.size()) + " tokens do not fit: the context of " +
                                                  std::to_string(sequence.capacity()) + " has room for " +
                                                  std::to_string(room) + ", " + std::to_string(tokens.size() - room) +
                                                  " too few; shorten the prompt or raise the context length"};
    return check_ids(tokens);
  }

  base::Status check_ids(std::span<const TokenId> tokens) const {
    for (const TokenId token : tokens)
      if (token < 0 || static_cast<uint32_t>(token) >= graph_.vocabulary_size)
        return Error{ErrorCode::invalid_argument, "token " + std::to_string(token) + " is not in the vocabulary of " +
                                                      std::to_string(graph_.vocabulary_size)};
    return {};
  }

  // Whether the last run had what it needed; the first one also finds out about a packed copy.
  base::Status check_run() {
    const PackedCopyUse use = device_->weights().use();
    if (use == PackedCopyUse::mended || use == PackedCopyUse::broken) info_.weights = weights_text(use);
    return device_->last_run();
  }

  // Room for the results of a pass: of all logits, or of the `count` best.
  base::Status reserve_results(size_t rows, uint32_t count) {
    rows_ = rows;
    best_count_ = count;
    if (best_.size() < rows * count) best_.resize(rows * count);
    return device_finds_best() ? base::Status() : reserve_logits(rows);
  }

  base::Status reserve_logits(size_t rows) {
    if (rows <= logit_rows_) return {};
    INGLE_TRY(std::byte* const memory, device_->allocate(rows * row_bytes()));
    if (logits_ != nullptr) device_->deallocate(reinterpret_cast<std::byte*>(logits_), logit_rows_ * row_bytes());
    logits_ = reinterpret_cast<float*>(memory);
    logit_rows_ = rows;
    return {};
  }

  ModelFile file_;
  OpenAdapters loras_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<ChatTemplate> template_;
  SamplingParams default_sampling_;
  EngineInfo info_;
  Graph graph_;
  std::unique_ptr<CpuDevice> device_;
  std::unique_ptr<StatePools> states_;
  std::unique_ptr<DeviceInspector> inspector_;  ///< of a decoder
  std::string state_key_;                       ///< what saved states belong to
  std::unique_ptr<SequenceState> before_;       ///< with windows: a sequence before the call that goes on
  std::vector<TokenId> batch_tokens_;           ///< of a run of several sequences; these have room for max_rows_
  std::vector<uint32_t> batch_rows_;            ///< … which of its rows want logits
  std::vector<SequenceRows> batch_sequences_;
  uint32_t max_rows_ = 0;
  std::vector<uint32_t> row_indices_;  ///< 0, 1, … max_rows_ - 1: which rows of a batch want logits is a part of this
  float* logits_ = nullptr;            ///< memory that is taken when it is first written
  size_t logit_rows_ = 0;
  std::vector<TokenLogit> best_;
  size_t rows_ = 0;                   ///< results of the last pass
  uint32_t best_count_ = 0;           ///< … how many of each row's best; 0: all logits
  std::unique_ptr<Encoder> encoder_;  ///< nullptr: the model is a decoder
  uint32_t token_types_ = 0;          ///< … of an encoder
  std::vector<float> embeddings_;     ///< of the last embed()
};

base::Status CpuEngine::build(const Architecture& architecture, const ModelConfig& config, uint32_t context) {
  INGLE_TRY(graph_, architecture.build(file_, config, {.context_length = context, .adapters = loras_.adapters}));
  info_.pooling = pooling_text(config.pooling);
  token_types_ = config.token_types;
  if (tokenizer_->vocabulary_size() > graph_.vocabulary_size)
    return Error{ErrorCode::corrupt, file_.path.string() + ": the tokenizer has " +
                                         std::to_string(tokenizer_->vocabulary_size()) + " tokens and the model " +
                                         std::to_string(graph_.vocabulary_size)};
  return {};
}

// They are as large as the tokenizer, which has its own tables of them.
void CpuEngine::drop_tokenizer_lists() {
  for (const char* name : {"tokens", "scores", "token_type", "merges"})
    file_.metadata.values.erase("tokenizer.ggml." + std::string(name));
#ifdef __GLIBC__
  ::malloc_trim(0);  // else what parsing took stays with the process
#endif
}

void CpuEngine::release_files() const {
  for (const base::MappedFile& mapping : file_.mappings) mapping.release_pages(mapping.bytes());
  for (const auto& adapter : loras_.files)
    for (const base::MappedFile& mapping : adapter->mappings) mapping.release_pages(mapping.bytes());
}

base::Status CpuEngine::prepare(const Kernels& kernels, const EngineOptions& options, const MemoryPlan& plan,
                                const LoadProgress& progress) {
  const bool reference = options.precision == Precision::reference;
  const uint32_t threads = options.threads != 0 ? options.threads : default_threads();
  device_ =
      std::make_unique<CpuDevice>(CpuOptions{threads, &kernels, reference, options.deterministic, kv_format(options),
                                             rounds_floats(graph_), places(options.pinning, threads)});
  Program program = compile_for(graph_, options, kernels, plan.context_length);
  info_.batch = max_rows_ = program.max_rows;
  row_indices_.resize(max_rows_);
  std::iota(row_indices_.begin(), row_indices_.end(), 0u);
  info_.isa = kernels.name;
  info_.threads = threads;
  info_.held_threads = device_->workers().held();
  WeightOptions weights;
  weights.files = file_.mappings;
  if (!options.cache_folder.empty())
    weights.copies = {options.cache_folder / "packed", options.packed_copy_bytes, packed_copy_owner(file_.path)};
  weights.excess_bytes = plan.excess_bytes;
  const StateOptions states{program.windows, program.max_rows, program.max_positions};
  INGLE_CHECK(device_->prepare(graph_, std::move(program), weights, progress));
  if (graph_.embedding >= 0) return prepare_encoder();
  states_ = std::make_unique<StatePools>(*device_, states);
  inspector_ = std::make_unique<DeviceInspector>(graph_, *device_, *states_);
  state_key_ = state_key(options);
  if (std::any_of(states.windows.begin(), states.windows.end(), [](uint32_t window) { return window != 0; })) {
    INGLE_TRY(SequenceState before, SequenceState::create(*states_));
    before_ = std::make_unique<SequenceState>(std::move(before));
  }
  batch_tokens_.reserve(max_rows_);
  batch_rows_.reserve(max_rows_);
  batch_sequences_.reserve(max_rows_);
  best_.reserve(size_t{kMostBestRows} * kMostBest);
  return reserve_logits(1);
}

base::Status CpuEngine::prepare_encoder() {
  encoder_ = std::make_unique<Encoder>(*device_, device_->program(), info_.pooling != pooling_text(Pooling::rank));
  info_.embedding_width = encoder_->width();
  return encoder_->prepare();
}

// The files as they are, what is computed with them, and how states are kept.
std::string CpuEngine::state_key(const EngineOptions& options) const {
  std::string text = std::to_string(kKvLayoutVersion) + " " + std::to_string(static_cast<int>(kv_format(options)));
  const auto add = [&](const ModelFile& file) {
    for (const base::MappedFile& mapping : file.mappings)
      text += " " + std::to_string(mapping.bytes().size()) + " " + std::to_string(mapping.stamp());
  };
  add(file_);
  for (size_t i = 0; i < loras_.files.size(); ++i) {
    add(*loras_.files[i]);
    text += " " + std::to_string(options.loras[i].scale);
  }
  return base::hash128_hex(std::as_bytes(std::span(text)));
}

// GGUF keeps the template in its metadata; a checkpoint in chat_template.jinja or tokenizer_config.json. One that
// cannot be read is reported, not fatal: raw completion still works.
void CpuEngine::load_template() {
  std::string source;
  if (const std::string* text = file_.metadata.find_string("tokenizer.chat_template")) source = *text;
  if (source.empty() && !file_.folder.empty()) {
    if (auto text = base::read_file(file_.folder / "chat_template.jinja", kTemplateFileLimit); text.ok()) {
      source = *text;
    } else if (auto config = base::read_file(file_.folder / "tokenizer_config.json", uint64_t{64} << 20); config.ok()) {
      const auto json = base::parse_json(*config);
      if (json.ok() && json->is_object() && json->contains("chat_template") && (*json)["chat_template"].is_string())
        source = (*json)["chat_template"].get<std::string>();
    }
  }
  if (source.empty()) return;
  auto parsed = ChatTemplate::parse(source);
  if (parsed.ok())
    template_ = std::make_unique<ChatTemplate>(std::move(parsed).value());
  else
    info_.template_error = parsed.error().message;
}

void CpuEngine::fill_info(const Architecture& architecture, const ModelConfig& config, uint32_t context) {
  info_.architecture = architecture.name;
  if (const std::string* name = file_.metadata.find_string("general.name")) info_.name = *name;
  std::map<std::string_view, uint64_t> bytes;
  for (const Tensor& tensor : file_.tensors) bytes[tensor.format->name] += tensor.data.size();
  info_.parameters = file_.parameters();
  uint64_t most = 0;
  for (const auto& [name, size] : bytes)
    if (size > most) {
      most = size;
      info_.quantization = name;
    }
  info_.vocabulary_size = graph_.vocabulary_size;
  info_.layers = config.layers;
  info_.width = config.width;
  info_.heads = config.heads;
  info_.kv_heads = config.kv_heads;
  info_.head_dim = config.head_dim;
  info_.context_length = context;
  info_.trained_context_length = config.trained_context;
  info_.weight_bytes = device_->weights().bytes();
  info_.streamed_bytes = device_->weights().streamed_bytes();
  info_.weights = weights_text(device_->weights().use());
  info_.activation_bytes = device_->arena_bytes();
  if (encoder_ != nullptr) {
    info_.state_bytes = encoder_state_bytes(device_->program(), device_->state_page_bytes(0));
    return;
  }
  info_.state_bytes = states_->sequence_bytes(context);
  info_.windowed = std::ranges::any_of(states_->options().windows, [](uint32_t window) { return window != 0; });
}

}  // namespace

std::vector<InstructionSet> instruction_sets(const std::filesystem::path& cache_folder) {
  std::vector<InstructionSet> sets;
  bool chosen = false;
  for (const IsaStatus& status : probe_isas(cache_folder)) {
    sets.push_back({status.name, status.proven, status.proven && !chosen, status.note});
    chosen = chosen || status.proven;
  }
  return sets;
}

std::string model_shape(const ModelFile& file) {
  std::string text;
  for (const Tensor& tensor : file.tensors) {
    for (const uint64_t size : tensor.dims) text += std::to_string(size) + " ";
    text += std::string(tensor.format->name) + ";";
  }
  const std::string* architecture = file.metadata.find_string("general.architecture");
  return (architecture == nullptr ? "model" : *architecture) + " " + base::hash64_hex(text);
}

std::vector<CoreKind> core_kinds() {
  std::vector<CoreKind> kinds;
  for (const Core& core : usable_cores()) {
    if (kinds.empty() || kinds.back().speed != core.speed) kinds.push_back({0, core.speed});
    ++kinds.back().cores;
  }
  return kinds;
}

std::optional<double> allowed_cpu_time() {
  return usable_cpu_time();
}

base::Result<MachineFacts> machine_facts(const std::string& isa, const std::filesystem::path& cache_folder) {
  INGLE_TRY(const Kernels* kernels, choose_kernels(isa, cache_folder));
  MachineFacts facts;
  facts.isa = kernels->name;
  for (Core& core : usable_cores()) {
    facts.core_cpus.push_back(std::move(core.cpus));
    facts.core_speeds.push_back(core.speed);
  }
  facts.cpu_time = allowed_cpu_time();
  return facts;
}

base::Status assume_machine(const MachineFacts& facts) {
  if (facts.core_cpus.empty() || facts.core_cpus.size() != facts.core_speeds.size())
    return Error{ErrorCode::invalid_argument, "a machine has cores, each with a speed"};
  std::vector<Core> cores;
  for (size_t i = 0; i < facts.core_cpus.size(); ++i) cores.push_back({facts.core_cpus[i], facts.core_speeds[i]});
  assume_cores(std::move(cores), facts.cpu_time);
  return assume_isa(facts.isa);
}

uint32_t default_threads() {
  return useful_cores(usable_cores(), allowed_cpu_time());
}

base::Result<std::unique_ptr<Engine>> Engine::load(const std::filesystem::path& model, const EngineOptions& options,
                                                   const LoadProgress& progress) {
  return CpuEngine::load(model, options, progress);
}

}  // namespace ingle::core
