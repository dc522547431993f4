// Each module on and off, with a tiny model: what is there, and what is really absent. The test program starts itself
// again as the model's process.
#include "assistant/core/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <mutex>
#include <set>

#include "assistant/inference/engine_host.h"
#include "base/files.h"
#include "core/engine/test_goldens.h"
#include "security/sandbox/launch.h"

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

constexpr const char* kHostFlag = "--engine-host";

size_t own_threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

class CoreTest : public testing::Test {
 protected:
  CoreTest() {
    std::string name = testing::TempDir() + "core.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~CoreTest() override { std::filesystem::remove_all(folder_); }

  /// All modules but one.
  static ModuleSet without(ModuleId id) {
    ModuleSet on = modules_in(ProfileId::full);
    on.set(id, false);
    return on;
  }
  std::unique_ptr<Core> start(ModuleSet on = modules_in(ProfileId::full)) {
    CoreOptions options;
    options.on = on;
    options.bound(profile(ProfileId::full).bounds);
    options.engine.context_length = 512;
    options.engine.cache_folder = folder_ / "cache";
    options.engine.packed_copy_bytes = uint64_t{1} << 30;
    options.name_of = [](std::string_view asked) { return std::string(asked == "tiny" ? asked : ""); };
    options.load = [](Core& core, const std::string& asked) { return core.start_model(asked, model()); };
    options.program = security::self_program();
    options.arguments = {"engine", kHostFlag};
    options.sanitizers = security::kSanitizedBuild;
    options.update_file = folder_ / "update.json";
    options.started = [this](const Module& module) { started_.emplace_back(module.name); };
    auto core = Core::start(std::move(options));
    EXPECT_TRUE(core.ok());
    return std::move(core).value();
  }
  static std::filesystem::path model() { return core::golden_folder() / "llama.gguf"; }
  static base::Result<Model> load(Core& core) {
    std::promise<base::Result<Model>> promise;
    core.models().when_loaded("tiny", [&](base::Result<Model> loaded) { promise.set_value(std::move(loaded)); });
    return promise.get_future().get();
  }
  static std::string answer(ModelService& model) {
    GenerationRequest request;
    for (core::TokenId token = 1; token < 40; ++token) request.prompt.push_back(token);
    request.sampling.temperature = 0;
    request.reply.max_tokens = 16;
    request.reply.ignore_stop_tokens = true;
    request.principal = request.client = "somebody";
    std::promise<std::string> promise;
    std::string text;
    EXPECT_TRUE(model.generate(std::move(request), [&](core::GenerationEvent&& event) {
      text += event.text;
      if (event.finished || event.error) promise.set_value(event.error ? event.error->message : text);
    }));
    return promise.get_future().get();
  }

  std::filesystem::path folder_;
  std::vector<std::string> started_;
};

TEST(ModulesTest, EachIsOneRowOfTheTable) {
  std::set<ModuleId> ids;
  std::set<std::string_view> names;
  for (const Module& module : all_modules()) {
    EXPECT_TRUE(ids.insert(module.id).second);
    EXPECT_TRUE(names.insert(module.name).second);
    for (const std::string_view text : {module.name, module.title, module.does, module.without})
      EXPECT_FALSE(text.empty());
    EXPECT_EQ(&module_of(module.id), &module);
    EXPECT_TRUE(module.start != nullptr || module.leave_out != nullptr || module.id == ModuleId::sandbox);
  }
  EXPECT_EQ(ids.size(), 6u);
  // No profile saves at safety, at what saves memory, or at the speed without which nobody would wait for an answer.
  for (const Profile& each : all_profiles())
    for (const ModuleId id : {ModuleId::sandbox, ModuleId::memory, ModuleId::engine, ModuleId::hardware})
      EXPECT_TRUE(modules_in(each.id).has(id)) << each.name;
}

TEST_F(CoreTest, AllModulesStartAndAModelAnswers) {
  const auto core = start();
  EXPECT_EQ(started_, (std::vector<std::string>{"sandbox", "memory", "engine", "hardware", "extensions", "updates"}));
  EXPECT_NE(core->extensions(), nullptr);
  EXPECT_TRUE(core->extensions()->found().empty());
  EXPECT_NE(core->updates(), nullptr);
  EXPECT_TRUE(core->may_parse_documents());
  EXPECT_TRUE(core->may_run_plugins());
  const size_t threads = own_threads();
  auto model = core->start_model("tiny", this->model());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_TRUE((*model)->process());
  EXPECT_EQ((*model)->info().weights, "packed, copy kept");
  const size_t with_model = own_threads();
  EXPECT_GE(with_model, threads);
  core->keep("tiny", *std::move(model));
  EXPECT_EQ(own_threads(), with_model + 1) << "the pacer's";
  EXPECT_EQ(core->processes().size(), 1u);
  EXPECT_EQ(answer(**load(*core)).empty(), false);
}

TEST_F(CoreTest, WithoutTheEngineNothingRunsAndWhoAsksLearnsWhy) {
  const size_t threads = own_threads();
  const auto core = start(without(ModuleId::engine));
  EXPECT_EQ(own_threads(), threads);
  EXPECT_THAT(started_, testing::Not(testing::Contains("engine")));
  const auto refused = load(*core);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("--module-engine"));
  EXPECT_EQ(core->start_model("tiny", model()).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(core->models().resident().empty());
  EXPECT_EQ(core->models().find("tiny"), nullptr);
}

TEST_F(CoreTest, WithoutTheMemoryManagerNothingIsPlannedOrKept) {
  uint64_t planned = 0;
  {
    const auto core = start();
    const auto model = load(*core);
    ASSERT_TRUE(model.ok()) << model.error().message;
    planned = (*model)->info().activation_bytes;
    answer(**model);
    EXPECT_EQ((*model)->stats().value().kept_prefixes, 1u);
  }
  std::filesystem::remove_all(folder_ / "cache");
  const auto core = start(without(ModuleId::memory));
  const auto model = load(*core);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_GT((*model)->info().activation_bytes, planned);
  EXPECT_EQ((*model)->info().weights, "packed");
  answer(**model);
  EXPECT_EQ((*model)->stats().value().kept_prefixes, 0u);
  for (const char* kept : {"packed", "prefixes"}) EXPECT_FALSE(std::filesystem::exists(folder_ / "cache" / kept));
  EXPECT_EQ(core->options().models, 1u);
}

TEST_F(CoreTest, WithoutTheHardwareInterfacePortableCodeRunsAndNothingIsMeasured) {
  const auto core = start(without(ModuleId::hardware));
  auto model = core->start_model("tiny", this->model());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ((*model)->info().isa, "scalar");
  EXPECT_EQ((*model)->info().threads, 1u);
  const size_t threads = own_threads();
  core->keep("tiny", *std::move(model));
  EXPECT_EQ(own_threads(), threads) << "no pacer";
  const std::filesystem::path verdicts = folder_ / "cache" / "instruction-sets.json";
  EXPECT_FALSE(std::filesystem::exists(verdicts));
  const auto measuring = start();
  ASSERT_TRUE(measuring->start_model("tiny", this->model()).ok());
  EXPECT_TRUE(std::filesystem::exists(verdicts));
}

TEST_F(CoreTest, WithoutExtensionsAndUpdatesBothAreAbsent) {
  ModuleSet on = without(ModuleId::extensions);
  on.set(ModuleId::updates, false);
  const auto core = start(on);
  EXPECT_EQ(core->extensions(), nullptr);
  EXPECT_EQ(core->updates(), nullptr);
  EXPECT_TRUE(core->may_parse_documents());
  EXPECT_EQ(core->may_run_plugins().error().code, ErrorCode::permission_denied);
  EXPECT_THAT(core->may_run_plugins().error().message, HasSubstr("--module-extensions"));
}

// The last test: this process can't undo it.
TEST_F(CoreTest, ZWithoutTheSandboxModelsRunHereWhichConnectsToNobody) {
  std::string confined;
  {
    const auto core = start();
    confined = answer(**load(*core));
    // Only without the sandbox it is this process that gives something up.
    EXPECT_GE(base::FileDescriptor(::socket(AF_INET, SOCK_STREAM, 0)).get(), 0);
  }
  const auto core = start(without(ModuleId::sandbox));
  const auto model = load(*core);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_FALSE((*model)->process());
  EXPECT_TRUE(core->processes().empty());
  EXPECT_EQ(answer(**model), confined);
  for (const int family : {AF_INET, AF_INET6}) {
    EXPECT_LT(base::FileDescriptor(::socket(family, SOCK_STREAM, 0)).get(), 0);
    EXPECT_EQ(errno, EPERM);
  }
  for (const base::Status& refused : {core->may_parse_documents(), core->may_run_plugins()}) {
    EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
    EXPECT_THAT(refused.error().message, HasSubstr("--module-sandbox"));
  }
}

}  // namespace
}  // namespace ingle::assistant

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string_view(ingle::assistant::kHostFlag)) return ingle::assistant::run_engine_host();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
