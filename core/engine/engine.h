// The engine: a model compiled for this machine, and sequences that run on it. Everything a person sees talks to this.
//
//   auto engine = Engine::load("model.gguf", {}, {}).value();
//   auto sequence = engine->new_sequence().value();
//   auto ids = engine->tokenizer().encode("Once upon", {.add_special = true});
//   auto logits = engine->forward(*sequence, ids, LogitRows::last).value();   // vocabulary-size floats
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/engine/inspector.h"
#include "core/files/model_file.h"
#include "core/hal/best_tokens.h"
#include "core/hal/machine_limits.h"
#include "core/memory/state_file.h"
#include "core/sampling/sampler.h"
#include "core/template/template.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

enum class Precision {
  normal,     ///< quantised weights against 8-bit activations
  reference,  ///< 32-bit floats everywhere
};

/// Where threads run: on the faster cores of a processor that has slower ones too, if they suffice, and else wherever
/// the system lets them (automatic); each on a core of its own; or wherever the system lets them.
enum class Pinning { automatic, on, off };

/// How keys and values are kept: 16-bit floats, or 8 or 4 bits with a scale per 32, after a rotation.
enum class KvCache { f16, q8_0, q4_0 };

struct LoraSpec {
  std::filesystem::path path;  ///< a LoRA adapter in GGUF
  float scale = 1.0f;
};

/// What was measured to be best for models of a shape.
struct ShapeTuning {
  std::string shape;                ///< model_shape()
  uint32_t threads = 0, batch = 0;  ///< as EngineOptions; 0: nothing is known
};
/// Architecture, and a hash of the tensors' dimensions and formats: fine-tuned models share it.
std::string model_shape(const ModelFile& file);

struct EngineOptions {
  uint32_t context_length = 0;  ///< tokens; 0: the model's own length or what fits memory_limit_bytes, if that is less
  uint32_t threads = 0;         ///< 0: default_threads()
  Pinning pinning = Pinning::automatic;
  uint32_t batch = 0;  ///< most tokens in one pass of prefill; 0: 512, or 256 where 512 take much memory
  Precision precision = Precision::normal;
  KvCache kv_cache = KvCache::q8_0;  ///< with Precision::reference: 32-bit floats
  bool deterministic = false;  ///< a prompt's logits have the same bits whatever the batch; slower with a tile unit
  bool plan = true;            ///< values share memory by when they live; false: each has its own, to compare
  std::string isa;             ///< "", or an instruction set's name to force (core/simd/README.md lists them)
  std::vector<LoraSpec> loras;
  uint64_t memory_limit_bytes = 0;     ///< 0: the memory that is free now
  std::filesystem::path cache_folder;  ///< where verdicts on instruction sets and packed weights are; empty: nowhere
  uint64_t packed_copy_bytes = 0;      ///< the most that packed weights in cache_folder/packed may take; 0: none kept
  std::vector<ShapeTuning> tuned;      ///< for what `threads` and `batch` leave open
  uint32_t most_context_length = 0;    ///< of a decoder whose context_length is 0: at most that; 0: any
};

/// What doctor, show and bench report.
struct EngineInfo {
  std::string architecture, name, isa, quantization;  ///< quantization: the format of most weight bytes
  uint32_t vocabulary_size = 0, layers = 0, width = 0, heads = 0, kv_heads = 0, head_dim = 0;
  uint32_t context_length = 0;          ///< of this engine
  uint32_t trained_context_length = 0;  ///< of the model
  uint32_t threads = 0;
  uint32_t held_threads = 0;  ///< of them: those that Pinning holds to a place
  uint32_t batch = 0;         ///< most tokens in one pass of prefill
  uint64_t parameters = 0;
  uint64_t weight_bytes = 0, state_bytes = 0, activation_bytes = 0;  ///< as planned and allocated
  uint64_t streamed_bytes = 0;  ///< of the weights: what is read from disk in each pass, as MemoryPlan
  bool windowed = false;        ///< layers look back over a window only, so that a sequence can't be cut anywhere
  double load_ms = 0;
  /// Where the weights came from: "packed" (from the model's file), "packed, copy kept" (for the next time), "packed,
  /// damaged copy replaced", "copy" (of an earlier load), "copy, mended" (it was damaged; known after the first
  /// forward()).
  std::string weights;
  std::string template_error;    ///< why the model's chat template could not be read, if so
  std::string pooling;           ///< of an encoder: "mean", "cls", or "rank" of one that scores pairs; else empty
  uint32_t embedding_width = 0;  ///< of an encoder: what embed() gives per text

