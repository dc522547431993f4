// Which models are in memory when: loading on demand, making room, dropping what nobody uses; with a clock of its own
// and models that only count.
#include "assistant/inference/model_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::atomic<int> living{0};

class CountedModel final : public ModelService {
 public:
  explicit CountedModel(std::string name) { facts_.name = std::move(name), ++living; }
  ~CountedModel() override { --living; }
  const ModelFacts& facts() const override { return facts_; }
  base::Result<std::vector<core::TokenId>> chat_prompt(const core::ChatRequest&) override { return unused(); }
  base::Result<std::vector<core::TokenId>> gap_prompt(std::string_view, std::string_view) override { return unused(); }
  base::Result<std::vector<core::TokenId>> tokenize(std::string_view, bool, bool) override { return unused(); }
  base::Result<std::string> detokenize(const std::vector<core::TokenId>&, bool) override { return unused(); }
  base::Result<std::vector<SpelledToken>> spell(const std::vector<core::TokenId>&) override { return unused(); }
  base::Result<std::vector<core::LensLayer>> lens(uint64_t, uint32_t, uint32_t) override { return unused(); }
  base::Result<core::AttentionWeights> attention(uint64_t, uint32_t, uint32_t) override { return unused(); }
  base::Result<std::string> timeline(uint64_t) override { return unused(); }
  base::Result<core::MemoryMap> memory_map() override { return unused(); }
  base::Status check_grammar(const std::string&) override { return unused(); }
  base::Result<core::RequestId> generate(GenerationRequest, core::EventSink) override { return unused(); }
  base::Result<core::RequestId> embed(core::EmbeddingRequest, core::EmbeddingSink) override { return unused(); }
  base::Result<core::EmbeddingText> pair(std::string_view, std::string_view) override { return unused(); }
  void cancel(core::RequestId) override {}
  void forget(const std::string&) override {}
  base::Result<core::SchedulerStats> stats() override { return unused(); }
  bool busy() const override { return false; }
  void set_pace(const core::Pace& set) override { paced = set; }
  core::Pace pace() const override { return paced; }
  void close() override { closed = true; }
  void end() override { closed = true; }

  std::atomic<bool> closed = false;
  core::Pace paced;

 private:
  static base::Error unused() { return {ErrorCode::internal, "not asked here"}; }
  ModelFacts facts_;
};

class ModelPoolTest : public testing::Test {
 protected:
  ModelPoolTest() {
    options_.name_of = [](std::string_view name) {
      if (name.ends_with(":latest")) name.remove_suffix(std::string_view(":latest").size());
      return std::string(name.starts_with("model") ? name : "");
    };
    options_.load = [this](const std::string& name) -> base::Result<std::unique_ptr<ModelService>> {
      ++loads_;
      if (name == "model-broken") return base::Error{ErrorCode::corrupt, "broken"};
      if (static_cast<size_t>(living) >= memory_) return base::Error{ErrorCode::out_of_memory, "no room"};
      return std::unique_ptr<ModelService>(std::make_unique<CountedModel>(name));
    };
    options_.now = [this] { return ModelPoolOptions::Clock::time_point(seconds(now_)); };
  }
  ~ModelPoolTest() override {
    pool_.reset();
    EXPECT_EQ(living, 0);
  }
  ModelPool& pool() {
    if (!pool_) pool_ = std::make_unique<ModelPool>(options_);
    return *pool_;
  }
  base::Result<Model> load(const std::string& name) {
    std::promise<base::Result<Model>> promise;
    pool().when_loaded(name, [&](base::Result<Model> model) { promise.set_value(std::move(model)); });
    return promise.get_future().get();
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const ModelPool::Resident& resident : pool().resident()) names.push_back(resident.model->name());
    return names;
  }
  void wait_for_living(int count) {
    for (int i = 0; i < 1000 && living != count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(living, count);
  }

  ModelPoolOptions options_;
  std::atomic<int> now_{0};
  std::atomic<int> loads_{0};
  size_t memory_ = 100;
  std::unique_ptr<ModelPool> pool_;
};

