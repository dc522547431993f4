// A model in a process of its own: it parses and runs the file without paths, sockets or other processes, and what
// becomes of it touches nobody else. When it ends, its requests fail with unavailable, and it is started again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "assistant/inference/messages.h"
#include "assistant/inference/model_service.h"

namespace ingle::assistant {

struct EngineProcessOptions {
  std::string name;             ///< what clients call the model
  std::filesystem::path model;  ///< the file or folder
  core::EngineOptions engine;
  core::SchedulerOptions scheduling;   ///< but for prefix_files, which are those of the model
  std::filesystem::path program;       ///< what calls run_engine_host() …
  std::vector<std::string> arguments;  ///< … when it is started with these; the first is its name for itself
  /// The least time from a process's end to the next start, and the most: it doubles with each that did not last.
  std::chrono::milliseconds first_delay{500}, longest_delay{30'000};
  std::chrono::milliseconds patience{60'000};  ///< for an answer; a process that takes longer is ended
  bool sanitizers = false;                     ///< tests only: security::Access::sanitizers
  /// Told of ends and starts, a line each, by any thread; empty: nobody.
  std::function<void(const std::string&)> notice;
};

class EngineProcess final : public ModelService {
 public:
  /// Starts the process and loads. Errors: as core::Engine::load and security::launch; unavailable (it ended),
  /// cancelled.
  static base::Result<std::unique_ptr<EngineProcess>> start(EngineProcessOptions options,
                                                            const core::LoadProgress& progress = {});
  /// As end(), which takes seconds at most.
  ~EngineProcess() override;
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  /// Of the first start; the next ones are of the same file and options, or fail.
  const ModelFacts& facts() const override { return facts_; }
  base::Result<std::vector<core::TokenId>> chat_prompt(const core::ChatRequest& request) override;
  base::Result<std::vector<core::TokenId>> gap_prompt(std::string_view before, std::string_view after) override;
  base::Result<std::vector<core::TokenId>> tokenize(std::string_view text, bool add_special,
                                                    bool parse_special) override;
  base::Result<std::string> detokenize(const std::vector<core::TokenId>& tokens, bool show_special) override;
  base::Status check_grammar(const std::string& gbnf) override;
  base::Result<core::RequestId> generate(GenerationRequest request, core::EventSink sink) override;
  base::Result<std::vector<SpelledToken>> spell(const std::vector<core::TokenId>& tokens) override;
  base::Result<std::vector<core::LensLayer>> lens(uint64_t key, uint32_t token, uint32_t count) override;
  base::Result<core::AttentionWeights> attention(uint64_t key, uint32_t token, uint32_t layer) override;
  base::Result<std::string> timeline(uint64_t key) override;
  base::Result<core::MemoryMap> memory_map() override;
  base::Result<core::RequestId> embed(core::EmbeddingRequest request, core::EmbeddingSink sink) override;
  base::Result<core::EmbeddingText> pair(std::string_view first, std::string_view second) override;
  void cancel(core::RequestId id) override;
  void forget(const std::string& principal) override;
  base::Result<core::SchedulerStats> stats() override;
  bool busy() const override;
  std::optional<int> process() const override;
  void set_pace(const core::Pace& pace) override;
  core::Pace pace() const override;
  void close() override;
  void end() override;

  /// What the kernel lacks for a full confinement, a line each.
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  class Process;
  using What = decltype(messages::Ask::what);
  using Answer = decltype(messages::Reply::what);
  struct Asked {
    std::promise<Answer> answer;
    core::RequestId request = 0;  ///< that it starts; 0: none
  };
  struct Running {
    std::shared_ptr<core::EventSink> sink;           ///< of what is generated …
    std::shared_ptr<core::EmbeddingSink> embedding;  ///< … or of embeddings
    bool accepted = false;
  };

  explicit EngineProcess(EngineProcessOptions options) : options_(std::move(options)) {}

  base::Result<ModelFacts> launch(const core::LoadProgress& progress);
  void supervise();
  bool start_again(std::chrono::milliseconds& delay);
  void listen(Process& process);
  void hear(Process& process, messages::FromEngine message);
  void take(messages::Reply reply);
  void take(messages::Event event);
  void take(messages::Embedded embedded);
  void fail_all(const std::string& why);
  base::Result<Answer> ask(What what, core::RequestId request = 0);
  template <typename T>
  base::Result<T> ask_for(What what);
  base::Result<core::RequestId> run(core::RequestId id, What what);
  core::RequestId add(Running running);
  void tell(const messages::ToEngine& message);
  base::Error unavailable() const;

  const EngineProcessOptions options_;
  ModelFacts facts_;  ///< constant from start() on, as missing_
  std::vector<std::string> missing_;
  std::thread supervising_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Process> process_;  ///< guarded by mutex_, as all below; null: none that can be asked
  std::shared_ptr<Process> starting_;
  std::map<uint64_t, Asked> asked_;
  std::map<core::RequestId, Running> running_;
  uint64_t next_number_ = 1;
  core::RequestId next_request_ = 1;
  std::string why_;  ///< the last process ended
  core::Pace pace_;
  bool closed_ = false, stopping_ = false, ended_ = false;
};

}  // namespace ingle::assistant