  bool is_encoder() const { return !pooling.empty(); }
};

/// An instruction set of this build and whether its kernels were proven to work on this machine.
struct InstructionSet {
  std::string name;  ///< as EngineOptions::isa takes it
  bool works = false;
  bool chosen = false;  ///< what an engine uses that does not ask for another
  std::string note;     ///< why it does not work
};
/// In order of preference. Proves each in a child process, once per boot and build where `cache_folder` is given.
std::vector<InstructionSet> instruction_sets(const std::filesystem::path& cache_folder);

/// Cores of this process that are equally fast.
struct CoreKind {
  uint32_t cores = 0;
  double speed = 1;  ///< as a share of the fastest's
};
/// The physical cores that this process may use, fastest first.
std::vector<CoreKind> core_kinds();
/// How many CPUs' time control groups allow this process, as `docker run --cpus` does; nothing where they do not limit
/// it.
std::optional<double> allowed_cpu_time();
/// Threads that an engine takes where the options name none: one per core that is at least half as fast as the fastest,
/// and no more than there is time for.
uint32_t default_threads();

/// What a process has to be told of the machine if it can't ask the system (assistant/inference/engine_host.h).
struct MachineFacts {
  std::string isa;                               ///< the instruction set to use, proven to work
  std::vector<std::vector<uint32_t>> core_cpus;  ///< as usable_cores(): logical CPUs by core …
  std::vector<double> core_speeds;               ///< … and how fast it is
  std::optional<double> cpu_time;                ///< allowed_cpu_time()
};
/// `isa` as EngineOptions::isa. Errors: unsupported (it does not work here).
base::Result<MachineFacts> machine_facts(const std::string& isa, const std::filesystem::path& cache_folder);
/// From now on this process takes the machine to be so, and asks no more. Once, before its first engine and thread.
/// Errors: unsupported (the processor does not have `isa`), invalid_argument.
base::Status assume_machine(const MachineFacts& facts);

/// Bytes of memory that could be taken now without pushing others out.
uint64_t available_memory();

/// Where a model's memory goes, in bytes, when one sequence fills its context and the batch is full. What the process
/// takes without a model (its code, libraries) comes on top.
struct MemoryPlan {
  uint64_t weight_bytes = 0;      ///< packed
  uint64_t streamed_bytes = 0;    ///< of those: what has no room, and is read from a packed copy on disk in each pass
  uint64_t ring_bytes = 0;        ///< … what they are read into
  uint64_t embedding_bytes = 0;   ///< of which rows are read from the file: not in memory, and not in total_bytes()
  uint64_t state_bytes = 0;       ///< KV cache of context_length tokens
  uint64_t activation_bytes = 0;  ///< what a batch's values share
  uint64_t scratch_bytes = 0;     ///< of all threads
  uint64_t logit_bytes = 0;       ///< of one token, whose best are found as they are computed
  uint64_t logit_row_bytes = 0;   ///< of all its logits: only for samplers that look at all, and not in total_bytes()
  uint64_t tokenizer_bytes = 0;
  uint64_t table_bytes = 0;  ///< norms, biases, the program
  uint64_t state_bytes_per_token = 0;
  uint32_t trained_context_length = 0;
  uint32_t context_length = 0;          ///< as asked for, or else what an engine would take
  uint32_t fitting_context_length = 0;  ///< the longest that available_bytes allow; 0: none of any use
  uint32_t longest_context_length = 0;  ///< … where as many weights are read in each pass as can be
  uint64_t excess_bytes = 0;            ///< what of memory is saved by that
  uint64_t available_bytes = 0;         ///< free, or the limit that was given

  uint64_t total_bytes() const {
    return weight_bytes - streamed_bytes + ring_bytes + state_bytes + activation_bytes + scratch_bytes + logit_bytes +
           tokenizer_bytes + table_bytes;
  }
  bool fits() const { return total_bytes() <= available_bytes; }
};
/// Reads no tensor: a description (FileContents) will do. That the memory does not suffice is no error.
/// Errors: as Engine::load; limit_exceeded where the context's state is larger than any memory.
base::Result<MemoryPlan> plan_memory(const ModelFile& file, const EngineOptions& options);