TEST_F(ModelPoolTest, LoadsOnceWhatSeveralAskFor) {
  std::vector<std::promise<Model>> promises(8);
  for (auto& promise : promises)
    pool().when_loaded("model-a:latest", [&](base::Result<Model> model) { promise.set_value(model.value()); });
  std::vector<Model> models;
  for (auto& promise : promises) models.push_back(promise.get_future().get());
  for (const Model& model : models) EXPECT_EQ(model, models.front());
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(pool().find("model-a"), models.front());
  EXPECT_EQ(load("else").error().code, ErrorCode::not_found);
  EXPECT_EQ(load("model-broken").error().code, ErrorCode::corrupt);
  EXPECT_EQ(load("model-broken").error().code, ErrorCode::corrupt);
  EXPECT_EQ(loads_, 3);
}

TEST_F(ModelPoolTest, OneThatIsOffLoadsNothingAndSaysWhy) {
  options_.off = base::Error{ErrorCode::unavailable, "switched off"};
  EXPECT_EQ(load("model-a").error().message, "switched off");
  EXPECT_EQ(pool().may_load().error().code, ErrorCode::unavailable);
  EXPECT_EQ(loads_, 0);
  EXPECT_TRUE(names().empty());
  pool().end();
}

TEST_F(ModelPoolTest, DropsWhatWasNotUsedForLongest) {
  options_.most = 2;
  for (const char* name : {"model-a", "model-b"}) {
    ASSERT_TRUE(load(name).ok());
    ++now_;
  }
  ASSERT_TRUE(load("model-a").ok());
  ++now_;
  ASSERT_TRUE(load("model-c").ok());
  EXPECT_THAT(names(), ElementsAre("model-c", "model-a"));
  wait_for_living(2);
}

TEST_F(ModelPoolTest, ModelsInUseKeepTheirPlaces) {
  options_.most = 2;
  const Model a = load("model-a").value(), b = load("model-b").value();
  EXPECT_EQ(load("model-c").error().code, ErrorCode::busy);
  EXPECT_THAT(names(), UnorderedElementsAre("model-a", "model-b"));
}

TEST_F(ModelPoolTest, MakesRoomInMemory) {
  memory_ = 1;
  ASSERT_TRUE(load("model-a").ok());
  ASSERT_TRUE(load("model-b").ok());
  EXPECT_THAT(names(), ElementsAre("model-b"));
  const Model held = pool().find("model-b");
  EXPECT_EQ(load("model-c").error().code, ErrorCode::out_of_memory);
}

TEST_F(ModelPoolTest, DropsWhatNobodyUsesAfterItsTime) {
  options_.keep_alive = seconds(60);
  ASSERT_TRUE(load("model-a").ok());
  Model used = load("model-b").value();
  pool().add("model-ever", std::make_unique<CountedModel>("model-ever"), std::nullopt);
  now_ = 59;
  for (const ModelPool::Resident& resident : pool().resident()) {
    const std::string& name = resident.model->name();
    if (name == "model-b") continue;
    EXPECT_EQ(resident.left, name == "model-a" ? std::optional(seconds(1)) : std::nullopt) << name;
  }
  now_ = 61;
  wait_for_living(2);
  EXPECT_THAT(names(), UnorderedElementsAre("model-b", "model-ever"));
  pool().keep(*used, seconds(0));
  used.reset();
  wait_for_living(1);
  now_ = 100'000;
  EXPECT_THAT(names(), ElementsAre("model-ever"));
}

TEST_F(ModelPoolTest, AllModelsKeepOnePace) {
  const Model before = load("model-a").value();
  core::Pace pace;
  pace.threads = 1;
  pool().set_pace(pace);
  const Model after = load("model-b").value();
  EXPECT_EQ(before->pace(), pace);
  EXPECT_EQ(after->pace(), pace);
}

TEST_F(ModelPoolTest, ADroppedModelServesThoseWhoHaveIt) {
  Model old = load("model-a").value();
  EXPECT_TRUE(pool().drop("model-a"));
  EXPECT_FALSE(pool().drop("model-a"));
  const Model fresh = load("model-a").value();
  EXPECT_NE(fresh, old);
  EXPECT_EQ(living, 2);
  old.reset();
  wait_for_living(1);
}

TEST_F(ModelPoolTest, EndsModelsThatAreStillHeld) {
  Model held = load("model-a").value();
  EXPECT_TRUE(pool().drop("model-a"));
  std::thread holder([model = std::move(held)]() mutable {
    while (!static_cast<CountedModel&>(*model).closed) std::this_thread::yield();
    model.reset();
  });
  pool().close();
  EXPECT_EQ(load("model-b").error().code, ErrorCode::busy);
  pool_.reset();
  EXPECT_EQ(living, 0);
  holder.join();
}

}  // namespace
}  // namespace ingle::assistant