/// What operations of one kind, over all layers, took since Engine::start_profile().
struct OperationProfile {
  std::string name;            ///< "matmul ffn_down Q6_K", "attention", …
  uint64_t calls = 0;          ///< kernels run
  double seconds = 0;          ///< of a thread, on average: at work
  double waiting_seconds = 0;  ///< … and waiting for the others at its end
  double weight_bytes = 0;     ///< packed weights read
  double multiply_adds = 0;    ///< of matrix products
  /// What they are computed with.
  enum class Unit : uint8_t { none, bytes, floats, tiles } unit = Unit::none;
};

/// How near an operation came to the limit that holds it back, of reading its weights or of multiplying, from 0 to
/// about 1; 0: it does neither.
double share_of_limit(const OperationProfile& operation, const MachineLimits& limits);

enum class LogitRows { none, last, all };

/// One sequence's state (KV cache). Not thread-safe; sequences of one engine take turns. The engine outlives it.
class Sequence {
 public:
  virtual ~Sequence() = default;
  virtual uint32_t length() const = 0;    ///< tokens held
  virtual uint32_t capacity() const = 0;  ///< context length
  /// Keeps the first `length` tokens, or none where the model has layers with a window that has moved on too far.
  /// Returns how many are kept.
  virtual uint32_t truncate(uint32_t length) = 0;
  /// Another sequence that holds the same tokens; memory is shared as long as neither writes there. Error:
  /// out_of_memory.
  virtual base::Result<std::unique_ptr<Sequence>> fork() const = 0;
};

/// A sequence from a file, and the tokens that it holds.
struct RestoredSequence {
  std::unique_ptr<Sequence> sequence;
  std::vector<TokenId> tokens;
};

/// Tokens to append to a sequence.
struct SequenceTokens {
  Sequence* sequence = nullptr;
  std::span<const TokenId> tokens;
};

/// What an encoder takes: the tokens of a text, or of a pair of texts, with the special ones around them.
struct EncoderText {
  std::span<const TokenId> tokens;
  size_t second = ~size_t{0};  ///< from here on the tokens are of type 1, as those of the second text are
};

/// Fraction done in [0, 1]; return false to cancel.
using LoadProgress = std::function<bool(double)>;

class Engine {
 public:
  virtual ~Engine() = default;

  /// Errors: as ModelFile::open and load_tokenizer; out_of_memory with what is needed and what there is; unsupported.
  static base::Result<std::unique_ptr<Engine>> load(const std::filesystem::path& model, const EngineOptions& options,
                                                    const LoadProgress& progress = {});

  virtual const EngineInfo& info() const = 0;
  /// Its metadata is without the tokenizer's lists: tokenizer() has them.
  virtual const ModelFile& file() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
  /// nullptr: the model has none and runs as raw completion.
  virtual const ChatTemplate* chat_template() const = 0;
  /// Sampling defaults that the model's metadata names; otherwise SamplingParams' own.
  virtual const SamplingParams& default_sampling() const = 0;

  /// Of a decoder; nullptr: an encoder, which nobody looks into.
  virtual Inspector* inspector() = 0;

  /// Between calls of forward(): has some `bytes` of the weights, from `from` on, in memory, where they are mapped from
  /// disk and the system may have dropped them. Returns where to go on; 0: there is no more. Reads at most that much.
  virtual uint64_t preload(uint64_t from, uint64_t bytes) = 0;

  /// From any thread, and at once, also in the middle of a pass: no more than so many of info().threads compute from
  /// now on; at least one does. Results do not depend on it.
  virtual void use_threads(uint32_t count) = 0;

  /// Errors: out_of_memory; unsupported (an encoder, which writes no text).
  virtual base::Result<std::unique_ptr<Sequence>> new_sequence() = 0;
  /// Bytes that a sequence of that many tokens takes.
  virtual uint64_t sequence_bytes(uint32_t tokens) const = 0;
  /// Bytes that all sequences have now; what they share counts once.
  virtual uint64_t sequence_bytes_in_use() const = 0;

  /// Writes a sequence, and the tokens that it holds, to a file that appears when it is complete. Only this model, from
  /// the same file, can go on with it. Errors: io_error, no_space, permission_denied; invalid_argument (not as many
  /// tokens as it holds).
  virtual base::Status save_sequence(const Sequence& sequence, std::span<const TokenId> tokens,
                                     const std::filesystem::path& path) = 0;
  /// Errors: not_found; corrupt; unsupported (of another version); invalid_argument (of another model, or longer than
  /// this engine's context); out_of_memory.
  virtual base::Result<RestoredSequence> restore_sequence(const std::filesystem::path& path) = 0;
  /// The same, to and from anywhere, for an owner: 32 characters that name whose it is. A half written one is none.
  /// Errors: those of the reader or writer, too; reading: invalid_argument also where it is another owner's.
  virtual base::Status write_sequence(const Sequence& sequence, std::span<const TokenId> tokens, std::string_view owner,
                                      const StateWriter& write) = 0;
  virtual base::Result<RestoredSequence> read_sequence(const StateReader& read, uint64_t size,
                                                       std::string_view owner) = 0;
  /// Whose it is and the tokens that it holds, where it is this model's.
  virtual base::Result<StateHead> read_sequence_head(const StateReader& read, uint64_t size) = 0;

  /// Times every kernel of the calls to forward() from now on.
  virtual void start_profile() = 0;
  /// By falling time.
  virtual std::vector<OperationProfile> profile() const = 0;
  /// What the machine could do at most; takes about a second. Error: out_of_memory.
  virtual base::Result<MachineLimits> measure_limits() = 0;
  /// As start_profile(), and keeps when each kernel ran on which thread, for as many calls as fit into some memory.
  /// Error: out_of_memory.
  virtual base::Status start_trace() = 0;
  /// That as a JSON file for Chrome and Perfetto. Errors: io_error, no_space, permission_denied, not_found.
  virtual base::Status write_trace(const std::filesystem::path& path) const = 0;

  /// Appends `tokens` to the sequence. Returns rows * vocabulary_size logits, valid until the next call: no row, the
  /// last token's, or one per token. `cancel` (may be null) is looked at between batches.
  /// Errors: limit_exceeded (says by how many tokens the context overflows; the sequence is unchanged),
  /// invalid_argument (token id out of range), cancelled.
  virtual base::Result<std::span<float>> forward(Sequence& sequence, std::span<const TokenId> tokens, LogitRows rows,
                                                 const std::function<bool()>& cancelled = {}) = 0;

  /// The same, but of each row only its `count` best tokens, as BestTokens finds and sorts them: rows * count, valid
  /// until the next call. Up to kMostBest tokens of up to kMostBestRows rows are found as they are computed.
  virtual base::Result<std::span<const TokenLogit>> forward_best(Sequence& sequence, std::span<const TokenId> tokens,
                                                                 LogitRows rows, uint32_t count,
                                                                 const std::function<bool()>& cancelled = {}) = 0;

  /// Appends to several sequences in one pass over the weights: at least one token each, at most `batch` together, and
  /// no sequence twice. Returns the logits of each one's last token, vocabulary_size each. Errors as above; then all
  /// sequences are unchanged.
  virtual base::Result<std::span<float>> forward_batch(std::span<const SequenceTokens> batch) = 0;
  /// The same, but of each sequence only the `count` best tokens, as forward_best().
  virtual base::Result<std::span<const TokenLogit>> forward_batch_best(std::span<const SequenceTokens> batch,
                                                                       uint32_t count) = 0;

  /// Whether embed() would take a text; from any thread.
  virtual base::Status check_text(const EncoderText& text) const = 0;
  /// Embeds texts, several in a pass: vectors of info().embedding_width and of length 1 one after the other or, of
  /// "rank" pooling, a score each; valid until the next call. `cancelled` (may be null) is looked at between passes.
  /// Errors: unsupported (the model is no encoder); invalid_argument (a text without tokens, a token that the model
  /// does not have); limit_exceeded (a text longer than the context; says both numbers); cancelled.
  virtual base::Result<std::span<const float>> embed(std::span<const EncoderText> texts,
                                                     const std::function<bool()>& cancelled = {}) = 0;
};

}  // namespace ingle::core
